"""The board: a fold over what an engine streams."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkout_sim.board.board import Board, reduce
from checkout_sim.board.checkouts import Checkouts
from checkout_sim.board.context import Display, context_line
from checkout_sim.board.figures import counts_line, now_lines, time_lines, tiny_lines
from checkout_sim.board.filters import parsed
from checkout_sim.board.orders_table import columns_for, row_line
from checkout_sim.board.rows import OVERDUE_MS
from checkout_sim.board.select import Selection
from checkout_sim.board.side_panels import fault_lines, suspect_lines
from checkout_sim.board.tokens import Line, width_of
from checkout_sim.board.topology import BOXES, topology_boxes, topology_line
from checkout_sim.model.answer import Ack, EngineState, Judged, Nack, Stretch
from checkout_sim.model.command import Asked, Inject
from checkout_sim.model.fault import LinkFault
from checkout_sim.model.history import Observation
from checkout_sim.model.verdict import Violation
from tests.histories import Tale
from tests.tui.stories import LOST, broken, busy, opened, sound, swallowed

STRETCH = Stretch(run_id="r1", folder="/runs/r1", scenario="", strategy="naive", live=True)


def folded(items: Iterable[Observation]) -> Board:
    board = reduce(Board(), STRETCH)
    for item in items:
        reduce(board, item)
    return board


def seen_on(board: Board) -> tuple[object, ...]:
    """Everything a screen could show."""
    faults = [fault._replace(kind=None) for fault in board.faults.by_name.values()]
    return (
        dict(board.checkouts.rows),
        +board.checkouts.counts,
        faults,
        dict(board.processes.by_name),
        {name: stream.flow(board.last_ms) for name, stream in board.links.items()},
        board.log.tail(100, "debug"),
        board.session.phase,
        board.last_id,
    )


def draw(board: Board, width: int) -> None:
    now_ms = board.last_ms
    columns = columns_for(width, saga=False)
    for row in board.checkouts.rows.values():
        assert width_of(row_line(columns, row, now_ms)) <= max(width, 46)
    assert width_of(context_line(board, Display(heading="Dash", number="1"), width)) <= width
    assert width_of(counts_line(board, now_ms, width, ascii_only=True)) <= width
    assert width_of(topology_line(board, now_ms, width, BOXES)) <= width
    for lines in (
        topology_boxes(board, now_ms, width, BOXES),
        now_lines(board, now_ms),
        fault_lines(board, now_ms, width, 6),
        suspect_lines(board, width, 6),
        time_lines(board, now_ms, width, ascii_only=False),
        tiny_lines(board),
    ):
        assert list(lines)


KINDS = st.lists(st.sampled_from(["sound", "swallowed", "open", "fault", "lifted"]), max_size=12)


def story(kinds: list[str]) -> Tale:
    tale = opened()
    for number, kind in enumerate(kinds, start=1):
        match kind:
            case "sound":
                sound(tale, number)
            case "swallowed":
                swallowed(tale, number)
            case "open":
                tale.order(number).placed().created()
            case "fault":
                broken(tale, LOST, "payment_to_gateway", "timeout", timeout=0)
            case _:
                tale.see("fault.lifted", source="runner", fault=LOST, window=1, how="release")
    return tale


@given(kinds=KINDS, cut=st.integers(0, 200), width=st.integers(40, 200))
def test_every_prefix_of_any_history_can_be_drawn(kinds: list[str], cut: int, width: int) -> None:
    draw(folded(story(kinds).seen[:cut]), width)


@given(kinds=KINDS, frames=st.integers(1, 7))
def test_playback_shows_what_was_shown_live(kinds: list[str], frames: int) -> None:
    seen = story(kinds).seen
    live = folded([])
    selection = Selection()
    for at, one in enumerate(seen):
        reduce(live, one)
        if at % frames == 0:
            selection.keys(live, live.last_ms)
            draw(live, 80)
    assert seen_on(folded(seen)) == seen_on(live)


@given(kinds=KINDS, gap=st.tuples(st.integers(0, 60), st.integers(0, 60)))
def test_a_gap_asked_again_equals_no_gap(kinds: list[str], gap: tuple[int, int]) -> None:
    seen = story(kinds).seen
    begin, end = min(gap), max(gap)
    lagging = folded([*seen[:begin], *seen[end:]])
    missing = lagging.missing_from
    if seen[end:] and end > begin:
        assert missing == begin + 1
    for one in seen[(missing or lagging.last_id + 1) - 1 :]:
        reduce(lagging, one)
    assert seen_on(lagging) == seen_on(folded(seen))


@given(kinds=KINDS)
def test_counts_are_those_of_the_rows(kinds: list[str]) -> None:
    board = folded(story(kinds).seen)
    standings = [row.standing for row in board.checkouts.rows.values()]
    assert {one: standings.count(one) for one in standings} == dict(+board.checkouts.counts)


@given(kinds=KINDS, words=st.sampled_from(["", "is:suspect", "!confirmed", ">100ms", "6r"]))
def test_a_selection_kept_up_to_date_equals_one_made_anew(kinds: list[str], words: str) -> None:
    board = folded([])
    kept = Selection(parsed(words))
    for one in story(kinds).seen:
        reduce(board, one)
        kept.keys(board, board.last_ms)
    fresh = Selection(parsed(words))
    assert list(kept.keys(board, board.last_ms)) == list(fresh.keys(board, board.last_ms))


def test_an_order_told_refused_while_captured_is_suspect_and_the_judge_alone_convicts() -> None:
    board = folded(busy().seen)
    row = next(row for row in board.checkouts.rows.values() if row.told == "refused")
    assert (row.standing, row.suspicion) == ("suspect", "told refused, yet a capture stands")
    broken_claim = Violation(
        invariant="unconfirmed_means_not_paid", order_id=row.order_id, checkout=6, detail=""
    )
    reduce(
        board,
        Judged(run_id="r1", provisional=True, status=None, violations=(broken_claim,), ever=1),
    )
    convicted = board.checkouts.rows[row.key]
    assert (convicted.standing, convicted.claims) == ("violated", ("unconfirmed_means_not_paid",))
    reduce(board, Judged(run_id="r1", provisional=True, status=None, ever=1))
    assert board.checkouts.rows[row.key].standing == "suspect"
    assert (board.session.open_violations, board.session.ever_violated) == (0, 1)


def test_a_refund_clears_the_suspicion() -> None:
    tale = opened()
    swallowed(tale, 1)
    tale.order(1).refunded()
    row = folded(tale.seen).checkouts.rows["1"]
    assert (row.standing, row.net_minor, row.money_moved) == ("rolled back", 0, True)


def test_two_orders_of_one_checkout_have_a_row_each_and_two_captures_are_suspect() -> None:
    tale = opened()
    tale.order(1, "ord_a").placed().created().recorded().charged()
    tale.order(1, "ord_b").placed(attempt=2, key="other").created().recorded().charged()
    rows = folded(tale.seen).checkouts.rows
    assert list(rows) == ["1", "1b"]
    assert {row.suspicion for row in rows.values()} == {"2 captures stand"}


def test_pending_for_too_long_is_suspect_though_nothing_happens() -> None:
    tale = opened()
    tale.order(1).placed().created()
    board = folded(tale.seen)
    assert board.checkouts.rows["1"].standing == "open"
    board.elapse(board.last_ms + OVERDUE_MS + 1)
    assert board.checkouts.rows["1"].suspicion == "pending beyond 15 s"


def test_a_request_that_never_arrived_is_rolled_back_once_it_is_overdue() -> None:
    tale = opened()
    tale.order(1).placed().hears("unknown")
    board = folded(tale.seen)
    before = board.checkouts.rows["1"]
    board.elapse(board.last_ms + OVERDUE_MS + 1)
    after = board.checkouts.rows["1"]
    assert (before.standing, after.standing) == ("open", "rolled back")


def test_faults_go_from_wanted_to_armed_to_fired_and_a_nack_leaves_nothing_behind() -> None:
    board = folded(opened().seen)
    inject = Inject(name=LOST, kind=LinkFault(links=("payment_to_gateway",), down=True))
    reduce(board, Asked(command_id="c1", command=inject))
    assert not board.faults.in_force
    reduce(board, Ack(command_id="c1"))
    assert [fault.stage for fault in board.faults.in_force] == ["wanted"]
    tale = opened()
    broken(tale, LOST, "payment_to_gateway", "timeout", timeout=0)
    swallowed(tale, 1)
    for one in tale.seen[board.last_id :]:
        reduce(board, one)
    fault = board.faults.by_name[LOST]
    assert (fault.stage, fault.token, fault.hits, fault.first) == ("armed", "6r", 1, 1)
    reduce(board, Asked(command_id="c2", command=inject))
    reduce(board, Nack(command_id="c2", code="invalid", message="is there already"))
    assert board.session.last_told.wrong
    assert board.session.last_told.text == "is there already"


def test_an_engine_that_is_stuck_leaves_the_fault_stuck_with_its_reason() -> None:
    board = folded(opened().seen)
    inject = Inject(name=LOST, kind=LinkFault(links=("payment_to_gateway",), down=True))
    reduce(board, Asked(command_id="c1", command=inject))
    reduce(board, Ack(command_id="c1"))
    reduce(board, Asked(command_id="c2", command=inject))
    reduce(board, Nack(command_id="c2", code="engine_stuck", message="the proxy hangs"))
    assert (board.faults.by_name[LOST].stage, board.faults.in_force) == ("stuck", ())


def test_a_new_run_begins_with_nothing_counted_and_the_one_before_stays_to_be_looked_at() -> None:
    board = folded(busy().seen)
    reduce(board, Judged(run_id="r1", provisional=False, status="invalid"))
    reduce(board, EngineState(phase="storm", strategy="naive", undo="slow on 6"))
    reduce(board, Stretch(run_id="r2", folder="/r2", scenario="", strategy="naive", live=True))
    assert (len(board.checkouts.rows), board.last_id, board.session.verdict) == (0, 0, None)
    assert board.session.state.undo == "slow on 6"
    assert board.previous is not None
    assert board.previous.session.verdict is not None
    assert len(board.previous.checkouts.rows) == 12


def test_a_snapshot_stays_as_it_was() -> None:
    seen = busy().seen
    board = folded(seen[:100])
    snapshot = board.snapshot()
    before = seen_on(snapshot)
    for one in seen[100:]:
        reduce(board, one)
    assert seen_on(snapshot) == before
    assert seen_on(board) != before


def test_old_harmless_rows_shrink_to_counts_and_suspects_stay() -> None:
    tale = opened()
    swallowed(tale, 1)
    for number in range(2, 30):
        sound(tale, number)
    board = folded([])
    board.checkouts = Checkouts(most=10)
    for one in tale.seen:
        reduce(board, one)
    assert "1" in board.checkouts.rows
    assert len(board.checkouts.rows) == 10
    assert board.checkouts.counts["confirmed"] == 28
    assert board.checkouts.seen == 29


@pytest.mark.parametrize(
    ("state", "shown"), [("confirmed", "done"), ("canceled", "undone"), ("failed", "failed")]
)
def test_a_saga_shows_its_step_and_then_how_it_ended(state: str, shown: str) -> None:
    tale = opened("orchestrated")
    order = tale.order(1).placed().created()
    tale.see("saga.step_started", source="orchestrator", order=order.id, checkout=1, step="charge")
    under_way = folded(tale.seen).checkouts.rows["1"].saga
    tale.see("saga.ended", source="orchestrator", order=order.id, checkout=1, state=state)

    assert (under_way, folded(tale.seen).checkouts.rows["1"].saga) == ("charge", shown)


def said(lines: Iterable[Line]) -> list[str]:
    return ["".join(token.text for token in line).rstrip() for line in lines]


def test_the_panel_of_faults_says_way_figure_hits_age_and_how_to_heal() -> None:
    board = folded(busy().seen)
    reduce(board, EngineState(phase="storm", strategy="naive", undo="reply lost on 6"))
    armed_ms = board.faults.by_name[LOST].armed_ms
    assert armed_ms is not None

    assert said(fault_lines(board, armed_ms + 7_000, 27, 9)) == [
        " 6 reply lost < hit 4",
        "   armed 7.0s ago",
        " 3 slow 500ms <",
        "   armed 7.0s ago",
        " u undo     H heal all",
    ]


def test_a_low_panel_of_faults_gives_each_a_line_and_counts_the_rest() -> None:
    tale = opened()
    for name in "abcd":
        broken(tale, name, "order_to_payment", "latency", latency=500, jitter=0)
    board = folded(tale.seen)

    low, high = (said(fault_lines(board, board.last_ms, 27, height)) for height in (3, 5))

    assert [line.split()[:2] for line in low] == [["3", "slow"], ["3", "slow"], ["and", "2"]]
    assert [line.split()[0] for line in high] == ["3", "3", "3", "3", "H"]


def test_a_killed_process_stands_among_the_faults_until_it_is_up_again() -> None:
    tale = opened()
    tale.see("process.killed", process="payment", instance=1, pid=4102)
    board = folded(tale.seen)
    killed = said(fault_lines(board, board.last_ms + 12_000, 27, 6))
    tale.see("process.started", process="payment", instance=1, pid=4105, port=3000)

    assert killed == [" P payment killed      12s", " H heal all"]
    assert said(fault_lines(folded(tale.seen), 0.0, 27, 6)) == [" none"]


@pytest.mark.parametrize(("deed", "token"), [("kill", "BK"), ("pause", "BP"), ("restart", "BT")])
def test_a_deed_on_a_process_is_known_by_the_key_that_does_it(deed: str, token: str) -> None:
    tale = opened()
    tale.see(
        "fault.injected", source="runner", fault="struck", window=1, target="broker", type=deed
    )

    assert folded(tale.seen).faults.by_name["struck"].token == token


def test_suspects_are_told_in_full_where_there_is_room_and_counted_where_there_is_not() -> None:
    board = folded(busy().seen)

    assert said(suspect_lines(board, 27, 12))[:2] == [
        " ? #9 told refused, yet a",
        "      capture stands",
    ]
    assert said(suspect_lines(board, 27, 3))[-1] == "   and 2 more"


def test_the_rate_of_events_is_over_the_last_whole_seconds() -> None:
    tale = opened()
    for _ in range(50):
        tale.see("gateway.captured", after_ms=100.0, amount_minor=1)
    log = folded(tale.seen).log

    assert log.per_s(5_000.0) == pytest.approx(10, abs=1)
    assert log.per_s(60_000.0) == 0


def test_a_standstill_of_the_machine_is_a_loud_line_of_the_log() -> None:
    tale = Tale()
    tale.see("machine.hiccup", source="machine", cpu=1, ms=616.2)

    [line] = folded(tale.seen).log.tail(10, "warn")
    assert (line.source, line.text) == ("machine", "stood still for 616 ms (cpu 1)")
