"""The checkouts of a run: rows by key, counts by standing, and what old ones shrink to.

Takes observations about shoppers, orders and money; keeps the newest 10,000 rows and all that are
suspect, and of the older ones only how many ended how. Every count is kept as events come: nothing
is ever scanned to draw a frame.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from checkout_sim.board.rows import OVERDUE_MS, Row, Standing, standing_elsewhere, weighed
from checkout_sim.model.history import Observation

MOST_ROWS = 10_000
_MOST_CHANGES = 4_000
_FINDINGS = frozenset({"suspect", "violated"})
_LETTERS = "bcdefghijklmnopqrstuvwxyz"

Change = Callable[[Row], Row]


class Checkouts:
    """Rows in the order their shoppers came."""

    def __init__(self, *, most: int = MOST_ROWS) -> None:
        self.rows: dict[str, Row] = {}
        self.counts: Counter[Standing] = Counter()  # rows kept and rows shrunk alike
        self.told: Counter[str] = Counter()
        self.seen = 0  # checkouts ever
        self.membership = 0  # grows whenever a row comes or goes
        self.change_count = 0  # grows whenever a row changes
        self._changes: deque[str] = deque(maxlen=_MOST_CHANGES)
        self.findings: dict[str, None] = {}  # keys suspect or violated, as they were found
        self._key_of_order: dict[str, str] = {}
        self._keys_of: dict[int, tuple[str, ...]] = {}
        self._undecided: dict[str, None] = {}  # keys whose standing is open, oldest first
        self._waiting: deque[str] = deque()  # keys not yet looked at for shrinking
        self._most = most

    def snapshot(self) -> Self:
        """Return a copy that later events do not touch."""
        copy = type(self)(most=self._most)
        copy.rows = dict(self.rows)
        copy.counts = Counter(self.counts)
        copy.told = Counter(self.told)
        copy.seen = self.seen
        copy.membership, copy.change_count = self.membership, self.change_count
        copy._changes = self._changes.copy()  # noqa: SLF001 - its own kind
        copy.findings = dict(self.findings)
        copy._key_of_order = dict(self._key_of_order)  # noqa: SLF001 - its own kind
        copy._keys_of = dict(self._keys_of)  # noqa: SLF001 - its own kind
        copy._undecided = dict(self._undecided)  # noqa: SLF001 - its own kind
        copy._waiting = deque(self._waiting)  # noqa: SLF001 - its own kind
        return copy

    # ---- questions ---------------------------------------------------------------------------

    def of_checkout(self, number: int) -> tuple[Row, ...]:
        """Return the rows of a checkout: one, or one for each order it led to."""
        return tuple(self.rows[key] for key in self._keys_of.get(number, ()) if key in self.rows)

    def of_order(self, order_id: str) -> Row | None:
        """Return the row of an order; None when it was never seen or has shrunk to a count."""
        return self.rows.get(self._key_of_order.get(order_id, ""))

    @property
    def undecided(self) -> Iterable[str]:
        """Return the keys of rows that are open, oldest first."""
        return self._undecided

    def changed_since(self, count: int) -> Iterable[str] | None:
        """Return the keys changed since `change_count` was that; None if too many were."""
        behind = self.change_count - count
        if behind > len(self._changes):
            return None
        newest = (self._changes[-at] for at in range(1, behind + 1))
        return dict.fromkeys(newest)

    # ---- events ------------------------------------------------------------------------------

    def sent(self, one: Observation, faults: tuple[str, ...]) -> None:
        """Take an order a shopper posts; a retry is another try of the same row."""
        if one.checkout is None:
            return
        attempt = int(one.data.get("attempt", 1))
        if one.checkout not in self._keys_of:
            self.seen += 1
            self._add(
                Row(
                    key=str(one.checkout),
                    number=one.checkout,
                    sent_ms=one.t_ms,
                    tries=attempt,
                    card=str(one.data.get("card") or ""),
                    proof=bool(one.data.get("proof")),
                    faults=faults,
                )
            )
            return
        self._change_all(
            one.checkout,
            lambda row: row._replace(
                tries=max(row.tries, attempt), ended_ms=None, faults=joined(row.faults, faults)
            ),
        )

    def told_shopper(self, one: Observation) -> None:
        """End a shopper's attempt with its claim."""
        if one.checkout is None:
            return
        claim = str(one.data.get("claim", "unknown"))
        self.told[claim] += 1
        self._change_all(one.checkout, lambda row: row._replace(told=claim, ended_ms=one.t_ms))

    def found(self, one: Observation) -> None:
        """Take what a shopper found in the end."""
        status = one.data.get("status")
        if one.checkout is None or not status:
            return
        self._change_all(one.checkout, lambda row: row._replace(told=f"found {status}"))

    def created(self, one: Observation) -> None:
        """Take an order that was committed: the checkout's first, or one more beside it."""
        if one.order is None or one.checkout is None or one.order in self._key_of_order:
            return
        rows = self.of_checkout(one.checkout)
        if not rows:
            return
        free = next((row for row in rows if not row.order_id), None)
        about: dict[str, Any] = {
            "order_id": one.order,
            "order": "pending",
            "total_minor": one.data.get("total_minor"),
            "currency": str(one.data.get("currency") or ""),
        }
        if free is not None:
            self._key_of_order[one.order] = free.key
            self._put(free._replace(**about))
            return
        letter = _LETTERS[min(len(rows), len(_LETTERS)) - 1]
        first = rows[0]
        key = f"{first.number}{letter}"
        self._key_of_order[one.order] = key
        self._add(
            Row(
                key=key,
                number=first.number,
                sent_ms=one.t_ms,
                tries=first.tries,
                faults=first.faults,
                card=first.card,
                proof=first.proof,
                elsewhere=sum(row.captures for row in rows),
                **about,
            )
        )

    def change_order(self, order_id: str | None, change: Change) -> None:
        """Something else was seen of an order; one that is unknown or shrunk is passed over."""
        row = self.of_order(order_id or "")
        if row is None:
            return
        changed = change(row)
        siblings = self._keys_of.get(row.number, ())
        if len(siblings) > 1 and changed.captures != row.captures:
            rows = [changed if one.key == row.key else one for one in self.of_checkout(row.number)]
            for one in standing_elsewhere(rows):
                self._put(one)
            return
        self._put(changed)

    def under_fault(self, token: str) -> None:
        """Mark whatever is open: a fault begins, which it may meet."""
        for key in tuple(self._undecided):
            row = self.rows[key]
            if token not in row.faults:
                self._put(row._replace(faults=joined(row.faults, (token,))))

    def convicted(self, claims: Mapping[str, tuple[str, ...]]) -> None:
        """Take the orders that the judge names; those it does not name are free.

        `claims` go by order id, or by "#412" for a checkout that has no order.
        """
        wanted: dict[str, tuple[str, ...]] = {}
        for about, names in claims.items():
            keys = (
                self._keys_of.get(int(about[1:]), ())
                if about.startswith("#")
                else (self._key_of_order.get(about, ""),)
            )
            for key in keys:
                wanted[key] = tuple(dict.fromkeys((*wanted.get(key, ()), *names)))
        for row in tuple(self.rows.values()):
            names = wanted.get(row.key, ())
            if row.claims != names:
                self._put(row._replace(claims=names))

    def elapse(self, now_ms: float) -> None:
        """Let time pass: who is undecided for too long is overdue. Costs what it finds."""
        late: list[Row] = []
        for key in self._undecided:
            row = self.rows[key]
            if now_ms - row.sent_ms <= OVERDUE_MS:
                break
            if not row.overdue:
                late.append(row)
        for row in late:
            self._put(row._replace(overdue=True))

    # ---- keeping -----------------------------------------------------------------------------

    def _change_all(self, number: int, change: Change) -> None:
        for row in self.of_checkout(number):
            self._put(change(row))

    def _add(self, row: Row) -> None:
        self._keys_of[row.number] = (*self._keys_of.get(row.number, ()), row.key)
        self.rows[row.key] = row
        self.membership += 1
        self.counts["open"] += 1
        self._undecided[row.key] = None
        self._waiting.append(row.key)
        self._put(row)
        if len(self.rows) > self._most:
            self._shrink()

    def _put(self, row: Row) -> None:
        """Keep a changed row and its place in every count."""
        before = self.rows[row.key].standing
        row = weighed(row)
        self.rows[row.key] = row
        self.change_count += 1
        self._changes.append(row.key)
        if row.standing == before:
            return
        self.counts[before] -= 1
        self.counts[row.standing] += 1
        if row.standing in _FINDINGS:
            self.findings[row.key] = None
        else:
            self.findings.pop(row.key, None)
        if row.standing == "open":
            self._undecided[row.key] = None
        else:
            self._undecided.pop(row.key, None)

    def _shrink(self) -> None:
        """Forget the oldest row that is over and harmless; keep the others, up to twice the most.

        What is passed over is looked at again, so that one that was open is forgotten in its turn.
        """
        for _ in range(min(len(self._waiting), 64)):
            key = self._waiting.popleft()
            row = self.rows[key]
            harmless = row.standing in {"confirmed", "rolled back"} and row.ended
            if harmless or len(self.rows) > 2 * self._most:
                self._forget(row)
                return
            self._waiting.append(key)

    def _forget(self, row: Row) -> None:
        del self.rows[row.key]
        self.membership += 1
        self._undecided.pop(row.key, None)
        self.findings.pop(row.key, None)
        self._key_of_order.pop(row.order_id, None)
        left = tuple(key for key in self._keys_of.get(row.number, ()) if key != row.key)
        if left:
            self._keys_of[row.number] = left
        else:
            self._keys_of.pop(row.number, None)


def joined(tokens: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """Return both, each token once, in the order of their coming."""
    return tokens if not more else tuple(dict.fromkeys((*tokens, *more)))
