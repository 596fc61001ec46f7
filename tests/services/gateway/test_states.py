"""PaymentIntents and refunds move as Stripe's do, over a real port."""

from typing import Any

import pytest

from tests.services.gateway.gateway_process import GatewayProcess


def error(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["error"]
    return found


def test_an_intent_waits_for_a_method_then_a_confirm_then_succeeds(
    gateway: GatewayProcess, order: str
) -> None:
    path = f"payment_intents/{gateway.create(order)['id']}"
    seen = [gateway.get(path).json()["status"]]
    for step, form in (("", {"payment_method": "pm_card_visa"}), ("/confirm", {})):
        seen.append(gateway.post(path + step, form).json()["status"])

    assert seen == ["requires_payment_method", "requires_confirmation", "succeeded"]
    assert gateway.kinds(order) == ["intent_created", "captured"]


def test_a_declined_intent_can_be_confirmed_with_another_card(
    gateway: GatewayProcess, order: str
) -> None:
    path = f"payment_intents/{gateway.create(order)['id']}/confirm"
    gateway.post(path, {"payment_method": "pm_card_chargeDeclined"})
    paid = gateway.post(path, {"payment_method": "pm_card_visa"}).json()

    assert paid["status"] == "succeeded"
    assert paid["last_payment_error"] is None
    assert gateway.kinds(order) == ["intent_created", "declined", "captured"]


def test_a_confirm_without_a_card_is_refused(gateway: GatewayProcess, order: str) -> None:
    answer = gateway.post(f"payment_intents/{gateway.create(order)['id']}/confirm")

    assert answer.status_code == 400
    assert "missing a payment method" in error(answer)["message"]


@pytest.mark.parametrize("step", ["confirm", "capture", "cancel"])
def test_after_a_cancel_every_operation_errors(
    gateway: GatewayProcess, order: str, step: str
) -> None:
    made = gateway.create(order, payment_method="pm_card_visa")
    canceled = gateway.post(f"payment_intents/{made['id']}/cancel").json()
    answer = gateway.post(f"payment_intents/{made['id']}/{step}")

    assert canceled["status"] == "canceled"
    assert answer.status_code == 400
    assert error(answer)["code"] == "payment_intent_unexpected_state"
    assert error(answer)["payment_intent"]["status"] == "canceled"
    assert gateway.kinds(order) == ["intent_created", "canceled", "refused"]


def test_a_canceled_intent_takes_no_new_card(gateway: GatewayProcess, order: str) -> None:
    made = gateway.create(order)
    gateway.post(f"payment_intents/{made['id']}/cancel")
    answer = gateway.post(f"payment_intents/{made['id']}", {"payment_method": "pm_card_visa"})

    assert answer.status_code == 400
    assert gateway.get(f"payment_intents/{made['id']}").json()["status"] == "canceled"


def test_cancel_is_refused_once_succeeded_and_shows_the_intent(
    gateway: GatewayProcess, order: str
) -> None:
    paid = gateway.paid(order)
    answer = gateway.post(f"payment_intents/{paid['id']}/cancel")

    assert answer.status_code == 400
    assert error(answer)["code"] == "payment_intent_unexpected_state"
    assert error(answer)["payment_intent"] == paid


def test_an_intent_waiting_for_its_shopper_can_be_fenced(
    gateway: GatewayProcess, order: str
) -> None:
    waiting = gateway.paid(order, card="pm_card_authenticationRequired")
    canceled = gateway.post(
        f"payment_intents/{waiting['id']}/cancel", {"cancellation_reason": "abandoned"}
    ).json()

    assert (canceled["status"], canceled["cancellation_reason"]) == ("canceled", "abandoned")
    assert canceled["next_action"] is None


def test_manual_capture_authorizes_first_and_takes_less_if_asked(
    gateway: GatewayProcess, order: str
) -> None:
    held = gateway.paid(order, capture_method="manual")
    path = f"payment_intents/{held['id']}/capture"
    too_much = gateway.post(path, {"amount_to_capture": "4201"})
    taken = gateway.post(path, {"amount_to_capture": "3000"}).json()
    again = gateway.post(path, {"amount_to_capture": "1200"})

    assert (held["status"], held["amount_capturable"]) == ("requires_capture", 4200)
    assert too_much.status_code == 400
    assert (taken["status"], taken["amount_received"]) == ("succeeded", 3000)
    assert taken["amount_capturable"] == 0
    assert error(again)["code"] == "payment_intent_unexpected_state"
    amounts = [(row["kind"], row["amount_minor"]) for row in gateway.journal(order)]
    assert amounts == [
        ("intent_created", 4200),
        ("authorized", 4200),
        ("refused", 0),
        ("captured", 3000),
        ("refused", 0),
    ]


def test_canceling_an_authorization_releases_it(gateway: GatewayProcess, order: str) -> None:
    held = gateway.paid(order, capture_method="manual")
    gateway.post(f"payment_intents/{held['id']}/cancel")
    refund = gateway.post("refunds", {"payment_intent": held["id"]})

    assert refund.status_code == 400
    assert gateway.journal(order)[2]["amount_minor"] == 4200
    assert gateway.kinds(order) == ["intent_created", "authorized", "canceled", "refused"]


def test_metadata_is_merged_and_an_empty_value_removes(gateway: GatewayProcess, order: str) -> None:
    made = gateway.create(order, **{"metadata[a]": "1", "metadata[b]": "2"})
    changed = gateway.post(
        f"payment_intents/{made['id']}", {"metadata[a]": "", "metadata[c]": "3"}
    ).json()

    assert changed["metadata"] == {"order_id": order, "b": "2", "c": "3"}


def test_the_amount_may_change_until_money_moved(gateway: GatewayProcess, order: str) -> None:
    made = gateway.create(order)
    path = f"payment_intents/{made['id']}"
    changed = gateway.post(path, {"amount": "5000"}).json()
    gateway.post(f"{path}/confirm", {"payment_method": "pm_card_visa"})
    late = gateway.post(path, {"amount": "6000"})

    assert changed["amount"] == 5000
    assert late.status_code == 400
    assert gateway.net(order) == 5000


# -- refunds --------------------------------------------------------------------------------


def test_refunds_in_parts_never_exceed_what_was_captured(
    gateway: GatewayProcess, order: str
) -> None:
    paid = gateway.paid(order)

    def refund(amount: int) -> Any:
        return gateway.post("refunds", {"payment_intent": paid["id"], "amount": str(amount)})

    answers = [refund(1000), refund(3201), refund(3200), refund(1)]

    assert [answer.status_code for answer in answers] == [200, 400, 200, 400]
    assert error(answers[1])["param"] == "amount"
    assert error(answers[3])["code"] == "charge_already_refunded"
    charge = gateway.get(f"charges/{paid['latest_charge']}").json()
    assert (charge["amount_refunded"], charge["refunded"]) == (4200, True)
    assert gateway.get(f"payment_intents/{paid['id']}").json()["status"] == "succeeded"
    assert gateway.net(order) == 0


def test_a_refund_by_charge_gives_all_back(gateway: GatewayProcess, order: str) -> None:
    paid = gateway.paid(order)
    refund = gateway.post("refunds", {"charge": paid["latest_charge"]}).json()

    assert (refund["amount"], refund["payment_intent"]) == (4200, paid["id"])
    assert gateway.get("refunds", payment_intent=paid["id"]).json()["data"] == [refund]


@pytest.mark.parametrize("state", ["created", "declined", "canceled", "authorized"])
def test_nothing_uncaptured_can_be_refunded(
    gateway: GatewayProcess, order: str, state: str
) -> None:
    made = gateway.create(order, capture_method="manual")
    path = f"payment_intents/{made['id']}"
    if state == "declined":
        gateway.post(f"{path}/confirm", {"payment_method": "pm_card_chargeDeclined"})
    if state == "authorized":
        gateway.post(f"{path}/confirm", {"payment_method": "pm_card_visa"})
    if state == "canceled":
        gateway.post(f"{path}/cancel")
    answer = gateway.post("refunds", {"payment_intent": made["id"]})

    assert answer.status_code == 400
    assert "refunded" not in gateway.kinds(order)


def test_a_pending_refund_counts_against_the_charge_until_canceled(
    gateway: GatewayProcess, order: str
) -> None:
    paid = gateway.paid(order)
    gateway.arm(
        "refund_pending",
        f"pending {order}",
        order_id=order,
        operation="refund",
        parameters={"ms": 600_000},
    )
    pending = gateway.post("refunds", {"payment_intent": paid["id"]}).json()
    second = gateway.post("refunds", {"payment_intent": paid["id"]})
    canceled = gateway.post(f"refunds/{pending['id']}/cancel").json()
    again = gateway.post(f"refunds/{pending['id']}/cancel")
    third = gateway.post("refunds", {"payment_intent": paid["id"]}).json()

    assert pending["status"] == "pending"
    assert error(second)["code"] == "charge_already_refunded"
    assert canceled["status"] == "canceled"
    assert again.status_code == 400
    assert third["status"] == "succeeded"
    assert gateway.kinds(order).count("refunded") == 1
    assert gateway.net(order) == 0


# -- reading --------------------------------------------------------------------------------


def test_lists_are_newest_first_and_paged_by_cursor(gateway: GatewayProcess, order: str) -> None:
    made = [gateway.create(order)["id"] for _ in range(3)]
    newest = gateway.get("payment_intents", limit="2").json()
    older = gateway.get("payment_intents", limit="1", starting_after=made[1]).json()
    back = gateway.get("payment_intents", limit="2", ending_before=made[0]).json()

    assert [found["id"] for found in newest["data"]] == [made[2], made[1]]
    assert newest["has_more"] is True
    assert [found["id"] for found in older["data"]] == [made[0]]
    assert [found["id"] for found in back["data"]] == [made[2], made[1]]


def test_search_finds_an_order_by_its_metadata(gateway: GatewayProcess, order: str) -> None:
    paid = gateway.paid(order)
    query = f'metadata["order_id"]:"{order}" AND status:"succeeded"'
    found = gateway.get("payment_intents/search", query=query).json()
    none = gateway.get("payment_intents/search", query=query + " AND amount<10").json()

    assert [document["id"] for document in found["data"]] == [paid["id"]]
    assert (found["object"], found["has_more"], none["data"]) == ("search_result", False, [])


@pytest.mark.parametrize(
    "query",
    ["", "status", 'colour:"red"', 'a:"1" AND', "amount~5", 'status:"a" AND b:"c" OR d:"e"'],
)
def test_an_unreadable_search_is_a_400(gateway: GatewayProcess, query: str) -> None:
    assert gateway.get("payment_intents/search", query=query).status_code == 400


def test_events_tell_the_story_and_name_their_cause(gateway: GatewayProcess, order: str) -> None:
    answer = gateway.post(
        "payment_intents",
        {
            "amount": "4200",
            "currency": "usd",
            "confirm": "true",
            "payment_method": "pm_card_visa",
            "metadata[order_id]": order,
        },
        key=order,
    )
    listed = gateway.get("events", limit="3").json()["data"]

    assert [event["type"] for event in listed] == [
        "payment_intent.succeeded",
        "charge.succeeded",
        "payment_intent.created",
    ]
    assert listed[0]["data"]["object"] == answer.json()
    assert listed[0]["request"] == {
        "id": answer.headers["request-id"],
        "idempotency_key": order,
    }
    assert gateway.get(f"events/{listed[0]['id']}").json() == listed[0]


def test_expand_goes_through_the_charge_to_its_balance(gateway: GatewayProcess, order: str) -> None:
    paid = gateway.paid(order, **{"expand[]": "latest_charge.balance_transaction"})
    balance = paid["latest_charge"]["balance_transaction"]

    assert (balance["amount"], balance["net"]) == (4200, 4200 - balance["fee"])
    listed = gateway.get("balance_transactions", source=paid["latest_charge"]["id"]).json()
    assert listed["data"] == [balance]


def test_what_cannot_be_expanded_takes_the_charge_back(gateway: GatewayProcess, order: str) -> None:
    form = {
        "amount": "4200",
        "currency": "usd",
        "confirm": "true",
        "payment_method": "pm_card_visa",
        "metadata[order_id]": order,
        "expand[]": "colour",
    }
    answer = gateway.post("payment_intents", form)

    assert answer.status_code == 400
    assert gateway.kinds(order) == ["refused"]
