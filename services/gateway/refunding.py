"""Refunds being made, canceled and settled later, inside one transaction.

A refund is journaled `refunded` when it succeeds, not while it is pending; one that fails after
it had succeeded is journaled `refund_failed`, so that captured - refunded + refund_failed is what
the merchant holds at any moment.
"""

from collections.abc import Mapping
from typing import Literal

from . import charges, refunds, store
from .cards import Outcome, numbered
from .charges import Charge
from .charging import record_balance, require_charge
from .commands import CancelRefund, CreateRefund
from .errors import InvalidRequest
from .intents import Intent
from .refunds import Refund, Status
from .store import encode
from .work import Answer, Work

Later = Literal["succeeded", "failed"]


def create(work: Work, command: CreateRefund, *, later: Mapping[Later, int]) -> Answer:
    """Give a charge back.

    `later` holds at most one change to come and its delay in ms: `succeeded` makes the refund
    pending at first, `failed` lets it succeed and fail then.
    """
    intent, charge = _find(work, command)
    amount = refunds.amount_to_refund(charge, command.amount)
    pending = "succeeded" in later
    refund = Refund(
        id=work.ids.new("re"),
        charge=charge.id,
        payment_intent=intent.id,
        amount=amount,
        currency=charge.currency,
        created=work.now,
        status=Status.PENDING if pending else Status.SUCCEEDED,
        reason=command.reason,
        metadata=command.metadata,
    )
    if not pending:
        refund = _pay_out(work, intent, refund)
    document = encode(refund.wire())
    store.insert_refund(work.sql, refund, document, now_ms=work.now_ms)
    work.event("refund.created", refund.id, document, about=intent, created_ms=work.now_ms)
    _count(work, intent, charge)
    for outcome, ms in later.items():
        work.sql.execute(
            "INSERT INTO settlements (due_ms, refund, outcome) VALUES (?, ?, ?)",
            (work.now_ms + ms, refund.id, outcome),
        )
    return _answer(intent, refund, document)


def cancel(work: Work, command: CancelRefund) -> Answer:
    """Stop a refund that is still pending."""
    refund = refunds.canceled(store.find_refund(work.sql, command.refund, now_ms=work.now_ms))
    return _change(work, refund, "refund.updated")


def settle(work: Work, refund_id: str, outcome: Later) -> None:
    """Let a refund change by itself, if it is still in the state that change starts from."""
    refund = store.find_refund(work.sql, refund_id, now_ms=work.now_ms)
    intent = store.true_intent(work.sql, refund.payment_intent)
    if outcome == "succeeded" and refund.status is Status.PENDING:
        _change(work, _pay_out(work, intent, refund), "refund.updated")
    elif outcome == "failed" and refund.status is Status.SUCCEEDED:
        back = record_balance(
            work,
            kind="refund_failure",
            source=refund.id,
            amount=refund.amount,
            fee=0,
            currency=refund.currency,
        )
        work.journal(
            "refund_failed", intent, amount=refund.amount, charge=refund.charge, refund=refund.id
        )
        _change(work, refunds.failed(refund, balance_transaction=back), "refund.failed")


def card_outcome(work: Work, command: CreateRefund) -> Outcome:
    """Return what the charged card does with refunds (pm_card_pendingRefund, …refundFail)."""
    _, charge = _find(work, command)
    if charge.payment_method is None:
        return Outcome.SUCCEEDS
    return numbered(store.number_of(work.sql, charge.payment_method)).outcome


def _find(work: Work, command: CreateRefund) -> tuple[Intent, Charge]:
    charge_id = command.charge
    if command.payment_intent is not None:
        intent = store.find_intent(work.sql, command.payment_intent, now_ms=work.now_ms)
        found = require_charge(intent)
        if charge_id not in {None, found}:
            raise InvalidRequest(
                f"Charge {charge_id} does not belong to PaymentIntent {intent.id}.", param="charge"
            )
        charge_id = found
    assert charge_id is not None
    charge = store.find_charge(work.sql, charge_id, now_ms=work.now_ms)
    intent = store.find_intent(work.sql, charge.payment_intent, now_ms=work.now_ms)
    if charge.status != "succeeded" or require_charge(intent) != charge.id:
        raise InvalidRequest(
            f"Charge {charge.id} was not successful and cannot be refunded.", param="charge"
        )
    return intent, charge


def _pay_out(work: Work, intent: Intent, refund: Refund) -> Refund:
    transaction = record_balance(
        work,
        kind="refund",
        source=refund.id,
        amount=-refund.amount,
        fee=0,
        currency=refund.currency,
    )
    work.journal("refunded", intent, amount=refund.amount, charge=refund.charge, refund=refund.id)
    return refunds.paid_out(refund, balance_transaction=transaction)


def _change(work: Work, refund: Refund, event: str) -> Answer:
    document = encode(refund.wire())
    store.update_refund(work.sql, refund, document)
    intent = store.true_intent(work.sql, refund.payment_intent)
    work.event(event, refund.id, document, about=intent, created_ms=work.now_ms)
    charge = store.find_charge(work.sql, refund.charge, now_ms=work.now_ms)
    _count(work, intent, charge)
    return _answer(intent, refund, document)


def _count(work: Work, intent: Intent, charge: Charge) -> None:
    """Bring the charge's sum up to date; the database refuses one above what was captured."""
    total = store.given_back(work.sql, charge.id)
    after = charges.with_refunded(charge, amount=total)
    document = encode(after.wire())
    store.update_charge(work.sql, after, document)
    if total > charge.amount_refunded:
        work.event("charge.refunded", charge.id, document, about=intent, created_ms=work.now_ms)


def _answer(intent: Intent, refund: Refund, document: str) -> Answer:
    return Answer(
        status=200, body=document, order_id=intent.order_id, payment_intent=refund.payment_intent
    )
