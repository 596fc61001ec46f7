"""The wire's vocabulary as the tool knows it: names only, so that validation costs no stack.

services/README.md is the contract; `tests/contract` holds these tables against the services.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checkout_sim.model.errors import StrategyUnknown

STRATEGIES: tuple[str, ...] = ("naive", "hardened", "orchestrated", "choreographed")

# Whose orders slowness alone may break: their callers say "failed" when an answer is late.
TAKES_SLOWNESS_FOR_FAILURE: frozenset[str] = frozenset({"naive"})

# Which links carry the checkouts of a strategy. Of a fault's alternatives the first in this order
# is struck: with an orchestrator, what shoppers send goes to it before anything reaches order.
LINKS_OF: Mapping[str, tuple[str, ...]] = {
    "naive": ("shopper_to_order", "order_to_payment", "payment_to_gateway"),
    "hardened": (
        "shopper_to_order",
        "order_to_payment",
        "payment_to_gateway",
        "gateway_to_payment",
    ),
    "orchestrated": (
        "shopper_to_orchestrator",
        "shopper_to_order",
        "orchestrator_to_order",
        "orchestrator_to_payment",
        "payment_to_gateway",
        "gateway_to_payment",
    ),
    "choreographed": (
        "shopper_to_order",
        "order_to_broker",
        "payment_to_broker",
        "payment_to_gateway",
        "gateway_to_payment",
    ),
}
# The link to a service's database, when that is a server and not a file.
DATABASE_LINKS: Mapping[str, str] = {
    "order": "order_to_database",
    "payment": "payment_to_database",
    "orchestrator": "orchestrator_to_database",
}

_THREE: tuple[str, ...] = ("order", "payment", "gateway")
SERVICES_OF: Mapping[str, tuple[str, ...]] = {
    "naive": _THREE,
    "hardened": _THREE,
    "orchestrated": ("orchestrator", *_THREE),
    "choreographed": _THREE,
}
# Where a shopper places an order, and over which link.
EDGE_OF: Mapping[str, str] = {
    "naive": "shopper_to_order",
    "hardened": "shopper_to_order",
    "orchestrated": "shopper_to_orchestrator",
    "choreographed": "shopper_to_order",
}
PLACE_PATH_OF: Mapping[str, str] = {
    "naive": "/order/place",
    "hardened": "/order/place",
    "orchestrated": "/saga/place-order",
    "choreographed": "/order/place",
}

PROCESSES: tuple[str, ...] = ("orchestrator", "order", "payment", "gateway")


def links_of(strategy: str, database: str = "sqlite") -> tuple[str, ...]:
    """Return the links of a strategy, those to its databases included where they are servers."""
    to_databases = (
        tuple(DATABASE_LINKS[name] for name in SERVICES_OF[strategy] if name in DATABASE_LINKS)
        if database == "postgres"
        else ()
    )
    return LINKS_OF[strategy] + to_databases


def processes_of(strategy: str, database: str = "sqlite") -> tuple[str, ...]:
    """Return the processes of a strategy's stack, the servers it borrows included."""
    borrowed = ("broker",) if strategy == "choreographed" else ()
    return SERVICES_OF[strategy] + borrowed + (("database",) if database == "postgres" else ())


