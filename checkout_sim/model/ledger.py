"""The ledgers a run is judged by: which service keeps each, and which strategies have it.

Standard library only. A ledger is what a service finally says, read on its direct port
(services/README.md); order and payment both keep an outbox and an inbox, so a ledger's name here
says whose it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Who keeps a ledger, and what it is called there: `GET /ledger/{path}`."""

    service: str
    path: str


BROKER = "broker"  # no service: asked over AMQP

KEEPER_OF: Mapping[str, Keeper] = {
    "orders": Keeper(service="order", path="orders"),
    "payments": Keeper(service="payment", path="payments"),
    "journal": Keeper(service="gateway", path="journal"),
    "carts": Keeper(service="order", path="carts"),
    "sagas": Keeper(service="orchestrator", path="sagas"),
    "saga_steps": Keeper(service="orchestrator", path="saga_steps"),
    "order_outbox": Keeper(service="order", path="outbox"),
    "payment_outbox": Keeper(service="payment", path="outbox"),
    "order_inbox": Keeper(service="order", path="inbox"),
    "payment_inbox": Keeper(service="payment", path="inbox"),
    "dead_letters": Keeper(service=BROKER, path="dead_letters"),
}

OF_EVERY_STRATEGY: tuple[str, ...] = ("orders", "payments", "journal", "carts")
SAGAS: tuple[str, ...] = ("sagas", "saga_steps")
OUTBOXES: tuple[str, ...] = ("order_outbox", "payment_outbox")
DEAD_LETTERS = "dead_letters"
INBOXES: tuple[str, ...] = ("order_inbox", "payment_inbox")

_BESIDE: Mapping[str, tuple[str, ...]] = {
    "orchestrated": SAGAS,
    "choreographed": (*OUTBOXES, *INBOXES, DEAD_LETTERS),
}


def ledgers_of(strategy: str | None) -> tuple[str, ...]:
    """Return the ledgers that a run of this strategy has, in the order they are read."""
    return OF_EVERY_STRATEGY + _BESIDE.get(strategy or "", ())
