"""Idempotency keys, rule by rule, over a real port."""

import asyncio
import threading

import httpx
import pytest

from tests.services.gateway.gateway_process import GatewayProcess, intent

DAY_MS = 24 * 60 * 60 * 1000


def charge(order: str, **form: str) -> dict[str, str]:
    return intent(order, confirm="true", payment_method="pm_card_visa", **form)


def test_a_repeat_under_the_same_key_gets_the_same_answer_and_charges_once(
    gateway: GatewayProcess, order: str
) -> None:
    first = gateway.post("payment_intents", charge(order), key=f"{order}:charge")
    second = gateway.post("payment_intents", charge(order), key=f"{order}:charge")

    assert first.text == second.text
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["original-request"] == first.headers["request-id"]
    assert second.headers["request-id"] != first.headers["request-id"]
    assert "idempotent-replayed" not in first.headers
    assert gateway.kinds(order) == ["intent_created", "captured", "replayed"]


def test_without_a_key_a_repeat_charges_again(gateway: GatewayProcess, order: str) -> None:
    gateway.post("payment_intents", charge(order))
    gateway.post("payment_intents", charge(order))

    assert gateway.kinds(order).count("captured") == 2


def test_32_parallel_posts_under_one_key_make_one_charge(
    gateway: GatewayProcess, order: str
) -> None:
    async def all_at_once() -> list[httpx.Response]:
        async with httpx.AsyncClient(timeout=20) as client:
            return await asyncio.gather(
                *(
                    client.post(
                        f"{gateway.url}/v1/payment_intents",
                        data=charge(order),
                        headers=gateway.headers(f"{order}:charge"),
                    )
                    for _ in range(32)
                )
            )

    answers = asyncio.run(all_at_once())

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.text for answer in answers if answer.status_code == 200}) == 1
    assert gateway.kinds(order).count("captured") == 1


def test_a_decline_is_saved_and_replayed(gateway: GatewayProcess, order: str) -> None:
    form = intent(order, confirm="true", payment_method="pm_card_chargeDeclined")
    first = gateway.post("payment_intents", form, key=order)
    second = gateway.post("payment_intents", form, key=order)

    assert (first.status_code, second.status_code) == (402, 402)
    assert first.text == second.text
    assert gateway.kinds(order) == ["intent_created", "declined", "replayed"]


def test_an_execution_time_refusal_is_saved_even_if_it_would_succeed_later(
    gateway: GatewayProcess, order: str
) -> None:
    made = gateway.create(order)
    path = f"payment_intents/{made['id']}/confirm"
    early = gateway.post(path, key=f"{order}:confirm")
    gateway.post(f"payment_intents/{made['id']}", {"payment_method": "pm_card_visa"})
    again = gateway.post(path, key=f"{order}:confirm")

    assert (early.status_code, again.status_code) == (400, 400)
    assert again.headers["idempotent-replayed"] == "true"
    assert gateway.net(order) == 0


def test_a_saved_500_is_replayed_and_says_not_to_retry(gateway: GatewayProcess, order: str) -> None:
    gateway.arm("error_500_no_effect", f"fails {order}", operation="create", order_id=order)
    first = gateway.post("payment_intents", intent(order), key=order)
    second = gateway.post("payment_intents", intent(order), key=order)

    assert (first.status_code, second.status_code) == (500, 500)
    assert first.headers["stripe-should-retry"] == "false"
    assert second.headers["stripe-should-retry"] == "false"
    assert second.headers["idempotent-replayed"] == "true"
    assert gateway.kinds(order) == ["fault_used", "replayed"]


def test_a_validation_error_is_not_saved(gateway: GatewayProcess, order: str) -> None:
    bad = gateway.post("payment_intents", intent(order, colour="red"), key=order)
    good = gateway.post("payment_intents", intent(order), key=order)

    assert bad.json()["error"]["code"] == "parameter_unknown"
    assert good.status_code == 200


