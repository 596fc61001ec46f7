"""When things go wrong: one clear message, the right exit code, nothing left, the history kept."""

import os
import resource
import signal
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from checkout_sim.ndjson import read_history
from checkout_sim.stack.ports import LOOPBACK
from tests.e2e.command import (
    RUNS,
    checkout_sim,
    ended,
    family,
    histories,
    start,
    wait_for_history,
)

SICK_GATEWAY = """
import sys

def main(environ: object) -> int:
    print("the moon is in the wrong house", file=sys.stderr)
    return 3
"""


def child(process: subprocess.Popen[str], name: str) -> psutil.Process:
    """Return the tool's descendant of this name, as `ps` shows it."""
    found = [one for one in family(process) if one.name() == name]
    assert len(found) == 1, [one.name() for one in family(process)]
    return found[0]


# -- before anything runs


@pytest.mark.xdist_group("fixed_ports")
@pytest.mark.parametrize("port", [3001, 13001, 8474], ids=["service", "link", "api"])
def test_a_port_of_up_that_is_taken_is_named_with_its_holder(here: Path, port: int) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((LOOPBACK, port))
        taken.listen()
        refused = checkout_sim("up", "--engine", "embedded", cwd=here)

    assert refused.code == 4
    assert f"{LOOPBACK}:{port}" in refused.err
    assert f"by pid {os.getpid()}" in refused.err
    assert not list((here / ".checkout-sim").glob("up-*/*.db"))


def test_a_toxiproxy_that_is_nowhere_is_told_with_what_was_tried(here: Path) -> None:
    nowhere = {"PATH": "/nonexistent", "CHECKOUT_SIM_CACHE": str(here / "cache")}
    arguments = ("run", "story.yaml", "--engine", "toxiproxy")
    refused = checkout_sim(*arguments, cwd=here, env=nowhere)

    assert refused.code == 4
    for said in ("not on PATH", "no cached copy", "toxiproxy install", "--engine embedded"):
        assert said in refused.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "gone.yaml"], "gone.yaml: no such file"),
        (["run", "lost-respons-silent"], 'did you mean "lost-response-silent"?'),
        (["run", "story.yaml", "-s", "naif"], 'did you mean "naive"?'),
        (["run", "story.yaml", "--toxiproxy-url", "http://x:y"], "http://x:y is no address"),
    ],
    ids=lambda value: value[1] if isinstance(value, list) else "",
)
def test_what_cannot_be_used_is_told_in_one_line(
    here: Path, arguments: list[str], said: str
) -> None:
    refused = checkout_sim(*arguments, cwd=here)

    assert refused.code == (4 if "--toxiproxy-url" in arguments else 2)
    assert said in refused.err
    assert len(refused.err.splitlines()) == 1


