"""A draft of a scenario as the review screen holds it: what is kept, and at which moments.

Takes the `Draft` an engine answered and what the operator did to it; gives rows, and the
`DraftScenario` that asks for the draft anew. The engine alone writes the text, so that what is
shown is what would be saved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from checkout_sim.model.answer import Draft, DraftItem
from checkout_sim.model.command import DraftScenario, SaveScenario


class DraftRow(NamedTuple):
    """One item of a draft, ready to be drawn."""

    kept: bool
    what: str
    begins: str
    ends: str

    @property
    def mark(self) -> str:
        """Return the box, as text."""
        return "[x]" if self.kept else "[ ]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What the operator wants of a run: items left out, moments chosen, idle time trimmed.

    `run` is the run's folder, empty for the newest that was judged; `draft` is the engine's latest
    answer; `drop` None means: as the engine proposes.
    """

    run: str = ""
    name: str = ""
    draft: Draft | None = None
    drop: tuple[str, ...] | None = None
    moments: Mapping[str, int] = field(default_factory=dict)
    trim_idle: bool = True
    at: int = 0

    @property
    def items(self) -> tuple[DraftItem, ...]:
        """Return the draft's items; none before the first answer."""
        return self.draft.items if self.draft else ()

    @property
    def marked(self) -> DraftItem | None:
        """Return the item under the mark."""
        return self.items[self.at] if self.at < len(self.items) else None

    @property
    def command(self) -> DraftScenario:
        """Return the command that asks for this draft."""
        return DraftScenario(
            run=self.run,
            name=self.name,
            drop=self.drop or (),
            moments=dict(self.moments),
            trim_idle=self.trim_idle,
        )

    def answered(self, draft: Draft) -> "Review":
        """Return the review with the engine's answer, the mark where it was."""
        last = max(0, len(draft.items) - 1)
        return replace(
            self,
            draft=draft,
            name=draft.name,
            at=min(self.at, last),
        )

    def moved(self, by: int) -> "Review":
        """Return the review with the mark so many items further."""
        return replace(self, at=max(0, min(len(self.items) - 1, self.at + by)))

    def toggled(self) -> "Review":
        """Return the review with the marked item kept if it was dropped, and dropped if kept."""
        item = self.marked
        if item is None:
            return self
        dropped = [one.id for one in self.items if not one.kept]
        if item.kept:
            dropped.append(item.id)
        else:
            dropped.remove(item.id)
        order = {one.id: place for place, one in enumerate(self.items)}
        return replace(self, drop=tuple(sorted(dropped, key=order.__getitem__)))

    def next_moment(self) -> "Review":
        """Return the review with the marked item at the next of its proposed moments.

        An answer lists the chosen moment first and the others in their turn, so the next one is
        the first again once all were shown.
        """
        item = self.marked
        if item is None or len(item.moments) < 2:  # noqa: PLR2004 - nothing to choose from
            return self
        chosen = (self.moments.get(item.id, 0) + 1) % len(item.moments)
        return replace(self, moments={**self.moments, item.id: chosen})

    def trimmed(self) -> "Review":
        """Return the review with idle time trimmed, or left in again."""
        return replace(self, trim_idle=not self.trim_idle)

    def save(self, *, replace_file: bool = False) -> SaveScenario | None:
        """Return the command that writes the draft as it stands; None before an answer."""
        if self.draft is None:
            return None
        return SaveScenario(name=self.draft.name, text=self.draft.text, replace=replace_file)


def rows(review: Review) -> tuple[DraftRow, ...]:
    """Return a row for each item; a dropped one says why it was dropped where it has an end."""
    return tuple(
        DraftRow(
            kept=item.kept,
            what=item.what,
            begins=item.begins,
            ends=item.ends if item.kept else item.why_dropped or item.ends,
        )
        for item in review.items
    )


def moments_of(item: DraftItem | None) -> str:
    """Return the moments an item may be given, the chosen one first, as one line."""
    if item is None or not item.moments:
        return "this has no moment of its own"
    return "  >  ".join(item.moments)
