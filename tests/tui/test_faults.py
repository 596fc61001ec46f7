"""The fault console: every key sends exactly its command, and what is wanted is not yet armed."""

import pytest

from checkout_sim.board.places import LINK_OF_LABEL
from checkout_sim.board.presets import PRESET_OF_LETTER, inject
from checkout_sim.model.answer import Ack, EngineState, Nack
from checkout_sim.model.command import (
    Adjust,
    ForTime,
    Inject,
    Kill,
    LiftFault,
    OnNextEvent,
    Pause,
    Restart,
    Resume,
    Start,
    UntilEvent,
)
from checkout_sim.model.fault import GatewayFault, LinkFault
from checkout_sim.model.history import Observation
from checkout_sim.tui.screens.faults import FaultsView
from checkout_sim.tui.widgets.form import Form
from checkout_sim.tui.widgets.stream_table import StreamTable
from tests.tui.canned import opening, told_by
from tests.tui.standing import SMALL, WIDE, Standing, standing
from tests.tui.stories import busy, opened

ONE, THREE, SIX = (LINK_OF_LABEL[label] for label in "136")
QUIET = told_by(opened().seen)
BUSY = told_by(busy().seen)


async def mark(at: Standing, key: str) -> None:
    """Put the cursor on a row of the table."""
    assert at.view.query_one("#console", StreamTable).go_to(key), key
    await at.draw()


def links_shown(at: Standing) -> int:
    keys = at.view.query_one("#console", StreamTable).source.keys()
    return sum(1 for key in keys if key.startswith("link:"))


def toxics(command: object) -> list[tuple[str, str, dict[str, int]]]:
    assert isinstance(command, Inject | Adjust)
    assert isinstance(command.kind, LinkFault)
    return [(one.type, one.stream, dict(one.attributes)) for one in command.kind.toxics]


@pytest.mark.parametrize("letter", PRESET_OF_LETTER)
async def test_a_letter_adds_its_preset_to_the_marked_link(letter: str) -> None:
    async with standing("2", *QUIET) as at:
        await mark(at, f"link:{SIX.name}")
        await at.press(letter)

        assert at.sent == [inject(PRESET_OF_LETTER[letter], SIX)]


@pytest.mark.parametrize(
    ("letter", "label", "name"), [("s", "3", "slow_3"), ("r", "6", "reply_lost_6")]
)
async def test_the_same_letter_lifts_what_is_on(letter: str, label: str, name: str) -> None:
    async with standing("2", *BUSY) as at:
        await mark(at, f"link:{LINK_OF_LABEL[label].name}")
        await at.press(letter)

        assert at.sent == [LiftFault(name=name)]


async def test_a_fault_is_shown_wanted_then_armed() -> None:
    async with standing("2", *QUIET, size=WIDE) as at:
        await mark(at, f"link:{SIX.name}")
        await at.press("s")
        await at.tell(Ack(command_id=at.canned.last_id))

        assert "WANTED" in at.text("#state")
        assert "not yet" in at.text("#state")

        await at.tell(
            Observation(
                id=at.app.live.last_id + 1,
                t_ms=99.0,
                source="runner",
                kind="fault.injected",
                fault="slow_6",
                data={"target": SIX.name, "type": "latency", "armed_ms": 3.0, "toxics": []},
            )
        )
        assert "read back after 3 ms" in at.text("#state")


async def test_a_refusal_is_told_in_place_with_its_hint_and_the_screen_goes_on() -> None:
    async with standing("2", *QUIET) as at:
        await mark(at, f"link:{SIX.name}")
        await at.press("s")
        await at.tell(
            Nack(
                command_id=at.canned.last_id,
                code="engine_stuck",
                message="the proxy server did not answer within 2 s, so nothing is known of it",
                hint="heal all (H) restarts it",
            )
        )

        assert "heal all (H) restarts it" in " ".join(at.text("#state").split())
        await at.press("d")
        assert len(at.sent) == 2


async def test_p_and_a_letter_fill_in_a_form_whose_keys_reach_no_preset() -> None:
    async with standing("2", *QUIET) as at:
        await mark(at, f"link:{SIX.name}")
        await at.press("p", "s", "s", "d", "H", "q", "2")
        assert at.sent == []
        assert at.view.query_one(Form).values["latency"] == "sdHq2"

        await at.press("home", *["delete"] * 5, "2", "s", "enter")

        assert len(at.sent) == 1
        assert toxics(at.sent[0]) == [("latency", "downstream", {"latency": 2000, "jitter": 0})]
        assert not at.view.query_one(Form).is_open


