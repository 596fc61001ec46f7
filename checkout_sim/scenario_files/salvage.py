"""What of a broken file can still be judged by the rules, so that one run reports all there is.

Takes the document and pydantic's errors; gives a shape made of the sound parts alone, and the way
back from its trails to the file's. A broken list entry is left out, a broken section replaced by
one that no rule can object to: better a silence than a false alarm.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from checkout_sim.scenario_files.names import BREAKABLE
from checkout_sim.scenario_files.parse import Document
from checkout_sim.scenario_files.problems import Finding, trail_of
from checkout_sim.scenario_files.shape import ScenarioShape

_LISTS = ("faults", "shoppers")
_HARMLESS: Mapping[str, Any] = {
    "version": 1,
    "name": "unnamed",
    "why": "unknown",
    "stack": {"time_scale": 0.1, "replicas": dict.fromkeys(BREAKABLE, 4)},
    "load": {"checkouts": 1_000_000},
    "judge": {"invariants": "extended"},
    "expect": {"naive": "valid"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvage:
    """The sound parts of a file; `kept` says which entries of a list they are."""

    shape: ScenarioShape
    kept: Mapping[str, Sequence[int]]
    replaced: Collection[str]

    def told(self, findings: Iterator[Finding]) -> Iterator[Finding]:
        """Yield findings about what the file really says, under the file's own trails."""
        for finding in findings:
            head, *rest = finding.trail or ("",)
            if head in self.replaced:
                continue
            if head in self.kept and rest and isinstance(rest[0], int):
                entry = self.kept[str(head)][rest[0]]
                yield replace(finding, trail=(head, entry, *rest[1:]))
            else:
                yield finding


def salvage(
    document: Document, error: ValidationError, *, context: Mapping[str, Any]
) -> Salvage | None:
    """Return what is left without the broken parts; None where nothing is."""
    if not isinstance(document.data, dict):
        return None
    broken = {trail_of(detail["loc"])[:2] for detail in error.errors(include_url=False)}
    data = {key: value for key, value in document.data.items() if key in ScenarioShape.model_fields}
    kept: dict[str, Sequence[int]] = {}
    replaced: set[str] = set()
    for section in {str(trail[0]) for trail in broken if trail}:
        if section in _LISTS and isinstance(data.get(section), list):
            entries = data[section]
            kept[section] = [n for n in range(len(entries)) if (section, n) not in broken]
            data[section] = [entries[n] for n in kept[section]]
        else:
            data.pop(section, None)
            replaced.add(section)
    missing = {"version", "name", "why", "expect"} - set(document.data)
    replaced |= missing
    data |= {key: _HARMLESS[key] for key in replaced if key in _HARMLESS}
    try:
        shape = ScenarioShape.model_validate(data, context=dict(context))
    except ValidationError:
        return None
    return Salvage(shape=shape, kept=kept, replaced=replaced)
