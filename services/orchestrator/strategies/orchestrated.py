"""orchestrated: one process drives the checkout, and writes down every step before it takes it.

1. shopper → orchestrator `POST /saga/place-order`, with its own `Idempotency-Key`
2. orchestrator commits the saga, the order id, `create` STARTED
3. → order `POST /order/create`; order commits `pending`, the line snapshot, the answer
4. orchestrator commits `create` DONE, `charge` STARTED
5. → payment `POST /payment/process`; payment does hardened's 4 to 8
6. orchestrator commits `charge` DONE, which is the pivot, and `confirm` STARTED; or `charge` FAILED
   and turns back; or UNKNOWN, and when to ask again
7. → order `POST /order/confirm`; order commits `confirmed` and deletes the taken lines
8. orchestrator commits the end and answers

Backward: one commit turns the direction and starts the first undo. Then, in reverse, everything
that was started and is not definitely FAILED is undone, `/payment/refund` and then `/order/cancel`,
for as long as it takes. What has nothing to undo succeeds and leaves a tombstone there, so that
a forward step still under way finds the door shut. (Garcia-Molina and Salem, Sagas, 1987.)

A charge whose outcome stays unknown is repeated until the saga is overdue and then fenced by
`/payment/cancel`: accepted, the saga turns back; refused, it goes forward. A `create` that stays
unknown turns back. `confirm` is repeated for ever, and turns back only on its own refusal: the
shopper wants out. After a crash another process (or the next life of this one) takes the lease,
and repeats the open step under its stored key.

Not survived: a participant that never comes back. The saga then stays running, and says so.

Pure: `next_command` is the whole strategy; `driving.py` does what it says.
"""

from typing import assert_never

from ..saga import (
    UNDO,
    AlreadyCharged,
    Call,
    Claimed,
    Command,
    Direction,
    End,
    Event,
    InDoubt,
    Mismatched,
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

UNRESOLVED = "payment_unresolved"
NEVER_CREATED = "order_unresolved"
CLAIMED = "cart_claimed"


class Impossible(Exception):
    """An event that cannot follow from what the log says: a bug, never a fault of the world."""


def next_command(saga: Saga, event: Event) -> Command:
    """Return what a running saga does after `event`, which its log does not hold yet."""
    match saga.direction:
        case Direction.FORWARD:
            return _forward(saga, event)
        case Direction.COMPENSATING:
            return _backward(saga, event)


def _forward(saga: Saga, event: Event) -> Command:
    match event:
        case Resumed():
            return Repeat(step=saga.step)
        case Succeeded(step=step):
            return _onward(saga, event, step)
        case AlreadyCharged():
            return Call(step=Step.CONFIRM)
        case Claimed():
            return End(state=State.FAILED, reason=CLAIMED)
        case Refused(reason=reason) | Mismatched(reason=reason):
            # A confirmation is refused because somebody wants out, a charge because it failed.
            wanted_out = isinstance(event, Refused) and event.step is Step.CONFIRM
            return _turn_back(saga, event, State.CANCELED if wanted_out else State.FAILED, reason)
        case InDoubt():
            return _doubted(saga, event)
        case never:
            assert_never(never)


def _doubted(saga: Saga, event: InDoubt) -> Command:
    if event.overdue and event.step is Step.CREATE:
        return _turn_back(saga, event, State.CANCELED, NEVER_CREATED)
    if event.overdue and event.step is Step.CHARGE:
        return Call(step=Step.FENCE)
    return Wait(step=event.step)


def _onward(saga: Saga, event: Event, done: Step) -> Command:
    match done:
        case Step.CREATE:
            return Call(step=Step.CHARGE)
        case Step.CHARGE:
            return Call(step=Step.CONFIRM)
        case Step.CONFIRM:
            return End(state=State.CONFIRMED)
        case Step.FENCE:
            return _turn_back(saga, event, State.CANCELED, UNRESOLVED)
        case Step.REFUND | Step.CANCEL:
            raise Impossible(f"{saga.id} goes forward, and {done} succeeded")


def _backward(saga: Saga, event: Event) -> Command:
    match event:
        case Resumed():
            return Repeat(step=saga.step)
        case Succeeded(step=Step.REFUND | Step.CANCEL as done):
            left = [undo for undo in _undos(saga, event) if undo is not done]
            if left:
                return Call(step=left[0])
            return End(state=saga.ends_as, reason=saga.reason)
        case InDoubt(step=step):
            return Wait(step=step)  # for ever: what was started must be undone
        case _:
            raise Impossible(f"{saga.id} is compensating, and was told {event}")


def _turn_back(saga: Saga, event: Event, ends_as: State, reason: str) -> Command:
    undos = _undos(saga, event)
    if not undos:
        return End(state=ends_as, reason=reason)
    return TurnBack(step=undos[0], ends_as=ends_as, reason=reason)


def _undos(saga: Saga, event: Event) -> list[Step]:
    """Return what is left to undo, in reverse: every step STARTED and not definitely FAILED.

    UNKNOWN counts as done, because it may have been: its undo leaves a tombstone if it was not.
    """
    return [
        undo
        for step, undo in UNDO.items()
        if saga.phase_of(step) not in {None, Phase.FAILED}
        and not has_failed(step, event)
        and saga.phase_of(undo) is not Phase.DONE
    ]


def has_failed(step: Step, event: Event) -> bool:
    """Return whether `event` says that `step` did nothing and never will."""
    match event:
        case Refused(step=refused):
            return step is refused
        case Claimed():
            return step is Step.CREATE
        case Succeeded(step=Step.FENCE):
            return step is Step.CHARGE
        case _:
            return False
