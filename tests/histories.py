"""Histories told by hand: builders that read as stories, for the judge's tests and benchmarks.

    tale = Tale()
    order = tale.order(checkout=1).placed().created().charged()
    order.logged("failed").rests_as("failed").believed("failed").hears("failed", http_status=402)
    verdict = tale.verdict()

`Tale.bought(checkout)` tells the whole story of a sound order: 42.00, confirmed, captured once,
recorded so, and its shopper heard nothing definite; its keywords depart from it in one point each.
Everything is numbered as the recorder numbers it; time passes 1 ms per observation.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from checkout_sim.checks.evidence import Evidence
from checkout_sim.checks.history import History
from checkout_sim.checks.judge import judge
from checkout_sim.model.claims import CORE
from checkout_sim.model.history import HISTORY_VERSION, Observation
from checkout_sim.model.ledger import ledgers_of
from checkout_sim.model.verdict import Broken, Verdict

PRICE_MINOR = 4200
_SERVICES = {"order", "payment", "gateway", "orchestrator"}
_ENDS_IN = {"confirmed": 200, "failed": 402, "refused": 400}


class Tale:
    """One run being told; `seen` is what the recorder would have written so far."""

    def __init__(
        self,
        *,
        invariants: Sequence[str] = CORE,
        faults: Sequence[Mapping[str, Any]] = (),
        **opened: Any,
    ) -> None:
        self.seen: list[Observation] = []
        self.ledgers: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ledgers_of(opened.get("strategy"))
        }
        self._checkouts: set[int] = set()
        self._extra = {"invariants": list(invariants), "faults": list(faults), **opened}
        self.see("run.opened", source="runner")
        self.see("phase.entered", source="runner", phase="storm")

    def see(
        self,
        kind: str,
        /,
        *,
        source: str | None = None,
        checkout: int | None = None,
        order: str | None = None,
        key: str | None = None,
        fault: str | None = None,
        after_ms: float = 1.0,
        **data: Any,
    ) -> int:
        """Observe one thing, `after_ms` later than the last, and return its id."""
        source = source or _source_of(kind)
        t_ms = after_ms + (self.seen[-1].t_ms if self.seen else 0.0)
        told = Observation(
            id=len(self.seen) + 1,
            t_ms=t_ms,
            source=source,
            kind=kind,
            source_ms=t_ms + 50_000.0 if source in _SERVICES else None,
            checkout=checkout,
            order=order,
            key=key,
            fault=fault,
            data=data,
        )
        self.seen.append(told)
        if kind == "client.sent" and checkout is not None and not data.get("proof"):
            self._checkouts.add(checkout)
        return told.id

    def order(
        self, checkout: int, name: str | None = None, *, total_minor: int = PRICE_MINOR
    ) -> "OrderTale":
        """Return an order of a checkout; nothing is observed yet."""
        return OrderTale(
            tale=self, checkout=checkout, id=name or f"ord_{checkout}", total_minor=total_minor
        )

    def bought(
        self,
        checkout: int,
        name: str | None = None,
        *,
        ends: str = "confirmed",
        payment: str = "completed",
        charged_minor: int | None = PRICE_MINOR,
        row: bool = True,
        told: str = "unknown",
        key: str | None = None,
    ) -> "OrderTale":
        """Tell a sound order whole, or one that departs from it in what is named."""
        order = self.order(checkout, name).placed(key=key).created().recorded()
        if charged_minor is not None:
            order.charged(charged_minor)
        if ends != "pending":
            order.logged(ends)
        order.hears(told)
        if row:
            order.rests_as(ends)
        return order.believed(
            payment,
            amount_minor=PRICE_MINOR if charged_minor is None else charged_minor,
            intent=None if charged_minor is None else order.intent,
        )

    def add_row(self, ledger: str, **row: Any) -> None:
        """Let a ledger hold one more row when it is read."""
        self.ledgers[ledger].append(row)

    def ended(self, *, quiet: Mapping[str, Any] | None = None, unread: Iterable[str] = ()) -> Self:
        """Calm, settle and read; `quiet` None is reached, else it is what was given up with."""
        for phase in ("calm", "settle"):
            self.see("phase.entered", source="runner", phase=phase)
        if quiet is None:
            self.see("quiet.reached", source="runner", waited_ms=310.0)
        else:
            self.see("quiet.given_up", source="runner", **quiet)
        self.see("phase.entered", source="runner", phase="read")
        for name, rows in self.ledgers.items():
            if name in unread:
                self.see("ledger.failed", name=name, message="connection refused")
                continue
            for row in rows:
                self.see("ledger.read", order=row.get("order_id"), name=name, row=row)
            self.see("ledger.ended", name=name, rows=len(rows), digest=f"{name}-digest")
        self.see("phase.entered", source="runner", phase="judged")
        opened = {"history_version": HISTORY_VERSION, "checkouts": len(self._checkouts)}
        self.seen[0] = replace(self.seen[0], data={**opened, **self._extra})
        return self

    def history(self) -> History:
        """Return the tale, indexed; ends it first when it has not been."""
        if self.seen[-1].kind != "phase.entered" or self.seen[-1].data["phase"] != "judged":
            self.ended()
        return Evidence.in_memory().extend(self.seen).finish()

    def verdict(self) -> Verdict:
        """Return what the judge makes of the tale."""
        return judge(self.history())


@dataclass(slots=True, kw_only=True)
class OrderTale:
    """One order's part in a tale. Every method observes something and returns the order."""

    tale: Tale
    checkout: int
    id: str
    total_minor: int
    attempts: int = 0
    ended_attempts: int = 0
    keys: dict[int, str] = field(default_factory=dict)

    @property
    def intent(self) -> str:
        """Return the PaymentIntent this order would have."""
        return f"pi_{self.id.removeprefix('ord_')}"

    @property
    def user(self) -> str:
        """Return the user that shops for this checkout."""
        return f"shopper-{self.checkout}"

    def placed(
        self,
        *,
        key: str | None = None,
        body: str = "visa",
        attempt: int | None = None,
        proof: bool = False,
    ) -> Self:
        """The shopper posts the order."""
        self.attempts = attempt or self.attempts + 1
        self.keys[self.attempts] = key or f"key-{self.checkout}"
        self.tale.see(
            "client.sent",
            checkout=self.checkout,
            key=self.keys[self.attempts],
            attempt=self.attempts,
            body_digest=body,
            card="pm_card_visa",
            proof=proof,
        )
        return self

    def hears(
        self,
        claim: str,
        *,
        http_status: int | None = None,
        error: str | None = None,
        document: str | None = None,
        attempt: int | None = None,
        duration_ms: float = 12.0,
        proof: bool = False,
        after_ms: float = 1.0,
    ) -> Self:
        """The shopper's oldest open attempt ends; definite claims carry the order document."""
        self.ended_attempts = attempt or self.ended_attempts + 1
        if claim in {"confirmed", "failed"}:
            document = document or claim
        if claim == "unknown" and error is None and http_status is None:
            error = "timeout"
        shown = document and {
            "order_id": self.id,
            "status": document,
            "total_minor": self.total_minor,
            "currency": "usd",
        }
        self.tale.see(
            "client.ended",
            checkout=self.checkout,
            order=self.id if document else None,
            key=self.keys.get(self.ended_attempts),
            after_ms=after_ms,
            attempt=self.ended_attempts,
            claim=claim,
            http_status=http_status or (None if error else _ENDS_IN.get(claim)),
            error=error,
            duration_ms=duration_ms,
            document=shown,
            proof=proof,
        )
        return self

    def created(self) -> Self:
        """The order service commits the order."""
        self._log("order.created", user_id=self.user, total_minor=self.total_minor, currency="usd")
        return self

    def logged(self, *states: str) -> Self:
        """The order service commits one final state after another."""
        for state in states:
            self._log(f"order.{state}", reason="told so")
        return self

    def recorded(self) -> Self:
        """Payment makes its first commit."""
        self._log("payment.recorded", amount_minor=self.total_minor)
        return self

    def log(self, kind: str, **data: Any) -> Self:
        """A service logs anything else about this order."""
        self._log(kind, **data)
        return self

    def charged(
        self, amount_minor: int | None = None, *, intent: str | None = None, **row: Any
    ) -> Self:
        """The gateway creates an intent and captures it."""
        self.gateway("intent_created", amount_minor, intent=intent, **row)
        return self.gateway("captured", amount_minor, intent=intent, **row)

    def refunded(self, amount_minor: int | None = None, *, intent: str | None = None) -> Self:
        """The gateway gives a charge back."""
        return self.gateway("refunded", amount_minor, intent=intent)

    def gateway(
        self,
        kind: str,
        amount_minor: int | None = None,
        *,
        intent: str | None = None,
        key: str | None = None,
        **row: Any,
    ) -> Self:
        """The gateway writes a row in its journal, and logs it."""
        journal = self.tale.ledgers["journal"]
        written = {
            "seq": len(journal) + 1,
            "kind": kind,
            "order_id": self.id,
            "payment_intent": intent or self.intent,
            "amount_minor": self.total_minor if amount_minor is None else amount_minor,
            "currency": "usd",
            "idempotency_key": key or f"{self.id}:{kind}:1",
            "label": None,
            **row,
        }
        journal.append(written)
        self._log(f"gateway.{kind}", **written)
        return self

    def rests_as(self, status: str, *, currency: str = "usd") -> Self:
        """The orders ledger will say so."""
        self.tale.add_row(
            "orders",
            order_id=self.id,
            user_id=self.user,
            status=status,
            total_minor=self.total_minor,
            currency=currency,
            client_key=None,
        )
        return self

    def believed(
        self,
        status: str,
        *,
        amount_minor: int | None = None,
        intent: str | None = None,
        keys: Sequence[str] = (),
        currency: str = "usd",
    ) -> Self:
        """The payments ledger will say so."""
        self.tale.add_row(
            "payments",
            order_id=self.id,
            status=status,
            phase=status,
            amount_minor=self.total_minor if amount_minor is None else amount_minor,
            currency=currency,
            payment_intent=intent,
            keys=list(keys),
            attempts=1,
        )
        return self

    def cart(self, lines: int) -> Self:
        """The carts ledger will say so."""
        self.tale.add_row("carts", user_id=self.user, lines=lines, total_minor=0)
        return self

    def calls(
        self,
        link: str,
        *,
        error: str | None = None,
        lasting_ms: float = 5.0,
        meanwhile: Sequence[str] = (),
        operation: str = "confirm",
        attempt: int = 1,
        ends: bool = True,
    ) -> Self:
        """A service calls another; `meanwhile` is what the callee logs before the call ends."""
        source = link.partition("_to_")[0]
        call_id = f"call-{len(self.tale.seen)}"
        about: dict[str, Any] = {
            "link": link,
            "call_id": call_id,
            "attempt": attempt,
            "operation": operation,
        }
        self.tale.see("call.started", source=source, order=self.id, **about)
        for kind in meanwhile:
            self._log(kind)
        if ends:
            self.tale.see(
                "call.ended",
                source=source,
                order=self.id,
                after_ms=lasting_ms,
                **about,
                http_status=None if error else 200,
                error=error,
                duration_ms=lasting_ms,
            )
        return self

    def _log(self, kind: str, /, **data: Any) -> None:
        self.tale.see(kind, checkout=self.checkout, order=self.id, **data)


def broken(verdict: Verdict) -> set[str]:
    """Return the names of the claims a verdict finds broken."""
    return {name for name, found in verdict.findings.items() if isinstance(found, Broken)}


def _source_of(kind: str) -> str:
    family = kind.partition(".")[0]
    families = {"client", "ledger", *_SERVICES}
    return family if family in families else "supervisor"
