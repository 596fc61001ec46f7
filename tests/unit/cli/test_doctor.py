import os
import socket
from pathlib import Path

import pytest

from checkout_sim.cli.boundary import guarded
from checkout_sim.cli.doctor import (
    Finding,
    Level,
    broker,
    database,
    fixed_port,
    link_ports,
    packages,
    python_version,
    stolen_time,
    writable,
)
from checkout_sim.stack import postgresql_program, rabbitmq_program


def test_a_port_that_is_held_names_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        finding = fixed_port(server.getsockname()[1], "order")

    assert finding.level is Level.WARN
    assert f"(pid {os.getpid()})" in finding.found
    assert "`run` takes free ports" in finding.action


def test_a_port_that_is_free_is_ok() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert fixed_port(port, "order").level is Level.OK


def test_links_take_one_line_unless_a_port_of_theirs_is_held() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        taken = held.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as other:
            free = other.getsockname()[1]
        (warned,) = link_ports({free: "shopper_to_order", taken: "order_to_payment"})
    (well,) = link_ports({free: "shopper_to_order"})

    assert (warned.level, warned.what) == (Level.WARN, f"port {taken}")
    assert "for the link order_to_payment" in warned.action
    assert (well.level, well.found) == (Level.OK, f"{free}-{free} free for the links")


def test_a_missing_package_fails_and_says_what_to_do() -> None:
    finding = packages(["rich", "no-such-package-anywhere"])

    assert finding.level is Level.FAIL
    assert "no-such-package-anywhere" in finding.found
    assert finding.action


def test_without_a_server_some_runs_are_not_to_be_had_and_it_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rabbitmq_program, "_USUAL", ())
    monkeypatch.setattr(postgresql_program, "_USUAL", ())
    monkeypatch.setenv("PATH", "")

    lacking = (broker(), database())

    assert [finding.level for finding in lacking] == [Level.WARN, Level.WARN]
    assert lacking[0].found.startswith("rabbitmq-server is not installed")
    assert "apt-get install rabbitmq-server" in lacking[0].action
    assert lacking[1].found == "no PostgreSQL server (initdb, postgres) is installed"
    assert "apt-get install postgresql" in lacking[1].action


@pytest.mark.parametrize(
    ("told", "level", "found"),
    [
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Level.OK, "PostgreSQL 15.18 at "),
        ("postgres (PostgreSQL) 18beta1", Level.OK, "PostgreSQL 18beta1 at "),
        ("postgres (PostgreSQL) 12.1", Level.WARN, "PostgreSQL 12.1, expected 13 or later"),
        ("", Level.OK, "PostgreSQL at "),
    ],
)
def test_a_postgresql_is_named_with_its_version_and_an_old_one_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, level: Level, found: str
) -> None:
    for name in ("initdb", "postgres"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho '{told}'\n")
        program.chmod(0o755)
    monkeypatch.setattr(postgresql_program, "_USUAL", ())
    monkeypatch.setenv("PATH", str(tmp_path))

    finding = database()

    assert finding.level is level
    assert finding.found.startswith(found)
    assert finding.action == ("upgrade it" if level is Level.WARN else "")


def test_a_postgresql_that_does_not_run_is_found_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text("")
    (tmp_path / "postgres").chmod(0o755)
    monkeypatch.setattr(postgresql_program, "_USUAL", ())
    monkeypatch.setenv("PATH", str(tmp_path))

    assert database().found == f"PostgreSQL at {tmp_path / 'postgres'}"


def test_an_old_python_fails() -> None:
    assert python_version((3, 10, 4)).level is Level.FAIL
    assert python_version((3, 12, 0)).level is Level.OK


def test_a_folder_still_to_be_made_is_judged_by_where_it_would_be(tmp_path: Path) -> None:
    finding = writable("runs folder", tmp_path / "new" / "runs", "choose another")

    assert finding.level is Level.OK
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert writable("runs folder", tmp_path / "file", "choose another").level is Level.FAIL


def test_a_line_begins_with_its_level_and_ends_with_the_next_action() -> None:
    finding = Finding(level=Level.WARN, what="port 3000", found="held", action="free it")

    assert str(finding).splitlines()[0].split() == ["warn", "port", "3000", "held"]
    assert str(finding).endswith("→ free it")


def test_doctor_looks_at_everything_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert guarded(["doctor"]) == 0

    out = capsys.readouterr().out
    for looked_at in (
        "Python",
        "packages",
        "Toxiproxy",
        "broker",
        "database",
        "port 3000",
        "port 3002",
        "port 3005",
        "port 8474",
        "link ports",
        "open files",
        "processors",
    ):
        assert looked_at in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("share", "level", "said"),
    [(0.0, Level.OK, "took 0.0%"), (0.0099, Level.OK, "1.0%"), (0.062, Level.WARN, "took 6.2%")],
)
def test_a_host_that_takes_the_processors_away_is_noted(
    share: float, level: Level, said: str
) -> None:
    found = stolen_time(2, share)

    assert found.level is level
    assert said in found.found
