"""What is newly broken: a run beside the report of an earlier day.

Takes runs and a JSON report (`reports/summary.py`), gives runs whose surprises are parted into
new and known. Only what was seen with the same scenario and strategy counts as known. Unknown is
never known: a run that could not be judged proves nothing, however often.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.model.run import Run, Surprise

READABLE_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The keys of the surprises a report holds, by scenario and strategy."""

    known: Mapping[tuple[str, str], frozenset[str]]

    def apply(self, run: Run) -> Run:
        """Return the run with the surprises the baseline had moved to `known`."""
        had = self.known.get((run.scenario, run.strategy), frozenset())
        return replace(
            run,
            known=tuple(one for one in run.surprises if _is_known(one, had)),
            surprises=tuple(one for one in run.surprises if not _is_known(one, had)),
        )


def _is_known(one: Surprise, had: Collection[str]) -> bool:
    return one.key in had and one.kind not in {"unknown", "disturbed"}


def baseline_of(report: object, *, named: str) -> Baseline:
    """Return the baseline a JSON report is; `named` stands in errors. Raises HistoryUnreadable."""
    if not isinstance(report, dict) or not isinstance(report.get("runs"), list):
        raise HistoryUnreadable(
            f"{named}: not a report of checkout-sim; write one with "
            f"`checkout-sim run --json {named}`"
        )
    if report.get("version") != READABLE_VERSION:
        raise HistoryUnreadable(
            f"{named}: report version {report.get('version')!r}, this tool reads "
            f"{READABLE_VERSION}; write it again with `checkout-sim run --json {named}`"
        )
    known: dict[tuple[str, str], frozenset[str]] = {}
    for run in report["runs"]:
        about, keys = _keys(run, named)
        known[about] = known.get(about, frozenset()) | keys
    return Baseline(known=known)


def _keys(run: Any, named: str) -> tuple[tuple[str, str], frozenset[str]]:
    try:
        return (str(run["scenario"]), str(run["strategy"])), frozenset(run["surprise_keys"])
    except (KeyError, TypeError) as error:
        raise HistoryUnreadable(
            f"{named}: its runs have no surprise_keys: an older checkout-sim wrote it; write it "
            f"again with `checkout-sim run --json {named}`"
        ) from error