async def test_a_value_beyond_the_callers_budget_is_pointed_out_while_it_is_typed() -> None:
    async with standing("2", *QUIET) as at:
        await mark(at, f"link:{SIX.name}")
        await at.press("p", "s", "2", "s")

        said = at.view.query_one(Form).said
        assert said.startswith("2000 ms is beyond the 800 ms a try may take on this link")


async def test_what_cannot_be_is_said_in_the_form_and_not_sent() -> None:
    async with standing("2", *QUIET) as at:
        await mark(at, f"link:{SIX.name}")
        await at.press("p", "x", "5", "s", "enter")

        assert at.sent == []
        assert "above 1000ms" in at.view.query_one(Form).said
        await at.press("escape")
        assert not at.view.query_one(Form).is_open


async def test_way_and_window_are_picked_in_the_form() -> None:
    async with standing("2", *QUIET) as at:
        await mark(at, f"link:{SIX.name}")
        await at.press("p", "r", "tab", "right", "tab", "right", "enter")

        command = at.sent[0]
        assert isinstance(command, Inject)
        assert toxics(command) == [("timeout", "upstream", {"timeout": 0})]
        assert command.window == ForTime(ms=10_000)
        assert command.name == "reply_lost_6"


async def test_p_twice_edits_the_fault_that_is_on_and_sends_it_adjusted() -> None:
    async with standing("2", *BUSY) as at:
        await mark(at, f"link:{THREE.name}")
        await at.press("p", "p", "7", "0", "0", "enter")

        assert len(at.sent) == 1
        assert isinstance(at.sent[0], Adjust)
        assert toxics(at.sent[0]) == [("latency", "downstream", {"latency": 700, "jitter": 0})]


async def test_stronger_and_weaker_step_by_a_quarter_from_what_was_asked_last() -> None:
    async with standing("2", *BUSY) as at:
        await mark(at, f"link:{THREE.name}")
        await at.press("=", "=", "-")

        assert [toxics(one)[0][2]["latency"] for one in at.sent] == [625, 781, 624]
        assert {one.name for one in at.sent if isinstance(one, Adjust)} == {"slow_3"}


async def test_a_step_with_nothing_to_change_says_so() -> None:
    async with standing("2", *BUSY) as at:
        await mark(at, f"link:{ONE.name}")
        await at.press("=")
        assert "no fault on 1 to change" in at.told
        await mark(at, f"link:{SIX.name}")
        await at.press("=")

        assert "has no figure to step" in at.told
        assert at.sent == []


async def test_a_fault_in_force_is_turned_and_where_there_is_none_the_next_one() -> None:
    async with standing("2", *BUSY) as at:
        await mark(at, f"link:{THREE.name}")
        await at.press("<")
        assert "strikes that way already" in at.told
        await at.press(">")
        assert toxics(at.sent[0]) == [("latency", "upstream", {"latency": 500, "jitter": 0})]

        await mark(at, f"link:{ONE.name}")
        await at.press(">", "s")
        assert toxics(at.sent[1])[0][1] == "upstream"


async def test_w_goes_through_the_windows_and_the_next_fault_has_it() -> None:
    async with standing("2", *QUIET) as at:
        await mark(at, f"link:{SIX.name}")
        await at.press("w", "s", "w", "r", "w", "l")

        windows = [one.window for one in at.sent if isinstance(one, Inject)]
        assert windows == [
            ForTime(ms=10_000),
            UntilEvent(event="client.ended"),
            OnNextEvent(event="payment.charge_requested"),
        ]


@pytest.mark.parametrize(
    ("key", "command"),
    [
        ("K", Kill(process="payment")),
        ("P", Pause(process="payment")),
        ("T", Restart(process="payment")),
    ],
)
async def test_a_marked_process_is_struck(key: str, command: object) -> None:
    async with standing("2", *QUIET) as at:
        await mark(at, "process:payment:1")
        await at.press(key)

        assert at.sent == [command]


@pytest.mark.parametrize(
    ("kind", "key", "command"),
    [
        ("process.killed", "K", Start(process="payment")),
        ("process.paused", "P", Resume(process="payment")),
    ],
)
async def test_the_same_key_mends_it(kind: str, key: str, command: object) -> None:
    tale = opened()
    tale.see(kind, process="payment", instance=1, pid=4102, port=3001)
    async with standing("2", *told_by(tale.seen)) as at:
        await mark(at, "process:payment:1")
        await at.press(key)

        assert at.sent == [command]


