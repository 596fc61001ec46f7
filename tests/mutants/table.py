"""Every mutant there is, by chapter."""

from tests.mutants import of_messages, of_order, of_payment, of_saga, of_webhooks
from tests.mutants.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *of_payment.MUTANTS,
    *of_order.MUTANTS,
    *of_webhooks.MUTANTS,
    *of_saga.MUTANTS,
    *of_messages.MUTANTS,
)

# Two for each strategy and quick ones, so that every run of the tests sees the judge awake.
SAMPLE: tuple[str, ...] = ("M1-order", "M36", "M41", "M46", "M14-saga", "M32-lost")
