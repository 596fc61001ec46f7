"""The strategy against participants that keep their promises, over a wire that keeps none.

`Shop` is what order and payment promise together: each step takes effect once, answers the same
for ever, and an undo leaves a tombstone. What is drawn is what may happen to each call, when the
orchestrator dies, when the saga is overdue, whether the card is good, when the shopper wants out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.orchestrator.moves import moved
from services.orchestrator.saga import (
    UNDO,
    AlreadyCharged,
    Call,
    Claimed,
    Command,
    Direction,
    End,
    Entry,
    Event,
    InDoubt,
    Mismatched,
    Ordered,
    Paid,
    Phase,
    Refused,
    Repeat,
    Resumed,
    Saga,
    State,
    Step,
    Succeeded,
    TurnBack,
    Wait,
)
from services.orchestrator.strategies.orchestrated import Impossible, next_command

PAID = Paid(amount_minor=4200, currency="usd")
ORDERED = Ordered(total_minor=4200, currency="usd", status="pending", document={})
STEPS_MAX = 200

Fate = Literal[
    "answered", "request lost", "answer lost", "request late", "died before", "died after"
]
FATES: tuple[Fate, ...] = get_args(Fate)


def begun() -> Saga:
    saga = Saga(id="saga_1", order_id="ord_1", user_id="ada", card="pm_card_visa", created_at_ms=0)
    return saga.logged(Entry(step=Step.CREATE, phase=Phase.STARTED))


def after(saga: Saga, *events: Event) -> Saga:
    """The saga after these events, each written down with the command it led to."""
    for event in events:
        saga = moved(saga, event, next_command(saga, event)).after
    return saga


CREATED = Succeeded(step=Step.CREATE, order=ORDERED)
CHARGED = Succeeded(step=Step.CHARGE, paid=PAID)


@dataclass
class Shop:
    """Order and payment, as one saga meets them."""

    card_is_good: bool = True
    cart_is_empty: bool = False
    order: Literal["absent", "pending", "confirmed", "rolled back"] = "absent"
    payment: Literal["absent", "charged", "not charged", "refunded"] = "absent"
    wanted_back: bool = False
    effects: list[Step] = field(default_factory=list)
    answers: dict[Step, Event] = field(default_factory=dict)

    def take(self, step: Step, *, overdue: bool) -> Event:
        """Let a request arrive; return its answer, which is the same however often it comes."""
        if step not in self.answers:
            event = self._take(step)
            if event is None:
                return InDoubt(step=step, reason="409", overdue=overdue)
            self.answers[step] = event
        return self.answers[step]

    def _take(self, step: Step) -> Event | None:
        takers: dict[Step, Callable[[], Event | None]] = {
            Step.CREATE: self._create,
            Step.CHARGE: self._charge,
            Step.FENCE: self._fence,
            Step.CONFIRM: self._confirm,
            Step.REFUND: self._refund,
            Step.CANCEL: self._cancel,
        }
        return takers[step]()

    def _create(self) -> Event:
        if self.order == "rolled back":
            return Refused(step=Step.CREATE, reason="order_canceled")
        if self.cart_is_empty:
            return Refused(step=Step.CREATE, reason="cart_empty")
        self._effect(Step.CREATE)
        self.order = "pending"
        return CREATED

    def _charge(self) -> Event:
        if self.payment != "absent" or not self.card_is_good:
            self.payment = "not charged" if self.payment == "absent" else self.payment
            return Refused(step=Step.CHARGE, reason="card_declined")
        self._effect(Step.CHARGE)
        self.payment = "charged"
        return CHARGED

    def _fence(self) -> Event:
        if self.payment == "charged":
            return AlreadyCharged(paid=PAID)
        self.payment = "not charged"
        return Succeeded(step=Step.FENCE)

    def _confirm(self) -> Event:
        if self.wanted_back or self.order != "pending":
            return Refused(step=Step.CONFIRM, reason="cancel_wanted")
        self._effect(Step.CONFIRM)
        self.order = "confirmed"
        return Succeeded(step=Step.CONFIRM, order=ORDERED)

    def _refund(self) -> Event:
        if self.payment == "charged":
            self._effect(Step.REFUND)
            self.payment = "refunded"
        elif self.payment == "absent":
            self.payment = "not charged"
        return Succeeded(step=Step.REFUND)

    def _cancel(self) -> Event | None:
        if self.order == "confirmed":
            return None
        self._effect(Step.CANCEL)
        self.order = "rolled back"
        return Succeeded(step=Step.CANCEL, order=ORDERED)

    def _effect(self, step: Step) -> None:
        self.effects.append(step)

    @property
    def holds_money(self) -> bool:
        return self.payment == "charged"


@dataclass
class Course:
    """One saga's whole way, as its orchestrators go it."""

    shop: Shop
    fates: list[Fate]
    overdue_from: int
    wanted_back_from: int | None
    saga: Saga = field(default_factory=begun)
    late: list[Step] = field(default_factory=list)
    directions: list[Direction] = field(default_factory=list)

    def run(self) -> Saga:
        event: Event = Resumed()
        for number in range(STEPS_MAX):
            if number == self.wanted_back_from and self.shop.order == "pending":
                self.shop.wanted_back = True
            command = next_command(self.saga, event)
            self._write(event, command)
            match command:
                case End():
                    return self.saga
                case Wait():
                    event = Resumed()
                case Call(step=step) | TurnBack(step=step) | Repeat(step=step):
                    event = self._call(step, overdue=number >= self.overdue_from)
        raise AssertionError(f"not ended after {STEPS_MAX} steps: {self.saga.log}")

    def deliver_what_is_late(self) -> None:
        for step in self.late:
            self.shop.take(step, overdue=True)

    def _write(self, event: Event, command: Command) -> None:
        if isinstance(command, Repeat):
            return
        move = moved(self.saga, event, command)
        assert move.after.log[: len(self.saga.log)] == self.saga.log, "the log was changed"
        self.saga = move.after
        self.directions.append(move.after.direction)

    def _call(self, step: Step, *, overdue: bool) -> Event:
        fate = self.fates.pop(0) if self.fates else "answered"
        doubt = InDoubt(step=step, reason="timeout", overdue=overdue)
        match fate:
            case "answered":
                return self.shop.take(step, overdue=overdue)
            case "request lost":
                return doubt
            case "answer lost":
                self.shop.take(step, overdue=overdue)
                return doubt
            case "request late":
                self.late.append(step)
                return doubt
            case "died before":
                return Resumed()
            case "died after":
                self.shop.take(step, overdue=overdue)
                return Resumed()


