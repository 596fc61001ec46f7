"""What an event makes of a payment does not depend on when, or how often, it comes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payment.hearing import StripeEvent, after_event, event_of
from services.payment.payment import Charge, Payment, Phase, Wanted, is_open, may_move
from services.payment.recording import new_payment

NOW_MS = 1_000_000
INTENT = "pi_1"
REFUND = "re_1"


def payment(phase: Phase, **changes: object) -> Payment:
    """Return a payment of `phase` as the service itself would have left it, due later."""
    charge = Charge(order_id="o", user_id="u", amount_minor=4200, currency="usd", card="pm")
    row = new_payment("pay_o", charge, phase=phase, now_ms=NOW_MS - 5000)
    row = replace(
        row,
        payment_intent=None if phase is Phase.INTENT else INTENT,
        refund=REFUND if phase is Phase.REFUNDED else None,
    )
    row = replace(row, next_at_ms=NOW_MS + 500 if is_open(row) else None)
    return replace(row, **changes)  # type: ignore[arg-type] # a test's own fields


def event(kind: str, *, intent: str = INTENT) -> StripeEvent:
    about = {"payment_intent": intent, "charge": "ch_1", "refund": REFUND}[kind.partition(".")[0]]
    return StripeEvent(
        id=f"evt_{kind}", type=kind, object_id=about, payment_intent=intent, order_id="o"
    )


# What Stripe may tell of one payment, told by its end: all of it true, so all of it compatible.
STORIES = {
    "sold": ("payment_intent.created", "charge.succeeded", "payment_intent.succeeded"),
    "declined": ("payment_intent.created", "charge.failed", "payment_intent.payment_failed"),
    "fenced": ("payment_intent.created", "payment_intent.canceled"),
    "refunded": ("payment_intent.succeeded", "refund.created", "charge.refunded"),
    "refund bounced": ("payment_intent.succeeded", "charge.refunded", "refund.failed"),
}
KINDS = sorted({kind for story in STORIES.values() for kind in story})


@given(
    phase=st.sampled_from(Phase),
    wanted=st.sampled_from(Wanted),
    leased=st.booleans(),
    story=st.sampled_from(sorted(STORIES)),
    data=st.data(),
)
def test_any_order_and_repetition_of_events_ends_in_the_same_row(
    *, phase: Phase, wanted: Wanted, leased: bool, story: str, data: st.DataObject
) -> None:
    lease_until_ms = NOW_MS + 1000 if leased else 0
    before = payment(phase, wanted=wanted, lease_until_ms=lease_until_ms)
    before = replace(before, next_at_ms=NOW_MS + 500 if is_open(before) else None)
    told = STORIES[story]
    repeated = [*told, *data.draw(st.lists(st.sampled_from(told), max_size=3))]
    shuffled = data.draw(st.permutations(repeated))

    def heard(kinds: list[str]) -> Payment:
        row = before
        for kind in kinds:
            row = after_event(row, event(kind), now_ms=NOW_MS)
        return row

    assert heard(shuffled) == heard(list(told))


@given(
    phase=st.sampled_from(Phase),
    kind=st.sampled_from(sorted({k for s in STORIES.values() for k in s})),
)
def test_an_event_makes_only_legal_moves(phase: Phase, kind: str) -> None:
    after = after_event(payment(phase), event(kind), now_ms=NOW_MS)

    assert after.phase is phase or may_move(phase, after.phase)


@pytest.mark.parametrize("phase", [Phase.CONFIRMING, Phase.UNKNOWN])
def test_succeeded_completes_what_was_in_doubt_whoever_holds_the_lease(phase: Phase) -> None:
    before = payment(phase, lease_until_ms=NOW_MS + 1000)
    after = after_event(before, event("payment_intent.succeeded"), now_ms=NOW_MS)

    assert (after.phase, after.next_at_ms, after.lease_until_ms) == (Phase.COMPLETED, None, 0)


def test_succeeded_makes_a_wanted_refund_due_at_once() -> None:
    before = payment(Phase.UNKNOWN, wanted=Wanted.REFUND)
    after = after_event(before, event("payment_intent.succeeded"), now_ms=NOW_MS)

    assert (after.phase, after.next_at_ms) == (Phase.COMPLETED, NOW_MS)


def test_canceled_is_left_to_whoever_is_about_to_hear_it() -> None:
    leased = payment(Phase.UNKNOWN, lease_until_ms=NOW_MS + 1000)
    told = event("payment_intent.canceled")

    assert after_event(leased, told, now_ms=NOW_MS) == leased
    assert after_event(replace(leased, lease_until_ms=0), told, now_ms=NOW_MS).phase is (
        Phase.CANCELED
    )


@pytest.mark.parametrize(
    "phase", [Phase.COMPLETED, Phase.FAILED, Phase.CANCELED, Phase.REFUNDING, Phase.REFUNDED]
)
def test_late_news_of_success_changes_nothing(phase: Phase) -> None:
    before = payment(phase, next_at_ms=None)

    assert after_event(before, event("payment_intent.succeeded"), now_ms=NOW_MS) == before


def test_an_event_of_another_intent_is_no_news_of_this_payment() -> None:
    before = payment(Phase.UNKNOWN)
    after = after_event(before, event("payment_intent.succeeded", intent="pi_other"), now_ms=NOW_MS)

    assert after == replace(before, next_at_ms=NOW_MS)


def test_a_refund_that_failed_is_asked_for_again_under_the_next_key() -> None:
    after = after_event(payment(Phase.REFUNDED), event("refund.failed"), now_ms=NOW_MS)

    assert (after.phase, after.refund, after.refund_n) == (Phase.REFUNDING, None, 2)
    assert after.next_at_ms == NOW_MS


def test_an_earlier_refund_that_failed_does_not_undo_its_successor() -> None:
    before = payment(Phase.REFUNDED, refund="re_2", next_at_ms=None)

    assert after_event(before, event("refund.failed"), now_ms=NOW_MS) == before


@pytest.mark.parametrize("document", [None, [], {}, {"object": "event", "id": "evt_1"}, "evt_1"])
def test_what_is_no_event_is_not_read_as_one(document: object) -> None:
    assert event_of(document) is None
