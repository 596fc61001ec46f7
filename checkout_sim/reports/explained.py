"""One order explained in a terminal: its ladder, who believes what, and two sentences why.

Takes a ladder, its violations and a diagnosis; gives something rich can draw.
"""

from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from checkout_sim.model.ladder import Diagnosis, Ladder
from checkout_sim.model.verdict import Violation
from checkout_sim.reports.ladder import LadderView
from checkout_sim.reports.rows import believed_rows, labelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An order and all that is said of it. `others` counts the other orders with violations."""

    title: str  # of the run: scenario, strategy, seed, verdict
    ladder: Ladder
    violations: tuple[Violation, ...]
    diagnosis: Diagnosis
    others: int = 0


def explained(order: Explained) -> RenderableType:
    """Return the whole explanation; the two sentences come last, where the eye is."""
    ladder = order.ladder
    heading = Text()
    heading.append(order.title, style="bold")
    heading.append(f"\norder {ladder.order_id}")
    heading.append(f", checkout {ladder.checkout}" if ladder.checkout is not None else "")
    if ladder.siblings:
        heading.append(f"\nthe same purchase led to {', '.join(ladder.siblings)} as well")
    rows = [("broken", one.invariant) for one in order.violations]
    rows += believed_rows(ladder.believed)
    parts: list[RenderableType] = [
        heading,
        Text(),
        LadderView(ladder),
        Text(),
        Padding(labelled(rows), (0, 0, 0, 2)),
        Text(),
        Text(order.diagnosis.happened, style="bold"),
        Text(order.diagnosis.judged, style="bold red" if order.diagnosis.rules else "bold"),
    ]
    if order.others:
        parts.append(Text(_others(order), style="dim"))
    return Group(*parts)


def _others(order: Explained) -> str:
    noun = "order has" if order.others == 1 else "orders have"
    return f"{order.others} more {noun} violations; name one to see its ladder"
