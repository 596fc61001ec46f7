"""Program: says when a processor of this machine stood still, until its standard input ends.

    python -m checkout_sim.stack.hiccup_meter
    ← {"cpu": 0, "ms": 616.2, "ended_ms": 50123456.789}

Each processor has a thread that asks to sleep for a moment and looks how much longer it slept: the
method of jHiccup (Gil Tene, Azul Systems). What it measures is what everything else on that
processor suffered as well: a virtual machine whose host gave the processor to somebody else, or
more work than there are processors. It is a process of its own, so that no work of the tool's can
look like the machine's doing.

`ended_ms` is CLOCK_MONOTONIC, which every process of a machine reads alike. Standard library only.
"""

import json
import os
import sys
import threading
import time

# The shortest limit a shipped scenario sets is 150 ms, on connecting; nothing shorter can change
# what a run shows, and shorter ones are everyday on a shared machine.
LEAST_MS = 100.0
_TICK_S = 0.02
_MOST_PROCESSORS = 16  # each costs fifty wakings a second; of many, one standing still matters less


def watch(cpu: int | None, asleep: float) -> None:
    """Say every hiccup of one processor, or of whichever one comes, for ever.

    `asleep` is time.monotonic() before this thread was made: one that is made while its processor
    stands still comes late to its first sleep, and tells of that as well.
    """
    if cpu is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cpu})  # of the calling thread alone (sched_setaffinity(2))
    while True:
        time.sleep(_TICK_S)
        awake = time.monotonic()
        late_ms = (awake - asleep - _TICK_S) * 1000
        if late_ms >= LEAST_MS:
            said = {"cpu": cpu, "ms": round(late_ms, 1), "ended_ms": round(awake * 1000, 3)}
            # One write of less than PIPE_BUF: lines of two threads never mix (pipe(7)).
            os.write(sys.stdout.fileno(), json.dumps(said).encode() + b"\n")
        asleep = awake


def processors() -> list[int | None]:
    """Return the processors to watch: those this process may use; None where none can be chosen."""
    if not hasattr(os, "sched_getaffinity"):
        return [None]
    return [*sorted(os.sched_getaffinity(0))[:_MOST_PROCESSORS]]


def main() -> None:
    """Watch until whoever started this closes its end of standard input, or is gone."""
    for cpu in processors():
        threading.Thread(target=watch, args=(cpu, time.monotonic()), daemon=True).start()
    while os.read(sys.stdin.fileno(), 1024):
        pass


if __name__ == "__main__":
    main()
