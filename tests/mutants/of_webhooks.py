"""Mutants of payment's webhooks and of what it does when its database is away."""

from tests.mutants.mutant import Mutant

_WEBHOOKS = "payment/webhooks.py"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        name="M29-webhook",
        wrong="an event that is delivered again is heard again",
        file=_WEBHOOKS,
        old="if not inbox.admit(connection, CONSUMER, event.id, order_id):",
        new="if inbox.admit(connection, CONSUMER, event.id, order_id) is None:",
        strategy="hardened",
        scenario="webhook-out-of-order",
        by="effects_are_applied_once",
    ),
    Mutant(
        name="M39",
        wrong="a charge whose result could not be recorded is told as failed",
        file="payment/strategies/hardened.py",
        old="except DatabaseUnavailable:\n            return payment",
        new="except DatabaseUnavailable:\n            return replace(payment, phase=Phase.FAILED)",
        strategy="hardened",
        scenario="db-away-at-commit",
        by="unconfirmed_means_not_paid",
    ),
    Mutant(
        name="M40",
        wrong="nobody looks at the signature of an event",
        file=_WEBHOOKS,
        old="text = signing.verify(body, signature, self._secret, now_s=now_s)",
        new="text = body.decode()",
        strategy="hardened",
        scenario="webhook-forged",
        by="confirmed_means_paid_in_full",
    ),
)
