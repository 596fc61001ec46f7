"""The pure core: legal moves, the next step and refunds, whatever came before."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.payment.payment import (
    NET_ZERO,
    NO_REFUND,
    UNDECIDED,
    Charge,
    Declined,
    NotDone,
    Outcome,
    Payment,
    Phase,
    Round,
    ServerError,
    Step,
    Told,
    Unknown,
    Wanted,
    backoff_ms,
    is_open,
    may_move,
    next_step,
    wire_status,
    wished,
)
from services.payment.recording import new_payment
from services.payment.refunding import after_refund

NOW_MS = 1_000_000
CHARGE = Charge(order_id="ord_1", user_id="u", amount_minor=4200, currency="usd", card="c")
RECORDED = new_payment("pay_ord_1", CHARGE, phase=Phase.INTENT, now_ms=NOW_MS)

phases = st.sampled_from(Phase)
wishes = st.sampled_from(Wanted)
payments = st.builds(
    lambda phase, wanted, spent, refund, refund_spent, due: replace(
        RECORDED,
        phase=phase,
        wanted=wanted,
        payment_intent="pi_1",
        confirm_spent=spent,
        refund=refund,
        refund_spent=refund_spent,
        next_at_ms=due,
    ),
    phases,
    wishes,
    st.booleans(),
    st.sampled_from([None, "re_1"]),
    st.booleans(),
    st.sampled_from([None, NOW_MS]),
)
statuses = st.sampled_from(
    ["succeeded", "pending", "failed", "canceled", "requires_action", "processing"]
)
rounds = st.builds(
    Round,
    confirmed=st.booleans(),
    read=st.sampled_from([None, "unreadable", "processing", "requires_action", "requires_capture"]),
    fenced=st.booleans(),
    refunded=st.booleans(),
    created=st.booleans(),
)
ages = st.integers(min_value=0, max_value=100_000)
outcomes = st.one_of(
    st.builds(Told, id=st.just("re_1"), status=statuses),
    st.just(NO_REFUND),
    st.builds(Declined, code=st.just("charge_already_refunded"), message=st.just("")),
    st.builds(NotDone, error=st.just("refused")),
    st.builds(Unknown, error=st.just("timeout")),
    st.builds(ServerError, error=st.just("HTTP 500"), saved=st.booleans()),
)


def step(payment: Payment, heard: Round = Round(), age_ms: int = 0) -> Step:  # noqa: B008 - frozen
    return next_step(payment, heard, now_ms=NOW_MS + age_ms, fence_after_ms=4000)


@given(phases, phases)
def test_what_is_settled_without_money_never_moves_again(before: Phase, after: Phase) -> None:
    if before in {Phase.FAILED, Phase.CANCELED}:
        assert not may_move(before, after)


@given(phases, phases)
def test_no_move_leads_from_money_to_none_but_a_refund(before: Phase, after: Phase) -> None:
    if before is Phase.COMPLETED and may_move(before, after):
        assert after is Phase.REFUNDING


@given(phases)
def test_every_phase_has_a_wire_status(phase: Phase) -> None:
    assert wire_status(phase) in {"pending", "completed", "failed", "canceled", "refunded"}
    assert (wire_status(phase) == "pending") == (phase in UNDECIDED)


@given(payments, rounds, ages)
def test_a_settled_payment_rests(payment: Payment, heard: Round, age_ms: int) -> None:
    if not is_open(payment) and payment.next_at_ms is None:
        assert step(payment, heard, age_ms) is Step.REST


@given(payments, rounds, ages)
def test_an_open_payment_is_never_left_at_rest(payment: Payment, heard: Round, age_ms: int) -> None:
    if is_open(payment):
        assert step(payment, heard, age_ms) is not Step.REST


@given(payments, rounds, ages)
def test_money_moves_only_for_a_charge_still_wanted(
    payment: Payment, heard: Round, age_ms: int
) -> None:
    if step(payment, heard, age_ms) is Step.CONFIRM:
        assert payment.wanted is Wanted.CHARGE
        assert payment.phase in {Phase.CONFIRMING, Phase.UNKNOWN}
        assert not payment.confirm_spent
        assert not heard.confirmed


@given(payments, rounds, ages)
def test_a_local_cancel_happens_only_before_the_confirm_key(
    payment: Payment, heard: Round, age_ms: int
) -> None:
    if step(payment, heard, age_ms) is Step.ABANDON:
        assert payment.phase is Phase.INTENT


@given(payments, rounds, ages)
def test_a_charge_nobody_canceled_is_fenced_only_after_repeat_and_read(
    payment: Payment, heard: Round, age_ms: int
) -> None:
    if step(payment, heard, age_ms) is Step.FENCE and payment.wanted is Wanted.CHARGE:
        old = age_ms >= 4000
        asked = (heard.confirmed or payment.confirm_spent) and heard.read is not None
        assert heard.read == "requires_action" or (old and asked and heard.read != "processing")


def test_an_unknown_charge_is_repeated_read_and_fenced_in_that_order() -> None:
    unknown = replace(RECORDED, phase=Phase.UNKNOWN, payment_intent="pi_1")
    assert step(unknown, age_ms=5000) is Step.CONFIRM
    assert step(unknown, Round(confirmed=True), 5000) is Step.READ
    doubt = Round(confirmed=True, read="requires_confirmation")
    assert step(unknown, doubt, 3999) is Step.WAIT
    assert step(unknown, doubt, 4000) is Step.FENCE


@given(payments, wishes.filter(lambda wanted: wanted is not Wanted.CHARGE))
def test_a_wish_moves_only_what_nothing_was_asked_for(payment: Payment, wanted: Wanted) -> None:
    after = wished(payment, wanted, now_ms=NOW_MS)
    if after.phase is not payment.phase:
        assert (payment.phase, after.phase) == (Phase.INTENT, Phase.CANCELED)
        assert after.fence == payment.fence + 1
    if payment.phase in NET_ZERO:
        assert after == payment
    if payment.wanted is Wanted.REFUND:
        assert after.wanted is Wanted.REFUND


@given(payments, outcomes)
def test_a_refund_is_believed_only_when_the_gateway_says_succeeded(
    payment: Payment, outcome: Outcome
) -> None:
    if payment.phase not in {Phase.REFUNDING, Phase.REFUNDED}:
        return
    after = after_refund(payment, outcome, now_ms=NOW_MS)
    assert after.phase is payment.phase or may_move(payment.phase, after.phase)
    if after.phase is Phase.REFUNDED and payment.phase is Phase.REFUNDING:
        assert outcome == Told(id="re_1", status="succeeded")


@given(payments, outcomes)
def test_the_refund_key_steps_only_past_a_dead_refund_or_a_dead_key(
    payment: Payment, outcome: Outcome
) -> None:
    if payment.phase not in {Phase.REFUNDING, Phase.REFUNDED}:
        return
    if after_refund(payment, outcome, now_ms=NOW_MS).refund_n > payment.refund_n:
        dead = isinstance(outcome, Told) and outcome.status in {"failed", "canceled"}
        assert dead or (outcome == NO_REFUND and payment.refund_spent)


@given(st.integers(min_value=0, max_value=10**6))
def test_backoff_doubles_to_its_bound(attempts: int) -> None:
    wait_ms = backoff_ms(attempts, low_ms=200, high_ms=2000)
    assert 200 <= wait_ms <= 2000
    assert wait_ms <= backoff_ms(attempts + 1, low_ms=200, high_ms=2000)