courses = st.builds(
    Course,
    shop=st.builds(Shop, card_is_good=st.booleans(), cart_is_empty=st.booleans()),
    fates=st.lists(st.sampled_from(FATES), max_size=24),
    overdue_from=st.integers(min_value=0, max_value=30),
    wanted_back_from=st.none() | st.integers(min_value=0, max_value=12),
)


@given(courses)
def test_a_saga_ends_with_everything_done_or_everything_undone(course: Course) -> None:
    saga = course.run()
    shop = course.shop
    if saga.state is State.CONFIRMED:
        assert (shop.order, shop.payment) == ("confirmed", "charged")
    else:
        assert shop.order in {"absent", "rolled back"}
        assert not shop.holds_money


@given(courses)
def test_what_arrives_after_the_end_changes_nothing_that_was_promised(course: Course) -> None:
    saga = course.run()
    course.deliver_what_is_late()
    shop = course.shop
    expected = (saga.state is State.CONFIRMED,) * 2
    assert expected == (shop.order == "confirmed", shop.holds_money)
    assert shop.order != "pending"


@given(courses)
def test_no_step_takes_effect_twice_and_none_after_the_saga_turned_back(course: Course) -> None:
    course.run()
    course.deliver_what_is_late()
    assert len(set(course.shop.effects)) == len(course.shop.effects)
    turned = course.directions.index(Direction.COMPENSATING) if _turned(course) else None
    if turned is not None:
        assert set(course.directions[turned:]) == {Direction.COMPENSATING}


def _turned(course: Course) -> bool:
    return Direction.COMPENSATING in course.directions


@given(courses)
def test_every_step_begun_by_a_saga_that_rolled_back_is_failed_or_undone(course: Course) -> None:
    saga = course.run()
    if saga.state is State.CONFIRMED:
        return
    left = [
        step
        for step, undo in UNDO.items()
        if saga.phase_of(step) not in {None, Phase.FAILED} and saga.phase_of(undo) is not Phase.DONE
    ]
    assert left == []


@given(courses)
@example(Course(shop=Shop(), fates=[], overdue_from=99, wanted_back_from=None))
def test_nothing_is_called_that_the_log_does_not_say(course: Course) -> None:
    called: list[Step] = []
    take = course.shop.take

    def watched(step: Step, *, overdue: bool) -> Event:
        if step not in course.late or not course.saga.has_ended:
            assert course.saga.phase_of(step) in {Phase.STARTED, Phase.UNKNOWN}, course.saga.log
        called.append(step)
        return take(step, overdue=overdue)

    course.shop.take = watched  # type: ignore[method-assign]
    course.run()
    assert called


def test_a_checkout_in_which_nothing_fails_is_create_charge_confirm() -> None:
    saga = after(begun(), CREATED, CHARGED, Succeeded(step=Step.CONFIRM, order=ORDERED))
    assert saga.state == State.CONFIRMED
    assert [(entry.step, entry.phase) for entry in saga.log] == [
        (Step.CREATE, Phase.STARTED),
        (Step.CREATE, Phase.DONE),
        (Step.CHARGE, Phase.STARTED),
        (Step.CHARGE, Phase.DONE),
        (Step.CONFIRM, Phase.STARTED),
        (Step.CONFIRM, Phase.DONE),
    ]


