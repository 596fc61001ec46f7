"""The board: a run as its watchers see it, folded from what the engine streams.

Takes what a subscriber receives (observations and answers) and what it asked for; gives one `Board`
that screens read. Pure: no clock, no screen, no I/O. The board is the fold's accumulator and grows
in place; what it hands out are tuples that never change, and `snapshot()` copies it for a display
that is frozen.

    board = Board()
    for item in connection: reduce(board, item)
    board.checkouts.rows["412"].standing

Observations of a run are numbered without gaps. One seen before is passed over; one beyond a gap is
passed over too, and `missing_from` says what to ask for again, so that a gap asked again equals no
gap.
"""

from collections.abc import Callable, Mapping
from typing import Any, Self

from checkout_sim.board.checkouts import Checkouts
from checkout_sim.board.faults import Faults
from checkout_sim.board.links import Sample, Stream
from checkout_sim.board.log import Log
from checkout_sim.board.money import captured, returned, returned_failed
from checkout_sim.board.places import LINKS
from checkout_sim.board.processes import Processes
from checkout_sim.board.rows import Row
from checkout_sim.board.session import Session
from checkout_sim.board.stories import Stories
from checkout_sim.model.answer import (
    Ack,
    Draft,
    EngineState,
    Judged,
    Lagged,
    Nack,
    Saved,
    Streamed,
    Stretch,
)
from checkout_sim.model.command import Asked
from checkout_sim.model.history import Observation


class Board:
    """One run. `previous` is the run before it on the same stream, with its verdict."""

    def __init__(self) -> None:
        self.session = Session()
        self.checkouts = Checkouts()
        self.links: dict[str, Stream] = {link.name: Stream() for link in LINKS}
        self.sales = Stream()  # the checkouts themselves, as a stream of their own
        self.faults = Faults()
        self.processes = Processes()
        self.log = Log()
        self.stories = Stories()
        self.last_id = 0
        self.last_ms = 0.0
        self.missing_from: int | None = None
        self.previous: Board | None = None

    def snapshot(self) -> Self:
        """Return a copy that later events do not touch."""
        copy = type(self)()
        copy.session = self.session.snapshot()
        copy.checkouts = self.checkouts.snapshot()
        copy.links = {name: stream.snapshot() for name, stream in self.links.items()}
        copy.sales = self.sales.snapshot()
        copy.faults = self.faults.snapshot()
        copy.processes = self.processes.snapshot()
        copy.log = self.log.snapshot()
        copy.stories = self.stories.snapshot()
        copy.last_id, copy.last_ms = self.last_id, self.last_ms
        copy.missing_from, copy.previous = self.missing_from, self.previous
        return copy

    def elapse(self, now_ms: float) -> None:
        """Let time pass without an event: what is undecided for too long becomes suspect."""
        self.checkouts.elapse(now_ms)


def reduce(board: Board, item: Streamed | Asked) -> Board:  # noqa: C901 - one arm for each kind
    """Return the board after one more thing was received, or asked for by this subscriber."""
    match item:
        case Observation():
            _observe(board, item)
        case Stretch():
            _open(board, item)
        case Asked():
            board.session.asked(item)
        case Ack():
            board.session.accepted(item, board.faults, board.last_ms)
        case Nack():
            board.session.refused(item, board.faults)
        case Judged():
            board.session.judged(item)
            board.checkouts.convicted(board.session.claims_by_order)
        case EngineState():
            board.session.became(item, board.last_ms)
        case Draft():
            board.session.draft = item
        case Saved():
            board.session.saved = item
        case Lagged():
            board.session.behind = True
    return board


def _open(board: Board, stretch: Stretch) -> None:
    """Begin a run: everything counted belongs to the one before."""
    if board.session.stretch is not None and board.session.stretch.run_id == stretch.run_id:
        board.session.stretch = stretch
        return
    if board.last_id:
        board.previous = board.snapshot()
        board.previous.previous = None
    fresh = Board()
    board.session = board.session.for_next_run(stretch)
    for part in ("checkouts", "links", "sales", "faults", "processes", "log", "stories"):
        setattr(board, part, getattr(fresh, part))
    board.last_id, board.last_ms, board.missing_from = 0, 0.0, None


def _observe(board: Board, one: Observation) -> None:
    if one.id <= board.last_id:
        return
    if one.id > board.last_id + 1:
        board.missing_from = board.last_id + 1
        return
    board.last_id = one.id
    board.last_ms = max(board.last_ms, one.t_ms)
    board.missing_from = None
    board.log.add(one)
    known = _BY_KIND.get(one.kind) or _BY_FAMILY.get(one.kind.partition(".")[0])
    if known is not None:
        known(board, one)
    board.stories.add(one, _WorthKeeping(board.checkouts))
    board.checkouts.elapse(one.t_ms)


