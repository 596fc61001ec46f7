"""Checkouts per second, the idiomatic baseline and ours in interleaved rounds, every link proxied.

`python -m tests.bench.throughput [--rounds 3] [--checkouts 600] [--concurrency 32]
[--strategies naive hardened orchestrated choreographed] [--database postgres]`. CPU shares are the
kernel's own accounting of the tool's process against everything it started.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from checkout_sim.clients.transport import http_client
from checkout_sim.model.claims import CORE
from checkout_sim.model.scenario import Expectation, Load, Scenario, Settle, StackSpec
from checkout_sim.simulation.means import Means
from checkout_sim.simulation.options import Options, Progress
from checkout_sim.simulation.undisturbed import simulate
from checkout_sim.stack.ports import PortReservation
from checkout_sim.stack.proxy_server import ProxiedLink, start_proxy_server
from tests.bench.table import Figure, show
from tests.bench.warm import warm_means

ROOT = Path(__file__).parents[2]
LINKS = {
    "order_to_payment": "payment",
    "payment_to_gateway": "gateway",
    "shopper_to_order": "order",
}
# Of each strategy: at least so many times the baseline's checkouts.
TARGETS = {"naive": 3.5, "hardened": 2.0, "orchestrated": 1.2, "choreographed": 1.0}
START_LIMIT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One stack's figures in one round."""

    per_s: float
    driver_share: float | None = None


@dataclass(slots=True)
class CpuAroundStorm:
    """CPU seconds of this process and of all its descendants, sampled as the storm passes."""

    samples: dict[str, tuple[float, float]] = field(default_factory=dict)

    def watch(self, progress: Progress) -> None:
        """Sample at the beginning and the end of the storm."""
        if progress.kind == "phase" and progress.phase in {"storm", "calm"}:
            self.samples[progress.phase] = cpu_seconds()

    @property
    def driver_share(self) -> float:
        """Return the tool's part of all CPU used in the storm."""
        (own_0, others_0), (own_1, others_1) = self.samples["storm"], self.samples["calm"]
        own = own_1 - own_0
        return own / (own + others_1 - others_0)


def cpu_seconds() -> tuple[float, float]:
    """Return (this process, all descendants alive), user and system together."""
    me = psutil.Process()
    own = me.cpu_times()
    others = 0.0
    for child in me.children(recursive=True):
        times = child.cpu_times()
        others += times.user + times.system
    return own.user + own.system, others


async def ours(strategy: str, asked: argparse.Namespace, means: Means) -> Round:
    """Run one storm of our stack without faults."""
    scenario = Scenario(
        name="throughput",
        why="How many checkouts a second this strategy carries when nothing fails.",
        stack=StackSpec(database=asked.database),
        path="bench",
        digest="",
        load=Load(checkouts=asked.checkouts, concurrency=asked.concurrency),
        settle=Settle(quiet_for_ms=100, stalled_for_ms=6000),
        invariants=CORE,
        expect={strategy: Expectation(verdict="valid")},
    )
    cpu = CpuAroundStorm()
    run = await simulate(
        scenario,
        strategy=strategy,
        seed=1,
        means=means,
        watch=cpu.watch,
    )
    if run.verdict.status != "valid":
        print(f"{strategy}: verdict {run.verdict.status} under no faults: {run.verdict.unknowns}")
    per_s = asked.checkouts / (run.timings.storm_ms / 1000)
    return Round(per_s=per_s, driver_share=cpu.driver_share)


