"""Attribution: which checkout an order belongs to, learned from `order.created`.

Every shopper shops as its own user, `shopper-<n>` or `proof-<n>`, so the event that announces an
order names its checkout even when no reply ever did. Services write to pipes of their own, and a
line of payment may be read before the line of order that caused it: such lines wait here for a
moment, in order, so that every event of an order carries its checkout.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from checkout_sim.model.history import Observation

_USER = re.compile(r"(?:shopper|proof)-(\d+)")


@dataclass(slots=True)
class Attribution:
    """Orders by checkout, as they are learned; `orders` maps a checkout to its order ids."""

    orders: dict[int, list[str]] = field(default_factory=dict)
    _checkout_of: dict[str, int] = field(default_factory=dict)
    _held: dict[str, list[Observation]] = field(default_factory=dict)

    def attribute(self, seen: Observation) -> Iterable[Observation]:
        """Return what may now be recorded: this observation, others it released, or nothing."""
        if seen.order is None or seen.checkout is not None:
            return (seen,)
        if seen.kind == "order.created":
            return self._learn(seen)
        checkout = self._checkout_of.get(seen.order)
        if checkout is not None:
            return (replace(seen, checkout=checkout),)
        self._held.setdefault(seen.order, []).append(seen)
        return ()

    def flush(self) -> Iterable[Observation]:
        """Return, unattributed, what waited for an `order.created` that never came."""
        held = [seen for waiting in self._held.values() for seen in waiting]
        self._held.clear()
        return held

    def _learn(self, created: Observation) -> Iterable[Observation]:
        found = _USER.fullmatch(str(created.data.get("user_id", "")))
        if found is None or created.order is None:
            return (created,)
        checkout = int(found.group(1))
        self._checkout_of[created.order] = checkout
        self.orders.setdefault(checkout, []).append(created.order)
        held = self._held.pop(created.order, ())
        return [replace(seen, checkout=checkout) for seen in (created, *held)]