def test_an_order_that_was_refused_ends_the_saga_with_nothing_to_undo() -> None:
    refused = Refused(step=Step.CREATE, reason="cart_empty")
    saga = after(begun(), refused)
    assert (
        saga.state,
        saga.direction,
        saga.came_to_nothing,
    ) == (State.FAILED, Direction.FORWARD, True)


def test_a_cart_held_by_a_live_order_ends_the_saga_and_names_that_order() -> None:
    saga = after(begun(), Claimed(order_id="ord_0"))
    assert (saga.state, saga.joined, saga.came_to_nothing) == (State.FAILED, "ord_0", False)


def test_a_decline_rolls_the_order_back_and_asks_for_no_refund() -> None:
    saga = after(begun(), CREATED)
    command = next_command(saga, Refused(step=Step.CHARGE, reason="card_declined"))
    assert TurnBack(step=Step.CANCEL, ends_as=State.FAILED, reason="card_declined") == command


def test_a_charge_that_was_refused_but_may_have_been_made_is_undone_first() -> None:
    saga = after(begun(), CREATED)
    command = next_command(saga, Mismatched(reason="charge_mismatch"))
    assert TurnBack(step=Step.REFUND, ends_as=State.FAILED, reason="charge_mismatch") == command


def test_a_charge_in_doubt_is_waited_for_until_the_saga_is_overdue_and_then_fenced() -> None:
    saga = after(begun(), CREATED)
    young, old = (InDoubt(step=Step.CHARGE, reason="timeout", overdue=due) for due in (False, True))
    assert Wait(step=Step.CHARGE) == next_command(saga, young)
    assert Call(step=Step.FENCE) == next_command(saga, old)


def test_a_fence_that_came_too_late_goes_forward_with_what_was_paid() -> None:
    doubt = InDoubt(step=Step.CHARGE, reason="timeout", overdue=True)
    saga = after(begun(), CREATED, doubt, AlreadyCharged(paid=PAID))
    assert (saga.step, saga.direction, saga.paid) == (Step.CONFIRM, Direction.FORWARD, PAID)


def test_an_order_never_heard_of_is_given_up_and_its_creation_undone_all_the_same() -> None:
    doubt = InDoubt(step=Step.CREATE, reason="timeout", overdue=True)
    saga = after(begun(), doubt)
    assert (
        saga.direction,
        saga.step,
        saga.ends_as,
    ) == (Direction.COMPENSATING, Step.CANCEL, State.CANCELED)


def test_a_confirmation_in_doubt_is_repeated_for_ever_since_the_money_is_there() -> None:
    saga = after(begun(), CREATED, CHARGED)
    doubt = InDoubt(step=Step.CONFIRM, reason="timeout", overdue=True)
    for _ in range(50):
        assert Wait(step=Step.CONFIRM) == next_command(saga, doubt)
        saga = after(saga, doubt)
        assert Repeat(step=Step.CONFIRM) == next_command(saga, Resumed())
    assert saga.attempts == 50
    assert sum(entry.phase is Phase.UNKNOWN for entry in saga.log) == 1


def test_an_undo_is_repeated_for_ever() -> None:
    wanted = Refused(step=Step.CONFIRM, reason="shopper_canceled")
    saga = after(begun(), CREATED, CHARGED, wanted)
    doubt = InDoubt(step=Step.REFUND, reason="timeout", overdue=True)
    for _ in range(50):
        saga = after(saga, doubt)
        assert Repeat(step=Step.REFUND) == next_command(saga, Resumed())
    assert saga.state == State.RUNNING


def test_who_wants_out_after_the_charge_gets_the_money_back_before_the_order_is_canceled() -> None:
    wanted = Refused(step=Step.CONFIRM, reason="shopper_canceled")
    saga = after(begun(), CREATED, CHARGED, wanted)
    assert (saga.step, saga.direction) == (Step.REFUND, Direction.COMPENSATING)
    saga = after(saga, Succeeded(step=Step.REFUND))
    assert saga.step == Step.CANCEL
    saga = after(saga, Succeeded(step=Step.CANCEL, order=ORDERED))
    assert (saga.state, saga.reason) == (State.CANCELED, "shopper_canceled")


def test_a_charge_heard_of_after_turning_back_is_a_bug_and_says_so() -> None:
    wanted = Refused(step=Step.CONFIRM, reason="shopper_canceled")
    saga = after(begun(), CREATED, CHARGED, wanted)
    with pytest.raises(Impossible, match="saga_1 is compensating"):
        next_command(saga, CHARGED)
