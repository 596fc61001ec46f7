"""Markdown: what must be seen first, and never more than a pull-request comment holds."""

from dataclasses import replace

from checkout_sim.model.run import Surprise
from checkout_sim.reports.evidence import NotRun
from checkout_sim.reports.markdown import LIMIT_CHARACTERS, markdown
from tests.unit.reports.stories import caught, regressed, run, undecided, violation


def test_the_first_line_says_it_all() -> None:
    text = markdown([caught(), regressed(), undecided()])

    assert text.splitlines()[0] == (
        "### ✘ checkout-sim: 1 as expected, 1 not as expected, 1 unknown"
    )
    assert text.splitlines()[2] == "3 runs, 15 checkouts through toxiproxy 2.12.0"


def test_runs_as_expected_are_told_by_the_table_alone() -> None:
    text = markdown([caught(), run("calm", "hardened")])

    assert text.startswith("### ✔ checkout-sim: 2 as expected")
    assert "<details>" not in text
    assert "| lost-response-silent | ✔ invalid (as expected) | not run |" in text
    assert "| calm | not run | ✔ valid (as expected) |" in text


def test_a_surprise_comes_with_evidence_and_the_commands_to_see_it() -> None:
    text = markdown([regressed()])

    assert "- expected valid, found invalid" in text
    assert "order ord_8f3ac2 (checkout 3): the order is failed" in text
    assert f"checkout-sim explain {regressed().id}" in text
    assert "Reproduce with: checkout-sim run" in text


def test_what_never_ran_is_told_before_everything_else() -> None:
    missing = NotRun(scenario="crash", strategy="naive", why="port 3000 is\ntaken by *nginx*")
    text = markdown([regressed()], missing=[missing])

    assert "1 never ran" in text.splitlines()[0]
    assert "port 3000 is taken by \\*nginx\\*" in text
    assert text.index("crash") < text.index("refused")


def test_text_from_a_run_cannot_break_the_page() -> None:
    text = markdown([regressed("a|b<script>`x`")])

    assert "| a\\|b&lt;script&gt;\\`x\\` |" in text
    nasty = replace(
        regressed(),
        verdict=run(found="invalid", violations=[violation(detail="```\n# no")]).verdict,
    )
    assert "````text" in markdown([nasty])


def test_thousands_of_surprises_fit_a_comment_and_are_counted() -> None:
    runs = [
        replace(
            regressed(f"scenario-{n:04}"),
            surprises=(Surprise(detail="something went wrong " * 20),),
        )
        for n in range(1500)
    ]
    text = markdown(runs)

    assert len(text) <= LIMIT_CHARACTERS
    assert "1500 not as expected" in text
    assert "more (run that needs a look), left out to fit" in text


def test_a_table_too_long_for_a_comment_is_cut_and_says_so() -> None:
    text = markdown([run(f"scenario-{n:05}") for n in range(4000)])

    assert len(text) <= LIMIT_CHARACTERS
    assert "more (scenario), left out to fit" in text


def test_nothing_run_is_said() -> None:
    assert markdown([]).startswith("### ✘ checkout-sim: nothing ran")
