"""Keeps a run's history on disk while it goes on, and ends the run where that is impossible.

A refused write can surface anywhere: in a callback of the loop, in a shopper, in a timer. None of
them could answer it, so it is noted here, the run is cancelled, and its caller hears the reason.
"""

import asyncio
from collections.abc import Coroutine

from checkout_sim.archive.recorder import Recorder
from checkout_sim.model.errors import RunNotKept
from checkout_sim.model.history import Observation
from checkout_sim.ndjson import encode

_FLUSH_EVERY_S = 0.5


class Keeping:
    """One run's writing: a sink of observations, flushed twice a second."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._refusal: RunNotKept | None = None
        self._run: asyncio.Task[None] | None = None

    def append(self, seen: Observation) -> None:
        """Write one observation; after a refusal nothing more, since evidence has no holes."""
        if self._refusal is not None:
            return
        try:
            self._recorder.append(encode(seen))
        except RunNotKept as refusal:
            self._give_up(refusal)

    async def during(self, run: Coroutine[None, None, None]) -> None:
        """Await the run, its history close behind, so that a tool killed outright leaves it too.

        Raises RunNotKept, after the run has cleaned up, if a write was refused meanwhile.
        """
        self._run = asyncio.create_task(run)
        flushing = asyncio.create_task(self._flush_regularly())
        try:
            await self._run
        except BaseException:
            here = asyncio.current_task()
            if self._refusal is None or (here is not None and here.cancelling()):
                raise
        finally:
            flushing.cancel()
            self.flush()
        if self._refusal is not None:
            raise self._refusal

    async def _flush_regularly(self) -> None:
        while self._refusal is None:
            await asyncio.sleep(_FLUSH_EVERY_S)
            self.flush()

    def flush(self) -> None:
        """Make what was recorded up to now readable in the file."""
        try:
            self._recorder.flush()
        except RunNotKept as refusal:
            self._give_up(refusal)

    def _give_up(self, refusal: RunNotKept) -> None:
        self._refusal = self._refusal or refusal
        if self._run is not None:
            self._run.cancel()
