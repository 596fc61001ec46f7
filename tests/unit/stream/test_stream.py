"""Over a real socket: what a subscriber is told, in which order, and what becomes of a slow one."""

import asyncio
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from checkout_sim.model.answer import Ack, EngineState, Judged, Lagged, Nack, Streamed, Stretch
from checkout_sim.model.command import Asked, Note, Subscribe
from checkout_sim.model.errors import EngineGone
from checkout_sim.model.history import Observation
from checkout_sim.stream.connect import Connection, connect
from checkout_sim.stream.runtime import listening
from checkout_sim.stream.serve import Server, serving
from checkout_sim.stream.subscriber import Subscriber
from tests.unit.stream.conftest import GrowingRun

LIMIT_S = 20.0


async def acknowledge(asked: Asked, subscriber: Subscriber) -> None:
    subscriber.tell(Ack(command_id=asked.command_id, message=type(asked.command).__name__))


@asynccontextmanager
async def an_engine(folder: Path) -> AsyncIterator[tuple[Server, Path]]:
    """A server that acknowledges every command."""
    server = Server(acknowledge, on_left=lambda _: None)
    path = folder / "engine.sock"
    with listening(path) as listener:
        async with serving(server, listener):
            yield server, path


async def heard(connection: Connection, until: Callable[[Streamed], bool]) -> list[Streamed]:
    """Return everything up to and including the first item that is meant."""
    items: list[Streamed] = []
    async with asyncio.timeout(LIMIT_S):
        async for item in connection:
            items.append(item)
            if until(item):
                return items
    raise AssertionError(f"the stream ended after {items[-3:]}")


def ids(items: list[Streamed]) -> list[int]:
    return [item.id for item in items if isinstance(item, Observation)]


def reaches(number: int) -> Callable[[Streamed], bool]:
    return lambda item: isinstance(item, Observation) and item.id == number


async def test_who_connects_before_anybody_serves_is_answered_once_somebody_does(
    short_folder: Path,
) -> None:
    path = short_folder / "engine.sock"
    server = Server(acknowledge, on_left=lambda _: None)
    with listening(path) as listener:
        async with connect(path) as early:
            asked = await early.send(Subscribe())
            async with serving(server, listener):
                answers = await heard(early, lambda item: isinstance(item, Ack))

    assert answers == [Ack(command_id=asked)]
    assert not path.exists()


async def test_a_run_is_told_from_its_beginning_and_as_it_goes_on(short_folder: Path) -> None:
    async with an_engine(short_folder) as (server, path):
        run = GrowingRun(short_folder / "run", server)
        run.grow(3)
        async with connect(path) as connection:
            await connection.send(Subscribe())
            early = await heard(connection, reaches(3))
            run.grow(2)
            late = await heard(connection, reaches(5))

    assert any(isinstance(item, Stretch) for item in early)
    assert ids(early + late) == [1, 2, 3, 4, 5]


async def test_a_late_subscriber_gets_from_the_file_what_memory_has_forgotten(
    short_folder: Path,
) -> None:
    async with an_engine(short_folder) as (server, path):
        run = GrowingRun(short_folder / "run", server, remembered=10)
        run.grow(2000)
        async with connect(path) as connection:
            await connection.send(Subscribe())
            items = await heard(connection, reaches(2000))

    assert ids(items) == list(range(1, 2001))
    assert not any(isinstance(item, Lagged) for item in items), "nobody fell behind"


async def test_a_subscriber_may_begin_anywhere(short_folder: Path) -> None:
    async with an_engine(short_folder) as (server, path):
        run = GrowingRun(short_folder / "run", server, remembered=10)
        run.grow(700)
        async with connect(path) as connection:
            await connection.send(Subscribe(from_id=600))
            items = await heard(connection, reaches(700))

    assert ids(items) == list(range(600, 701))


async def test_one_who_falls_behind_is_told_so_and_catches_up_from_the_file(
    short_folder: Path,
) -> None:
    async with an_engine(short_folder) as (server, path):
        run = GrowingRun(short_folder / "run", server, remembered=10)
        run.grow(1)
        async with connect(path) as connection:
            await connection.send(Subscribe())
            before = await heard(connection, reaches(1))
            run.grow(5000)  # at once: the writer gets no turn meanwhile
            after = await heard(connection, reaches(5001))

    lags = [item for item in after if isinstance(item, Lagged)]
    assert lags, "it was following, and memory went past it"
    assert ids(before + after) == list(range(1, 5002)), "without a gap, and none twice"