@pytest.mark.parametrize("control", ["rate_limited", "lock_timeout", "unavailable"])
def test_a_refusal_ahead_of_the_lookup_is_not_saved(
    gateway: GatewayProcess, order: str, control: str
) -> None:
    gateway.arm(control, f"{control} {order}", operation="create", order_id=order)
    refused = gateway.post("payment_intents", intent(order), key=order)
    served = gateway.post("payment_intents", intent(order), key=order)

    assert refused.status_code in {429, 503}
    assert served.status_code == 200
    assert "idempotent-replayed" not in served.headers


def test_the_lookup_comes_before_the_parameters_are_checked(
    gateway: GatewayProcess, order: str
) -> None:
    gateway.post("payment_intents", intent(order), key=order)
    answer = gateway.post("payment_intents", intent(order, colour="red"), key=order)

    assert answer.json()["error"]["type"] == "idempotency_error"


def test_the_same_key_with_other_parameters_is_an_idempotency_error(
    gateway: GatewayProcess, order: str
) -> None:
    gateway.post("payment_intents", charge(order), key=order)
    answer = gateway.post("payment_intents", charge(order, description="more"), key=order)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "idempotency_error"
    assert gateway.kinds(order).count("captured") == 1
    assert gateway.journal()[-1]["kind"] == "conflicted"


def test_the_same_key_at_another_endpoint_is_an_idempotency_error(
    gateway: GatewayProcess, order: str
) -> None:
    made = gateway.create(order, key=order)
    answer = gateway.post(f"payment_intents/{made['id']}/cancel", intent(order), key=order)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "idempotency_error"


def test_the_order_of_parameters_does_not_matter(gateway: GatewayProcess, order: str) -> None:
    form = charge(order)
    first = gateway.post("payment_intents", form, key=order)
    second = gateway.post("payment_intents", dict(reversed(form.items())), key=order)

    assert first.text == second.text


def test_a_duplicate_in_flight_is_409_and_the_first_still_charges(
    gateway: GatewayProcess, order: str
) -> None:
    gateway.arm(
        "slow_execution",
        f"slow {order}",
        operation="charge",
        order_id=order,
        parameters={"ms": 1000},
    )
    answers: list[httpx.Response] = []
    first = threading.Thread(
        target=lambda: answers.append(gateway.post("payment_intents", charge(order), key=order))
    )
    first.start()
    gateway.event("gateway.fault_used", order=order)
    duplicate = gateway.post("payment_intents", charge(order), key=order)
    first.join()

    assert duplicate.status_code == 409
    assert duplicate.json()["error"]["code"] == "idempotency_key_in_use"
    assert answers[0].status_code == 200
    assert gateway.kinds(order).count("captured") == 1
    assert [row["kind"] for row in gateway.journal() if row["idempotency_key"] == order] == [
        "fault_used",
        "conflicted",
        "intent_created",
        "captured",
    ]


def test_after_24_hours_a_key_is_new_and_charges_again(gateway: GatewayProcess, order: str) -> None:
    def advance(ms: int) -> None:
        gateway.http.post(f"{gateway.url}/_control/clock", json={"advance_ms": ms})

    gateway.post("payment_intents", charge(order), key=order)
    advance(DAY_MS - 600_000)
    within = gateway.post("payment_intents", charge(order), key=order)
    advance(600_000)
    after = gateway.post("payment_intents", charge(order), key=order)

    assert within.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in after.headers
    assert gateway.kinds(order).count("captured") == 2


def test_a_key_may_be_255_characters_long_and_no_longer(
    gateway: GatewayProcess, order: str
) -> None:
    longest = order.ljust(255, "x")

    assert gateway.post("payment_intents", intent(order), key=longest).status_code == 200
    assert gateway.post("payment_intents", intent(order), key=longest + "x").status_code == 400


def test_a_get_knows_no_keys(gateway: GatewayProcess, order: str) -> None:
    made = gateway.create(order, key=order)
    answer = gateway.http.get(
        f"{gateway.url}/v1/payment_intents/{made['id']}", headers=gateway.headers(order)
    )

    assert answer.status_code == 200
    assert "idempotency-key" not in answer.headers
