"""Only what is certain is read as certain: an answer that is not whole decides nothing."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.answers import Answer, body_of, read
from services.orchestrator.saga import InDoubt, Ordered, Refused, Saga, Step, Succeeded

SAGA = Saga(id="saga_1", order_id="ord_1", user_id="ada", card="pm_card_visa", created_at_ms=0)
ORDER = {"orderId": "ord_1", "totalMinor": 4200, "currency": "usd", "status": "pending"}
PAYMENT = {"orderId": "ord_1", "amountMinor": 4200, "currency": "usd"}


def answer(status: int, body: Mapping[str, Any]) -> Answer:
    return Answer(http_status=status, body=body, response=json.dumps(body))


def test_a_whole_order_is_read_whole() -> None:
    event = read(SAGA, Step.CREATE, answer(200, {"order": ORDER}), overdue=False)
    ordered = Ordered(total_minor=4200, currency="usd", status="pending", document=ORDER)
    assert event == Succeeded(step=Step.CREATE, order=ordered)


@pytest.mark.parametrize(
    ("step", "status", "body"),
    [
        (Step.CREATE, 200, {}),
        (Step.CREATE, 200, {"order": {**ORDER, "orderId": "ord_2"}}),
        (Step.CREATE, 200, {"order": {**ORDER, "totalMinor": "4200"}}),
        (Step.CREATE, 200, {"order": {"orderId": "ord_1", "status": "pending"}}),
        (Step.CREATE, 409, {"code": "cart_claimed", "definite": True}),
        (Step.CREATE, 409, {"code": "something_else", "definite": True, "order": ORDER}),
        (Step.CREATE, 400, {"code": "cart_empty"}),
        (Step.CREATE, 400, {"code": "cart_empty", "definite": "true"}),
        (Step.CREATE, 408, {"code": "timeout", "definite": True}),
        (Step.CREATE, 302, {}),
        (Step.CHARGE, 200, {"status": "completed"}),
        (Step.CHARGE, 200, {"status": "completed", "payment": {**PAYMENT, "orderId": "ord_2"}}),
        (Step.CHARGE, 200, {"status": "completed", "payment": {**PAYMENT, "amountMinor": 42.0}}),
        (Step.CHARGE, 200, {"status": "pending", "payment": PAYMENT}),
        (Step.CHARGE, 202, {"status": "pending", "payment": PAYMENT}),
        (Step.CHARGE, 402, {"status": "failed", "code": "card_declined"}),
        (Step.CHARGE, 409, {"status": "failed", "code": "in_flight", "definite": True}),
        (Step.CHARGE, 425, {"status": "failed", "definite": True}),
        (Step.FENCE, 202, {"status": "pending"}),
        (Step.FENCE, 404, {"code": "not_found", "definite": True}),
        (Step.FENCE, 409, {"code": "already_completed", "definite": True}),
        (Step.FENCE, 409, {"code": "conflict", "payment": PAYMENT}),
        (Step.CONFIRM, 200, {"order": ORDER}),
        (Step.CONFIRM, 200, {"order": {**ORDER, "orderId": "ord_2", "status": "confirmed"}}),
        (Step.CONFIRM, 409, {"code": "conflict", "definite": True}),
        (Step.CONFIRM, 404, {"code": "order_not_found", "definite": True}),
        (Step.CONFIRM, 422, {"code": "invalid_request", "definite": True}),
        (Step.REFUND, 202, {"status": "pending"}),
        (Step.REFUND, 404, {"code": "not_found", "definite": True}),
        (Step.CANCEL, 200, {"order": {**ORDER, "status": "confirmed"}}),
        (Step.CANCEL, 200, {"order": ORDER}),
        (Step.CANCEL, 409, {"code": "order_confirmed", "definite": True, "order": ORDER}),
    ],
)
def test_an_answer_that_is_not_certain_is_in_doubt(
    step: Step, status: int, body: Mapping[str, Any]
) -> None:
    event = read(SAGA, step, answer(status, body), overdue=True)
    assert isinstance(event, InDoubt)
    assert (event.step, event.overdue) == (step, True)


_leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
_json = st.recursive(
    _leaves,
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.text(max_size=8), deeper),
    max_leaves=8,
)
_known = st.fixed_dictionaries(
    {},
    optional={
        "order": st.just(ORDER) | _json,
        "payment": st.just(PAYMENT) | _json,
        "status": st.sampled_from(["completed", "failed", "canceled"]) | _json,
        "code": st.sampled_from(["cart_claimed", "cancel_wanted", "already_completed"]) | _json,
        "definite": st.booleans() | _json,
        "reason": _json,
    },
)


@given(step=st.sampled_from(Step), status=st.integers(500, 599), body=_known)
def test_a_server_error_is_in_doubt_whatever_it_says(
    step: Step, status: int, body: dict[str, Any]
) -> None:
    assert isinstance(read(SAGA, step, answer(status, body), overdue=False), InDoubt)


@given(step=st.sampled_from(Step), status=st.integers(200, 499), body=_known)
def test_any_answer_is_read_without_an_exception_and_about_the_step_that_was_asked(
    step: Step, status: int, body: dict[str, Any]
) -> None:
    event = read(SAGA, step, answer(status, body), overdue=False)
    assert getattr(event, "step", step) is step


@given(status=st.integers(400, 499), body=_known)
def test_a_charge_is_called_failed_only_by_an_answer_that_is_definite(
    status: int, body: dict[str, Any]
) -> None:
    event = read(SAGA, Step.CHARGE, answer(status, body), overdue=False)
    if isinstance(event, Refused):
        assert body["definite"] is True
        assert body["status"] == "failed"


@pytest.mark.parametrize("text", [None, "", "{", "[]", '"order"', "null"])
def test_a_text_that_is_no_object_is_none(text: str | None) -> None:
    assert body_of(text) is None
