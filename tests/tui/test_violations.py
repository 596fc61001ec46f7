"""The violations board: suspicion is no proof, unknown is loud, proof has its evidence."""

from dataclasses import replace

import pytest

from checkout_sim.model.answer import Judged, Nack, Stretch
from checkout_sim.model.command import Judge, RunScenario
from checkout_sim.model.verdict import Violation
from checkout_sim.tui.screens.order import OrderView
from checkout_sim.tui.screens.review import ReviewView
from checkout_sim.tui.screens.violations import ViolationsView
from checkout_sim.tui.widgets.stream_table import StreamTable
from tests.tui.canned import opening, told_by
from tests.tui.standing import SMALL, WIDE, Standing, standing
from tests.tui.stories import busy

TALE = busy()
BUSY = told_by(TALE.seen)
STRUCK = next(one for one in TALE.seen if one.kind == "order.failed")
CAPTURED = next(
    one for one in TALE.seen if one.kind == "gateway.captured" and one.order == STRUCK.order
)


def violation(claim: str) -> Violation:
    return Violation(
        invariant=claim,
        order_id=STRUCK.order,
        checkout=STRUCK.checkout,
        detail="order failed, 54.00 usd captured and not given back",
        events=(CAPTURED.id, STRUCK.id, 99_999),
    )


LIVE = Judged(
    run_id="7c1e",
    provisional=True,
    status=None,
    violations=(violation("unconfirmed_means_not_paid"), violation("replies_are_true")),
    judged={"every_order_ends": 9, "unconfirmed_means_not_paid": 9, "replies_are_true": 9},
    ever=1,
)
FINAL = replace(
    LIVE,
    provisional=False,
    status="invalid",
    broken={"unconfirmed_means_not_paid": 1, "replies_are_true": 1},
    unknowns={"charged_at_most_once": "the journal could not be read"},
    checks={"faults_fired": "", "history_is_complete": "line 9 is torn"},
)


NEXT = Stretch(run_id="7c1f", folder="/runs/7c1f", scenario="", strategy="naive", live=True)


async def mark(at: Standing, claim: str) -> None:
    assert at.view.query_one("#claims", StreamTable).go_to(claim)
    await at.draw()


def claims_text(at: Standing) -> str:
    table = at.view.query_one("#claims", StreamTable)
    lines = [table.source.line(key, 80) for key in table.source.keys()]  # noqa: SIM118 - a Source
    return "\n".join("".join(token.text for token in line) for line in lines)


def row_of(at: Standing, claim: str) -> list[str]:
    line = next(line for line in claims_text(at).splitlines() if claim in line)
    return line.split()


async def test_before_a_verdict_a_claim_may_be_suspect_and_never_broken() -> None:
    async with standing("6", *BUSY) as at:
        assert row_of(at, "unconfirmed_means_not_paid") == [
            *("?", "unconfirmed_means_not_paid", "-", "4", "0", "0", "-")
        ]
        assert "v asks for a verdict" in at.text("#summary")


async def test_a_live_judgement_breaks_claims_and_names_the_first_offender() -> None:
    async with standing("6", *BUSY, LIVE) as at:
        first = f"#{STRUCK.checkout}"
        assert row_of(at, "replies_are_true")[0] == "!"
        assert row_of(at, "replies_are_true")[-3:] == ["1", "1", first]
        assert "ever 1" in at.text("#summary")


async def test_what_is_mended_stays_in_ever() -> None:
    async with standing("6", *BUSY, LIVE, replace(LIVE, violations=(), ever=1)) as at:
        assert row_of(at, "replies_are_true")[-3:] == ["0", "1", f"#{STRUCK.checkout}"]


async def test_the_marked_claim_shows_its_violation_with_the_observations_that_prove_it() -> None:
    async with standing("6", *BUSY, LIVE, size=WIDE) as at:
        await mark(at, "unconfirmed_means_not_paid")
        shown = at.text("#violation")

        assert f"! #{STRUCK.checkout}" in shown
        assert "1 of 1" in shown
        assert "54.00 usd captured and not given back" in shown
        assert f"{CAPTURED.id} gateway gateway.captured" in shown
        assert "observations 99999 of the history" in shown
        assert "6r" in shown


