"""PaymentIntents being made, changed, confirmed, captured and canceled, inside one transaction.

The rules are in `intents.py`; here their results are written: document, charge, balance, journal
and events together, or not at all. A refusal takes back what was written before it.
"""

from dataclasses import dataclass, replace

from . import charges, commands, intents, payment_methods, store
from .cards import Card, Outcome, numbered
from .charges import Charge
from .commands import CancelIntent, CaptureIntent, ConfirmIntent, CreateIntent, UpdateIntent
from .errors import CardDeclined, InvalidRequest, JsonObject
from .intents import Intent, Status
from .store import encode
from .work import Answer, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class _Confirmed:
    """What a confirm led to: the intent, the events to tell, and the refusal if it declined."""

    intent: Intent
    events: tuple[str, ...]
    refusal: CardDeclined | None = None


def create(work: Work, command: CreateIntent) -> Answer:
    """Make an intent; with `confirm`, charge it in the same transaction."""
    intent_id = work.ids.new("pi")
    intent = Intent(
        id=intent_id,
        amount=command.amount,
        currency=command.currency,
        status=Status.REQUIRES_PAYMENT_METHOD,
        created=work.now,
        client_secret=work.ids.new(f"{intent_id}_secret"),
        capture_method=command.capture_method,
        metadata=command.metadata,
        described=command.described,
    )
    if command.confirm and command.card is None:
        intents.require_confirmable(intent)
    card = _card(work, command.card)
    made = encode(intent.wire())
    work.journal("intent_created", intent, amount=intent.amount)
    work.event("payment_intent.created", intent.id, made, about=intent, created_ms=work.now_ms)
    if card is not None:
        intent = intents.attach(intent, card.payment_method)
    if not (command.confirm and card is not None):
        document = made if card is None else encode(intent.wire())
        store.insert_intent(work.sql, intent, document, now_ms=work.now_ms, masked_until_ms=0)
        return _answer(intent, document)
    confirmed = _confirm(work, intent, card.card, return_url=command.return_url)
    if command.fails_on_action:
        _refuse_action(confirmed.intent)
    return _finish(work, confirmed, new=True)


def update(work: Work, command: UpdateIntent) -> Answer:
    """Change what an intent says, as far as its state allows."""
    intent = store.find_intent(work.sql, command.intent, now_ms=work.now_ms)
    if command.amount is not None or command.currency is not None:
        intent = intents.changed_amount(
            intent,
            amount=command.amount or intent.amount,
            currency=command.currency or intent.currency,
        )
    intents.require_not_processing(intent)
    if command.card is not None:
        intents.require_open(intent, "update")
        card = _card(work, command.card)
        assert card is not None
        intent = intents.attach(intent, card.payment_method)
    metadata = {**intent.metadata, **command.metadata}
    intent = replace(
        intent,
        metadata={key: value for key, value in metadata.items() if value != ""},
        described={**intent.described, **command.described},
    )
    return _keep(work, intent)


def confirm(work: Work, command: ConfirmIntent) -> Answer:
    """Charge an intent: the only move that takes money."""
    intent = store.find_intent(work.sql, command.intent, now_ms=work.now_ms)
    intents.require_open(intent, "confirm")
    card = _card(work, command.card)
    if card is not None:
        intent = intents.attach(intent, card.payment_method)
    intents.require_confirmable(intent)
    if command.capture_method is not None:
        intent = replace(intent, capture_method=command.capture_method)
    if card is None:
        assert intent.payment_method is not None
        number = store.number_of(work.sql, intent.payment_method)
        card = _Attached(payment_method=intent.payment_method, card=numbered(number))
    confirmed = _confirm(work, intent, card.card, return_url=command.return_url)
    if command.fails_on_action:
        _refuse_action(confirmed.intent)
    return _finish(work, confirmed, new=False)


