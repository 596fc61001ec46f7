"""A control strikes the requests it is aimed at, as often as it was told, and no others."""

from pathlib import Path

import pytest

from tests.services.gateway.gateway_process import GatewayProcess, intent


def charge(order: str, **form: str) -> dict[str, str]:
    return intent(order, confirm="true", payment_method="pm_card_visa", **form)


def test_a_control_leaves_other_orders_and_operations_alone(
    gateway: GatewayProcess, order: str
) -> None:
    gateway.arm("error_500_no_effect", order, operation="confirm", order_id=order)
    made = gateway.create(order)
    other = gateway.paid(f"other {order}")

    assert (made["status"], other["status"]) == ("requires_payment_method", "succeeded")
    assert gateway.used(order) == 0


def test_charge_is_a_confirm_or_a_create_that_confirms(gateway: GatewayProcess, order: str) -> None:
    gateway.arm("unavailable", order, operation="charge", order_id=order, times=2)
    made = gateway.create(order)
    answers = [
        gateway.post(f"payment_intents/{made['id']}/confirm", {"payment_method": "pm_card_visa"}),
        gateway.post("payment_intents", charge(order)),
        gateway.post("payment_intents", charge(order)),
    ]

    assert [answer.status_code for answer in answers] == [503, 503, 200]


def test_a_user_can_be_aimed_at_before_the_order_exists(
    gateway: GatewayProcess, order: str
) -> None:
    gateway.arm("unavailable", order, operation="charge", user=f"shopper {order}")
    bystander = gateway.post("payment_intents", charge(order, **{"metadata[user_id]": "else"}))
    shopper = gateway.post(
        "payment_intents", charge(order, **{"metadata[user_id]": f"shopper {order}"})
    )

    assert (bystander.status_code, shopper.status_code) == (200, 503)


def test_nth_and_times_pick_which_requests_are_struck(gateway: GatewayProcess, order: str) -> None:
    gateway.arm("unavailable", order, operation="create", order_id=order, nth=2, times=2)
    answers = [gateway.post("payment_intents", intent(order)).status_code for _ in range(5)]

    assert answers == [200, 503, 503, 200, 200]
    assert gateway.used(order) == 2
    labels = [row["label"] for row in gateway.journal(order) if row["kind"] == "fault_used"]
    assert labels == [order, order]


def test_a_replay_is_no_execution_and_spends_nothing(gateway: GatewayProcess, order: str) -> None:
    gateway.post("payment_intents", charge(order), key=order)
    gateway.arm("drop_after_commit", order, operation="charge", order_id=order)
    repeat = gateway.post("payment_intents", charge(order), key=order)

    assert repeat.headers["idempotent-replayed"] == "true"
    assert gateway.used(order) == 0


def test_lifting_ends_a_control(gateway: GatewayProcess, order: str) -> None:
    gateway.arm("unavailable", f"{order}/a b", order_id=order, times=9)
    lifted = gateway.http.delete(f"{gateway.url}/_control/faults/{order}%2Fa%20b")

    assert lifted.status_code == 204
    assert gateway.http.get(f"{gateway.url}/_control/faults").json() == {"faults": []}
    assert gateway.post("payment_intents", intent(order)).status_code == 200


def test_a_label_is_armed_once(gateway: GatewayProcess, order: str) -> None:
    gateway.arm("unavailable", order, order_id=order)
    again = gateway.http.post(
        f"{gateway.url}/_control/faults", json={"name": "unavailable", "label": order}
    )

    assert again.status_code == 409
    assert again.json()["code"] == "label_taken"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "explode", "label": "x"},
        {"name": "unavailable"},
        {"name": "unavailable", "label": ""},
        {"name": "unavailable", "label": "x", "operation": "list"},
        {"name": "error_500_then_back", "label": "x", "operation": "refund"},
        {"name": "slow_execution", "label": "x"},
        {"name": "slow_execution", "label": "x", "parameters": {"ms": -1}},
        {"name": "unavailable", "label": "x", "parameters": {"ms": 1}},
        {"name": "unavailable", "label": "x", "nth": 0},
        {"name": "unavailable", "label": "x", "chance": 0.5},
        ["unavailable"],
    ],
)
def test_a_control_that_makes_no_sense_is_422(gateway: GatewayProcess, body: object) -> None:
    answer = gateway.http.post(f"{gateway.url}/_control/faults", json=body)

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"


def test_settings_make_search_lag_and_limit_floods(tmp_path: Path) -> None:
    paced = GatewayProcess(tmp_path / "gateway.db", rate_limit="3", search_lag_ms="600000").start()
    try:
        made = paced.create("lagging")
        listed = paced.get("payment_intents").json()["data"]
        found = paced.get("payment_intents/search", query='metadata["order_id"]:"lagging"')
        flood = [paced.get("charges") for _ in range(20)]
    finally:
        paced.stop()

    refused = [answer for answer in flood if answer.status_code == 429]
    assert listed == [made]
    assert found.json()["data"] == []
    assert refused
    assert refused[0].headers["stripe-rate-limited-reason"] == "global-rate"
