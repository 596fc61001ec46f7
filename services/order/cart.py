"""What a shopper wants to buy: lines of a cart, as plain values.

Takes and gives minor units and integers; knows neither wire nor database.
"""

from collections.abc import Iterable
from dataclasses import dataclass

MAX_LINES = 100
MAX_TOTAL_MINOR = 99_999_999  # Stripe's limit for a charge: eight digits of minor units


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """So many pieces of one product at one price."""

    product_id: str
    quantity: int
    price_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """A shopper's cart as last written; `updated_at_ms` is None for a cart that never was."""

    user_id: str
    lines: tuple[Line, ...]
    updated_at_ms: int | None


def merged(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Return the lines with equal product and price added up, in the order first met.

    The same product at two prices stays two lines: nobody may be charged a price not agreed to.
    """
    quantities: dict[tuple[str, int], int] = {}
    for line in lines:
        what = (line.product_id, line.price_minor)
        quantities[what] = quantities.get(what, 0) + line.quantity
    return tuple(
        Line(product_id=product_id, quantity=quantity, price_minor=price_minor)
        for (product_id, price_minor), quantity in quantities.items()
    )


def total_minor(lines: Iterable[Line]) -> int:
    """Return what the lines cost together, in minor units."""
    return sum(line.quantity * line.price_minor for line in lines)
