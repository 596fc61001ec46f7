"""Which checkouts nothing moves for any more, while the run goes on.

Takes observations, keeps them by checkout; gives the checkouts that are due to be judged: every
attempt and every call of theirs has ended, and nothing was seen of them for longer than the
strategy's own recovery pauses. Costs a few dictionary look-ups per observation.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from checkout_sim.model.history import Observation
from checkout_sim.model.wire import SETTINGS

MOST_KEPT = 4_000  # checkouts whose observations stay in memory, about 25 kB each
_TICK_MARGIN = 1.5  # a pause of a reconciler may be late by as much on a loaded machine


def quiet_ms(strategy: str, *, time_scale: float) -> float:
    """Return how long nothing must be seen of a checkout before it may be judged.

    Naive has no recovery: what its open calls bring is waited for by their being open. The others
    pause no longer than a lease, a back-off and a tick (`model/wire.py`, SETTINGS).
    """
    if strategy == "naive":
        return 1_000.0 * time_scale
    longest = max(
        own.get("lease_ms", 0) + own.get("retry_high_ms", 0) + own.get("tick_ms", 0)
        for own in SETTINGS.values()
    )
    return longest * _TICK_MARGIN * time_scale


@dataclass(slots=True)
class Checkout:
    """What was seen of one purchase; `open` counts attempts and calls that have not ended."""

    number: int
    seen: list[Observation] = field(default_factory=list)
    orders: set[str] = field(default_factory=set)
    last_ms: float = 0.0
    open: int = 0


class QuietCheckouts:
    """Every checkout of a session, and which of them changed since they were judged."""

    def __init__(self, *, quiet_ms: float) -> None:
        self._quiet_ms = quiet_ms
        self._checkouts: dict[int, Checkout] = {}
        self._changed: dict[int, None] = {}
        self._calls: dict[tuple[str, object], int] = {}

    def observe(self, seen: Observation) -> None:
        """Follow one observation."""
        if seen.kind in ("process.killed", "process.exited"):
            self._died(str(seen.data.get("process")))
        if seen.checkout is None or seen.source == "ledger":
            return
        checkout = self._checkouts.get(seen.checkout)
        if checkout is None:
            checkout = self._checkouts[seen.checkout] = Checkout(seen.checkout)
        checkout.seen.append(seen)
        checkout.last_ms = seen.t_ms
        if seen.order is not None:
            checkout.orders.add(seen.order)
        self._changed[seen.checkout] = None
        self._count_open(seen, checkout)

    def due(self, now_ms: float, *, most: int) -> list[Checkout]:
        """Return checkouts to be judged now, those that changed first first; `now_ms` as `t_ms`."""
        found: list[Checkout] = []
        for number in self._changed:
            checkout = self._checkouts[number]
            if checkout.open <= 0 and now_ms - checkout.last_ms >= self._quiet_ms:
                found.append(checkout)
                if len(found) == most:
                    break
        return found

    def judged(self, checkouts: Iterable[Checkout], *, sound: frozenset[int]) -> None:
        """Note that these were judged as they stand; old sound ones are forgotten when many."""
        for checkout in checkouts:
            self._changed.pop(checkout.number, None)
        for number in sorted(sound):
            if len(self._checkouts) <= MOST_KEPT:
                break
            self._checkouts.pop(number, None)

    def _count_open(self, seen: Observation, checkout: Checkout) -> None:
        call = (seen.source, seen.data.get("call_id"))
        match seen.kind:
            case "client.sent":
                checkout.open += 1
            case "client.ended":
                checkout.open -= 1
            case "call.started":
                checkout.open += 1
                self._calls[call] = checkout.number
            case "call.ended":
                if self._calls.pop(call, None) is not None:
                    checkout.open -= 1
            case _:
                pass

    def _died(self, process: str) -> None:
        for call in [call for call in self._calls if call[0] == process]:
            checkout = self._checkouts.get(self._calls.pop(call))
            if checkout is not None:
                checkout.open -= 1
