"""`python -m checkout_sim.engine`: what a dashboard starts, and nobody else needs to.

On standard output: one line of JSON with the path of the socket, and, where something was judged,
one with the verdict before the end. Everything else goes to standard error. The address of
somebody's own PostgreSQL server comes by the environment, since it holds a password and a command
line is everybody's to read.

It listens before it imports what it runs with: who connects waits in the socket's queue, and the
dashboard paints meanwhile. Those imports took 1.1 s of the 2 s from command to first paint.
"""

import argparse
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from checkout_sim.model.errors import CheckoutSimError
from checkout_sim.model.wire import require_strategies
from checkout_sim.stream.runtime import Registered, listening, registered, socket_path

_NO_STACK = 4


def main(arguments: list[str]) -> int:
    """Run the engine that the arguments describe; return the exit status."""
    try:
        _run(_parser().parse_args(arguments))
    except CheckoutSimError as error:
        print(f"checkout-sim: {error}", file=sys.stderr)  # noqa: T201 - a program of its own
        return _NO_STACK
    return 0


def _run(asked: argparse.Namespace) -> None:
    require_strategies([asked.strategy])
    signal.signal(signal.SIGTERM, _leave)  # until the loop takes it: nothing is left behind
    socket = socket_path()
    registration = Registered(
        pid=os.getpid(),
        socket=socket,
        strategy=asked.strategy,
        began=datetime.fromtimestamp(time.time(), UTC).isoformat(),
        runs_folder=asked.runs_dir.resolve(),
    )
    with listening(socket) as listener, registered(registration):
        print(json.dumps({"socket": str(socket), "pid": os.getpid()}), flush=True)  # noqa: T201 - for who started us
        from checkout_sim.engine.begin import begin  # noqa: PLC0415 - see above

        begin(asked, listener)


def _leave(_number: int, _frame: object) -> None:
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="checkout_sim.engine", description=__doc__)
    parser.add_argument("--strategy", default="naive")
    parser.add_argument("--engine", default="auto", choices=("auto", "toxiproxy", "embedded"))
    parser.add_argument("--toxiproxy-url")
    parser.add_argument("--database", choices=("sqlite", "postgres"))
    parser.add_argument("--runs-dir", type=Path, default=Path(".checkout-sim"))
    parser.add_argument("--scenarios", type=Path, default=Path("scenarios"))
    parser.add_argument("--time-scale", type=float, default=1.0)
    parser.add_argument("--replay", type=Path)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--owned", action="store_true", help="end with standard input")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
