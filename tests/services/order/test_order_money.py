"""Money and states as pure values: exact, bounded, and never going back."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.order.answers import (
    Charged,
    Declined,
    Fenced,
    Refused,
    Undone,
    Unresolved,
    read_charge,
    read_fence,
    read_undo,
)
from services.order.cart import Line, merged, total_minor
from services.order.order import MOVES, Order, Status, Step, next_step, sources_of
from services.order.schemas import MAX_PRICE, amount_of, minor_of, parse_json

MINORS = st.integers(min_value=0, max_value=MAX_PRICE * 100)
LINES = st.lists(
    st.builds(
        Line,
        product_id=st.sampled_from(["mug", "pen", "cup"]),
        quantity=st.integers(1, 1000),
        price_minor=st.integers(0, 10),
    )
)


def wire(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


@given(MINORS)
def test_a_price_is_read_exactly_whether_number_or_text(minor: int) -> None:
    number = parse_json(wire(minor).encode())
    assert (minor_of(number), minor_of(wire(minor))) == (minor, minor)


@given(MINORS)
def test_an_amount_on_the_wire_reads_back_as_itself(minor: int) -> None:
    assert minor_of(parse_json(json.dumps(amount_of(minor)).encode())) == minor


@given(MINORS, st.integers(0, 40))
def test_zeros_behind_the_second_decimal_change_nothing(minor: int, zeros: int) -> None:
    assert minor_of(Decimal(wire(minor) + "0" * zeros)) == minor


@given(MINORS, st.integers(0, 40), st.integers(1, 9))
def test_a_crumb_behind_the_second_decimal_is_refused_however_small(
    minor: int, zeros: int, crumb: int
) -> None:
    with pytest.raises(ValueError, match=r"at most two decimals|expected a price"):
        minor_of(parse_json(f"{wire(minor)}{'0' * zeros}{crumb}".encode()))


@given(st.decimals(allow_nan=True, allow_infinity=True) | st.integers() | st.text() | st.booleans())
def test_a_price_is_exact_or_refused(price: object) -> None:
    try:
        minor = minor_of(price)
    except ValueError:
        return
    assert isinstance(price, int | str | Decimal)
    assert Fraction(minor, 100) == Fraction(price)
    assert 0 <= minor <= MAX_PRICE * 100


@pytest.mark.parametrize(
    "text", ["1e999999", "-1e999999", "1e-999999", "-0.01", "1000000.01", "0.001", "1.999"]
)
def test_a_number_out_of_bounds_is_refused_without_being_computed(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        minor_of(parse_json(text.encode()))


@pytest.mark.parametrize("text", ["0", "-0", "0.0", "0e999999", "0e-999999", "1e2", "1000000.00"])
def test_a_number_in_another_notation_is_the_same_number(text: str) -> None:
    assert minor_of(parse_json(text.encode())) == Fraction(Decimal(text)) * 100


@pytest.mark.parametrize(
    "price", ["", " 1", "1 ", "+1", "-1", "1.", ".5", "1e2", "1,5", "٣", "0x1", None, [], 1.5, True]
)
def test_what_is_no_price_is_refused(price: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        minor_of(price)


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"[Infinity]", b"\xff", b"[" * 60_000])
def test_what_is_not_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(body)


@given(LINES)
def test_adding_equal_lines_up_keeps_the_total(lines: list[Line]) -> None:
    added_up = merged(lines)
    assert total_minor(added_up) == total_minor(lines)
    names = [(line.product_id, line.price_minor) for line in added_up]
    assert len(names) == len(set(names))


@given(st.lists(st.sampled_from(Status)))
def test_no_walk_over_legal_moves_leaves_an_end_state(walk: list[Status]) -> None:
    here, ended = Status.PENDING, None
    for target in walk:
        if target in MOVES[here]:
            assert ended is None
            here = target
            ended = here if not MOVES[here] else None
    assert here is (ended or Status.PENDING)


def test_every_end_is_reached_from_pending_alone() -> None:
    ends = [Status.CONFIRMED, Status.FAILED, Status.CANCELED]
    assert [sources_of(end) for end in ends] == [frozenset({Status.PENDING})] * 3
    assert sources_of(Status.PENDING) == frozenset()


@pytest.mark.parametrize(
    ("age_ms", "cancel_wanted", "step"),
    [
        (0, False, Step.CHARGE),
        (3_999, False, Step.CHARGE),
        (4_000, False, Step.FENCE),
        (0, True, Step.UNDO),
        (9_000, True, Step.UNDO),
    ],
)
def test_what_a_pending_order_needs_follows_from_its_age_and_its_shoppers_wish(
    age_ms: int, *, cancel_wanted: bool, step: Step
) -> None:
    order = Order(
        id="ord_1",
        user_id="ada",
        lines=(),
        total_minor=1,
        currency="usd",
        card="pm_card_visa",
        status=Status.PENDING,
        created_at_ms=1_000,
        cancel_wanted=cancel_wanted,
    )
    assert next_step(order, now_ms=1_000 + age_ms, cancel_after_ms=4_000) is step


PAID = {"orderId": "ord_1", "amountMinor": 4200, "currency": "usd"}
FAILED = {"status": "failed", "code": "card_declined", "definite": True}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"status": "completed", "payment": PAID}, Charged(amount_minor=4200, currency="usd")),
        (402, FAILED, Declined(reason="card_declined")),
        (400, FAILED, Declined(reason="card_declined")),
        (422, {"code": "invalid_request", "definite": True}, Refused(reason="invalid_request")),
        (202, {"status": "pending"}, Unresolved(reason="202 pending")),
        (402, {"status": "failed"}, Unresolved(reason="402 failed")),
        (409, {"code": "in_flight", "definite": True}, Unresolved(reason="409 in_flight")),
        (302, {}, Unresolved(reason="302")),
    ],
)
def test_an_answer_to_a_charge_is_definite_only_when_it_says_so(
    status: int, body: dict[str, object], outcome: object
) -> None:
    assert read_charge(status, body, order_id="ord_1") == outcome


@given(st.integers(100, 599), st.dictionaries(st.text(max_size=9), st.none() | st.booleans()))
def test_no_answer_without_a_status_in_its_body_pays_or_fails_an_order(
    status: int, body: dict[str, object]
) -> None:
    assert isinstance(read_charge(status, body, order_id="ord_1"), Unresolved | Refused)


@given(st.integers(100, 599).filter(lambda status: status != 200))
def test_only_200_fences_and_only_200_undoes(status: int) -> None:
    assert isinstance(read_fence(200, {}), Fenced)
    assert not isinstance(read_fence(status, {}), Fenced)
    assert isinstance(read_undo(200, {}), Undone)
    assert not isinstance(read_undo(status, {}), Undone)
