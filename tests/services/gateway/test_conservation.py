"""Any sequence of operations conserves money: a model of intents against the real gateway."""

import itertools
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.services.gateway.gateway_process import GatewayProcess

CARDS = st.sampled_from(
    ["pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired"]
)
AMOUNTS = st.integers(1, 300)
_NUMBERS = itertools.count(1)


class Checkout:
    """What the model knows of one intent."""

    def __init__(self, order: str, intent: str, amount: int, *, manual: bool) -> None:
        self.order = order
        self.path = f"payment_intents/{intent}"
        self.intent = intent
        self.amount = amount
        self.manual = manual
        self.state = "open"
        self.captured = 0
        self.refunded = 0


class Money(RuleBasedStateMachine):
    """Operations in any order, each answered as the model says; the journal adds up throughout."""

    gateway: GatewayProcess
    checkouts = Bundle("checkouts")

    def __init__(self) -> None:
        super().__init__()
        self.known: list[Checkout] = []

    @initialize(target=checkouts)
    def begin_with_one_that_is_paid(self) -> Checkout:
        checkout = self._create(200, manual=False)
        self._confirm(checkout, "pm_card_visa")
        return checkout

    @rule(target=checkouts, amount=st.integers(100, 300), manual=st.booleans())
    def create(self, *, amount: int, manual: bool) -> Checkout:
        return self._create(amount, manual=manual)

    def _create(self, amount: int, *, manual: bool) -> Checkout:
        order = f"model_{next(_NUMBERS)}"
        method = "manual" if manual else "automatic"
        made = self.gateway.create(order, amount=amount, capture_method=method)
        checkout = Checkout(order, made["id"], amount, manual=manual)
        self.known.append(checkout)
        return checkout

    @rule(checkout=checkouts, card=CARDS)
    def confirm(self, checkout: Checkout, card: str) -> None:
        self._confirm(checkout, card)

    def _confirm(self, checkout: Checkout, card: str) -> None:
        answer = self.gateway.post(f"{checkout.path}/confirm", {"payment_method": card})
        if checkout.state != "open":
            assert answer.status_code == 400
            return
        if card == "pm_card_visa":
            assert answer.status_code == 200
            checkout.state = "held" if checkout.manual else "paid"
            checkout.captured = 0 if checkout.manual else checkout.amount
        else:
            assert answer.status_code == (402 if "Declined" in card else 200)

    @rule(checkout=checkouts, amount=AMOUNTS)
    def capture(self, checkout: Checkout, amount: int) -> None:
        answer = self.gateway.post(f"{checkout.path}/capture", {"amount_to_capture": str(amount)})
        fits = checkout.state == "held" and amount <= checkout.amount
        assert answer.status_code == (200 if fits else 400)
        if fits:
            checkout.state, checkout.captured = "paid", amount

    @rule(checkout=checkouts)
    def cancel(self, checkout: Checkout) -> None:
        answer = self.gateway.post(f"{checkout.path}/cancel")
        assert answer.status_code == (200 if checkout.state in {"open", "held"} else 400)
        if answer.status_code == 200:
            checkout.state = "canceled"

    @rule(checkout=checkouts, amount=AMOUNTS)
    def refund(self, checkout: Checkout, amount: int) -> None:
        form = {"payment_intent": checkout.intent, "amount": str(amount)}
        answer = self.gateway.post("refunds", form)
        fits = amount <= checkout.captured - checkout.refunded
        assert answer.status_code == (200 if fits else 400)
        if fits:
            checkout.refunded += amount

    @invariant()
    def the_newest_checkouts_books_agree(self) -> None:
        if self.known:
            self._agrees(self.known[-1])

    def teardown(self) -> None:
        for checkout in self.known:
            self._agrees(checkout)

    def _agrees(self, checkout: Checkout) -> None:
        intent: dict[str, Any] = self.gateway.get(
            checkout.path, **{"expand[]": "latest_charge"}
        ).json()
        assert intent["amount_received"] == checkout.captured
        if checkout.captured:
            charge = intent["latest_charge"]
            assert charge["amount_captured"] == checkout.captured <= checkout.amount
            assert charge["amount_refunded"] == checkout.refunded <= checkout.captured
        assert (intent["status"] == "canceled") is (checkout.state == "canceled")


def test_any_sequence_of_operations_conserves_money(gateway: GatewayProcess) -> None:
    machine = type("MoneyHere", (Money,), {"gateway": gateway})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    captures: dict[str, int] = {}
    refunds: dict[str, int] = {}
    for row in gateway.journal():
        if str(row["order_id"]).startswith("model_"):
            book = {"captured": captures, "refunded": refunds}.get(row["kind"], {})
            book[row["payment_intent"]] = book.get(row["payment_intent"], 0) + row["amount_minor"]
    assert captures
    assert all(captures[intent] >= amount for intent, amount in refunds.items())
    for intent, amount in captures.items():
        shown = gateway.get(f"payment_intents/{intent}", **{"expand[]": "latest_charge"}).json()
        assert shown["amount_received"] == amount
        assert shown["latest_charge"]["amount_refunded"] == refunds.get(intent, 0)
