"""Engines find each other's sockets by registrations, and dead ones leave none for long."""

import os
import stat
from pathlib import Path

import pytest

from checkout_sim.model.errors import EngineGone
from checkout_sim.stream import runtime
from checkout_sim.stream.runtime import Registered


@pytest.fixture(autouse=True)
def _own_runtime_folder(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))


def an_engine(*, pid: int, began: str = "2026-11-23T12:00:00") -> Registered:
    socket = runtime.runtime_folder() / f"engine-{pid}.sock"
    return Registered(
        pid=pid, socket=socket, strategy="naive", began=began, runs_folder=Path(".checkout-sim")
    )


def test_an_engine_is_found_while_it_runs_and_not_after() -> None:
    engine = an_engine(pid=os.getpid())

    with runtime.registered(engine):
        assert runtime.newest() == engine

    assert runtime.engines() == []
    with pytest.raises(EngineGone, match="checkout-sim tui"):
        runtime.newest()


def test_what_a_killed_engine_left_is_removed_by_who_finds_it() -> None:
    dead = an_engine(pid=2**22 - 3)  # beyond the largest pid Linux gives
    leaving = runtime.registered(dead)
    leaving.__enter__()
    dead.socket.touch()

    assert runtime.engines() == []
    assert list(runtime.runtime_folder().iterdir()) == []


def test_the_folder_is_its_owners_alone() -> None:
    assert stat.S_IMODE(runtime.runtime_folder().stat().st_mode) == 0o700


def test_a_path_too_long_for_a_socket_is_not_used(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder / ("long" * 30)))

    assert len(os.fsencode(runtime.socket_path())) <= 107
