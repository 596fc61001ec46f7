"""The claims as a board: suspicion is no verdict, unknown is as loud as invalid."""

from typing import Any

import pytest

from checkout_sim.board.claim_rows import Claims, suspects_by_claim
from checkout_sim.board.rows import Row, suspicion
from checkout_sim.model.answer import Judged
from checkout_sim.model.claims import CORE
from checkout_sim.model.verdict import Violation


def violation(claim: str, checkout: int | None) -> Violation:
    order = None if checkout is None else f"order-{checkout}"
    return Violation(invariant=claim, order_id=order, checkout=checkout, detail="told otherwise")


def live(*violations: Violation, ever: int = 0) -> Judged:
    return Judged(
        run_id="r1",
        provisional=True,
        status=None,
        violations=violations,
        judged={"replies_are_true": 9},
        ever=ever,
    )


def row(**about: Any) -> Row:
    return Row(key="1", number=1, sent_ms=0.0)._replace(**about)


def test_before_any_verdict_every_core_claim_has_a_row_that_says_nothing() -> None:
    rows = Claims().rows()

    assert [one.name for one in rows] == list(CORE)
    assert {(one.state, one.judged) for one in rows} == {("unjudged", None)}


def test_a_broken_claim_names_its_first_offender_and_counts_the_others() -> None:
    claims = Claims().heard(
        live(violation("replies_are_true", 7), violation("replies_are_true", 9))
    )

    found = next(one for one in claims.rows() if one.name == "replies_are_true")
    assert (found.mark, found.judged, found.broken, found.first) == ("!", 9, 2, "#7")


def test_what_is_mended_leaves_the_open_ones_and_stays_in_ever() -> None:
    claims = Claims().heard(live(violation("every_order_ends", 7))).heard(live())

    found = next(one for one in claims.rows() if one.name == "every_order_ends")
    assert (found.broken, found.ever, found.first) == (0, 1, "#7")
    assert claims.ever == 1


def test_ever_is_never_below_what_the_judge_counted() -> None:
    assert Claims().heard(live(ever=5)).ever == 5


def test_a_claim_that_could_not_be_decided_is_unknown_and_says_why() -> None:
    said = Judged(
        run_id="r1",
        provisional=False,
        status="unknown",
        judged=dict.fromkeys(CORE, 3),
        unknowns={"charged_at_most_once": "the journal was not read", "faults_fired": "f1 did not"},
        checks={"faults_fired": "f1 did not", "history_is_complete": ""},
    )

    claims = Claims().heard(said)

    unknown = [(one.name, one.mark, one.why) for one in claims.rows() if one.state == "unknown"]
    assert unknown == [("charged_at_most_once", "U", "the journal was not read")]
    assert [(one.name, one.passed) for one in claims.checks()] == [
        ("faults_fired", False),
        ("history_is_complete", True),
    ]


def test_a_violation_is_counted_beyond_those_that_are_listed() -> None:
    said = Judged(
        run_id="r1",
        provisional=False,
        status="invalid",
        violations=(violation("cart_follows_the_order", None),),
        broken={"cart_follows_the_order": 250},
    )

    found = Claims().heard(said).rows()[-1]

    assert (found.name, found.broken, found.first) == ("cart_follows_the_order", 250, "the run")


def test_suspicion_marks_a_claim_and_breaks_none() -> None:
    rows = Claims().heard(live()).rows(["told refused, yet a capture stands"])

    suspects = {one.name: (one.mark, one.suspect, one.broken) for one in rows if one.suspect}
    assert suspects == {
        "unconfirmed_means_not_paid": ("?", 1, 0),
        "replies_are_true": ("?", 1, 0),
    }


@pytest.mark.parametrize(
    "suspect",
    [
        row(captures=2),
        row(told="failed", net_minor=5, order="failed", captures=1),
        row(payment="failed", net_minor=5),
        row(told="refused", order="confirmed", net_minor=5),
        row(order="confirmed", ended_ms=1.0, total_minor=5),
        row(overdue=True, order="pending"),
    ],
    ids=suspicion,
)
def test_every_rule_of_suspicion_points_at_a_claim(suspect: Row) -> None:
    assert suspicion(suspect)
    assert suspects_by_claim([suspicion(suspect)])
