"""A folder short enough for a socket's path, and a run that grows line by line."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkout_sim.model.answer import Stretch
from checkout_sim.model.history import Observation
from checkout_sim.stream.lines import line_of
from checkout_sim.stream.serve import Server
from checkout_sim.stream.tape import Tape


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="cs-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


class GrowingRun:
    """A run whose history and tape grow together, as an engine makes them grow."""

    def __init__(self, folder: Path, server: Server, *, remembered: int = 100) -> None:
        folder.mkdir(exist_ok=True)
        self.path = folder / "history.ndjson"
        self.path.touch()
        self._server = server
        stretch = Stretch(
            run_id=folder.name, folder=str(folder), scenario="", strategy="naive", live=True
        )
        self.tape = Tape(stretch, history=self.path, flush=lambda: None, remembered=remembered)
        server.mount(self.tape)

    def grow(self, count: int) -> None:
        with self.path.open("ab") as history:
            for number in range(self.tape.last_id + 1, self.tape.last_id + count + 1):
                seen = Observation(
                    id=number, t_ms=float(number), source="client", kind="client.sent"
                )
                line = line_of(seen)
                history.write(line)
                self._server.append(line)

    def end(self) -> None:
        self.tape.ended = True
        self._server.wake()