async def test_two_subscribers_are_told_the_same_each_in_its_time(short_folder: Path) -> None:
    async with an_engine(short_folder) as (server, path):
        run = GrowingRun(short_folder / "run", server)
        run.grow(5)
        async with connect(path) as one, connect(path) as other:
            await one.send(Subscribe())
            first = await heard(one, reaches(5))
            run.grow(5)
            await other.send(Subscribe())
            second = await heard(other, reaches(10))
            first += await heard(one, reaches(10))

    assert ids(first) == ids(second) == list(range(1, 11))


async def test_a_new_run_begins_only_after_the_one_before_was_told_to_its_end(
    short_folder: Path,
) -> None:
    async with an_engine(short_folder) as (server, path):
        run = GrowingRun(short_folder / "one", server)
        async with connect(path) as connection:
            await connection.send(Subscribe())
            await heard(connection, lambda item: isinstance(item, Stretch))
            run.grow(1500)
            run.tape.judged = Judged(run_id="one", provisional=False, status="valid")
            run.end()
            following = GrowingRun(short_folder / "two", server)
            following.grow(1)
            items = await heard(connection, lambda item: isinstance(item, Stretch))
            items += await heard(connection, reaches(1))

    kinds = [type(item).__name__ for item in items if not isinstance(item, Ack)]
    assert kinds[:1500] == ["Observation"] * 1500
    assert kinds[1500:] == ["Judged", "Stretch", "Observation"]


async def test_an_answer_goes_to_the_one_who_asked(short_folder: Path) -> None:
    async with (
        an_engine(short_folder) as (_, path),
        connect(path) as one,
        connect(path) as other,
    ):
        await other.send(Note(text="quiet"))
        command_id = await one.send(Note(text="hear"))
        [answer] = await heard(one, lambda item: isinstance(item, Ack))

    assert answer == Ack(command_id=command_id, message="Note")


async def test_who_joins_is_told_where_the_engine_is(short_folder: Path) -> None:
    state = EngineState(phase="storm", strategy="naive")
    async with an_engine(short_folder) as (server, path):
        server.say(state)
        async with connect(path) as connection:
            assert await heard(connection, lambda _: True) == [state]


async def test_a_line_that_is_no_command_is_refused_and_the_connection_lives(
    short_folder: Path,
) -> None:
    async with an_engine(short_folder) as (_, path):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"{}\n")
        connection = Connection(reader, writer, by="tests")
        [refusal] = await heard(connection, lambda item: isinstance(item, Nack))
        await connection.send(Note(text="still here"))
        [answer] = await heard(connection, lambda item: isinstance(item, Ack))
        writer.close()
        await writer.wait_closed()

    assert isinstance(refusal, Nack)
    assert refusal.code == "invalid"
    assert isinstance(answer, Ack)


async def test_the_stream_ends_with_the_engine_after_everything_was_told(
    short_folder: Path,
) -> None:
    async with an_engine(short_folder) as (server, path):
        run = GrowingRun(short_folder / "run", server)
        leaving = connect(path)
        connection = await leaving.__aenter__()
        await connection.send(Subscribe())
        await heard(connection, lambda item: isinstance(item, Stretch))
        run.grow(1000)
    items = [item async for item in connection]
    await leaving.__aexit__(None, None, None)

    assert ids(items) == list(range(1, 1001))


async def test_only_its_owner_may_connect(short_folder: Path) -> None:
    async with an_engine(short_folder) as (_, path):
        mode = stat.S_IMODE(path.stat().st_mode)

    assert mode == 0o600
    assert not path.exists(), "an engine that ended leaves no socket"


async def test_where_no_engine_listens_one_is_told_what_to_do(short_folder: Path) -> None:
    with pytest.raises(EngineGone, match="checkout-sim tui"):
        async with connect(short_folder / "nobody.sock"):
            pass
