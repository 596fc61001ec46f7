"""Attribution: which checkout an order belongs to, learned from `order.created`.

Every shopper shops as its own user, `shopper-<n>` or `proof-<n>`, so the event that announces an
order names its checkout even when no reply ever did. Where an orchestrator mints the order's id,
`saga.started` announces it first, and alone if the order is never created. Services write to pipes
of their own, and a line of payment may be read before the line of order that caused it: such lines
wait here for a moment, in order, so that every event of an order carries its checkout.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from checkout_sim.model.seen import ServiceLine

_ANNOUNCED_BY = frozenset({"order.created", "saga.started"})
_USER = re.compile(r"(?:shopper|proof)-(\d+)")


@dataclass(slots=True)
class Attribution:
    """Orders by checkout, as they are learned; `orders` maps a checkout to its order ids."""

    orders: dict[int, list[str]] = field(default_factory=dict)
    _checkout_of: dict[str, int] = field(default_factory=dict)
    _held: dict[str, list[ServiceLine]] = field(default_factory=dict)

    def attribute(self, heard: ServiceLine) -> Sequence[tuple[ServiceLine, int | None]]:
        """Return what may now be recorded, with checkouts: this line, those it freed, or none."""
        order = heard.order
        if order is None:
            return ((heard, None),)
        checkout = self._checkout_of.get(order)
        if checkout is not None:
            return ((heard, checkout),)
        if heard.kind in _ANNOUNCED_BY:
            return self._learn(heard, order)
        self._held.setdefault(order, []).append(heard)
        return ()

    def flush(self) -> Sequence[tuple[ServiceLine, int | None]]:
        """Return, unattributed, what waited for an announcement that never came."""
        held = [(heard, None) for waiting in self._held.values() for heard in waiting]
        self._held.clear()
        return held

    def _learn(
        self, announced: ServiceLine, order: str
    ) -> Sequence[tuple[ServiceLine, int | None]]:
        found = _USER.fullmatch(str(announced.data.get("user_id", "")))
        if found is None:
            return ((announced, None),)
        checkout = int(found.group(1))
        self._checkout_of[order] = checkout
        self.orders.setdefault(checkout, []).append(order)
        return [(heard, checkout) for heard in (announced, *self._held.pop(order, ()))]
