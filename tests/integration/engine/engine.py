"""An engine as a dashboard has it: a process, a socket, and somebody who asks and listens."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil

from checkout_sim.model.answer import Ack, Answer, EngineState, Judged, Nack, Streamed
from checkout_sim.model.command import Buy, Command, Inject, Subscribe, UntilLifted, Window
from checkout_sim.model.fault import LinkFault, PlacedToxic
from checkout_sim.model.history import Observation
from checkout_sim.model.scenario import Line
from checkout_sim.stream.connect import Connection, connect

ROOT = Path(__file__).parents[3]
LIMIT_S = 90.0  # of any one thing awaited; generous, as eight engines may share two cores
CART = (Line(product="mug", quantity=2, price_minor=1250),)

T = TypeVar("T")


@dataclass
class Operator:
    """Somebody at an engine: everything heard is kept, so that nothing can be missed."""

    connection: Connection
    heard: list[Streamed] = field(default_factory=list)
    _at: int = 0

    @property
    def observations(self) -> list[Observation]:
        return [item for item in self.heard if isinstance(item, Observation)]

    async def until(self, fits: Callable[[Streamed], bool], what: str) -> Streamed:
        """Return the first item not yet passed that fits, waiting for it."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while True:
                    while self._at < len(self.heard):
                        self._at += 1
                        if fits(self.heard[self._at - 1]):
                            return self.heard[self._at - 1]
                    self.heard.append(await anext(self.connection))
        except TimeoutError:
            said = [item for item in self.heard if not isinstance(item, Observation)]
            raise AssertionError(f"waited in vain for {what}; heard last {said[-5:]}") from None

    async def until_phase(self, phase: str) -> EngineState:
        state = await self.until(
            lambda item: isinstance(item, EngineState) and item.phase == phase, f"phase {phase}"
        )
        assert isinstance(state, EngineState)
        return state

    async def until_seen(self, kind: str, **about: object) -> Observation:
        def fits(item: Streamed) -> bool:
            return (
                isinstance(item, Observation)
                and item.kind == kind
                and all(getattr(item, name) == value for name, value in about.items())
            )

        seen = await self.until(fits, f"{kind} {about}")
        assert isinstance(seen, Observation)
        return seen

    async def until_answer(self, kind: type[T]) -> T:
        answer = await self.until(lambda item: isinstance(item, kind), kind.__name__)
        assert isinstance(answer, kind)
        return answer

    async def verdict(self) -> Judged:
        judged = await self.until(
            lambda item: isinstance(item, Judged) and not item.provisional, "a verdict"
        )
        assert isinstance(judged, Judged)
        return judged

    async def convicted_so_far(self) -> Judged:
        judged = await self.until(
            lambda item: isinstance(item, Judged) and item.provisional and bool(item.violations),
            "a provisional violation",
        )
        assert isinstance(judged, Judged)
        return judged

    async def ask(self, command: Command) -> Answer:
        """Send a command and return the first answer to it."""
        command_id = await self.connection.send(command)
        answer = await self.until(
            lambda item: isinstance(item, Ack | Nack) and item.command_id == command_id,
            f"an answer to {command}",
        )
        assert isinstance(answer, Ack | Nack)
        return answer

    async def do(self, command: Command) -> Ack:
        """Send a command that must be taken."""
        answer = await self.ask(command)
        assert isinstance(answer, Ack), answer
        return answer

    async def refusal(self, command: Command) -> Nack:
        """Send a command that must be refused."""
        answer = await self.ask(command)
        assert isinstance(answer, Nack), answer
        return answer


@dataclass
class Engine:
    """An engine that was started; `folder` is where it was started."""

    process: asyncio.subprocess.Process
    socket: Path
    folder: Path

    def family(self) -> list[psutil.Process]:
        """Return the engine and every process below it that lives now."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def let_go(self) -> None:
        """Go away, as a dashboard does that is killed."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    async def gone(self) -> int:
        async with asyncio.timeout(LIMIT_S):
            return await self.process.wait()

    @property
    def histories(self) -> list[Path]:
        return sorted(self.folder.glob("runs/runs/*/history.ndjson"))


@asynccontextmanager
async def an_engine(folder: Path, *arguments: str) -> AsyncIterator[Engine]:
    """Start an engine that hangs by its standard input; it is gone afterwards."""
    (folder / "run").mkdir(mode=0o700, exist_ok=True)  # else it is no runtime folder
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "checkout_sim.engine", "--owned"),
        *("--runs-dir", str(folder / "runs"), "--scenarios", str(folder / "scenarios")),
        *arguments,
        cwd=os.environ.get("PYTHONPATH", "").partition(":")[0] or ROOT,
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder / "run")},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(LIMIT_S):
            said = await process.stdout.readline()
        assert said, "the engine said nothing; see what pytest captured of standard error"
        yield Engine(process=process, socket=Path(json.loads(said)["socket"]), folder=folder)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(LIMIT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def an_operator(engine: Engine, *, by: str = "operator") -> AsyncIterator[Operator]:
    """Connect and subscribe."""
    async with connect(engine.socket, by=by) as connection:
        await connection.send(Subscribe())
        yield Operator(connection)


@asynccontextmanager
async def a_session(folder: Path, *arguments: str) -> AsyncIterator[tuple[Engine, Operator]]:
    """Yield an engine whose session takes commands, and its operator."""
    async with an_engine(folder, *arguments) as engine, an_operator(engine) as operator:
        await operator.until_phase("storm")
        yield engine, operator


async def eventually(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    """Return once something is so that nobody announces, asking again and again."""
    never = asyncio.Event()
    try:
        async with asyncio.timeout(LIMIT_S):
            while not await holds():
                with suppress(TimeoutError):
                    await asyncio.wait_for(never.wait(), timeout=0.05)
    except TimeoutError:
        raise AssertionError(f"waited in vain for {what}") from None


def buy(**chosen: object) -> Buy:
    return Buy(lines=CART, **chosen)  # type: ignore[arg-type]  # each test says what it wants


def reply_lost(name: str = "reply_lost_6", *, window: Window | None = None) -> Inject:
    """The reply of the gateway is swallowed."""
    toxic = PlacedToxic(name=name, type="timeout", stream="downstream", attributes={"timeout": 0})
    kind = LinkFault(links=("payment_to_gateway",), toxics=(toxic,))
    return Inject(name=name, kind=kind, window=window or UntilLifted(), title="reply lost")
