"""Judging while the run goes on: each checkout once nothing moves for it any more.

Takes observations and the ledgers' client; gives provisional Judged answers. The claims are those
of the verdict, asked of a few checkouts at a time in a thread, beside the shoppers. What stands
violated is asked again whenever something new is seen of it: it may be mended yet.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from checkout_sim.checks.partly import Standing, judge_partly
from checkout_sim.engine.ledger_rows import LedgerRows, Reader
from checkout_sim.engine.quiet_checkouts import Checkout, QuietCheckouts
from checkout_sim.model.answer import Judged
from checkout_sim.model.claims import CORE
from checkout_sim.model.errors import LedgerUnreadable
from checkout_sim.model.history import Observation
from checkout_sim.model.verdict import Violation

EVERY_S = 2.0
_SLICE = 60  # checkouts judged at a time: about 15 ms of a thread (measured)
_PAUSE_S = 0.1  # between slices, so that a backlog does not take a core from the shoppers
_MOST_TOLD = 100


class LiveJudging:
    """The provisional judge of one session."""

    def __init__(
        self,
        *,
        run_id: str,
        quiet_ms: float,
        now_ms: Callable[[], float],
        tell: Callable[[Judged], None],
    ) -> None:
        self._run_id = run_id
        self._checkouts = QuietCheckouts(quiet_ms=quiet_ms)
        self._rows = LedgerRows()
        self._now_ms = now_ms
        self._tell = tell
        self._standing: dict[int, tuple[Violation, ...]] = {}
        self._ever: set[int] = set()
        self._judged: Counter[str] = Counter()
        self._told: Judged | None = None

    def observe(self, seen: Observation) -> None:
        """Follow one observation."""
        self._checkouts.observe(seen)

    async def go_on(self, ledgers: Reader) -> None:
        """Judge what is due, every two seconds, until cancelled."""
        while True:
            more = await self.judge_due(ledgers)
            await asyncio.sleep(_PAUSE_S if more else EVERY_S)

    async def judge_due(self, ledgers: Reader) -> bool:
        """Judge one slice; return whether there may be more. A ledger out of reach waits."""
        due = self._checkouts.due(self._now_ms(), most=_SLICE)
        if not due:
            return False
        before = {one.number: len(one.seen) for one in due}
        try:
            await self._rows.read(ledgers, [order for one in due for order in one.orders])
        except LedgerUnreadable:
            return False
        still = [one for one in due if len(one.seen) == before[one.number]]
        if not still:
            return True
        seen = [list(one.seen) for one in still]
        rows = [self._rows.of(order) for one in still for order in sorted(one.orders)]
        standing = await asyncio.to_thread(judge_partly, seen, rows, claims=CORE)
        self._note(still, standing)
        return len(due) == _SLICE

    def _note(self, judged: Sequence[Checkout], standing: Standing) -> None:
        by_checkout: dict[int, list[Violation]] = {one.number: [] for one in judged}
        by_order = {order: one.number for one in judged for order in one.orders}
        for violation in standing.violations:
            number = violation.checkout or by_order.get(violation.order_id or "", 0)
            by_checkout.setdefault(number, []).append(violation)
        for number, violations in by_checkout.items():
            self._standing.pop(number, None)
            if violations:
                self._standing[number] = tuple(violations)
                self._ever.add(number)
        self._judged.update(standing.judged)
        sound = frozenset(one.number for one in judged) - self._standing.keys()
        self._checkouts.judged(judged, sound=sound)
        self._say()

    def _say(self) -> None:
        standing = [one for number in sorted(self._standing) for one in self._standing[number]]
        told = Judged(
            run_id=self._run_id,
            provisional=True,
            status="invalid" if standing else None,
            violations=tuple(standing[:_MOST_TOLD]),
            judged=dict(self._judged),
            broken=dict(Counter(one.invariant for one in standing)),
            ever=len(self._ever),
        )
        if told != self._told:
            self._told = told
            self._tell(told)
