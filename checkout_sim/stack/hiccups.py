"""Hears when the machine stands still, and tells the runs that go on meanwhile.

Takes listeners, gives Hiccups. One meter (`hiccup_meter.py`) serves every run of a command; it is
started for the first listener. Where it cannot run nothing is heard, and no run is excused.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from checkout_sim.model.seen import Hiccup
from checkout_sim.stack.launch import search_path

_CLOSE_LIMIT_S = 2.0
_READ_BYTES = 64 * 1024
_LOOK_EVERY_S = 0.1


class HiccupMeter:
    """The tool's end of the meter. Listen as often as wanted, then `close`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._listeners: list[Callable[[Hiccup], None]] = []
        self._rest = b""
        self._last_s = 0.0  # time.monotonic() when the last hiccup ended

    @contextmanager
    def heard_by(self, listener: Callable[[Hiccup], None]) -> Iterator[None]:
        """Tell the listener of every hiccup that ends from now on, while the context lasts."""
        self._begin()
        began_ms = time.monotonic() * 1000

        def since(hiccup: Hiccup) -> None:
            """Tell only what lay in the listener's time."""
            ms = min(hiccup.ms, hiccup.ended_ms - began_ms)
            if ms > 0:
                listener(hiccup._replace(ms=round(ms, 1)))

        self._listeners.append(since)
        try:
            yield
        finally:
            self._listeners.remove(since)

    async def calm(self, *, for_s: float, within_s: float) -> bool:
        """Wait until no hiccup was heard for so long; False when it took longer than `within_s`."""
        began = time.monotonic()
        while (now := time.monotonic()) - max(began, self._last_s) < for_s:
            if now - began > within_s:
                return False
            await asyncio.sleep(_LOOK_EVERY_S)
        return True

    async def close(self) -> None:
        """End the meter; a second call does nothing."""
        if self._process is None:
            return
        process, self._process = self._process, None
        assert process.stdin is not None, "piped"
        assert process.stdout is not None, "piped"
        asyncio.get_running_loop().remove_reader(process.stdout.fileno())
        process.stdin.close()
        try:
            await asyncio.to_thread(process.wait, _CLOSE_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
        process.stdout.close()

    def _begin(self) -> None:
        if self._process is not None:
            return
        # A machine without room for one more process has runs that fail of that, by name.
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(  # our own program
                [sys.executable, "-P", "-m", "checkout_sim.stack.hiccup_meter"],
                env={**os.environ, "PYTHONPATH": search_path()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                process_group=0,  # the terminal's ctrl-C is the tool's to answer
            )
        if self._process is not None:
            assert self._process.stdout is not None, "piped"
            os.set_blocking(self._process.stdout.fileno(), False)  # os's own signature
            asyncio.get_running_loop().add_reader(self._process.stdout.fileno(), self._read)

    def _read(self) -> None:
        assert self._process is not None, "close removed this reader"
        assert self._process.stdout is not None, "piped"
        descriptor = self._process.stdout.fileno()
        try:
            chunk = os.read(descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        if not chunk:  # it was killed: nothing more is measured
            asyncio.get_running_loop().remove_reader(descriptor)
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._last_s = time.monotonic()
            hiccup = Hiccup(**json.loads(line))
            for listener in tuple(self._listeners):
                listener(hiccup)