EVENTS: frozenset[str] = frozenset(
    {
        "client.sent",
        "client.ended",
        "client.cancel_sent",
        "client.cancel_ended",
        "order.created",
        "order.confirmed",
        "order.failed",
        "order.canceled",
        "order.cancel_wanted",
        "order.deduplicated",
        "payment.recorded",
        "payment.intent_created",
        "payment.charge_requested",
        "payment.charge_succeeded",
        "payment.charge_declined",
        "payment.charge_unknown",
        "payment.result_written",
        "payment.canceled",
        "payment.refund_requested",
        "payment.refund_succeeded",
        "payment.deduplicated",
        "payment.fenced",
        "payment.webhook_received",
        "payment.webhook_refused",
        "saga.started",
        "saga.step_started",
        "saga.step_ended",
        "saga.turned_back",
        "saga.ended",
        "outbox.sent",
        "message.published",
        "message.received",
        "message.handled",
        "message.deduplicated",
        "message.dead_lettered",
        "broker.published",
        "broker.duplicated",
        "broker.reversed",
        "lease.taken",
        "call.started",
        "call.ended",
        "gateway.intent_created",
        "gateway.authorized",
        "gateway.captured",
        "gateway.canceled",
        "gateway.declined",
        "gateway.refunded",
        "gateway.refund_failed",
        "gateway.replayed",
        "gateway.refused",
        "gateway.conflicted",
        "gateway.released",
        "gateway.fault_used",
        "gateway.webhook_sent",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A fault control of the gateway: which operations it may match, which figures it takes."""

    operations: tuple[str, ...]
    parameters: tuple[str, ...] = ()


_ANY = ("create", "confirm", "charge", "retrieve", "cancel", "refund")
_WRITES = ("create", "confirm", "charge", "cancel", "refund")
_EVENT_TYPES = (
    "payment_intent.created",
    "payment_intent.requires_action",
    "payment_intent.processing",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "charge.succeeded",
    "charge.failed",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
)

# operation `charge` is whichever request moves money: confirm, or create with confirm=true; of a
# webhook the operation is the type of its event.
CONTROLS: Mapping[str, Control] = {
    "rate_limited": Control(operations=_ANY),
    "lock_timeout": Control(operations=_WRITES),
    "unavailable": Control(operations=_ANY),
    "error_500_no_effect": Control(operations=_WRITES),
    "error_500_after_effect": Control(operations=_WRITES, parameters=("reveal_after_ms",)),
    "error_500_then_back": Control(operations=("charge",), parameters=("reveal_after_ms",)),
    "drop_after_commit": Control(operations=_WRITES),
    "delay_after_commit": Control(operations=_WRITES, parameters=("ms",)),
    "slow_execution": Control(operations=_WRITES, parameters=("ms",)),
    "refund_pending": Control(operations=("refund",), parameters=("ms",)),
    "refund_fails_later": Control(operations=("refund",), parameters=("ms",)),
    "event_drop": Control(operations=_EVENT_TYPES),
    "event_duplicate": Control(operations=_EVENT_TYPES),
    "event_delay": Control(operations=_EVENT_TYPES, parameters=("ms",)),
    "event_swap": Control(operations=_EVENT_TYPES, parameters=("ms",)),
    "event_forged": Control(operations=_EVENT_TYPES, parameters=("ms",)),
}

CARDS: tuple[str, ...] = (
    "pm_card_visa",
    "pm_card_visa_debit",
    "pm_card_mastercard",
    "pm_card_amex",
    "pm_card_visa_chargeDeclined",
    "pm_card_visa_chargeDeclinedInsufficientFunds",
    "pm_card_visa_chargeDeclinedLostCard",
    "pm_card_visa_chargeDeclinedStolenCard",
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded",
    "pm_card_chargeDeclined",
    "pm_card_chargeDeclinedInsufficientFunds",
    "pm_card_chargeDeclinedLostCard",
    "pm_card_chargeDeclinedStolenCard",
    "pm_card_chargeDeclinedVelocityLimitExceeded",
    "pm_card_chargeDeclinedExpiredCard",
    "pm_card_chargeDeclinedIncorrectCvc",
    "pm_card_chargeDeclinedProcessingError",
    "pm_card_chargeCustomerFail",
    "pm_card_authenticationRequired",
    "pm_card_radarBlock",
    "pm_card_pendingRefund",
    "pm_card_refundFail",
)

# Settings a scenario may override, with their defaults; durations in ms before time_scale.
SETTINGS: Mapping[str, Mapping[str, float]] = {
    "order": {
        "payment_try_ms": 3000,
        "payment_connect_ms": 300,
        "payment_tries": 2,
        "payment_total_ms": 3500,
        "backoff_low_ms": 50,
        "backoff_high_ms": 100,
        "lease_ms": 4000,
        "tick_ms": 250,
        "retry_low_ms": 200,
        "retry_high_ms": 2000,
        "cancel_after_ms": 4000,
        "breaker_failures": 5,
        "breaker_open_ms": 2000,
        "answer_ms": 3000,
        "broker_connect_ms": 1000,
        "broker_confirm_ms": 1000,
        "broker_reconnect_ms": 100,
        "broker_watch_ms": 1000,
        "message_tries": 5,
        "message_retry_ms": 300,
    },
    "payment": {
        "gateway_try_ms": 800,
        "gateway_connect_ms": 300,
        "gateway_tries": 3,
        "gateway_total_ms": 2600,
        "backoff_low_ms": 50,
        "backoff_high_ms": 100,
        "lease_ms": 2000,
        "tick_ms": 250,
        "retry_low_ms": 200,
        "retry_high_ms": 2000,
        "fence_after_ms": 4000,
        "breaker_failures": 5,
        "breaker_open_ms": 2000,
        "broker_connect_ms": 1000,
        "broker_confirm_ms": 1000,
        "broker_reconnect_ms": 100,
        "broker_watch_ms": 1000,
        "message_tries": 5,
        "message_retry_ms": 300,
    },
    "orchestrator": {
        "order_try_ms": 500,
        "order_connect_ms": 300,
        "order_tries": 3,
        "order_total_ms": 1800,
        "payment_try_ms": 3000,
        "payment_connect_ms": 300,
        "payment_tries": 2,
        "payment_total_ms": 3500,
        "backoff_low_ms": 50,
        "backoff_high_ms": 100,
        "answer_ms": 4500,
        "lease_ms": 4000,
        "tick_ms": 250,
        "retry_low_ms": 200,
        "retry_high_ms": 2000,
        "cancel_after_ms": 4000,
        "breaker_failures": 5,
        "breaker_open_ms": 2000,
    },
    "gateway": {},
}
UNSCALED: frozenset[str] = frozenset(
    {"order_tries", "payment_tries", "gateway_tries", "breaker_failures", "message_tries"}
)

SHOPPER_PATIENCE_MS = 6000  # before time_scale


def require_strategies(names: Sequence[str]) -> None:
    """Raise StrategyUnknown for the first name that does not exist."""
    for name in names:
        if name not in STRATEGIES:
            raise StrategyUnknown(
                f'strategy "{name}" does not exist; choose from {", ".join(STRATEGIES)}'
            )
