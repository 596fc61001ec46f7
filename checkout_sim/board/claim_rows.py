"""The claims of a run as a board: judged, suspect, broken now, broken ever, and who was first.

Takes what the judge says, live or for good, and which rows are merely suspect; gives one row per
claim and one per violation. Suspicion never makes a claim broken: only the judge does. A claim that
could not be decided is `unknown`, as loud as a broken one, since absence proves nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from checkout_sim.model.answer import Judged
from checkout_sim.model.claims import CORE
from checkout_sim.model.verdict import Violation

ClaimState = Literal["holds", "suspect", "broken", "unknown", "unjudged"]

MARKS: Mapping[ClaimState, str] = {
    "holds": "+",
    "suspect": "?",
    "broken": "!",
    "unknown": "U",
    "unjudged": " ",
}

# Which claims a row's suspicion (board/rows.py) would break if it proved true, by its wording.
_SUSPECTED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("captures stand", ("charged_at_most_once",)),
    ("yet a capture stands", ("unconfirmed_means_not_paid", "replies_are_true")),
    ("yet captured", ("unconfirmed_means_not_paid", "payment_agrees_with_gateway")),
    ("yet confirmed", ("replies_are_true",)),
    ("no capture seen", ("confirmed_means_paid_in_full",)),
    ("pending beyond", ("every_order_ends",)),
)


class ClaimRow(NamedTuple):
    """One claim. `ever` counts orders that broke it at some time of this run, mended or not."""

    name: str
    state: ClaimState
    judged: int | None
    suspect: int
    broken: int
    ever: int
    first: str  # "#406", the first offender
    why: str = ""  # of an unknown

    @property
    def mark(self) -> str:
        """Return the state's mark, so that no state is said by colour alone."""
        return MARKS[self.state]


class CheckRow(NamedTuple):
    """One meta check: whether the run itself can be believed."""

    name: str
    passed: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What the judge has said of one run so far. A new run begins with a new one.

    `offenders` are all who ever broke each claim, in order of coming.
    """

    said: Judged | None = None
    offenders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def heard(self, said: Judged) -> "Claims":
        """Return it with one more word of the judge's; what is mended stays in `ever`."""
        offenders = dict(self.offenders)
        for violation in said.violations:
            known = offenders.get(violation.invariant, ())
            who = offender(violation)
            if who not in known:
                offenders[violation.invariant] = (*known, who)
        return Claims(said=said, offenders=offenders)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Return what stands violated by the judge's latest word."""
        return self.said.violations if self.said else ()

    @property
    def ever(self) -> int:
        """Return how many orders stood violated at some time of this run."""
        mine = {who for known in self.offenders.values() for who in known}
        return max(len(mine), self.said.ever if self.said else 0)

    def rows(self, suspicions: Iterable[str] = ()) -> tuple[ClaimRow, ...]:
        """Return a row for every claim judged, the core ones at least, in the registry's order."""
        suspects = suspects_by_claim(suspicions)
        said = self.said
        names = dict.fromkeys((*CORE, *(said.judged if said else ()), *self.offenders))
        if said:
            names |= dict.fromkeys((*said.broken, *said.unknowns))
            names = {name: None for name in names if name not in said.checks}
        return tuple(self._row(name, suspects[name]) for name in names)

    def checks(self) -> tuple[CheckRow, ...]:
        """Return the meta checks; none before a final verdict."""
        said = self.said.checks if self.said else {}
        return tuple(CheckRow(name, not why, why) for name, why in said.items())

    def _row(self, name: str, suspect: int) -> ClaimRow:
        said = self.said
        listed = [one for one in self.violations if one.invariant == name]
        broken = max(len(listed), said.broken.get(name, 0) if said else 0)
        why = said.unknowns.get(name, "") if said else ""
        offenders = self.offenders.get(name, ())
        return ClaimRow(
            name=name,
            state=_state(said, name, broken=broken, unknown=bool(why), suspect=suspect),
            judged=said.judged.get(name) if said else None,
            suspect=suspect,
            broken=broken,
            ever=max(len(offenders), broken),
            first=offenders[0] if offenders else "",
            why=why,
        )


def suspects_by_claim(suspicions: Iterable[str]) -> Counter[str]:
    """Return how many of the suspicions would break each claim."""
    counts: Counter[str] = Counter()
    for suspicion in suspicions:
        claims = next((claims for ending, claims in _SUSPECTED if ending in suspicion), ())
        counts.update(claims)
    return counts


def offender(violation: Violation) -> str:
    """Return who broke a claim, as screens call it: `#406`, an order's id, or the run."""
    if violation.checkout is not None:
        return f"#{violation.checkout}"
    return violation.order_id or "the run"


def _state(
    said: Judged | None, name: str, *, broken: int, unknown: bool, suspect: int
) -> ClaimState:
    if broken:
        return "broken"
    if unknown:
        return "unknown"
    if suspect:
        return "suspect"
    return "holds" if said is not None and name in said.judged else "unjudged"