def capture(work: Work, command: CaptureIntent) -> Answer:
    """Take an authorization, once; what is not taken is released."""
    intent = store.find_intent(work.sql, command.intent, now_ms=work.now_ms)
    intent = intents.captured(intent, amount=command.amount)
    assert intent.latest_charge is not None
    charge = store.find_charge(work.sql, intent.latest_charge, now_ms=work.now_ms)
    charge = charges.captured(
        charge,
        amount=intent.amount_received,
        balance_transaction=_balance(work, intent, charge.id),
    )
    store.update_charge(work.sql, charge, encode(charge.wire()))
    work.journal("captured", intent, amount=intent.amount_received, charge=charge.id)
    metadata = {**intent.metadata, **command.metadata}
    intent = replace(intent, metadata={key: value for key, value in metadata.items() if value})
    return _keep(work, intent, "payment_intent.succeeded")


def cancel(work: Work, command: CancelIntent) -> Answer:
    """Fence an intent off; an authorization is released with it."""
    before = store.find_intent(work.sql, command.intent, now_ms=work.now_ms)
    intent = intents.canceled(before, reason=command.reason, now=work.now)
    work.journal(
        "canceled",
        intent,
        amount=before.amount_capturable,
        charge=before.latest_charge if before.amount_capturable else None,
    )
    return _keep(work, intent, "payment_intent.canceled")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attached:
    payment_method: str
    card: Card


def _card(work: Work, asked: commands.Card | None) -> _Attached | None:
    """Find the card a request brings, and keep it under an id of its own as Stripe does."""
    if asked is None:
        return None
    name = asked.payment_method
    if name is not None and not name.startswith("pm_card_"):
        return _Attached(payment_method=name, card=numbered(store.number_of(work.sql, name)))
    card = commands.resolve(asked)
    return _Attached(payment_method=keep_card(work, card, metadata={})["id"], card=card)


def keep_card(work: Work, card: Card, *, metadata: dict[str, str]) -> JsonObject:
    """Write a card as a payment method and return its document."""
    document = payment_methods.wire(work.ids.new("pm"), card, created=work.now, metadata=metadata)
    store.insert_payment_method(work.sql, document, number=card.number, now_ms=work.now_ms)
    return document


def _confirm(work: Work, intent: Intent, card: Card, *, return_url: str | None) -> _Confirmed:
    if work.back:  # the control `error_500_then_back`: it will turn out never to have happened
        return _Confirmed(intent=intent, events=())
    match card.outcome:
        case Outcome.ASKS_THE_SHOPPER:
            waiting = intents.waiting_for_shopper(intent, return_url=return_url)
            return _Confirmed(intent=waiting, events=("payment_intent.requires_action",))
        case Outcome.DECLINES:
            return _decline(work, intent, card)
        case _:
            return _succeed(work, intent, card)


def _succeed(work: Work, intent: Intent, card: Card) -> _Confirmed:
    charge_id = work.ids.new("ch")
    charged = intents.charged(intent, charge=charge_id)
    charge = _new_charge(work, intent, card, charge_id)
    if charged.status is Status.SUCCEEDED:
        charge = charges.captured(
            charge,
            amount=charged.amount_received,
            balance_transaction=_balance(work, charged, charge_id),
        )
    document = encode(charge.wire())
    store.insert_charge(work.sql, charge, document, created_ms=work.visible_ms)
    work.event("charge.succeeded", charge_id, document, about=charged, created_ms=work.visible_ms)
    if charge.captured:
        work.journal("captured", charged, amount=charge.amount_captured, charge=charge_id)
        return _Confirmed(intent=charged, events=("payment_intent.succeeded",))
    work.journal("authorized", charged, amount=charge.amount, charge=charge_id)
    return _Confirmed(intent=charged, events=())


