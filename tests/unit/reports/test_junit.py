"""JUnit: suite, case and failure name strategy, scenario and claim, and lead to the cause."""

from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from checkout_sim.model.run import Run, Surprise
from checkout_sim.model.verdict import Holds, Unknown
from checkout_sim.reports.evidence import NotRun
from checkout_sim.reports.junit import junit
from tests.unit.reports.stories import (
    BELIEVED,
    caught,
    disturbed,
    regressed,
    run,
    undecided,
    violation,
)

PAID = "unconfirmed_means_not_paid"


def read(runs: Sequence[Run], missing: Sequence[NotRun] = ()) -> ET.Element:
    return ET.fromstring(junit(runs, missing=missing))


def case(root: ET.Element, suite: str, scenario: str, name: str) -> ET.Element:
    found = root.find(
        f"testsuite[@name='{suite}']/testcase[@classname='{scenario}'][@name='{name}']"
    )
    assert found is not None, f"no case {name} of {scenario} in suite {suite}"
    return found


def broke(claim: str) -> Surprise:
    return Surprise(kind="broke", about=claim, detail=f"{claim} broke, which was not expected")


def test_an_unexpected_violation_fails_typed_by_its_claim_with_order_and_beliefs() -> None:
    found = replace(regressed(), surprises=(broke(PAID),))
    failure = case(read([found]), "hardened", "refused", PAID).find("failure")

    assert failure is not None
    assert failure.get("type") == PAID
    assert failure.get("message", "").startswith("order ord_8f3ac2 (checkout 3): the order is")
    for line in (
        "gateway knows: " + BELIEVED.gateway,
        "events 41, 66",
        f"checkout-sim explain {found.id}",
        "Reproduce with: checkout-sim run",
        f"checkout-sim replay {found.id}",
    ):
        assert line in (failure.text or "")


def test_an_expected_violation_passes_and_says_so() -> None:
    one = case(read([caught()]), "naive", "lost-response-silent", PAID)

    assert one.find("failure") is None
    assert (one.findtext("system-out") or "").startswith("broken, as the scenario expects\norder")


def test_a_claim_that_should_have_broken_fails_as_that_claim() -> None:
    held = Surprise(kind="held", about="every_order_ends", detail="it was expected to break")
    root = read([replace(run(), surprises=(held,))])
    failure = case(root, "naive", "calm", "every_order_ends").find("failure")

    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("every_order_ends", held.detail)


def test_a_surprise_of_no_claim_fails_the_expectation() -> None:
    few = Surprise(kind="confirmed", detail="3 of 5 checkouts confirmed, expected 5")
    root = read([replace(run(), surprises=(few,))])

    failure = case(root, "naive", "calm", "expectation").find("failure")
    assert failure is not None
    assert failure.get("message") == few.detail
    assert case(root, "naive", "calm", "every_order_ends").find("failure") is None


def test_a_violation_nobody_asked_about_fails() -> None:
    found = run(found="invalid", expected=None, violations=[violation()])

    assert case(read([found]), "naive", "calm", PAID).find("failure") is not None


def test_unknown_is_skipped_with_its_reason_and_never_passes() -> None:
    story = undecided()
    verdict = replace(story.verdict, findings={PAID: Unknown(reason="the journal was not read")})
    root = read([replace(story, verdict=verdict)])

    for name, told in (
        (PAID, "unknown: the journal was not read"),
        ("faults_fired", "unknown: swallow left no trace"),
    ):
        skipped = case(root, "naive", "crumbs", name).find("skipped")
        assert skipped is not None
        assert skipped.get("message") == told
    assert case(root, "naive", "crumbs", "expectation").find("skipped") is not None


def test_what_never_ran_is_an_error_with_the_reason() -> None:
    missing = NotRun(scenario="crash", strategy="hardened", why="port 3000 is taken")
    root = read([run()], [missing])

    error = case(root, "hardened", "crash", "expectation").find("error")
    assert error is not None
    assert error.get("message") == "port 3000 is taken"
    assert (root.get("errors"), root.get("failures")) == ("1", "0")


def test_what_the_baseline_knows_passes_and_says_so() -> None:
    root = read([replace(regressed(), surprises=(), known=(broke(PAID),))])

    one = case(root, "hardened", "refused", PAID)
    assert one.find("failure") is None
    assert "known from the baseline" in (one.findtext("system-out") or "")


def test_suites_are_strategies_in_the_order_of_their_story() -> None:
    root = read([run("a", "hardened"), run("a", "naive"), run("b", "naive")])

    assert [(suite.get("name"), suite.get("tests")) for suite in root] == [
        ("naive", "4"),
        ("hardened", "2"),
    ]


def test_the_time_of_a_run_is_counted_once() -> None:
    assert read([run()]).get("time") == "4.513"


def test_only_the_first_violations_are_told_and_the_rest_counted() -> None:
    many = [violation(order=f"ord_{n}", checkout=n) for n in range(60)]
    found = run(found="invalid", violations=many, unlisted=40)
    failure = case(read([replace(found, surprises=(broke(PAID),))]), "naive", "calm", PAID).find(
        "failure"
    )

    assert failure is not None
    assert "ord_9 " in (failure.text or "")
    assert "ord_10 " not in (failure.text or "")
    assert "and 90 violations more" in (failure.text or "")


@pytest.mark.parametrize("text", ["\x00\x1b[31m", "]]> & <x>", "\ud800", "￿"])
def test_whatever_a_service_said_the_report_is_xml(text: str) -> None:
    found = run(found="invalid", violations=[violation(detail=f"said {text}")])
    root = read([replace(found, surprises=(broke(PAID),))])

    assert case(root, "naive", "calm", PAID).find("failure") is not None


def test_a_report_of_nothing_is_a_report() -> None:
    assert read([]).get("tests") == "0"


def test_a_claim_that_holds_says_how_much_was_looked_at() -> None:
    story = run()
    assert story.verdict.findings == {"every_order_ends": Holds(judged=5)}

    one = case(read([story]), "naive", "calm", "every_order_ends")
    assert one.findtext("system-out") == "holds; 5 looked at"


def test_a_run_the_machine_disturbed_is_skipped_with_the_reason_and_fails_nothing() -> None:
    root = read([replace(disturbed(), strategy="naive", verdict=caught().verdict)])

    for name in ("expectation", PAID):
        skipped = case(root, "naive", "cancel-races-charge", name).find("skipped")
        assert skipped is not None
        assert "the machine stood still for 616 ms" in skipped.get("message", "")
    assert root.get("failures") == "0"
