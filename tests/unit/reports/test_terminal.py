import dataclasses
import io
from collections.abc import Sequence

from rich.console import Console

from checkout_sim.model.run import Run
from checkout_sim.reports.evidence import NotRun
from checkout_sim.reports.terminal import judged_report, verdict_report
from tests.unit.reports.stories import caught, disturbed, regressed, run, undecided, violation


def drawn(
    runs: Sequence[Run],
    *,
    skipped: Sequence[NotRun] = (),
    verbose: bool = False,
    width: int = 100,
) -> list[str]:
    paper = io.StringIO()
    console = Console(file=paper, width=width, markup=False, highlight=False, emoji=False)
    report = verdict_report(runs, seconds=23.4, skipped=skipped, verbose=verbose)
    console.print(report, crop=False)
    return [line.rstrip() for line in paper.getvalue().splitlines()]


def row_of(scenario: str, lines: Sequence[str]) -> str:
    return next(line for line in lines if line.strip().startswith(scenario + "  "))


def test_a_cell_says_the_verdict_and_that_it_was_expected() -> None:
    lines = drawn([caught(), run("lost-response-silent", "hardened")])

    assert "✔ invalid" in row_of("lost-response-silent", lines)
    assert "✔ valid" in row_of("lost-response-silent", lines)


def test_a_cell_says_what_was_expected_instead() -> None:
    lines = drawn([run("refused", expected="invalid", surprises=["too good"]), regressed()])

    assert "✘ valid (expected invalid)" in row_of("refused", lines)
    assert "✘ invalid (expected valid)" in row_of("refused", lines)


def test_the_right_verdict_for_the_wrong_reasons_is_not_as_expected() -> None:
    wrong = run("refused", found="invalid", expected="invalid", surprises=["P was not to break"])

    assert "✘ invalid (but not as expected)" in row_of("refused", drawn([wrong]))


def test_a_strategy_that_did_not_run_a_scenario_has_a_cell_that_says_so() -> None:
    assert "not run" in row_of("crumbs", drawn([run("calm", "hardened"), undecided()]))


def test_what_came_along_and_could_not_run_here_has_a_cell_and_a_line_with_its_reason() -> None:
    why = "skipped: needs rabbitmq-server (not installed)"
    lacking = [
        NotRun(scenario=name, strategy="choreographed", why=why, skipped=True)
        for name in ("calm", "broker-killed")
    ]
    lines = drawn([run("calm", "hardened")], skipped=lacking)

    assert row_of("calm", lines).split() == ["calm", "✔", "valid", "skipped"]
    assert row_of("broker-killed", lines).split()[-1] == "skipped"
    assert f"choreographed  2 runs {why}" in lines
    assert "1 run: 1 as expected" in "\n".join(lines)


def test_two_files_of_one_name_keep_rows_of_their_own() -> None:
    mine = dataclasses.replace(run("calm"), scenario_path="mine/calm.yaml")
    rows = [line for line in drawn([run("calm"), mine]) if line.startswith(" calm  ")]

    assert len(rows) == 2


def test_a_violation_block_names_order_claims_beliefs_and_faults() -> None:
    text = "\n".join(drawn([caught()]))

    for said in (
        "order ord_8f3ac2, checkout 3",
        "unconfirmed_means_not_paid: the order is failed, yet 42.00 usd was captured and kept",
        "replies_are_true: told failed, yet charged",
        "was told: failed (HTTP 500)",
        "believes: failed, 42.00 usd",
        "knows: captured 42.00 usd, nothing refunded",
        "active: hold, swallow",
        "events 41, 66",
    ):
        assert said in text


def test_the_last_line_says_how_to_see_it_again() -> None:
    expected = (
        "Reproduce with: checkout-sim run scenarios/07-lost-response-silent.yaml "
        "--strategy naive --seed 1"
    )
    assert expected == drawn([caught()])[-1]


def test_the_command_to_copy_is_never_wrapped() -> None:
    assert drawn([caught()])[-1] == drawn([caught()], width=40)[-1]


def test_nothing_to_see_again_when_every_order_was_consistent() -> None:
    assert not [line for line in drawn([run(), run("calm", "hardened")]) if "Reproduce" in line]


def test_a_surprise_is_the_one_to_reproduce_although_another_was_caught_first() -> None:
    assert "refused.yaml --strategy hardened" in drawn([caught(), regressed()])[-1]


def test_blocks_of_surprises_stand_next_to_the_table() -> None:
    lines = drawn([regressed(), caught()])
    headings = [line for line in lines if " × " in line]  # noqa: RUF001 - as printed

    assert [line.split()[1] for line in headings] == ["lost-response-silent", "refused"]


def test_a_surprise_says_why_before_any_evidence() -> None:
    lines = drawn([regressed()])
    why = next(n for n, line in enumerate(lines) if "expected valid, found invalid" in line)
    evidence = next(n for n, line in enumerate(lines) if "order ord_8f3ac2" in line)

    assert why < evidence