class _WorthKeeping:
    """The checkouts whose story is kept: those that are suspect or violated."""

    def __init__(self, checkouts: Checkouts) -> None:
        self._checkouts = checkouts

    def __contains__(self, checkout: object) -> bool:
        rows = self._checkouts.of_checkout(int(str(checkout)))
        return any(row.standing in {"suspect", "violated"} for row in rows)


# ---- what each kind changes ------------------------------------------------------------------

Change = Callable[[Board, Observation], None]


def _row(change: Callable[[Row, Observation], Row]) -> Change:
    """Return what applies a change to the row of the observation's order."""

    def applied(board: Board, one: Observation) -> None:
        board.checkouts.change_order(one.order, lambda row: change(row, one))

    return applied


def _sent(board: Board, one: Observation) -> None:
    board.checkouts.sent(one, board.faults.tokens)
    board.links[board.session.edge].started()


def _ended(board: Board, one: Observation) -> None:
    board.checkouts.told_shopper(one)
    duration_ms = float(one.data.get("duration_ms") or 0.0)
    error = str(one.data.get("error") or "")
    sample = Sample(t_ms=one.t_ms, duration_ms=duration_ms, error=error)
    board.links[board.session.edge].ended(sample)
    board.sales.ended(sample)
    board.faults.call_ended(board.session.edge, error, duration_ms, one.checkout)


def _call_started(board: Board, one: Observation) -> None:
    stream = board.links.get(str(one.data.get("link")))
    if stream is not None:
        stream.started()


def _call_ended(board: Board, one: Observation) -> None:
    name = str(one.data.get("link"))
    stream = board.links.get(name)
    if stream is None:
        return
    error = str(one.data.get("error") or "")
    duration_ms = float(one.data.get("duration_ms") or 0.0)
    stream.ended(Sample(t_ms=one.t_ms, duration_ms=duration_ms, error=error))
    board.faults.call_ended(name, error, duration_ms, one.checkout)


def _injected(board: Board, one: Observation) -> None:
    fault = board.faults.injected(one)
    if fault is not None:
        board.checkouts.under_fault(fault.token)


def _struck(board: Board, one: Observation) -> None:
    board.processes.seen(one)
    letters: Mapping[str, str] = {"process.killed": "K", "process.paused": "P"}
    process = next(iter(board.processes.of(str(one.data.get("process", "")))), None)
    if one.kind in letters and process is not None:
        board.checkouts.under_fault(f"{process.name[:1].upper()}{letters[one.kind]}")


def _used(board: Board, one: Observation) -> None:
    board.faults.used(one)
    board.checkouts.change_order(
        one.order, lambda row: row._replace(faults=tuple(dict.fromkeys((*row.faults, "Ga"))))
    )


def _saga(row: Row, one: Observation) -> Row:
    if one.kind == "saga.ended":
        state = str(one.data.get("state") or "ended")
        return row._replace(saga={"confirmed": "done", "canceled": "undone"}.get(state, state))
    return row._replace(saga=str(one.data.get("step") or one.kind.partition(".")[2]))


def _order_is(status: str) -> Change:
    return _row(lambda row, _one: row._replace(order=status))


def _payment_is(status: str) -> Change:
    return _row(lambda row, _one: row._replace(payment=status))


def _session(change: Callable[[Session, Mapping[str, Any]], None]) -> Change:
    return lambda board, one: change(board.session, one.data)


_BY_KIND: Mapping[str, Change] = {
    "run.opened": _session(Session.opened),
    "phase.entered": _session(Session.entered),
    "client.sent": _sent,
    "client.ended": _ended,
    "client.found": lambda board, one: board.checkouts.found(one),
    "order.created": lambda board, one: board.checkouts.created(one),
    "order.confirmed": _order_is("confirmed"),
    "order.failed": _order_is("failed"),
    "order.canceled": _order_is("canceled"),
    "payment.recorded": _payment_is("pending"),
    "payment.charge_succeeded": _payment_is("completed"),
    "payment.charge_declined": _payment_is("failed"),
    "payment.charge_unknown": _payment_is("unknown"),
    "payment.canceled": _payment_is("canceled"),
    "payment.refund_requested": _payment_is("refunding"),
    "payment.refund_succeeded": _payment_is("refunded"),
    "payment.result_written": _row(
        lambda row, one: row._replace(payment=str(one.data.get("status") or row.payment))
    ),
    "gateway.captured": _row(captured),
    "gateway.refunded": _row(returned),
    "gateway.refund_failed": _row(returned_failed),
    "gateway.fault_used": _used,
    "call.started": _call_started,
    "call.ended": _call_ended,
    "fault.injected": _injected,
    "fault.lifted": lambda board, one: _nothing(board.faults.lifted(one)),
    "fault.failed": lambda board, one: board.faults.failed(
        one.fault or "", str(one.data.get("message", ""))
    ),
    "fault.foreign": lambda board, one: board.faults.found_foreign(one),
}
_BY_FAMILY: Mapping[str, Change] = {
    "process": _struck,
    "saga": _row(_saga),
    "quiet": _session(Session.settling),
}


def _nothing(_: object) -> None:
    """Drop what a change returns."""
