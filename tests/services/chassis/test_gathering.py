"""What an app writes in one loop turn leaves in one piece, whole and in order."""

import asyncio
from typing import cast

import pytest

from services.chassis.gathering import GatheringTransport


class Wire:
    """A transport that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


@pytest.fixture
def wire() -> Wire:
    return Wire()


def gathering(wire: Wire) -> GatheringTransport:
    return GatheringTransport(cast(asyncio.Transport, wire))


async def test_head_and_body_of_one_turn_leave_in_one_write(wire: Wire) -> None:
    transport = gathering(wire)
    transport.write(b"head")
    transport.write(b"body")
    assert wire.sent == []
    await asyncio.sleep(0)
    assert wire.sent == [b"headbody"]


async def test_another_turn_is_another_write(wire: Wire) -> None:
    transport = gathering(wire)
    for chunk in (b"first", b"second"):
        transport.write(chunk)
        await asyncio.sleep(0)
    assert wire.sent == [b"first", b"second"]


async def test_closing_sends_what_was_written_and_nothing_after_it(wire: Wire) -> None:
    transport = gathering(wire)
    transport.write(b"last words")
    transport.close()
    transport.write(b"too late")
    await asyncio.sleep(0)
    assert wire.sent == [b"last words"]
    assert wire.closed


async def test_in_all_else_it_is_the_transport_it_was_made_from(wire: Wire) -> None:
    assert gathering(wire).get_extra_info("socket") == "the socket"
