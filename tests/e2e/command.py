"""The command line as a person uses it: a process, its streams, its exit code, what it left."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
LIMIT_S = 120
RUNS = ".checkout-sim/runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A command that ended."""

    code: int
    out: str
    err: str


def checkout_sim(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, limit_s: float = LIMIT_S
) -> Ended:
    """Run `checkout-sim` in a folder and wait for its end."""
    process = start(*arguments, cwd=cwd, env=env)
    try:
        out, err = process.communicate(timeout=limit_s)
    finally:
        process.kill()
    return Ended(code=process.returncode, out=out, err=err)


def start(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start `checkout-sim` in a folder, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "checkout_sim", *arguments],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return every descendant that lives now."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(process.pid).children(recursive=True)
    return []


def survivors(processes: Sequence[psutil.Process], limit_s: float = 10) -> list[psutil.Process]:
    """Return which of these still live when the limit has passed; empty as soon as none does."""
    _, alive = psutil.wait_procs(processes, timeout=limit_s)
    return [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


def wait_for_history(
    folder: Path, wanted: str, process: subprocess.Popen[str] | None = None
) -> None:
    """Return once a run archived below this folder has recorded the text.

    A process that is given must live so long.
    """
    deadline = time.monotonic() + LIMIT_S
    pause = threading.Event()
    while not any(wanted in path.read_text() for path in folder.glob(f"{RUNS}/*/history.ndjson")):
        assert time.monotonic() < deadline, f"no history ever held {wanted!r}"
        assert process is None or process.poll() is None, process.communicate()
        pause.wait(0.05)


def report_in(path: Path) -> Any:
    """Return the JSON report in a file."""
    return json.loads(path.read_text())


def histories(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{RUNS}/*/history.ndjson"))


def ended(process: subprocess.Popen[str], children: list[psutil.Process]) -> Ended:
    """Wait for the end of a command, and see that nothing of it is left."""
    out, err = process.communicate(timeout=60)
    assert survivors(children) == []
    assert "Traceback" not in err
    return Ended(code=process.returncode, out=out, err=err)
