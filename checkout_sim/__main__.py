"""`python -m checkout_sim` and the `checkout-sim` command: hand over to the command line."""

import contextlib
import os
import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        from checkout_sim.cli.boundary import guarded  # noqa: PLC0415 - Ctrl-C may come this early

        code = guarded(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    if code == 130:  # noqa: PLR2004 - 128 + SIGINT; cli/exits.py may not be imported yet
        _end_as_interrupted()
    sys.exit(code)


def _end_as_interrupted() -> None:
    """End with 130 at once.

    Where Ctrl-C falls into `exec` of a string, as dataclasses use it during imports, CPython 3.11
    under `-m` ends by SIGINT in place of any exit code (`_Py_UnhandledKeyboardInterrupt`).
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # nobody is reading; nothing more is to be said
            stream.flush()
    os._exit(130)


if __name__ == "__main__":
    main()
