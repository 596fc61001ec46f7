"""One subscriber: a cursor on the engine's tapes, and the answers that are for it alone.

Takes tapes, answers and a writer; gives the lines as the connection can bear them. Nothing waits
for a subscriber: what it has not read yet is on the tape or in the file, and only a bounded number
of answers is kept for it.
"""

import asyncio
from collections import deque
from contextlib import suppress

from checkout_sim.model.answer import Answer, Judged, Lagged
from checkout_sim.model.command import Subscribe
from checkout_sim.stream.lines import line_of
from checkout_sim.stream.tape import Tape

_BATCH = 512  # lines written at a time
_PACE_S = 0.025  # one write for what is recorded in this time: a screen draws ten times a second
_MOST_ANSWERS = 2048  # unread; who leaves more of them does not listen


class Subscriber:
    """Where one connection is on which tape, and what waits to be told to it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.told_all = asyncio.Event()
        self._writer = writer
        self._answers: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._urgent = asyncio.Event()
        self._tape: Tape | None = None
        self._later: deque[Tape] = deque()
        self._next_id = 0  # 0: not subscribed
        self._until_id: int | None = None
        self._live = False  # it was told what is recorded as it was recorded
        self._lagging = False
        self._introduced: Tape | None = None
        self._judged: Judged | None = None

    def tell(self, answer: Answer) -> None:
        """Send an answer to this subscriber alone, ahead of the tape."""
        if len(self._answers) >= _MOST_ANSWERS:
            self._writer.close()
            return
        self._answers.append(line_of(answer))
        self._urgent.set()
        self.wake()

    def wake(self) -> None:
        """Say that a tape has grown, ended or been judged."""
        self.told_all.clear()
        self._news.set()

    def mount(self, tape: Tape) -> None:
        """Go on with this tape once the one at hand has been told to its end."""
        if self._tape is None:
            self._tape = tape
        else:
            self._later.append(tape)
        self.wake()

    def subscribe(self, asked: Subscribe) -> None:
        """Go to a place on the tape at hand; from 1, the tape introduces itself again."""
        self._next_id = max(1, asked.from_id)
        known = 0 if self._tape is None else self._tape.last_id
        self._until_id = None if asked.follow else known
        self._lagging = self._live = False
        if asked.from_id <= 1:
            self._introduced = None
        self.wake()

    async def write(self) -> None:
        """Tell everything as it comes, until the connection is gone. Raises OSError then."""
        while not self._writer.is_closing():
            self._news.clear()
            self._urgent.clear()
            lines = self._take()
            if lines:
                self._writer.write(b"".join(lines))
                await self._writer.drain()
                self._news.set()  # there may be more
            else:
                self.told_all.set()
            await self._news.wait()
            if not lines:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._urgent.wait(), timeout=_PACE_S)

    def _take(self) -> list[bytes]:
        lines = list(self._answers)
        self._answers.clear()
        if self._tape is not None and self._next_id and not self._lagging:
            lines += self._of_tape(self._tape)
        return lines

    def _of_tape(self, tape: Tape) -> list[bytes]:
        lines: list[bytes] = []
        if self._introduced is not tape:
            self._introduced, self._judged = tape, None
            lines.append(line_of(tape.stretch))
        lines += self._observations(tape)
        at_end = self._next_id > tape.last_id
        judged = tape.judged
        if judged is not None and judged is not self._judged and (judged.provisional or at_end):
            self._judged = judged
            lines.append(line_of(judged))
        if at_end and tape.ended and self._later and not lines:
            self._tape, self._next_id, self._live = self._later.popleft(), 1, False
            return self._of_tape(self._tape)
        return lines

    def _observations(self, tape: Tape) -> list[bytes]:
        last = tape.last_id if self._until_id is None else min(self._until_id, tape.last_id)
        most = min(_BATCH, last - self._next_id + 1)
        if most <= 0:
            return []
        if self._next_id >= tape.oldest_remembered:
            lines, self._live = tape.remembered(self._next_id, most), True
        elif self._live and not tape.ended:
            self._lagging, self._live = True, False
            return [line_of(Lagged(from_id=self._next_id))]
        else:
            lines = tape.read(self._next_id, most)
        self._next_id += len(lines)
        return lines