async def test_unknown_is_as_loud_as_invalid_and_says_why() -> None:
    async with standing("6", *BUSY, FINAL, size=WIDE) as at:
        assert row_of(at, "charged_at_most_once")[0] == "U"
        assert "UNKNOWN: the journal could not be read" in claims_text(at)
        assert "U history_is_complete" in at.text("#checks")
        assert "+ faults_fired" in at.text("#checks")
        assert "line 9 is torn" in at.text("#checks")
        assert "judged  invalid" in at.text("#summary")


async def test_v_asks_for_a_verdict() -> None:
    async with standing("6", *BUSY) as at:
        await at.press("v")

        assert at.sent == [Judge()]


async def test_a_refused_verdict_is_told_in_place() -> None:
    async with standing("6", *BUSY) as at:
        await at.press("v")
        refused = Nack(
            command_id=at.canned.last_id,
            code="wrong_phase",
            message="there is nothing to judge in the phase settle, for a verdict is under way",
            hint="wait for the next session",
        )
        await at.tell(refused)

        assert "wait for the next session" in " ".join(at.text("#violation").split())


async def test_n_goes_through_the_violations_of_every_claim_and_round() -> None:
    async with standing("6", *BUSY, LIVE) as at:
        table = at.view.query_one("#claims", StreamTable)
        marked = []
        for key in ("n", "n", "n", "N"):
            await at.press(key)
            marked.append(table.cursor)

        assert marked == [
            "unconfirmed_means_not_paid",
            "replies_are_true",
            "unconfirmed_means_not_paid",
            "replies_are_true",
        ]


async def test_n_without_a_violation_says_what_is_suspect() -> None:
    async with standing("6", *BUSY) as at:
        await at.press("n")

        assert at.told == "nothing is proven broken; 4 suspect, v asks for a verdict"


async def test_enter_opens_the_order_that_breaks_the_claim() -> None:
    async with standing("6", *BUSY, LIVE) as at:
        await mark(at, "replies_are_true")
        await at.press("enter")

        assert isinstance(at.app.screen, OrderView)
        assert at.app.screen.key == str(STRUCK.checkout)
        assert at.sent == []


async def test_enter_on_a_claim_that_holds_opens_nothing() -> None:
    async with standing("6", *BUSY, LIVE) as at:
        await mark(at, "every_order_ends")
        await at.press("enter")

        assert isinstance(at.app.screen, ViolationsView)
        assert "no order breaks this claim" in at.told


async def test_r_runs_a_scenario_again_with_its_seed() -> None:
    stretch = Stretch(
        run_id="7c1e", folder="/runs/7c1e", scenario="story", strategy="naive", live=True
    )
    tale = busy()
    tale.seen[0] = replace(
        tale.seen[0], data={**tale.seen[0].data, "path": "scenarios/07.yaml", "seed": 4711}
    )
    async with standing("6", stretch, *opening()[1:], *tale.seen, FINAL) as at:
        await at.press("r")

        again = RunScenario(path="scenarios/07.yaml", strategies=("naive",), seed=4711)
        assert at.sent == [again]


@pytest.mark.parametrize("key", ["r", "w"])
async def test_a_live_session_is_cut_into_a_scenario_instead(key: str) -> None:
    async with standing("6", *BUSY, FINAL) as at:
        await at.press(key)

        assert isinstance(at.app.screen, ReviewView)
        assert at.app.screen.review.run == "/runs/7c1e"


@pytest.mark.parametrize("size", [SMALL, WIDE, (60, 18), (40, 12)])
async def test_the_board_draws_at_every_size(size: tuple[int, int]) -> None:
    async with standing("6", *BUSY, FINAL, size=size) as at:
        assert "every_order" in at.app.export_screenshot()


async def test_a_verdict_stays_to_be_read_when_the_next_session_opens() -> None:
    async with standing("6", *BUSY, FINAL, NEXT, *busy(8).seen, size=WIDE) as at:
        assert "judged  invalid" in at.text("#summary")
        assert "a new session is open" in at.text("#summary")
        await at.press("w")
        assert isinstance(at.app.screen, ReviewView)
        assert at.app.screen.review.run == "/runs/7c1e"


async def test_the_next_session_is_shown_once_it_was_judged_itself() -> None:
    fresh = Judged(run_id="7c1f", provisional=True, status=None, judged={"replies_are_true": 1})
    async with standing("6", *BUSY, FINAL, NEXT, *busy(8).seen, fresh) as at:
        assert "run 7c1f" in at.text("#summary")
        assert row_of(at, "replies_are_true")[0] == "?"
