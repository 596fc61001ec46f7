"""A service as a process: how it starts, refuses to start, logs and ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis.clock import SystemClock
from services.chassis.ids import Ids
from services.chassis.logs import EventLog

ROOT = Path(__file__).parents[3]
LIMIT_SECONDS = 30


def start(**environ: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "services.payment"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    _, err = process.communicate(timeout=LIMIT_SECONDS)
    return process.returncode, err


@pytest.fixture
def listening() -> Iterator[tuple["subprocess.Popen[str]", int]]:
    process = start()
    assert process.stdout is not None
    event = json.loads(process.stdout.readline())
    assert event["kind"] == "process.listening"
    yield process, event["data"]["port"]
    process.kill()
    process.communicate(timeout=LIMIT_SECONDS)


def test_sigterm_ends_it_with_0(listening: tuple["subprocess.Popen[str]", int]) -> None:
    process, _ = listening
    process.send_signal(signal.SIGTERM)
    assert ended(process) == (0, "")


def test_a_port_that_is_listened_on_is_named_and_ends_it_with_4(
    listening: tuple["subprocess.Popen[str]", int],
) -> None:
    _, port = listening
    code, err = ended(start(PAYMENT_PORT=str(port)))
    assert code == 4
    assert err.count("\n") == 1
    assert f"127.0.0.1:{port}" in err


def test_a_port_bound_just_before_is_bound_again(
    listening: tuple["subprocess.Popen[str]", int],
) -> None:
    process, port = listening
    with socket.create_connection(("127.0.0.1", port)):
        process.kill()
        process.wait(timeout=LIMIT_SECONDS)
    again = start(PAYMENT_PORT=str(port))
    assert again.stdout is not None
    assert json.loads(again.stdout.readline())["data"]["port"] == port
    again.terminate()
    assert ended(again)[0] == 0


def test_it_does_not_outlive_a_parent_that_is_not_its_own() -> None:
    code, err = ended(start(PAYMENT_PARENT_PID="1"))
    assert (code, err) == (3, "payment: parent 1 is gone\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAYMENT_STRATEGY", "hopeful"),
        ("PAYMENT_STRIPE_KEY", "sk_live_very_secret"),
        ("PAYMENT_TIME_SCALE", "-1"),
        ("PAYMENT_PORT", "http"),
    ],
)
def test_a_setting_that_is_wrong_is_named_unprinted_and_ends_it_with_2(
    name: str, value: str
) -> None:
    code, err = ended(start(**{name: value}))
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith(f"{name}: ")
    assert "very_secret" not in err


def test_importing_a_service_starts_nothing() -> None:
    probe = (
        "import asyncio, threading, socket, services.payment.__main__\n"
        "assert threading.active_count() == 1\n"
        "assert asyncio._get_running_loop() is None\n"
        "import gc; assert not [o for o in gc.get_objects() if isinstance(o, socket.socket)]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_events_are_numbered_whole_lines() -> None:
    reading, writing = os.pipe()
    log = EventLog(SystemClock(), fd=writing)
    log.emit("first", order="ord_1", note="größer\n")
    log.emit("second", key="k")
    os.close(writing)
    with os.fdopen(reading) as lines:
        first, second = (json.loads(line) for line in lines)
    assert (first["n"], first["order"], first["data"]) == (1, "ord_1", {"note": "größer\n"})
    assert (second["n"], second["kind"], second["key"]) == (2, "second", "k")


def test_a_reader_that_went_away_does_not_end_the_service() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    log = EventLog(SystemClock(), fd=writing)
    log.emit("unheard")
    log.emit("unheard again")
    os.close(writing)


def test_seeded_ids_repeat_and_another_salt_gives_others() -> None:
    def draw(salt: str) -> list[str]:
        ids = Ids(7, salt=salt)
        return [ids.new("ord") for _ in range(3)]

    assert draw("a") == draw("a")
    assert not set(draw("a")) & set(draw("b"))
    assert len({Ids().new("ord") for _ in range(1000)}) == 1000
