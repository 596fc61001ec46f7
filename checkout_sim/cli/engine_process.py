"""The engine as a child of the dashboard: started, spoken to through its socket, ended with it.

Takes what the engine is to run; gives its socket. Its standard input is the thread it hangs by:
when we end, in whatever way, it heals and stops by itself. What it writes on standard error would
spoil the screen, so it goes to a file, and is shown only where it says something.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checkout_sim.cli.streams import complain
from checkout_sim.model.errors import EngineGone

_ENDS_WITHIN_S = 15.0  # it ends itself within 5 s, later only where it was asked for a verdict
_LAST_LINES = 20
LOG_NAME = "engine.log"


@dataclass(slots=True, kw_only=True)
class StartedEngine:
    """An engine that was started; `verdict` is what it said at its end, once it has ended."""

    process: subprocess.Popen[bytes]
    log: Path
    verdict: dict[str, Any] = field(default_factory=dict)

    def socket(self) -> Path:
        """Return where it listens, waiting until it does. Raises EngineGone with its last words."""
        assert self.process.stdout is not None, "it was started with a pipe"
        line = self.process.stdout.readline()
        try:
            return Path(json.loads(line)["socket"])
        except (ValueError, KeyError) as error:
            self.process.wait(_ENDS_WITHIN_S)
            raise EngineGone(
                f"the engine did not start; it said:\n{last_words(self.log)}"
            ) from error

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
    from checkout_sim.stream.runtime import runtime_folder  # noqa: PLC0415 - --help does without

    log = runtime_folder() / f"engine-of-{os.getpid()}.log"
    with log.open("wb") as complaints:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", "checkout_sim.engine", "--owned", *arguments],
            env={**os.environ, "PYTHONPATH": _search_path()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,  # the terminal's ctrl-C and hang-up are ours to answer
        )
    engine = StartedEngine(process=process, log=log)
    try:
        yield engine
    finally:
        try:
            engine.end()
        finally:
            _keep_log(engine)


def last_words(log: Path) -> str:
    """Return the end of what an engine wrote on standard error."""
    with suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-_LAST_LINES:]) or "  nothing"
    return "  nothing that could be read"


def _keep_log(engine: StartedEngine) -> None:
    """Put what it said beside the run it said it about; say where, if it said anything."""
    with suppress(OSError):
        if engine.log.stat().st_size:
            run = engine.verdict.get("run")
            if run is not None and Path(run).is_dir():
                kept = Path(run) / LOG_NAME
                shutil.move(engine.log, kept)
                complain(f"the engine complained: {kept}")
            else:
                complain(f"the engine said:\n{last_words(engine.log)}")
    engine.log.unlink(missing_ok=True)


def _search_path() -> str:
    from checkout_sim.stack.launch import search_path  # noqa: PLC0415 - --help does without

    return search_path()
