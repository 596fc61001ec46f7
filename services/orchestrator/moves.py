"""How a saga stands after an event and the command it led to: what one commit writes. Pure."""

from dataclasses import dataclass, replace

from .answers import Answer
from .saga import (
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
    Phase,
    Refused,
    Repeat,
    Resumed,
    Saga,
    Step,
    Succeeded,
    TurnBack,
    Wait,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One commit: the saga before and after it, and the lines it adds to the log."""

    before: Saga
    after: Saga
    added: tuple[Entry, ...]

    @property
    def turned_back(self) -> bool:
        """Whether this is the commit that turned the direction."""
        return self.after.direction is not self.before.direction


def moved(saga: Saga, event: Event, command: Command, answer: Answer | None = None) -> Move:
    """Return the commit that writes down `event`, with the `answer` it was read from, and obeys."""
    ended = _ends(saga, event, answer)
    after = _learned(saga, event)
    match command:
        case Call(step=step):
            ended += (Entry(step=step, phase=Phase.STARTED),)
            after = replace(after, step=step, attempts=0)
        case TurnBack(step=step, ends_as=ends_as, reason=reason):
            ended += (Entry(step=step, phase=Phase.STARTED),)
            after = replace(
                after,
                direction=Direction.COMPENSATING,
                step=step,
                ends_as=ends_as,
                reason=reason,
                attempts=0,
            )
        case Wait():
            after = replace(after, attempts=saga.attempts + 1)
        case End(state=state, reason=reason):
            after = replace(after, state=state, reason=reason)
        case Repeat():
            pass
    return Move(before=saga, after=after.logged(*ended), added=ended)


def _ends(saga: Saga, event: Event, answer: Answer | None) -> tuple[Entry, ...]:
    """Return what the log says of the step that `event` is about; the first line has the answer."""
    ends: tuple[tuple[Step, Phase], ...]
    match event:
        case Resumed():
            ends = ()
        case Succeeded(step=Step.FENCE):
            ends = (Step.FENCE, Phase.DONE), (Step.CHARGE, Phase.FAILED)
        case Succeeded(step=step):
            ends = ((step, Phase.DONE),)
        case AlreadyCharged():
            ends = (Step.FENCE, Phase.FAILED), (Step.CHARGE, Phase.DONE)
        case Refused(step=step):
            ends = ((step, Phase.FAILED),)
        case Claimed():
            ends = ((Step.CREATE, Phase.FAILED),)
        case Mismatched():
            ends = ((Step.CHARGE, Phase.UNKNOWN),)
        case InDoubt(step=step):
            # Once is enough: what is repeated for ever must not grow the log for ever.
            known = saga.phase_of(step) is Phase.UNKNOWN
            ends = () if known else ((step, Phase.UNKNOWN),)
    entries = tuple(Entry(step=step, phase=phase) for step, phase in ends)
    if answer is None or not entries:
        return entries
    first = replace(entries[0], http_status=answer.http_status, response=answer.response)
    return (first, *entries[1:])


def _learned(saga: Saga, event: Event) -> Saga:
    match event:
        case Succeeded(order=order, paid=paid) if order is not None or paid is not None:
            return replace(saga, order=order or saga.order, paid=paid or saga.paid)
        case AlreadyCharged(paid=paid):
            return replace(saga, paid=paid)
        case Claimed(order_id=order_id):
            return replace(saga, joined=order_id)
        case _:
            return saga
