"""Drives a saga: commits what the strategy commands, then calls, until it ends or must wait.

Takes a saga whose lease the caller holds and gives it as it then stands. Nothing is called before
the commit that says so (R1); every commit is fenced (R6) and renews the lease for the call after
it. Emits the saga's events, each right after its commit.
"""

import sys

from ..chassis.logs import Event as Told
from . import saga_log
from .answers import Answer, read
from .calls import is_at_order, request_of
from .context import Context
from .moves import Move, moved
from .saga import (
    Call,
    Direction,
    End,
    Event,
    InDoubt,
    Phase,
    Repeat,
    Resumed,
    Saga,
    Step,
    TurnBack,
    Wait,
)

MAX_STEPS = 16  # far above any path through next_command; a bound, not a budget
ALERT_EVERY = 10  # attempts at one step, so that a stuck saga is told of and does not flood the log
_DOUBLINGS_MAX = 16  # beyond it the high bound has long been reached; keeps the power small


class Driver:
    """Takes sagas step by step; one object per process, no state of its own."""

    def __init__(self, context: Context) -> None:
        self._context = context
        settings = context.settings
        self._overdue_ms = settings.scaled(settings.cancel_after_ms)
        self._low_ms = settings.scaled(settings.retry_low_ms)
        self._high_ms = settings.scaled(settings.retry_high_ms)

    async def drive(self, saga: Saga, *, tries: int | None = None) -> Saga:
        """Take `saga` from its open step as far as it goes; return it as it stands then.

        `tries` overrides the budgets' for each call. DatabaseUnavailable passes through: what could
        not be recorded is for whoever takes the lease next (R9).
        """
        event: Event = Resumed()
        answer: Answer | None = None
        for _ in range(MAX_STEPS):
            command = self._context.next_command(saga, event)
            if not isinstance(command, Repeat):
                written = await self._write(moved(saga, event, command, answer))
                if written is None:
                    return await self._as_others_left_it(saga)
                saga = written
            match command:
                case Call(step=step) | TurnBack(step=step) | Repeat(step=step):
                    event, answer = await self._ask(saga, step, tries)
                case Wait() | End():
                    return saga
        raise AssertionError(f"{saga.id} went on for {MAX_STEPS} steps")

    async def _ask(self, saga: Saga, step: Step, tries: int | None) -> tuple[Event, Answer | None]:
        context = self._context
        participant = context.order if is_at_order(step) else context.payment
        heard = await participant.ask(request_of(saga, step), tries=tries)
        overdue = context.clock.now_ms() - saga.created_at_ms >= self._overdue_ms
        if isinstance(heard, Answer):
            return read(saga, step, heard, overdue=overdue), heard
        return InDoubt(step=step, reason=heard, overdue=overdue), None

    async def _write(self, move: Move) -> Saga | None:
        """Commit one move and tell of it; None when the saga is somebody else's by now."""
        context, after = self._context, move.after
        now_ms = context.clock.now_ms()
        waits = after.attempts > move.before.attempts
        next_at_ms = now_ms + round(self._back_off_ms(move.before.attempts)) if waits else now_ms
        rests = waits or after.has_ended
        lease_until_ms = 0 if rests else context.lease_until_ms()
        ours = await context.db.run(
            saga_log.record,
            move,
            now_ms=now_ms,
            lease_until_ms=lease_until_ms,
            next_at_ms=next_at_ms,
        )
        if not ours:
            return None
        context.events.emit_all(list(told_of(move)))
        if waits and after.attempts % ALERT_EVERY == 0:
            sys.stderr.write(
                f"alert: {after.step} of saga {after.id} ({after.order_id}) is still unknown "
                f"after {after.attempts} attempts\n"
            )
        return after

    async def _as_others_left_it(self, saga: Saga) -> Saga:
        return await self._context.db.read(saga_log.by_id, saga.id) or saga

    def _back_off_ms(self, attempts: int) -> float:
        """Return the wait before the next attempt: doubling, bounded, with jitter downwards."""
        full_ms = min(self._high_ms, self._low_ms * 2 ** min(attempts, _DOUBLINGS_MAX))
        return self._context.ids.uniform(full_ms / 2, full_ms)


def told_of(move: Move) -> list[Told]:
    """Return the events of one commit, in the order of its log."""
    after = move.after

    def told(kind: str, **data: object) -> Told:
        return Told(kind=kind, order=after.order_id, key=None, data={"saga": after.id} | data)

    events = []
    began = len(move.before.log)
    for seq, entry in enumerate(move.added, began + 1):
        if entry.phase is Phase.STARTED:
            if move.turned_back:
                events.append(told("saga.turned_back", reason=after.reason))
            step = entry.step.value
            way = after.direction.value
            events.append(told("saga.step_started", seq=seq, step=step, direction=way))
        else:
            phase = entry.phase.value
            events.append(told("saga.step_ended", seq=seq, step=entry.step.value, phase=phase))
    if after.has_ended:
        events.append(told("saga.ended", state=after.state.value, reason=after.reason))
    return events


def started(saga: Saga) -> list[Told]:
    """Return the events of the commit that holds a new saga."""
    begun = {"saga": saga.id, "user_id": saga.user_id}
    first = {"saga": saga.id, "seq": 1, "step": saga.step.value}
    return [
        Told(kind="saga.started", order=saga.order_id, key=None, data=begun),
        Told(
            kind="saga.step_started",
            order=saga.order_id,
            key=None,
            data=first | {"direction": Direction.FORWARD.value},
        ),
    ]
