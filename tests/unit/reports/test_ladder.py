import io

import pytest
from rich.console import Console

from checkout_sim.checks.diagnosis import diagnose
from checkout_sim.checks.ladder import ladder
from checkout_sim.model.ladder import Ladder
from checkout_sim.reports.explained import Explained, explained
from checkout_sim.reports.ladder import MOST_RUNGS, LadderView, shortened
from tests.archived import a_tale, answered, lifted, lost, swallowing
from tests.histories import Tale


def the_lost_answer() -> Ladder:
    tale = a_tale()
    swallowing(tale)
    lost(tale, 1)
    lifted(tale)
    return ladder(tale.ended().seen, "ord_1")


def drawn(view: object, *, columns: int = 100, encoding: str = "utf-8") -> list[str]:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding, errors="strict")
    console = Console(file=stream, width=columns, color_system=None, legacy_windows=False)
    console.print(view, crop=False)
    stream.flush()
    return [line.rstrip() for line in written.getvalue().decode(encoding).splitlines()]


def test_each_lane_has_its_name_and_each_rung_its_line() -> None:
    heading, *lines = drawn(LadderView(the_lost_answer()))

    assert heading.split() == ["ms", "SHOPPER", "ORDER", "PAYMENT", "GATEWAY", "1", "EVENT"]
    assert len([line for line in lines if line.strip()[:1].isdigit() and "│" in line]) == 14


def test_an_arrow_goes_from_who_asks_to_who_answers() -> None:
    lines = drawn(LadderView(the_lost_answer()))

    assert next(line for line in lines if "POST /order/place" in line).split()[1] == "o───────>│"
    told = next(line for line in lines if "SHOPPER told failed" in line)
    assert told.split()[1] == "o<───────│"


def test_a_line_under_a_fault_is_double_and_a_lost_answer_ends_in_a_cross() -> None:
    lines = drawn(LadderView(the_lost_answer()))

    assert "│═══════>│" in next(line for line in lines if "create and confirm" in line)
    assert "X<═══    │" in next(line for line in lines if "saw a timeout" in line)
    assert "$" in next(line for line in lines if "captured" in line)


def test_a_band_is_drawn_while_its_fault_is_in_force_and_named_below() -> None:
    lines = drawn(LadderView(the_lost_answer()))

    assert all("█" in line for line in lines if "payment." in line)
    assert any(line.startswith("1 █ swallow: timeout 0 ms on payment_to") for line in lines)


def test_an_order_without_a_fault_says_so() -> None:
    tale = Tale()
    tale.bought(1)

    assert "no fault was in force" in drawn(LadderView(ladder(tale.ended().seen, "ord_1")))


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    lines = drawn(LadderView(the_lost_answer()), columns=columns)

    assert max(map(len, lines)) <= columns
    assert sum("order.created" in line for line in lines) == 1


def test_a_terminal_without_box_characters_gets_ascii() -> None:
    lines = drawn(LadderView(the_lost_answer()), encoding="ascii")

    assert next(line for line in lines if "POST /order/place" in line).split()[1] == "o------->|"
    assert any("|=======>|" in line for line in lines)
    assert any(line.startswith("1 # swallow") for line in lines)


def test_the_longest_text_in_ascii_is_cut_without_a_foreign_sign() -> None:
    lines = drawn(LadderView(the_lost_answer()), columns=80, encoding="ascii")

    assert all(line.isascii() for line in lines)


def test_a_storm_of_tries_keeps_its_beginning_and_its_end() -> None:
    rungs = the_lost_answer().rungs * 20

    head, left_out, tail = shortened(rungs)

    assert len(head) + len(tail) == MOST_RUNGS
    assert left_out == len(rungs) - MOST_RUNGS
    assert (head[0], tail[-1]) == (rungs[0], rungs[-1])


def test_an_explanation_ends_with_what_happened_and_which_rule_it_breaks() -> None:
    tale = a_tale()
    swallowing(tale)
    lost(tale, 1)
    answered(tale, 2)
    violations = tale.verdict().violations
    found = ladder(tale.seen, "ord_1")
    story = Explained(
        title="lost-answer, naive",
        ladder=found,
        violations=violations,
        diagnosis=diagnose(found, violations),
        others=2,
    )

    lines = drawn(explained(story))

    assert lines[0] == "lost-answer, naive"
    assert "  gateway   knows: captured 42.00 usd (pi_1, seq 2)" in lines
    assert lines[-2] == "Breaks R3: a timeout is unknown, never a failure."
    assert lines[-1].startswith("2 more orders have violations")


def test_a_saga_of_five_parties_still_fits_eighty_columns() -> None:
    tale = Tale(strategy="orchestrated")
    order = tale.order(1).placed().created().hears("confirmed")

    heading, *lines = drawn(LadderView(ladder(tale.ended().seen, order.id)), columns=80)

    assert heading.split()[1:6] == ["SHOPPER", "ORCHESTR", "ORDER", "PAYMENT", "GATEWAY"]
    assert all(len(line) <= 80 for line in lines)
    assert next(line for line in lines if "place-order" in line).split()[1] == "o───────>│"
