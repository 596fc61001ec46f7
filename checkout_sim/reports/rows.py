"""Labels and sentences side by side, as a run's block and an order's explanation both have them.

Takes pairs of text, gives something rich can draw.
"""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from checkout_sim.model.belief import Believed

_LABEL_COLUMNS = 9


def believed_rows(believed: Believed) -> list[tuple[str, str]]:
    """Return who believes what, a label and a sentence each."""
    return [
        ("shopper", f"was told: {believed.told}"),
        ("order", f"believes: {believed.order}"),
        ("payment", f"believes: {believed.payment}"),
        ("gateway", f"knows: {believed.gateway}"),
        ("faults", f"active: {', '.join(believed.faults) or 'none'}"),
    ]


def labelled(rows: Sequence[tuple[str, str]], *, style: str = "") -> Table:
    """Return labels in one column and sentences, wrapped under themselves, in the other."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=_LABEL_COLUMNS, no_wrap=True)
    table.add_column(overflow="fold")
    last = ""
    for label, sentence in rows:
        table.add_row(Text("" if label == last else label, style="dim"), Text(sentence, style))
        last = label
    return table
