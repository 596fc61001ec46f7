from pathlib import Path

import pytest

from tests.integration.pytest_plugin.session import CALM, LOST, Ended, pytest_in

UNFIRED = """\
version: 1
name: unfired
why: A fault that finds nothing to break proves nothing.
load: {checkouts: 2}
faults:
  - {name: never, link: payment_to_gateway, down: true, from: {event: gateway.refunded}}
expect: {hardened: valid}
"""
BAD = CALM.replace("calm", "bad").replace("load: {checkouts: 2}", "load: {checkout: 2}")


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """One session over a file that holds and fails, one undecided, one that is no scenario."""
    folder = tmp_path_factory.mktemp("suite")
    for name, text in (("lost", LOST), ("unfired", UNFIRED), ("bad", BAD)):
        (folder / f"{name}.scenario.yaml").write_text(text, encoding="utf-8")
    return pytest_in(folder, "--continue-on-collection-errors")


def test_a_file_is_one_test_for_each_strategy_it_expects_something_of(ended: Ended) -> None:
    assert ended.outcomes == {
        ("lost.scenario.yaml::naive", "FAILED"),
        ("lost.scenario.yaml::hardened", "PASSED"),
        ("unfired.scenario.yaml::hardened", "FAILED"),
        ("bad.scenario.yaml", "ERROR"),
    }
    assert ended.code == 1


def test_a_failure_reads_from_surprise_to_evidence_to_the_command_that_repeats_it(
    ended: Ended,
) -> None:
    _, _, told = ended.out.partition(" lost[naive] ")
    in_order = [
        "✘ lost × naive: invalid (expected valid)  seed 1",  # noqa: RUF001 - the report's own
        "surprise  invalid where valid was expected",
        "broken    unconfirmed_means_not_paid: captured",
        "shopper   was told: failed",
        "gateway   knows: captured",
        "faults    active: swallow",
        "History: ",
        "Reproduce with: checkout-sim run lost.scenario.yaml --strategy naive --seed 1",
    ]

    places = [told.find(line) for line in in_order]
    assert -1 not in places, (places, ended.out)
    assert places == sorted(places)
    assert "Traceback" not in ended.out
    assert "Error" not in told


def test_the_run_of_a_failure_is_still_there_to_be_explained(ended: Ended) -> None:
    (folder,) = [
        Path(line.split()[-1])
        for line in ended.out.splitlines()
        if "History: " in line and "-lost-naive-" in line
    ]

    assert (folder / "verdict.json").is_file()


def test_a_run_that_cannot_be_judged_fails_with_the_reason(ended: Ended) -> None:
    _, _, told = ended.out.partition(" unfired[hardened] ")

    assert "unknown (expected valid)" in told
    assert "never" in told.partition("History: ")[0]


def test_an_unusable_file_is_an_error_at_its_line_and_column(ended: Ended) -> None:
    assert "ERROR collecting bad.scenario.yaml" in ended.out
    assert "bad.scenario.yaml:4:8: " in ended.out
    assert 'did you mean "checkouts"' in ended.out


def test_a_stack_that_cannot_start_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "calm.scenario.yaml").write_text(CALM, encoding="utf-8")
    nobody = "http://127.0.0.1:1"
    ended = pytest_in(tmp_path, "--checkout-engine=auto", TOXIPROXY_URL=nobody)

    assert ended.outcomes == {("calm.scenario.yaml::hardened", "ERROR")}
    assert f"no Toxiproxy answers at {nobody}" in ended.out
    assert "`checkout-sim doctor`" in ended.out
    assert "Traceback" not in ended.out


def test_one_strategy_can_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "lost.scenario.yaml").write_text(LOST, encoding="utf-8")
    ended = pytest_in(tmp_path, "--collect-only", "-q", "--checkout-strategy=hardened")

    assert "lost.scenario.yaml::hardened" in ended.out
    assert "lost.scenario.yaml::naive" not in ended.out


def test_a_strategy_that_does_not_exist_is_refused_before_anything_runs(tmp_path: Path) -> None:
    ended = pytest_in(tmp_path, "--checkout-strategy=hardend")

    assert ended.code == pytest.ExitCode.USAGE_ERROR
    assert '--checkout-strategy: "hardend" is not one of naive, hardened' in ended.out