def _decline(work: Work, intent: Intent, card: Card) -> _Confirmed:
    charge = replace(
        _new_charge(work, intent, card, work.ids.new("ch")),
        status="failed",
        failure_code=card.code,
        failure_message=card.message,
    )
    document = encode(charge.wire())
    store.insert_charge(work.sql, charge, document, created_ms=work.visible_ms)
    work.event("charge.failed", charge.id, document, about=intent, created_ms=work.visible_ms)
    assert intent.payment_method is not None
    shown = payment_methods.wire(intent.payment_method, card, created=work.now, metadata={})
    refusal = CardDeclined(
        card.message,
        status=402,
        code=card.code,
        decline_code=card.decline_code,
        param="exp_month" if card.code == "expired_card" else None,
        about={"charge": charge.id, "payment_method": shown},
    )
    error = refusal.envelope(work.facts.request_id or "")["error"]
    del error["request_log_url"]
    intent = intents.declined(intent, charge=charge.id, error=error)
    refusal.about["payment_intent"] = intent.wire()
    work.journal(
        "declined",
        intent,
        amount=intent.amount,
        charge=charge.id,
        label=card.decline_code or card.code,
    )
    return _Confirmed(intent=intent, events=("payment_intent.payment_failed",), refusal=refusal)


def _new_charge(work: Work, intent: Intent, card: Card, charge_id: str) -> Charge:
    return Charge(
        id=charge_id,
        payment_intent=intent.id,
        payment_method=intent.payment_method,
        amount=intent.amount,
        currency=intent.currency,
        created=work.visible_ms // 1000,
        status="succeeded",
        captured=False,
        outcome=charges.outcome_of(card),
        payment_method_details=charges.details_of(card),
        metadata=intent.metadata,
    )


def _balance(work: Work, intent: Intent, charge_id: str) -> str:
    """Write what the account earns: 2.9 % and 30 less, as Stripe's United States price list."""
    amount = intent.amount_received
    fee = (amount * 29 + 500) // 1000 + 30
    return record_balance(
        work, kind="charge", source=charge_id, amount=amount, fee=fee, currency=intent.currency
    )


def record_balance(
    work: Work, *, kind: str, source: str, amount: int, fee: int, currency: str
) -> str:
    """Write a balance transaction of `amount` less `fee`, and return its id."""
    document = {
        "id": work.ids.new("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": work.now,
        "balance_type": "payments",
        "created": work.visible_ms // 1000,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source,
        "status": "available",
        "type": kind,
    }
    store.insert_balance_transaction(work.sql, document, created_ms=work.visible_ms)
    return str(document["id"])


def _refuse_action(intent: Intent) -> None:
    """Honour `error_on_requires_action`: decline rather than wait for the shopper."""
    if intent.status is Status.REQUIRES_ACTION:
        raise CardDeclined(
            "Your card was declined. This transaction requires authentication.",
            status=402,
            code="authentication_required",
            decline_code="authentication_required",
        )


def _finish(work: Work, confirmed: _Confirmed, *, new: bool) -> Answer:
    intent = confirmed.intent
    document = encode(intent.wire())
    write = store.insert_intent if new else store.update_intent
    write(
        work.sql,
        intent,
        document,
        now_ms=work.now_ms,
        masked_until_ms=work.masked_until_ms,
    )
    if work.masked_until_ms:
        shown = encode(store.masked(intent).wire())
        work.event(
            "payment_intent.processing", intent.id, shown, about=intent, created_ms=work.now_ms
        )
    for kind in confirmed.events:
        work.event(kind, intent.id, document, about=intent, created_ms=work.visible_ms)
    if confirmed.refusal is None:
        return _answer(intent, document)
    body = encode(confirmed.refusal.envelope(work.facts.request_id or ""))
    return Answer(status=402, body=body, order_id=intent.order_id, payment_intent=intent.id)


def _keep(work: Work, intent: Intent, event: str | None = None) -> Answer:
    document = encode(intent.wire())
    store.update_intent(work.sql, intent, document, now_ms=work.now_ms, masked_until_ms=0)
    if event is not None:
        work.event(event, intent.id, document, about=intent, created_ms=work.now_ms)
    return _answer(intent, document)


def _answer(intent: Intent, document: str) -> Answer:
    return Answer(status=200, body=document, order_id=intent.order_id, payment_intent=intent.id)


def require_charge(intent: Intent) -> str:
    """Return the charge of an intent that took money; refunds need one."""
    if intent.status is not Status.SUCCEEDED or intent.latest_charge is None:
        raise InvalidRequest(
            f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.",
            about={"payment_intent": intent.wire()},
        )
    return intent.latest_charge
