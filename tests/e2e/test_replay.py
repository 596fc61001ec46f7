"""A run made again from its archive, and the files a build server reads: one archive for all."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.e2e.command import Ended, checkout_sim

NAIVE = """
version: 1
name: lost
why: The gateway's answer is lost; the shopper is told a lie.
load: {checkouts: 2}
faults:
  - name: cut
    link: payment_to_gateway
    toxic: timeout
    stream: downstream
    attributes: {timeout: 0ms}
    from: {before_checkout: 2}
    until: {event: client.ended, checkout: 2}
expect:
  naive: valid
"""

pytestmark = pytest.mark.xdist_group("replay")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one archived run of naive, which breaks what its scenario says must hold."""
    folder = tmp_path_factory.mktemp("replay")
    (folder / "lost.yaml").write_text(NAIVE)
    ended = ran(folder, "--json", "base.json", "--junit", "r.xml", github=True)
    assert ended.code == 1, ended.out + ended.err
    (folder / "said.txt").write_text(ended.out)
    return folder


def ran(folder: Path, *arguments: str, github: bool = False) -> Ended:
    return checkout_sim(
        *("run", "lost.yaml", "--engine", "embedded", *arguments),
        cwd=folder,
        env={
            "GITHUB_ACTIONS": "true" if github else "",
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md") if github else "",
        },
    )


def first_run(here: Path) -> str:
    name: str = json.loads((here / "base.json").read_text())["runs"][0]["id"]
    return name


def test_the_junit_file_alone_leads_to_the_cause(here: Path) -> None:
    failures = {one.get("type"): one.text or "" for one in ET.parse(here / "r.xml").iter("failure")}

    assert "unconfirmed_means_not_paid" in failures
    told = failures["unconfirmed_means_not_paid"]
    assert "checkout 2" in told
    assert "gateway knows: captured" in told
    assert f"checkout-sim replay {first_run(here)}" in told


def test_github_is_told_at_the_line_of_the_expectation(here: Path) -> None:
    line = 1 + NAIVE.splitlines().index("  naive: valid")

    assert f"::error file=lost.yaml,line={line},title=lost" in (here / "said.txt").read_text()
    assert (here / "summary.md").read_text().startswith("### ✘ checkout-sim: 1 not as expected")


def test_a_replay_breaks_the_same_claims_whatever_became_of_the_scenario(here: Path) -> None:
    (here / "lost.yaml").write_text(NAIVE.replace("checkouts: 2}", "checkouts: 9}"))
    ended = checkout_sim("replay", first_run(here), "--times", "2", cwd=here)
    (here / "lost.yaml").write_text(NAIVE)

    assert ended.code == 0, ended.out + ended.err
    assert "lost.yaml has changed since" in ended.err
    assert "2 of 2 replays broke the same claims for the same checkouts" in ended.out
    assert "unconfirmed_means_not_paid" in ended.out
    locks = [path.read_text() for path in sorted(here.glob(".checkout-sim/runs/*/scenario.lock"))]
    assert len(locks) >= 3
    assert len(set(locks)) == 1


def test_a_diff_of_original_and_replay_differs_in_timings_alone(here: Path) -> None:
    ended = checkout_sim("diff", first_run(here), "latest", cwd=here)

    assert ended.code == 0, ended.out + ended.err
    assert "the verdicts are the same" in ended.out


def test_what_the_baseline_had_fails_nothing(here: Path) -> None:
    ended = ran(here, "--baseline", "base.json", "--junit", "again.xml", "--json", "again.json")

    assert ended.code == 0, ended.out + ended.err
    assert "known from the baseline" in ended.out
    assert list(ET.parse(here / "again.xml").iter("failure")) == []
    (run,) = json.loads((here / "again.json").read_text())["runs"]
    assert run["as_expected"] is False  # the report stays the truth, and can be a baseline itself


def test_an_engine_that_is_not_here_is_exit_4_and_names_the_way_out(here: Path) -> None:
    history = here / ".checkout-sim" / "runs" / first_run(here) / "history.ndjson"
    as_it_was = history.read_text()
    engine = '"engine":{"name":"embedded"'
    assert engine in as_it_was
    history.write_text(as_it_was.replace(engine, '"engine":{"name":"toxiproxy"'))
    nowhere = {"PATH": "", "XDG_CACHE_HOME": str(here / "none"), "HOME": str(here / "none")}
    ended = checkout_sim("replay", first_run(here), cwd=here, env=nowhere)
    history.write_text(as_it_was)

    assert ended.code == 4, ended.out + ended.err
    assert "the run went through toxiproxy" in ended.err
    assert "--engine embedded" in ended.err


def test_more_claims_can_be_put_to_what_was_seen(here: Path) -> None:
    ended = checkout_sim(
        *("judge", first_run(here), "--also", "intent_precedes_call", "--json", "-"), cwd=here
    )

    broken = {one["invariant"] for one in json.loads(ended.out)["runs"][0]["violations"]}
    assert "intent_precedes_call" in broken
