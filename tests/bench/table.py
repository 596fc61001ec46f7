"""A figure beside its target, printed plainly, also where it falls short."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure; `target` None means that it is shown for information."""

    name: str
    value: float
    unit: str
    target: float | None = None
    wanted: Literal["at most", "at least"] = "at most"
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Return whether the target is met; None without a target."""
        if self.target is None:
            return None
        return self.value <= self.target if self.wanted == "at most" else self.value >= self.target


def show(figures: Sequence[Figure]) -> None:
    """Print the table and, last, how many figures fall short."""
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        said = {True: "met", False: "SHORT", None: ""}[figure.met]
        target = "" if figure.target is None else f"{figure.wanted} {figure.target:g} {figure.unit}"
        value = f"{figure.value:,.4g} {figure.unit}"
        print(f"{figure.name:<{width}}  {value:>16}  {target:<24}  {said:<5}  {figure.note}")
    short = [figure.name for figure in figures if figure.met is False]
    print(f"\n{len(short)} of {sum(f.met is not None for f in figures)} targets missed", end="")
    print(f": {'; '.join(short)}" if short else "")
