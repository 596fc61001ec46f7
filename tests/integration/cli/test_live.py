"""The command line over the real stack: one run, its archive, Ctrl-C, and `up`."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

LIMIT_S = 120.0

STORY = """\
version: 1
name: mine
why: Nothing breaks, and two shoppers buy.
stack: {time_scale: 0.5}
load: {checkouts: 2}
expect:
  hardened: {verdict: valid, confirmed: 2}
"""

Command = subprocess.Popen[str]


def started(folder: Path, *arguments: str) -> Command:
    return subprocess.Popen(
        [sys.executable, "-m", "checkout_sim", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        start_new_session=True,
    )


def ended(command: Command) -> tuple[int, str, str]:
    out, err = command.communicate(timeout=LIMIT_S)
    return command.returncode, out, err


def read_until(command: Command, sight: str) -> str:
    """Read what a command says, until it says that, or fail."""
    assert command.stdout is not None
    said = ""
    until = time.monotonic() + LIMIT_S
    while sight not in said:
        ready, _, _ = select.select([command.stdout], [], [], until - time.monotonic())
        chunk = os.read(command.stdout.fileno(), 65536).decode() if ready else ""
        assert chunk, f"never said {sight!r}: {said}\n{command.stderr and command.stderr.read()}"
        said += chunk
    return said


def descendants(command: Command) -> list[psutil.Process]:
    return psutil.Process(command.pid).children(recursive=True)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one scenario was run, its report beside it."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "mine.yaml").write_text(STORY)
    arguments = ("mine.yaml", "--engine", "embedded", "--json", "report.json")
    code, out, err = ended(started(folder, "run", *arguments))
    (folder / "out.txt").write_text(out)
    assert code == 0, out + err
    return folder


def test_a_run_ends_with_a_table_and_a_report(archive: Path) -> None:
    out = (archive / "out.txt").read_text()
    written = json.loads((archive / "report.json").read_text())

    assert "✔ valid" in out
    assert written["engine"]["name"] == "embedded"
    assert [(one["scenario"], one["orders"]["confirmed"]) for one in written["runs"]] == [
        ("mine", 2)
    ]


def test_an_archived_run_is_listed_and_judged_again_the_same(archive: Path) -> None:
    run_id = json.loads((archive / "report.json").read_text())["runs"][0]["id"]
    listed = ended(started(archive, "runs"))
    judged = ended(started(archive, "judge", "latest"))

    assert (listed[0], judged[0]) == (0, 0), listed[2] + judged[2]
    assert [run_id] == [line.split()[0] for line in listed[1].splitlines() if "valid" in line]
    assert "mine × hardened: valid (as expected)" in judged[1]  # noqa: RUF001
    assert "Reproduce with: checkout-sim run mine.yaml --strategy hardened --seed 1" in judged[1]


def test_ctrl_c_in_the_middle_leaves_a_history_and_no_process(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(STORY.replace("checkouts: 2", "checkouts: 5000"))
    command = started(tmp_path, "run", "mine.yaml", "--engine", "embedded")
    history = wait_for_history(tmp_path, command)
    world = descendants(command)
    command.send_signal(signal.SIGINT)
    code, _, err = ended(command)

    assert code == 130, err
    assert "interrupted after 0 of 1 runs; history kept in .checkout-sim/runs" in err
    assert "Traceback" not in err
    assert history.stat().st_size > 0
    assert world
    _, alive = psutil.wait_procs(world, timeout=LIMIT_S)
    assert alive == []


def wait_for_history(folder: Path, command: Command) -> Path:
    """Return the history as soon as it holds something; polling is how a file is observed."""
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until and command.poll() is None:
        for found in folder.glob(".checkout-sim/runs/*/history.ndjson"):
            if found.stat().st_size:
                return found
        select.select([], [], [], 0.02)
    code, out, err = ended(command)
    pytest.fail(f"no history was begun; exit {code}\n{out}{err}")


UP_PORTS = (3000, 3001, 3003, 8474, 13000, 13001, 13003)


def held(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


@pytest.fixture
def _fixed_ports_are_free() -> None:
    taken = [port for port in UP_PORTS if held(port)]
    if taken:
        pytest.skip(f"`up` listens on fixed ports, and {taken} are held by somebody else")


@pytest.mark.xdist_group("fixed_ports")
@pytest.mark.usefixtures("_fixed_ports_are_free")
def test_up_brings_a_shop_up_and_takes_it_down_on_ctrl_c(tmp_path: Path) -> None:
    command = started(tmp_path, "up", "--engine", "embedded")
    said = read_until(command, "Ctrl-C stops it.")
    with urllib.request.urlopen("http://127.0.0.1:3000/health", timeout=LIMIT_S) as answer:
        health = json.load(answer)
    world = descendants(command)
    command.send_signal(signal.SIGINT)
    code, _, err = ended(command)

    assert (health["status"], health["strategy"]) == ("ok", "hardened")
    assert "curl -X POST http://127.0.0.1:3000/cart/add" in said
    assert code == 0, err
    _, alive = psutil.wait_procs(world, timeout=LIMIT_S)
    assert (bool(world), alive) == (True, [])
