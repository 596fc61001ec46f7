"""The engine as a child of the dashboard: started, spoken to through its socket, ended with it.

Takes what the engine is to run; gives its socket. Its standard input is the thread it hangs by:
when we end, in whatever way, it heals and stops by itself. What it writes on standard error would
spoil the screen, so it goes to a file without a name, which no end can leave behind, and is kept
beside the run only where it says something.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from checkout_sim.cli.streams import complain
from checkout_sim.model.errors import EngineGone

_ENDS_WITHIN_S = 15.0  # it ends itself within 5 s, later only where it was asked for a verdict
_ENDS_SOON_S = 3.0  # once it has closed its stream
_LAST_LINES = 20
LOG_NAME = "engine.log"


@dataclass(slots=True, kw_only=True)
class StartedEngine:
    """An engine that was started; `verdict` is what it said at its end, once it has ended."""

    process: subprocess.Popen[bytes]
    complaints: IO[bytes]
    verdict: dict[str, Any] = field(default_factory=dict)
    told: bool = False  # its last words have been given to whoever asked why it did not start

    def socket(self) -> Path:
        """Return where it listens, waiting until it does. Raises EngineGone with its last words."""
        assert self.process.stdout is not None, "it was started with a pipe"
        line = self.process.stdout.readline()
        try:
            return Path(json.loads(line)["socket"])
        except (ValueError, KeyError) as error:
            self.told = True
            raise EngineGone(
                f"the engine did not start: {self.why_ended()}\n"
                "nothing is left running; try again, or ask `checkout-sim doctor` what is missing"
            ) from error

    def why_ended(self) -> str:
        """Return how it ended, and what it said last, waiting a moment for its end."""
        try:
            status = self.process.wait(_ENDS_SOON_S)
        except subprocess.TimeoutExpired:
            return f"it closed its stream, and process {self.process.pid} has not ended yet"
        words = last_words(self.complaints)
        said = f"last:\n{words}" if words else "nothing"
        return f"{ended_how(status)}; it said {said}"

    def end(self) -> None:
        """Let go of it and wait until it has healed and stopped everything."""
        process = self.process
        assert process.stdin is not None, "it was started with a pipe"
        assert process.stdout is not None, "it was started with a pipe"
        with suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()  # its children die with it
            process.wait()
        for line in process.stdout:
            with suppress(ValueError):
                self.verdict |= json.loads(line)
        process.stdout.close()


@contextmanager
def started_engine(arguments: Sequence[str]) -> Iterator[StartedEngine]:
    """Start an engine and yield it; on leaving it is gone, and so is everything it started."""
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", "checkout_sim.engine", "--owned", *arguments],
            env={**os.environ, "PYTHONPATH": _search_path()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,  # the terminal's ctrl-C and hang-up are ours to answer
        )
        engine = StartedEngine(process=process, complaints=complaints)
        try:
            yield engine
        finally:
            engine.end()
            _keep(engine)


def ended_how(status: int) -> str:
    """Return how a process ended, by its status as `subprocess` gives it."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:  # a real-time signal has no name
        return f"killed by signal {-status}"


def last_words(complaints: IO[bytes]) -> str:
    """Return the end of what an engine wrote on standard error; nothing where it wrote nothing."""
    lines = _said(complaints).decode(errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in lines[-_LAST_LINES:])


def _said(complaints: IO[bytes]) -> bytes:
    """Read it all where it lies: seeking would move the place where the engine writes on."""
    descriptor = complaints.fileno()
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _keep(engine: StartedEngine) -> None:
    """Put what it said beside the run it said it about; say where, if it said anything."""
    said = _said(engine.complaints)
    if not said or engine.told:
        return
    run = engine.verdict.get("run")
    try:
        if run is None:
            raise FileNotFoundError
        kept = Path(run) / LOG_NAME
        kept.write_bytes(said)
        complain(f"the engine complained: {kept}")
    except OSError:
        complain(f"the engine said:\n{last_words(engine.complaints)}")


def _search_path() -> str:
    from checkout_sim.stack.launch import search_path  # noqa: PLC0415 - --help does without

    return search_path()