def test_an_expected_catch_is_told_by_its_first_order_and_the_rest_counted() -> None:
    two = run(
        found="invalid",
        expected="invalid",
        violations=(violation(), violation(order="ord_second", checkout=4)),
    )
    brief, whole = "\n".join(drawn([two])), "\n".join(drawn([two], verbose=True))

    assert "ord_second" not in brief
    assert "and 1 more order (1 violation); --verbose shows all" in brief
    assert "ord_second" in whole


def test_an_unexpected_violation_is_told_in_full() -> None:
    assert "order ord_second, checkout 4" in "\n".join(drawn([regressed()]))


def test_a_surprise_about_many_orders_is_told_by_five_and_the_rest_counted() -> None:
    many = [violation(order=f"ord_{n}", checkout=n) for n in range(1, 41)]
    surprise = run("retry-storm", found="invalid", violations=many, surprises=["it broke"])
    brief, whole = "\n".join(drawn([surprise])), "\n".join(drawn([surprise], verbose=True))

    assert ("order ord_5," in brief, "order ord_6," in brief) == (True, False)
    assert "and 35 more orders (35 violations); --verbose shows all" in brief
    assert "order ord_40," in whole


def test_violations_beyond_the_listed_hundred_are_counted() -> None:
    many = run(found="invalid", expected="invalid", violations=[violation()], unlisted=900)

    assert "and 900 violations more than a report lists" in "\n".join(drawn([many]))


def test_a_violation_without_an_order_is_told_by_its_checkout() -> None:
    orphan = violation("one_confirmed_order_per_checkout", order=None, checkout=5)
    broken = run(found="invalid", expected="invalid", violations=[orphan])

    assert "checkout 5" in "\n".join(drawn([broken]))


def test_an_unknown_run_gives_its_reasons() -> None:
    assert "swallow left no trace (faults_fired)" in "\n".join(drawn([undecided()]))


def test_each_strategy_is_summed_up_in_a_line() -> None:
    lines = drawn([run("calm"), caught(), run("calm", "hardened"), regressed()])

    assert "naive     2 runs: caught in 1, clean in 1, as expected" in lines
    assert "hardened  2 runs: caught in 1, clean in 1; 1 not as expected" in lines


def test_the_summary_counts_runs_checkouts_and_seconds_and_names_the_proxy_server() -> None:
    summary = (
        "3 runs: 1 as expected, 1 not as expected, 1 unknown; "
        "15 checkouts in 23.4 s through toxiproxy 2.12.0"
    )
    assert summary in drawn([caught(), regressed(), undecided()])


def test_a_run_without_expectation_is_told_apart() -> None:
    lines = drawn([run(expected=None)])

    assert "· valid (nothing expected)" in row_of("calm", lines)
    assert "1 without expectation" in " ".join(lines[-2:])


def test_brackets_in_evidence_are_text_and_not_markup() -> None:
    tricky = run(found="invalid", expected="invalid", violations=[violation(detail="keys [bold]")])

    assert "keys [bold]" in "\n".join(drawn([tricky]))


def test_timings_are_shown_on_request() -> None:
    said = "calm × naive: start 900 ms, storm 3.1 s, settle 500 ms, judge 12 ms"  # noqa: RUF001
    assert any(line.startswith(said) for line in drawn([run()], verbose=True))
    assert not any(line.startswith(said) for line in drawn([run()]))


def test_a_run_judged_again_shows_every_violation_and_how_to_run_it() -> None:
    paper = io.StringIO()
    Console(file=paper, width=100).print(judged_report(regressed()), crop=False)

    assert "ord_second" in paper.getvalue()
    assert "Reproduce with: checkout-sim run" in paper.getvalue().splitlines()[-1]


def test_one_reason_for_many_unknowns_is_told_once() -> None:
    reason = "the payments ledger was not read"
    blind = run(
        found="unknown",
        unknowns={"every_order_ends": reason, "replies_are_true": reason},
        surprises=[f"unknown, which satisfies no expectation: every_order_ends: {reason}"],
    )
    told = [line for line in drawn([blind]) if reason in line]

    assert told == [f"  unknown   {reason} (every_order_ends, replies_are_true)"]


def test_a_run_the_machine_disturbed_is_undecided_and_says_how_long_it_stood_still() -> None:
    lines = drawn([disturbed()])

    assert "? valid (but the machine stood still)" in row_of("cancel-races-charge", lines)
    assert any("the machine stood still for 616 ms" in line for line in lines)
    assert any("0 not as expected, 1 unknown" in line for line in lines)


def test_runs_made_again_are_named_although_others_stand_in_their_place() -> None:
    again = dataclasses.replace(run(), in_place_of=("20261123-185002-calm-naive-1-38e9",))
    lines = drawn([again, run("calm", "hardened")])

    said = (
        "the machine stood still under 1 run, made again since: 20261123-185002-calm-naive-1-38e9"
    )
    assert any(said in line for line in lines)
    assert any("2 as expected" in line for line in lines)


def test_a_block_names_the_disturbed_runs_it_stands_in_place_of() -> None:
    again = dataclasses.replace(regressed(), in_place_of=("20261123-185002-refused-38e9",))

    told = " ".join(" ".join(drawn([again])).split())
    assert "made in place of 20261123-185002-refused-38e9: the machine stood still" in told
