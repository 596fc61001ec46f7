"""The outermost boundary: every way a command can end becomes one exit code and one message.

Takes the arguments, gives the code. The only place where anything may be caught.
"""

import sys
from collections.abc import Callable, Sequence

from checkout_sim.cli.exits import Exit, of_error
from checkout_sim.cli.streams import complain, hush
from checkout_sim.model.errors import CheckoutSimError, ScenarioInvalid

Command = Callable[[Sequence[str]], None]


def guarded(arguments: Sequence[str], command: Command | None = None) -> int:
    """Run the command line and return its exit code; raises nothing."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a tick mark gets a question mark, not a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = _ended(arguments, command or _dispatch)
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        hush(sys.stdout)
    return code


def _dispatch(arguments: Sequence[str]) -> None:
    from checkout_sim.cli.app import app  # noqa: PLC0415 - Ctrl-C during the import is answered

    app(args=list(arguments), prog_name="checkout-sim")


def _ended(arguments: Sequence[str], command: Command) -> int:
    try:
        command(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else Exit.AS_EXPECTED
    except Exception as error:  # noqa: BLE001 - this is the boundary that answers for all
        return report_error(error)
    return Exit.AS_EXPECTED


def report_error(error: Exception) -> Exit:
    """Say what ended a command, on standard error, and return its exit code."""
    if isinstance(error, ExceptionGroup) and error.subgroup(_unforeseen) is None:
        for part in error.exceptions:
            report_error(part)
    elif _unforeseen(error):
        complain(_internal(error))
    elif isinstance(error, ScenarioInvalid):
        complain(str(error))  # file:line:column comes first, for editors
    else:
        complain(f"checkout-sim: {error}")
    return of_error(error)


def _unforeseen(error: BaseException) -> bool:
    return not isinstance(error, CheckoutSimError | ExceptionGroup)


def _internal(error: Exception) -> str:
    """Return one line about a bug, its traceback put aside in a file."""
    import tempfile  # noqa: PLC0415 - only a bug needs them
    import traceback  # noqa: PLC0415 - beside it

    first = (str(error) or "no message").splitlines()[0]
    text = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="checkout-sim-", suffix=".traceback", delete=False, encoding="utf-8"
        ) as kept:
            kept.write(text)
            where = f"traceback in {kept.name}"
    except OSError as full:
        where = f"the traceback could not be kept ({full.strerror}):\n{text}"
    return (
        f"checkout-sim: internal error: {type(error).__name__}: {first}; "
        f"this is a bug in checkout-sim, please report it; {where}"
    )