def test_files_that_are_no_scenarios_are_all_told_in_one_go(here: Path) -> None:
    (here / "wrong.yaml").write_text("a: [b\n")
    (here / "empty.yaml").write_text("")
    (here / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    refused = checkout_sim("run", "wrong.yaml", "empty.yaml", "binary.yaml", cwd=here)

    assert refused.code == 2
    told = [" ".join(line.split()[:4]) for line in refused.err.splitlines()]
    assert told == [
        "wrong.yaml:2:1: not YAML: while",
        "empty.yaml:1:1: the file is",
        "binary.yaml:1:1: byte 0xff is",
    ]


def test_a_service_that_dies_at_start_is_told_with_its_last_lines(here: Path) -> None:
    sick = here / "sick" / "services"
    (sick / "gateway").mkdir(parents=True)
    found_first = "from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n"
    (sick / "__init__.py").write_text(found_first)
    (sick / "gateway" / "__init__.py").touch()
    (sick / "gateway" / "__main__.py").write_text(SICK_GATEWAY)
    path = os.pathsep.join([str(sick.parent), str(Path(__file__).parents[2])])
    refused = checkout_sim("run", "story.yaml", cwd=here, env={"PYTHONPATH": path})

    assert refused.code == 4
    assert "gateway 1" in refused.err
    assert "exited with status 3" in refused.err
    assert "the moon is in the wrong house" in refused.err
    assert len(histories(here)) == 1


def test_a_home_that_cannot_be_written_is_not_needed(here: Path) -> None:
    (here / "home").write_text("a file, so nothing can be made below it")
    home = str(here / "home")
    held = checkout_sim("run", "quick.yaml", cwd=here, env={"HOME": home, "XDG_CACHE_HOME": home})

    assert held.code == 0, held.err


# -- a disk that is full: RLIMIT_FSIZE refuses a write in the kernel, as a full disk does


def test_a_disk_full_from_the_start_is_told_with_its_folder(here: Path) -> None:
    process = start("run", "story.yaml", cwd=here)
    psutil.Process(process.pid).rlimit(resource.RLIMIT_FSIZE, (0, 0))
    refused = ended(process, [])

    assert refused.code == 4
    assert "cannot keep a run" in refused.err
    assert ".checkout-sim" in refused.err
    assert "--runs-dir" in refused.err


def test_a_disk_that_fills_up_in_the_middle_ends_the_run_and_keeps_its_history(here: Path) -> None:
    process = start("run", "story.yaml", cwd=here)
    wait_for_history(here, "client.sent", process)
    children = family(process)
    (history,) = histories(here)
    most = history.stat().st_size + 100
    psutil.Process(process.pid).rlimit(resource.RLIMIT_FSIZE, (most, most))  # of the tool alone
    cut = ended(process, children)

    assert cut.code == 3
    assert f"{history.relative_to(here)}: cannot write the history: File too large" in cut.err
    assert len(cut.err.splitlines()) == 2, cut.err  # and which proxy server it was
    assert {"run.opened", "client.sent"} <= {seen.kind for seen in read_history(history)}


# -- interruptions


@pytest.mark.parametrize(
    ("scenario", "moment", "signals"),
    [
        ("story", "phase.entered", [signal.SIGINT]),
        ("story", "client.sent", [signal.SIGINT, signal.SIGINT]),
        ("patient", '"settle"', [signal.SIGINT]),
        ("story", "run.opened", [signal.SIGTERM]),
        ("story", "client.sent", [signal.SIGHUP]),
    ],
    ids=["start", "storm-twice", "settle", "term", "hangup"],
)
def test_an_interruption_at_any_moment_ends_with_130_and_leaves_nothing(
    here: Path, scenario: str, moment: str, signals: list[signal.Signals]
) -> None:
    process = start("run", f"{scenario}.yaml", cwd=here)
    wait_for_history(here, moment, process)
    children = family(process)
    for number in signals:
        process.send_signal(number)
    cut = ended(process, children)

    assert cut.code == 130
    assert "interrupted after 0 of 1 runs; history kept in .checkout-sim/runs" in cut.err
    (history,) = histories(here)
    assert list(read_history(history))


# -- services that are harmed by somebody else


def test_a_service_that_dies_after_calm_leaves_its_ledger_unread_and_named(here: Path) -> None:
    process = start("run", "patient.yaml", cwd=here)
    wait_for_history(here, '"settle"', process)
    children = family(process)
    child(process, "payment.1").kill()
    cut = ended(process, children)
    told = " ".join(cut.out.split())

    assert cut.code == 3
    assert "the payments ledger was not read" in told
    assert "payment ended by itself with status -9" in told


def test_a_damaged_database_leaves_its_ledger_unread_and_named(here: Path) -> None:
    process = start("run", "patient.yaml", cwd=here)
    wait_for_history(here, '"settle"', process)
    children = family(process)
    (database,) = here.glob(f"{RUNS}/*/payment.db")
    # Overwriting the file is not enough: SQLite would answer from its cache.
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        for (table,) in tables:
            db.execute(f'DROP TABLE "{table}"')
    cut = ended(process, children)

    assert tables
    assert cut.code == 3
    assert "the payments ledger was not read" in " ".join(cut.out.split())


def test_a_service_that_dies_in_the_storm_is_told_whatever_the_verdict(here: Path) -> None:
    process = start("run", "story.yaml", cwd=here)
    wait_for_history(here, "client.sent", process)
    children = family(process)
    child(process, "gateway.1").kill()
    cut = ended(process, children)

    assert "gateway ended by itself with status -9" in " ".join(cut.out.split())


# -- streams and stored runs


def test_a_reader_that_stops_reading_ends_nothing(here: Path) -> None:
    process = start("list", cwd=here)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (0, "")


def test_what_is_no_terminal_gets_no_control_characters(here: Path) -> None:
    plain = checkout_sim("list", cwd=here, env={"NO_COLOR": "", "TERM": "xterm-256color"})

    assert plain.code == 0
    assert "\x1b" not in plain.out + plain.err


def test_a_damaged_history_is_refused_with_its_line(here: Path) -> None:
    folder = here / RUNS / "20261123-000000-story-hardened-1-beef"
    folder.mkdir(parents=True)
    (folder / "history.ndjson").write_text('{"id": 1, "t_ms"\n')
    refused = checkout_sim("judge", "latest", cwd=here)

    assert refused.code == 3
    assert "history.ndjson:1: not a line of JSON" in refused.err


def test_a_run_that_never_came_up_has_nothing_to_judge(here: Path) -> None:
    folder = here / RUNS / "20261123-000000-story-hardened-1-beef"
    folder.mkdir(parents=True)
    (folder / "history.ndjson").write_text("")
    refused = checkout_sim("judge", "latest", cwd=here)

    assert refused.code == 3
    assert "the stack never came up" in refused.err
