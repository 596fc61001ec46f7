"""What the HTML page tells of one archived run: values only, gathered by `archive/chapters.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkout_sim.model.course import Course
from checkout_sim.model.ladder import Diagnosis, Ladder
from checkout_sim.model.verdict import Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One order in full; `evidence` are lines of the history, as recorded."""

    ladder: Ladder
    violations: tuple[Violation, ...]
    diagnosis: Diagnosis
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One run. `facts` are its `verdict.json` (`run_report.schema.json`), or what there is of it.

    `orders` are told in full, `more` names those beyond the bound with the claims they broke.
    `loose` are violations that no order can be drawn for. `engine` is what carried the bytes.
    """

    id: str
    facts: Mapping[str, Any]
    engine: str
    course: Course | None
    orders: tuple[Told, ...]
    more: tuple[tuple[str, tuple[str, ...]], ...] = ()
    loose: tuple[Violation, ...] = ()
    scenario_text: str = ""
    scenario_note: str = ""
    problem: str = ""

    @property
    def verdict(self) -> str:
        """Return the verdict; `unfinished` where the run left none."""
        return str(self.facts.get("verdict") or "unfinished")

    @property
    def disturbed(self) -> bool:
        """Return whether what was not expected may be the machine's doing."""
        return "disturbed" in self.facts.get("surprise_keys", ())

    @property
    def undecided(self) -> bool:
        """Return whether it shows nothing, neither for its expectation nor against it."""
        return self.verdict == "unknown" or self.disturbed

    @property
    def surprising(self) -> bool:
        """Return whether it needs a look: not as expected, undecided, or unfinished."""
        return self.facts.get("as_expected") is False or self.verdict in {"unknown", "unfinished"}
