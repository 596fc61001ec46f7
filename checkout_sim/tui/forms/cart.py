"""The cart being put together: lines with a quantity and a price, one of them marked.

Takes what an operator does to it, gives another cart. A line of quantity 0 stays on the form and
is not sent, so that `-` and `=` are each other's undoing.
"""

import re
from dataclasses import dataclass, replace

from checkout_sim.model.scenario import Line
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.tui.forms.figures import said_minor, typed_count, typed_minor

MOST_LINES = 100
MOST_OF_ONE = 1000
_LONGEST_NAME = 128
_TYPED = re.compile(r"(?P<product>\S.*?)(?:\s+(?P<quantity>\d+))?(?:\s*x)?\s+(?P<price>[\d.,]+)")
_NEGATIVE = re.compile(r"\s-\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """Lines of a cart that is being written; `at` is the marked one, from 0."""

    lines: tuple[Line, ...]
    at: int = 0

    @property
    def sent(self) -> tuple[Line, ...]:
        """Return the lines that are bought."""
        return tuple(line for line in self.lines if line.quantity)

    @property
    def total_minor(self) -> int:
        """Return what the lines come to, in minor units."""
        return sum(line.quantity * line.price_minor for line in self.lines)

    @property
    def marked(self) -> Line | None:
        """Return the marked line; None where there is none."""
        return self.lines[self.at] if self.lines else None

    def moved(self, by: int) -> "Cart":
        """Return the cart with the mark so many lines further, within the lines."""
        last = max(0, len(self.lines) - 1)
        return replace(self, at=max(0, min(last, self.at + by)))

    def more(self, by: int) -> "Cart":
        """Return the cart with so many more of the marked line: 0 at least, 1000 at most."""
        marked = self.marked
        if marked is None:
            return self
        quantity = max(0, min(MOST_OF_ONE, marked.quantity + by))
        return self._with(self.at, replace(marked, quantity=quantity))

    def without_marked(self) -> "Cart":
        """Return the cart without the marked line."""
        left = (*self.lines[: self.at], *self.lines[self.at + 1 :])
        return Cart(lines=left, at=max(0, min(self.at, len(left) - 1)))

    def with_line(self, line: Line, *, instead: bool = False) -> "Cart":
        """Return the cart with the line in place of the marked one, or added and marked.

        A product that is in the cart already at the same price gains quantity instead.
        """
        if instead and self.lines:
            return self._with(self.at, line)
        for at, had in enumerate(self.lines):
            if (had.product, had.price_minor) == (line.product, line.price_minor):
                more = min(MOST_OF_ONE, had.quantity + line.quantity)
                return replace(self._with(at, replace(had, quantity=more)), at=at)
        if len(self.lines) == MOST_LINES:
            raise NotAValue(f"a cart holds {MOST_LINES} lines at most; remove one first")
        return Cart(lines=(*self.lines, line), at=len(self.lines))

    def _with(self, at: int, line: Line) -> "Cart":
        return replace(self, lines=(*self.lines[:at], line, *self.lines[at + 1 :]))


# What the form opens with: the money of the mock-up, so that a first `enter` buys something.
USUAL = Cart(
    lines=(
        Line(product="mug", quantity=2, price_minor=1250),
        Line(product="cap", quantity=1, price_minor=2900),
        Line(product="sticker", quantity=0, price_minor=200),
    )
)


def line_of(text: str) -> Line:
    """Return the line behind `mug 2 12.50` or `mug 2 x 12.50`; without a quantity it is one.

    Raises NotAValue saying which of the three is wrong.
    """
    found = _TYPED.fullmatch(text.strip())
    if found is None:
        raise NotAValue(f'"{text.strip()}" is no line; write product, quantity, price: mug 2 12.50')
    product = found["product"]
    if _NEGATIVE.search(product):
        raise NotAValue(f'"{text.strip()}" has a negative quantity; write 0 or more')
    if len(product) > _LONGEST_NAME:
        raise NotAValue(f"a product's name has {_LONGEST_NAME} characters at most")
    quantity = typed_count(found["quantity"] or "1", least=1, most=MOST_OF_ONE, what="a quantity")
    return Line(product=product, quantity=quantity, price_minor=typed_minor(found["price"]))


def said_line(line: Line) -> str:
    """Return the line as `line_of` reads it."""
    return f"{line.product} {line.quantity} x {said_minor(line.price_minor)}"
