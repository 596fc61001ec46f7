"""A replay's answer is a rate; a diff says what differs and that the rest does not."""

from collections.abc import Sequence
from dataclasses import replace

from checkout_sim.model.run import Engine, Run
from checkout_sim.reports.differing import diff_lines, verdicts_differ
from checkout_sim.reports.replayed import replay_lines
from tests.unit.reports.stories import run, undecided, violation


def broke(*found: tuple[str, int]) -> Run:
    violations = [violation(claim, checkout=n, order=f"ord_{n}") for claim, n in found]
    return run(found="invalid" if found else "valid", violations=violations)


LOST = broke(("replies_are_true", 3), ("charged_at_most_once", 3), ("charged_at_most_once", 4))


def told(original: Run, replays: Sequence[Run]) -> list[str]:
    return list(replay_lines(original, replays))


def test_replays_that_do_the_same_are_one_rate() -> None:
    assert told(LOST, [LOST] * 3) == [
        "3 of 3 replays broke the same claims for the same checkouts",
        "  replies_are_true      checkout 3: 3 of 3 the same",
        "  charged_at_most_once  checkouts 3, 4: 3 of 3 the same",
    ]


def test_replays_that_differ_are_told_claim_by_claim() -> None:
    _, first, second = told(LOST, [LOST, broke(("charged_at_most_once", 7)), broke()])

    assert first == "  replies_are_true      checkout 3: 1 of 3 the same, 2 not broken"
    assert second == (
        "  charged_at_most_once  checkouts 3, 4: 1 of 3 the same, 1 for other checkouts, "
        "checkout 7 among them, 1 not broken"
    )


def test_a_sound_run_that_stays_sound_is_told_as_such() -> None:
    assert told(broke(), [broke()]) == ["1 of 1 replay broke nothing, as the original"]


def test_what_breaks_only_in_the_replay_is_told() -> None:
    lines = told(broke(), [LOST])

    assert lines[0] == "0 of 1 replay broke nothing, as the original"
    assert lines[1].endswith("held in the original, broke in 1 of 1 for checkout 3")


def test_a_replay_that_could_not_be_judged_agrees_with_nothing() -> None:
    lines = told(LOST, [undecided()])

    assert lines[0].startswith("0 of 1 replay")
    assert lines[-1].endswith("faults_fired unknown: swallow left no trace")


def test_a_diff_of_two_equal_runs_says_so_and_shows_timings() -> None:
    lines = list(diff_lines(LOST, LOST))

    assert "the verdicts are the same: the same claims for the same checkouts" in lines
    assert not verdicts_differ(LOST, LOST)
    assert lines[-2].split() == ["checkout", "p50", "41", "ms", "→", "41", "ms", "1.00", "times"]


def test_a_diff_names_claim_checkouts_counts_and_faults() -> None:
    sound = replace(
        broke(), strategy="hardened", engine=Engine(name="embedded", version="2.12.0"), seed=2
    )
    orders = replace(sound.verdict.orders, confirmed=5)
    faults = tuple(replace(fault, fired=False) for fault in sound.verdict.faults)
    sound = replace(sound, verdict=replace(sound.verdict, orders=orders, faults=faults))
    lines = list(diff_lines(LOST, sound))

    for line in (
        "strategy: naive → hardened",
        "seed: 1 → 2",
        "engine: toxiproxy 2.12.0 → embedded 2.12.0",
        "verdict: invalid → valid",
        "orders confirmed: 4 → 5",
        "replies_are_true: broken for checkout 3 → not asked",
        "fault swallow: fired → did not fire",
    ):
        assert line in lines
    assert verdicts_differ(LOST, sound)


def test_a_diff_tells_what_could_not_be_decided() -> None:
    lines = list(diff_lines(broke(), undecided()))

    assert "verdict: valid → unknown" in lines
