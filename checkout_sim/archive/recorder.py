"""The one writer of a run's history: lines in, `history.ndjson` grown, never rewritten.

Takes finished lines (`ndjson.py` makes them); gives a file that holds whole lines only, also
when the disk fills up halfway through one.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from checkout_sim.model.errors import RunNotKept

HISTORY_NAME = "history.ndjson"

_FLUSH_AT_BYTES = 64 * 1024


class Recorder:
    """Appends lines to a run's history, buffered; `flush` hands them to the kernel.

    Without fsync: the history must outlive this process, not a power cut. A write that fails
    raises RunNotKept once, leaves every whole line written so far, and closes the file.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / HISTORY_NAME
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._file: int | None = os.open(self._path, flags, 0o644)
            self._written_bytes = self._kept_bytes = os.fstat(self._file).st_size
        except OSError as error:
            raise self._refusal(error) from error

    def append(self, line: bytes) -> None:
        """Take one line, with or without its newline."""
        if self._file is None:
            raise RunNotKept(f"{self._path}: the history is closed and takes no more lines")
        whole = line if line.endswith(b"\n") else line + b"\n"
        self._pending.append(whole)
        self._pending_bytes += len(whole)
        if self._pending_bytes >= _FLUSH_AT_BYTES:
            self.flush()

    def flush(self) -> None:
        """Make every line taken so far readable by others."""
        if self._file is None or not self._pending:
            return
        rest = memoryview(b"".join(self._pending))
        self._pending.clear()
        self._pending_bytes = 0
        try:
            while rest:
                written = os.write(self._file, rest)
                self._note_kept(rest[:written])
                rest = rest[written:]
        except OSError as error:
            self._cut_torn_line(self._file)
            raise self._refusal(error) from error

    def close(self) -> None:
        """Flush and close; closing twice does nothing."""
        if self._file is None:
            return
        try:
            self.flush()
        finally:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close, whatever happened."""
        self.close()

    def _note_kept(self, written: memoryview) -> None:
        """Advance the mark behind the last whole line; a short write may stop inside one."""
        end_of_line = bytes(written).rfind(b"\n")
        if end_of_line >= 0:
            self._kept_bytes = self._written_bytes + end_of_line + 1
        self._written_bytes += len(written)

    def _cut_torn_line(self, file: int) -> None:
        """Drop what was written of an unfinished line, so that readers meet whole lines."""
        try:
            os.ftruncate(file, self._kept_bytes)
        except OSError:
            # A reader drops a torn last line as well; there is nothing better to do here.
            pass
        finally:
            os.close(file)
            self._file = None

    def _refusal(self, error: OSError) -> RunNotKept:
        return RunNotKept(
            f"{self._path}: cannot write the history: {error.strerror}; what was written so far is "
            f"kept in {self._path.parent}; make room or choose another folder with --runs-dir"
        )