@asynccontextmanager
async def baseline_stack(asked: argparse.Namespace, folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Yield (the shoppers' URL through the proxy, the order service's own URL)."""
    reserved = {name: PortReservation(wanted_by=name) for name in ("order", "payment", "gateway")}
    proxy = await start_proxy_server(
        engine=asked.engine,
        folder=folder,
        links=[
            ProxiedLink(name=link, upstream=f"127.0.0.1:{reserved[callee].port}")
            for link, callee in LINKS.items()
        ],
    )
    url = {name: f"http://{host}:{port}" for name, (host, port) in proxy.listening.items()}
    onward = {"order": url["order_to_payment"], "payment": url["payment_to_gateway"], "gateway": ""}
    for one in reserved.values():
        one.close()
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.idiomatic", name, "--port", str(one.port)),
            *("--database", str(folder / f"{name}.db"), "--next", onward[name]),
            cwd=ROOT,
        )
        for name, one in reserved.items()
    ]
    try:
        for one in reserved.values():
            await healthy(f"http://127.0.0.1:{one.port}/health")
        yield url["shopper_to_order"], f"http://127.0.0.1:{reserved['order'].port}"
    finally:
        for process in processes:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))
        await proxy.stop()


async def healthy(url: str) -> None:
    """Return when the URL answers 200."""
    async with asyncio.timeout(START_LIMIT_S), http_client(timeout_s=2.0) as client:
        while True:
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx.HTTPError:
                await asyncio.sleep(0.05)


async def baseline(asked: argparse.Namespace, folder: Path) -> Round:
    """Send the same checkouts through the idiomatic stack."""
    async with baseline_stack(asked, folder) as (shop, direct):
        client = http_client(timeout_s=60.0)
        users = iter([f"shopper-{n}" for n in range(1, asked.checkouts + 1)])
        for n in range(1, asked.checkouts + 1):
            line = {"userId": f"shopper-{n}", "productId": "mug", "quantity": 1, "price": 42}
            (await client.post(f"{direct}/cart/add", json=line)).raise_for_status()

        async def shopper() -> None:
            for user in users:
                answer = await client.post(f"{shop}/order/place", json={"userId": user})
                answer.raise_for_status()

        began = time.monotonic()
        await asyncio.gather(*(shopper() for _ in range(asked.concurrency)))
        took = time.monotonic() - began
        await client.aclose()
    return Round(per_s=asked.checkouts / took)


async def measure(asked: argparse.Namespace) -> list[Figure]:
    """Run the rounds, interleaved, and return medians and ratios."""
    rounds: dict[str, list[Round]] = {"idiomatic": []} | {name: [] for name in asked.strategies}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        options = Options(
            engine=asked.engine, runs_folder=folder, links_path=ROOT / "toxiproxy.json"
        )
        async with warm_means(options) as means:
            for number in range(asked.rounds):
                for name, kept in rounds.items():
                    if name == "idiomatic":
                        with tempfile.TemporaryDirectory(dir=folder) as own:
                            kept.append(await baseline(asked, Path(own)))
                    else:
                        kept.append(await ours(name, asked, means))
                    print(f"round {number + 1} {name}: {kept[-1].per_s:.0f}/s", file=sys.stderr)
    base = statistics.median(one.per_s for one in rounds["idiomatic"])
    figures = [Figure(name="idiomatic baseline", value=base, unit="checkouts/s")]
    for name in asked.strategies:
        per_s = statistics.median(one.per_s for one in rounds[name])
        ratio = statistics.median(
            mine.per_s / theirs.per_s
            for mine, theirs in zip(rounds[name], rounds["idiomatic"], strict=True)
        )
        share = statistics.median(one.driver_share or 0.0 for one in rounds[name])
        figures += [
            Figure(name=f"{name}", value=per_s, unit="checkouts/s"),
            Figure(
                name=f"{name} over baseline",
                value=ratio,
                unit="x",
                target=TARGETS[name],
                wanted="at least",
            ),
            Figure(name=f"driver's CPU, {name}", value=share * 100, unit="%", target=15),
        ]
    return figures


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen."""
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checkouts", type=int, default=600)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--strategies", nargs="+", choices=TARGETS, default=list(TARGETS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    arguments(parser)
    os.chdir(ROOT)
    show(asyncio.run(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
