"""The words every report shares: what a verdict is called, and how to see it again.

Takes runs, gives plain strings; a mark always stands beside a word, never instead of one.
"""

import shlex
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import assert_never

from checkout_sim.model.run import Run
from checkout_sim.model.verdict import Broken
from checkout_sim.model.wire import STRATEGIES

# What to type for a scenario's path where something shorter works: shipped ones go by name.
Targets = Mapping[str, str]


class Standing(Enum):
    """How a run stands to what its scenario states; the value is its mark."""

    AS_EXPECTED = "✔"
    KNOWN = "~"
    SURPRISING = "✘"
    UNDECIDED = "?"
    UNASKED = "·"


def standing(run: Run) -> Standing:
    """Return how a run stands; what is undecided satisfies no expectation and contradicts none."""
    if run.undecided:
        return Standing.UNDECIDED
    match run.as_expected:
        case None:
            return Standing.UNASKED
        case True:
            return Standing.KNOWN if run.known else Standing.AS_EXPECTED
        case False:
            return Standing.SURPRISING
    assert_never(run.as_expected)


def outcome(run: Run) -> str:
    """Return the verdict and whether it was expected: `invalid (as expected)`."""
    stated = run.expected.verdict if run.expected else None
    match standing(run):
        case Standing.AS_EXPECTED:
            remark = "as expected"
        case Standing.KNOWN:
            remark = "not as expected, known from the baseline"
        case Standing.UNASKED:
            remark = "nothing expected"
        case Standing.UNDECIDED if run.disturbed:
            remark = "but the machine stood still"
        case Standing.SURPRISING if stated == run.verdict.status:
            remark = "but not as expected"
        case _:
            remark = f"expected {stated}" if stated else "nothing expected"
    return f"{run.verdict.status} ({remark})"


def title(run: Run) -> str:
    """Return what was run, as every heading has it."""
    return f"{run.scenario} × {run.strategy}"  # noqa: RUF001 - a product of two is meant


def reproduce(run: Run, targets: Targets | None = None) -> str:
    """Return the command line that asks for the same plan again (not the same interleaving)."""
    target = (targets or {}).get(run.scenario_path) or run.scenario_path or run.scenario
    command = ["checkout-sim", "run", target, "--strategy", run.strategy, "--seed", str(run.seed)]
    return shlex.join(command)


def violations_total(run: Run) -> int:
    """Return how many violations there are, those beyond the listed hundred included."""
    found = run.verdict.findings.values()
    return sum(finding.total for finding in found if isinstance(finding, Broken))


def in_order(runs: Iterable[Run]) -> list[Run]:
    """Return runs as a reader looks for them: by scenario file, then naive before hardened.

    Runs go on side by side and end in any order; two reports of one command should compare.
    """
    return sorted(runs, key=lambda run: (run.scenario_path, strategy_place(run.strategy)))


def strategy_place(name: str) -> tuple[int, str]:
    """Return where a strategy stands in the story the strategies tell; strangers come last."""
    return (STRATEGIES.index(name) if name in STRATEGIES else len(STRATEGIES), name)


def counted(number: int, noun: str) -> str:
    """Return `1 run`, `2 runs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(ms: float | None) -> str:
    """Return milliseconds as a person says them: `41 ms`, `3.2 s`, or a dash for none."""
    if ms is None:
        return "–"  # noqa: RUF001 - typography
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"  # noqa: PLR2004 - a second
