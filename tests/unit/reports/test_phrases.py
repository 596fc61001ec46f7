from checkout_sim.reports import phrases
from checkout_sim.reports.phrases import Standing
from tests.unit.reports.stories import caught, regressed, run, undecided


def test_a_shipped_scenario_is_reproduced_by_its_name() -> None:
    names = {"scenarios/07-lost-response-silent.yaml": "lost-response-silent"}

    expected = "checkout-sim run lost-response-silent --strategy naive --seed 1"
    assert expected == phrases.reproduce(caught(), names)


def test_a_file_of_ones_own_is_reproduced_by_its_path_quoted_for_a_shell() -> None:
    assert "'scenarios/07-two words.yaml'" in phrases.reproduce(run("two words"))


def test_how_a_run_stands_follows_from_its_expectation() -> None:
    stood = [phrases.standing(one) for one in (caught(), regressed(), undecided())]

    assert stood == [Standing.AS_EXPECTED, Standing.SURPRISING, Standing.UNDECIDED]
    assert phrases.standing(run(expected=None)) is Standing.UNASKED


def test_durations_read_as_a_person_says_them() -> None:
    assert [phrases.duration(ms) for ms in (41.2, 3160.0, None)] == ["41 ms", "3.2 s", "–"]  # noqa: RUF001


def test_reports_compare_whatever_ended_first() -> None:
    ended = [run("late", "hardened"), run("calm", "hardened"), run("late"), run("calm")]

    assert [(one.scenario, one.strategy) for one in phrases.in_order(ended)] == [
        ("calm", "naive"),
        ("calm", "hardened"),
        ("late", "naive"),
        ("late", "hardened"),
    ]
