"""Runs are the same when the same claims broke for the same checkouts, whatever ids orders got."""

from dataclasses import replace

from checkout_sim.model.verdict import Unknown, Verdict
from checkout_sim.reports.sameness import Difference, broken_for, differences, same
from tests.unit.reports.stories import run, violation


def verdict(*violations: tuple[str, int | None, str]) -> Verdict:
    found = [violation(claim, checkout=n, order=order) for claim, n, order in violations]
    return run(found="invalid" if found else "valid", violations=found).verdict


LOST = verdict(("replies_are_true", 3, "ord_a"), ("charged_at_most_once", 4, "ord_b"))


def test_other_order_ids_make_no_difference() -> None:
    again = verdict(("replies_are_true", 3, "ord_x"), ("charged_at_most_once", 4, "ord_y"))

    assert same(LOST, again)
    assert differences(LOST, again) == ()


def test_another_checkout_makes_one() -> None:
    other = verdict(("replies_are_true", 5, "ord_x"), ("charged_at_most_once", 4, "ord_y"))

    assert not same(LOST, other)
    assert differences(LOST, other) == (
        Difference(claim="replies_are_true", before=frozenset({3}), after=frozenset({5})),
    )


def test_a_claim_that_holds_now_is_told_as_held() -> None:
    (gone,) = differences(LOST, verdict(("charged_at_most_once", 4, "ord_b")))

    assert (gone.claim, gone.after) == ("replies_are_true", None)


def test_what_could_not_be_decided_is_the_same_as_nothing_else() -> None:
    unread = replace(
        LOST, findings={**LOST.findings, "every_order_ends": Unknown(reason="orders unread")}
    )

    assert not same(LOST, unread)
    assert [one.why for one in differences(LOST, unread)] == ["orders unread"]


def test_a_violation_without_a_checkout_counts_as_itself() -> None:
    assert broken_for(verdict(("replies_are_true", None, "ord_a"))) == {
        "replies_are_true": frozenset({None})
    }
