import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from checkout_sim.model.seen import ServiceLine
from checkout_sim.stack.witness import Witness, open_pipe


@dataclass
class Listening:
    """A witness at one end of a pipe, and the service's end."""

    log: Path
    lines: list[ServiceLine] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader, self.writer = open_pipe()

    def begin(self) -> Witness:
        return Witness(
            "order",
            2,
            reader=self.reader,
            log=self.log,
            on_event=self.lines.append,
            on_gap=self.gaps.append,
        )

    def say(self, text: str) -> None:
        os.write(self.writer, text.encode())

    def hang_up(self) -> None:
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1


def line(n: int, kind: str = "order.created", **more: object) -> str:
    return json.dumps({"n": n, "ms": n / 8, "kind": kind, **more}) + "\n"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Listening]:
    listening = Listening(tmp_path / "order-2.log")
    yield listening
    listening.hang_up()


@pytest.fixture
async def witness(service: Listening) -> Witness:
    return service.begin()


async def test_a_line_becomes_what_the_contract_says(service: Listening, witness: Witness) -> None:
    service.say(line(1, order="ord_1", key="k", data={"user_id": "shopper-1"}))
    witness.drain()
    assert service.lines == [
        ServiceLine(
            source="order",
            instance=2,
            n=1,
            ms=0.125,
            kind="order.created",
            order="ord_1",
            key="k",
            data={"user_id": "shopper-1"},
        )
    ]


async def test_what_a_line_leaves_out_is_none_or_empty(
    service: Listening, witness: Witness
) -> None:
    service.say(line(1))
    witness.drain()
    (seen,) = service.lines
    assert (seen.order, seen.key, seen.data) == (None, None, {})


async def test_a_line_written_in_pieces_is_one_line(service: Listening, witness: Witness) -> None:
    whole = line(1, order="café") + line(2)
    raw = whole.encode()
    cut = raw.index("é".encode() if "é".encode() in raw else b"caf") + 1
    os.write(service.writer, raw[:cut])
    witness.read()
    assert service.lines == []
    os.write(service.writer, raw[cut:])
    witness.drain()
    assert [seen.n for seen in service.lines] == [1, 2]


async def test_more_lines_than_one_read_can_hold_arrive_in_order(
    service: Listening, witness: Witness
) -> None:
    said = 9000
    for n in range(1, said + 1):
        service.say(line(n, data={"text": "x" * 50}))
        if n % 1000 == 0:
            witness.read()
    service.hang_up()
    witness.drain()
    assert [seen.n for seen in service.lines] == list(range(1, said + 1))
    assert service.gaps == []


async def test_a_gap_in_the_counter_is_told_and_logged(
    service: Listening, witness: Witness
) -> None:
    service.say(line(1) + line(4) + line(5))
    witness.drain()
    assert service.gaps == ["order 2: line 4 followed line 1"]
    assert [seen.n for seen in service.lines] == [1, 4, 5]
    assert "a gap in the counter" in service.log.read_text()


@pytest.mark.parametrize(
    "garbage",
    [
        "Traceback (most recent call last):",
        "{not json",
        "[1, 2]",
        "7",
        '{"n": 1, "ms": 2.0}',
        '{"n": "one", "ms": 2.0, "kind": "order.created"}',
        '{"n": 1, "ms": 2.0, "kind": 5}',
        '{"n": 1, "ms": 2.0, "kind": "order.created", "data": [1]}',
    ],
)
async def test_what_is_no_event_goes_to_the_log_and_hurts_nobody(
    service: Listening, witness: Witness, garbage: str
) -> None:
    service.say(garbage + "\n" + line(1))
    witness.drain()
    assert [seen.kind for seen in service.lines] == ["order.created"]
    assert service.gaps == []
    assert (
        service.log.read_text() == f"checkout-sim: standard output held not an event: {garbage}\n"
    )


async def test_bytes_that_are_no_text_go_to_the_log(service: Listening, witness: Witness) -> None:
    os.write(service.writer, b"\xff\xfe\n")
    witness.drain()
    assert service.lines == []
    assert b"\xff\xfe" in service.log.read_bytes()


async def test_a_torn_last_line_is_dropped_and_logged(service: Listening, witness: Witness) -> None:
    service.say(line(1) + '{"n": 2, "ms"')
    service.hang_up()
    witness.drain()
    assert [seen.n for seen in service.lines] == [1]
    assert 'a torn last line: {"n": 2, "ms"' in service.log.read_text()


async def test_listening_resolves_at_that_event_and_no_other(
    service: Listening, witness: Witness
) -> None:
    service.say(line(1, "lease.taken"))
    witness.read()
    assert not witness.listening.done()
    service.say(line(2, "process.listening"))
    witness.read()
    assert witness.listening.done()
    witness.close()


async def test_listening_is_given_up_when_the_output_ends(
    service: Listening, witness: Witness
) -> None:
    service.hang_up()
    witness.drain()
    assert witness.listening.cancelled()


async def test_a_service_is_not_made_to_wait_for_a_slow_tool(service: Listening) -> None:
    os.set_blocking(service.writer, False)
    assert os.write(service.writer, b"x" * 500_000) == 500_000
    os.close(service.reader)