@pytest.mark.parametrize("key", ["K", "P", "T"])
async def test_the_gateway_is_never_struck(key: str) -> None:
    async with standing("2", *QUIET) as at:
        await mark(at, "process:gateway:1")
        await at.press(key)

        assert at.sent == []
        assert "journal is the evidence" in at.told


@pytest.mark.parametrize("key", ["s", "p", "=", "<"])
async def test_a_letter_on_a_process_asks_for_a_link(key: str) -> None:
    async with standing("2", *QUIET) as at:
        await mark(at, "process:payment:1")
        await at.press(key)

        assert at.sent == []
        assert "mark" in at.told


async def test_the_gateways_menu_arms_a_control_with_its_figures() -> None:
    async with standing("2", *QUIET) as at:
        await at.press("a", "j", "j", "enter")
        assert at.view.query_one(Form).is_open
        await at.press("right", "enter")

        assert at.sent == [
            Inject(
                name="gateway_unavailable",
                kind=GatewayFault(control="unavailable", operation="retrieve"),
                title="unavailable",
            )
        ]


async def test_the_menu_closes_with_esc_and_the_table_has_the_keys_again() -> None:
    async with standing("2", *QUIET) as at:
        await at.press("a", "escape")

        assert not at.view.query_one("#controls").has_class("-open")
        assert at.view.focused is at.view.query_one("#console")


async def test_a_control_can_be_armed_on_the_command_line() -> None:
    async with standing("2", *QUIET) as at:
        await at.app.perform("gateway.menu", "slow_execution", "charge", "2", "3", "700ms")
        await at.app.perform("gateway.menu", "slow_execution", "retrieve")

        kind = GatewayFault(
            control="slow_execution", operation="charge", nth=2, times=3, parameters={"ms": 700}
        )
        assert at.sent == [Inject(name="gateway_slow_execution", kind=kind, title="slow execution")]
        assert "does not strike" in at.told


async def test_links_that_carry_nothing_are_hidden_and_shown() -> None:
    async with standing("2", *QUIET) as at:
        before = links_shown(at)
        await at.press("i")

        assert (before, links_shown(at)) == (3, 12)


async def test_where_there_is_room_links_that_carry_nothing_show_until_they_are_hidden() -> None:
    async with standing("2", *QUIET, size=WIDE) as at:
        before = links_shown(at)
        await at.press("i")

        assert (before, links_shown(at)) == (12, 3)


async def test_panels_stand_beside_each_other_and_wider_still_beside_the_table() -> None:
    async with standing("2", *BUSY, size=WIDE) as at:
        await mark(at, f"link:{SIX.name}")
        table, presets, state = (at.view.query_one(one) for one in ("#table", "#presets", "#state"))

        assert presets.region.y == state.region.y == table.region.bottom
        assert state.region.x == presets.region.right
        assert state.border_title == "reply lost on 6"

        await at.pilot.resize_terminal(160, 45)
        await at.draw()

        assert presets.region.x == state.region.x == table.region.right
        assert presets.region.y == table.region.y


async def test_undo_redo_and_toxics_not_ours_are_shown() -> None:
    state = EngineState(phase="storm", strategy="naive", undo="slow on 3", redo="down on 6")
    tale = opened()
    tale.see("fault.foreign", source="runner", link=SIX.name, toxic="latency_downstream")
    async with standing("2", *told_by(tale.seen), state, size=WIDE) as at:
        shown = " ".join(at.text("#state").split())

        assert "u slow on 3" in shown
        assert "U down on 6" in shown
        assert "latency_downstream on payment_to_gateway: not ours" in shown


async def test_no_fault_leaves_after_the_storm_and_the_screen_says_why() -> None:
    tale = opened()
    tale.see("phase.entered", source="runner", phase="settle")
    async with standing("2", *opening(phase="settle"), *tale.seen) as at:
        await mark(at, f"link:{SIX.name}")
        await at.press("s")

        assert at.sent == []
        assert "settle" in at.told


@pytest.mark.parametrize("size", [SMALL, WIDE, (60, 18), (40, 12)])
async def test_the_console_draws_at_every_size(size: tuple[int, int]) -> None:
    async with standing("2", *BUSY, size=size) as at:
        assert isinstance(at.view, FaultsView)
        lines = at.app.export_screenshot()
        assert "payment" in lines


async def test_a_click_marks_a_row_and_the_letters_strike_it() -> None:
    async with standing("2", *QUIET) as at:
        await at.pilot.click("#console", offset=(6, 3))
        await at.press("d")

        assert at.sent == [inject(PRESET_OF_LETTER["d"], SIX)]
