"""Whatever becomes of the dashboard, nothing of its engine is left: no process, toxic or file."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil

from checkout_sim.model.command import Close, Judge, Kill, LiftAll, Note, Pause
from tests.integration.engine.engine import (
    LIMIT_S,
    ROOT,
    Engine,
    a_session,
    an_engine,
    an_operator,
    buy,
    eventually,
    reply_lost,
)


def left_of(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return which of these do not end; as soon as none lives, none."""
    _, alive = psutil.wait_procs(processes, timeout=LIMIT_S)
    return [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


async def nothing_left(engine: Engine, family: list[psutil.Process]) -> None:
    assert await asyncio.to_thread(left_of, family) == []
    assert list((engine.folder / "run" / "checkout-sim").iterdir()) == []


@asynccontextmanager
async def a_proxy_server() -> AsyncIterator[tuple[psutil.Process, str]]:
    """A proxy server that is not the engine's: what is put on it stays on it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "checkout_sim.proxy", "-host", "127.0.0.1", "-port", str(port)),
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        await eventually(lambda: _answers(url), "the proxy server")
        yield psutil.Process(process.pid), url
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        await process.wait()


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient() as http:
        try:
            return (await http.get(f"{url}/version")).is_success
        except httpx.TransportError:
            return False


async def _clean(url: str) -> bool:
    return await toxics_on(url) == []


async def toxics_on(url: str) -> list[str]:
    async with httpx.AsyncClient() as http:
        proxies = (await http.get(f"{url}/proxies")).json()
    return [toxic["name"] for proxy in proxies.values() for toxic in proxy["toxics"]]


async def test_when_its_owner_is_gone_everything_is_healed_and_stopped(here: Path) -> None:
    async with (
        a_proxy_server() as (_, url),
        a_session(here, "--toxiproxy-url", url) as (engine, operator),
    ):
        await operator.do(reply_lost())
        await operator.until_seen("fault.injected", fault="reply_lost_6")
        await operator.do(Pause(process="order"))
        await operator.until_seen("process.paused")
        assert await toxics_on(url) == ["reply_lost_6"]
        family = engine.family()

        engine.let_go()
        await engine.gone()

        await nothing_left(engine, family)
        assert await toxics_on(url) == []


async def test_a_purchase_under_way_holds_up_no_end(here: Path) -> None:
    async with a_session(here, "--engine", "embedded") as (engine, operator):
        await operator.do(Pause(process="payment"))
        await operator.do(buy(patience_ms=600_000))
        await operator.until_seen("call.started")
        family = engine.family()

        engine.let_go()
        await engine.gone()

        await nothing_left(engine, family)


async def test_an_engine_killed_outright_takes_its_stack_with_it(here: Path) -> None:
    async with a_session(here, "--engine", "embedded") as (engine, operator):
        await operator.do(Kill(process="payment"))
        await operator.until_seen("process.killed")
        family = engine.family()

        engine.process.kill()
        await engine.gone()

        assert await asyncio.to_thread(left_of, family) == []


async def test_an_engine_that_is_closed_with_a_verdict_reaches_it_first(here: Path) -> None:
    async with a_session(here, "--strategy", "hardened", "--engine", "embedded") as (
        engine,
        operator,
    ):
        await operator.do(buy())
        await operator.until_seen("client.ended", checkout=1)
        family = engine.family()
        await operator.do(Close(judge=True))
        verdict = await operator.verdict()
        await engine.gone()

        await nothing_left(engine, family)

    assert verdict.status == "valid"


async def test_watchers_may_leave_without_ending_anything(here: Path) -> None:
    async with a_session(here, "--engine", "embedded") as (engine, operator):
        async with an_operator(engine, by="watcher") as watcher:
            await watcher.until_phase("storm")
        await operator.do(buy())
        ended = await operator.until_seen("client.ended", checkout=1)

    assert ended.data["claim"] == "confirmed"


async def test_an_engine_is_found_while_it_runs(here: Path) -> None:
    async with an_engine(here, "--engine", "embedded") as engine:
        [path] = (here / "run" / "checkout-sim").glob("*.json")
        assert str(engine.socket) in path.read_text()
    assert not path.exists()


async def test_a_session_in_which_nothing_happened_leaves_no_run(here: Path) -> None:
    async with a_session(here, "--engine", "embedded") as (engine, _):
        assert len(engine.histories) == 1
        engine.let_go()
        await engine.gone()

        assert engine.histories == []


async def test_a_fault_that_cannot_be_applied_is_told_and_the_engine_goes_on(here: Path) -> None:
    async with (
        a_proxy_server() as (proxy_server, url),
        a_session(here, "--toxiproxy-url", url) as (_, operator),
    ):
        proxy_server.suspend()
        await operator.do(reply_lost())
        stuck = await operator.until(
            lambda item: getattr(item, "code", None) == "engine_stuck", "being stuck"
        )
        await operator.do(Note(text="still here"))
        proxy_server.resume()
        await operator.do(LiftAll())
        await operator.until_seen("operator.healed")
        # What was asked for may have landed after all.
        await eventually(lambda: _clean(url), "the link to be clean")
        await operator.do(Judge())
        await operator.until_phase("judged")

    assert "reply_lost_6" in getattr(stuck, "message", "")


async def test_what_somebody_else_put_on_a_link_is_shown_and_removed_only_when_asked(
    here: Path,
) -> None:
    async with (
        a_proxy_server() as (_, url),
        a_session(here, "--toxiproxy-url", url) as (_, operator),
    ):
        toxic = {"name": "theirs", "type": "latency", "attributes": {"latency": 1}}
        async with httpx.AsyncClient() as http:
            await http.post(f"{url}/proxies/order_to_payment/toxics", json=toxic)
        foreign = await operator.until_seen("fault.foreign")
        await operator.do(LiftAll())
        await operator.until_seen("operator.healed")
        kept = await toxics_on(url)
        await operator.do(LiftAll(foreign=True))
        await operator.until_seen("operator.healed")
        left = await toxics_on(url)

    assert (foreign.data["link"], foreign.data["toxic"]["name"]) == ("order_to_payment", "theirs")
    assert kept == ["theirs"]
    assert left == []


async def test_a_stack_that_does_not_start_is_told_and_tried_again_when_asked(here: Path) -> None:
    async with (
        an_engine(here, "--toxiproxy-url", "http://127.0.0.1:1") as engine,
        an_operator(engine) as operator,
    ):
        state = await operator.until(lambda item: bool(getattr(item, "message", "")), "the reason")
        refusal = await operator.refusal(buy())
        await operator.do(Judge())
        await operator.until(lambda item: bool(getattr(item, "message", "")), "the same again")
        await operator.do(Close())
        await engine.gone()

    assert "127.0.0.1:1" in getattr(state, "message", "")
    assert refusal.code == "wrong_phase"


async def test_an_engine_that_is_ended_before_it_serves_leaves_nothing(here: Path) -> None:
    async with an_engine(here) as engine:
        family = [psutil.Process(engine.process.pid)]
        engine.process.terminate()  # it has said where it listens, and imports what it runs with

        await nothing_left(engine, family)
