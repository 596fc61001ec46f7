"""Exit codes: one per class of end, stable, and how several ends become one.

    0    every run ended as its scenario expects
    1    a run did not (or, with --strict, any claim was broken)
    2    wrong usage, or a scenario that cannot be used
    3    a verdict is unknown: something needed for judging was missing, or the machine stood still
         under a run again and again
    4    the stack could not be started
    70   the tool itself failed (EX_SOFTWARE of sysexits.h)
    130  interrupted (128 + SIGINT, as shells count)

The worst wins, in the order 130, 70, 4, 2, 1, 3, 0: a broken tool makes no statement about
orders, and a verdict against expectation outweighs one that could not be reached.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

from checkout_sim.model.errors import (
    EngineGone,
    FaultNotApplied,
    HistoryUnreadable,
    LedgerUnreadable,
    NotReplayable,
    RunNotFound,
    RunNotKept,
    ScenarioInvalid,
    ScenarioNotFound,
    StackDidNotStart,
    StrategyUnknown,
)

if TYPE_CHECKING:  # loading the nouns would cost --help 40 ms
    from checkout_sim.model.run import Run


class Exit(IntEnum):
    """What the process says to its caller."""

    AS_EXPECTED = 0
    NOT_AS_EXPECTED = 1
    USAGE = 2
    UNKNOWN = 3
    NO_STACK = 4
    INTERNAL = 70
    INTERRUPTED = 130


_WORST_FIRST = (
    Exit.INTERRUPTED,
    Exit.INTERNAL,
    Exit.NO_STACK,
    Exit.USAGE,
    Exit.NOT_AS_EXPECTED,
    Exit.UNKNOWN,
)


def worst(codes: Iterable[Exit]) -> Exit:
    """Return the code that speaks for all; nothing at all is as expected."""
    seen = set(codes)
    return next((code for code in _WORST_FIRST if code in seen), Exit.AS_EXPECTED)


def of_run(run: "Run", *, strict: bool = False) -> Exit:
    """Return the code one run earns; without an expectation only a valid run earns 0.

    `strict` convicts every broken claim, expected or not.
    """
    if run.undecided:
        return Exit.UNKNOWN
    broken = run.verdict.status == "invalid"
    as_expected = run.as_expected if run.as_expected is not None else not broken
    return Exit.AS_EXPECTED if as_expected and not (strict and broken) else Exit.NOT_AS_EXPECTED


def of_error(error: BaseException) -> Exit:
    """Return the code for what ended a command; anything unforeseen is the tool's own failure."""
    if isinstance(error, BaseExceptionGroup):
        return worst(of_error(part) for part in error.exceptions)
    match error:
        case (
            ScenarioInvalid()
            | ScenarioNotFound()
            | StrategyUnknown()
            | RunNotFound()
            | NotReplayable()
        ):
            return Exit.USAGE
        case StackDidNotStart() | EngineGone():
            return Exit.NO_STACK
        case HistoryUnreadable() | RunNotKept() | LedgerUnreadable() | FaultNotApplied():
            return Exit.UNKNOWN
        case KeyboardInterrupt():
            return Exit.INTERRUPTED
        case _:
            return Exit.INTERNAL
