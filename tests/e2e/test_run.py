"""`checkout-sim run` from a terminal: verdicts, exit codes, and nothing left behind."""

import signal
from pathlib import Path

import jsonschema
import pytest

from checkout_sim.reports.summary import schema
from tests.e2e.command import (
    ROOT,
    checkout_sim,
    family,
    report_in,
    start,
    survivors,
    wait_for_history,
)

SLOW = """
version: 1
name: slow
why: Long enough to be interrupted.
load: {checkouts: 40}
faults:
  - name: slow
    link: payment_to_gateway
    toxic: latency
    stream: downstream
    attributes: {latency: 500ms}
expect:
  hardened: valid
"""
QUICK = """
version: 1
name: quick
why: Nothing fails.
load: {checkouts: 3}
expect:
  naive: valid
  hardened: {verdict: valid, confirmed: 3}
"""


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    (tmp_path / "quick.yaml").write_text(QUICK)
    return tmp_path


def test_naive_is_caught_as_expected_and_the_others_hold(tmp_path: Path) -> None:
    ended = checkout_sim("run", "lost-response-silent", "--json", "report.json", cwd=tmp_path)

    assert ended.code == 0, ended.err
    report = report_in(tmp_path / "report.json")
    jsonschema.validate(report, schema())
    verdicts = {run["strategy"]: (run["verdict"], run["as_expected"]) for run in report["runs"]}
    assert verdicts.pop("naive") == ("invalid", True)
    assert {"hardened", "orchestrated"} <= verdicts.keys()
    assert set(verdicts.values()) == {("valid", True)}
    (naive,) = [run for run in report["runs"] if run["strategy"] == "naive"]
    assert {violation["invariant"] for violation in naive["violations"]} == {
        "unconfirmed_means_not_paid",
        "payment_agrees_with_gateway",
        "replies_are_true",
    }
    assert {f["name"]: f["fired"] for f in naive["faults"]} == {"hold": True, "swallow": True}
    assert ended.out.rstrip().splitlines()[-1].startswith("Reproduce with: checkout-sim run")


def test_strict_turns_an_expected_violation_into_exit_1(tmp_path: Path) -> None:
    arguments = ("run", "requires-action", "--strategy", "naive")

    assert checkout_sim(*arguments, cwd=tmp_path).code == 0
    assert checkout_sim(*arguments, "--strict", cwd=tmp_path).code == 1


def test_an_unexpected_verdict_is_exit_1_and_says_what_differs(quick: Path) -> None:
    text = QUICK.replace("confirmed: 3", "confirmed: 2")
    (quick / "quick.yaml").write_text(text)
    ended = checkout_sim("run", "quick.yaml", "--strategy", "hardened", cwd=quick)

    assert ended.code == 1
    assert "3 of 3 checkouts confirmed, expected 2" in ended.out


def test_a_fault_that_never_fires_makes_the_run_unknown_and_exit_3(quick: Path) -> None:
    never = """
faults:
  - {name: never, link: payment_to_gateway, down: true, from: {event: gateway.refunded}}
expect:"""
    (quick / "quick.yaml").write_text(QUICK.replace("\nexpect:", never))
    ended = checkout_sim("run", "quick.yaml", "--strategy", "hardened", cwd=quick)

    assert ended.code == 3, ended.out
    assert "never" in ended.out


def test_an_invalid_scenario_is_exit_2_with_every_problem_in_place(quick: Path) -> None:
    text = QUICK.replace("checkouts: 3}", "checkouts: 3, speed: 9}").replace("naive:", "naiv:")
    (quick / "quick.yaml").write_text(text)
    ended = checkout_sim("run", "quick.yaml", cwd=quick)

    assert ended.code == 2
    assert "quick.yaml:5:22" in ended.err
    assert 'did you mean "naive"' in ended.err
    assert not (quick / ".checkout-sim").exists()


def test_an_archived_run_is_judged_again_to_the_same_verdict(quick: Path) -> None:
    first = checkout_sim("run", "quick.yaml", "--strategy", "hardened", cwd=quick)
    assert first.code == 0, first.err
    again = checkout_sim("judge", "latest", cwd=quick)

    assert again.code == 0
    assert "valid" in again.out


def test_the_embedded_proxy_server_is_named_where_it_ran(quick: Path) -> None:
    arguments = ("run", "quick.yaml", "--engine", "embedded", "--json", "report.json")
    ended = checkout_sim(*arguments, cwd=quick)

    assert ended.code == 0, ended.err
    assert report_in(quick / "report.json")["engine"] == {"name": "embedded", "version": "2.12.0"}
    assert "embedded 2.12.0" in ended.out


def test_ctrl_c_ends_with_130_leaves_nothing_and_keeps_the_history(tmp_path: Path) -> None:
    (tmp_path / "slow.yaml").write_text(SLOW)
    process = start("run", "slow.yaml", cwd=tmp_path)
    wait_for_history(tmp_path, "client.sent")
    children = family(process)
    assert children

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert process.returncode == 130
    assert survivors(children) == []
    (history,) = tmp_path.glob(".checkout-sim/runs/*/history.ndjson")
    assert "run.opened" in history.read_text()


def test_kill_9_of_the_tool_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "slow.yaml").write_text(SLOW)
    process = start("run", "slow.yaml", cwd=tmp_path)
    wait_for_history(tmp_path, "client.sent")
    children = family(process)

    process.kill()
    process.communicate(timeout=30)

    assert survivors(children) == []


def test_two_runs_side_by_side_never_meet(quick: Path) -> None:
    arguments = ("run", "quick.yaml", "--json")
    both = [start(*arguments, f"{n}.json", cwd=quick) for n in (1, 2)]
    for process in both:
        process.communicate(timeout=60)

    assert [process.returncode for process in both] == [0, 0]
    ids = [run["id"] for n in (1, 2) for run in report_in(quick / f"{n}.json")["runs"]]
    assert len(set(ids)) == 4


def test_a_folder_that_cannot_be_written_is_one_clear_message(quick: Path) -> None:
    (quick / "taken").write_text("a file where the archive should be")
    ended = checkout_sim("run", "quick.yaml", "--runs-dir", "taken", cwd=quick)

    assert ended.code != 0
    assert "taken" in ended.err
    assert "Traceback" not in ended.err


def test_a_map_of_links_ships_with_the_tool_wherever_it_is_called(quick: Path) -> None:
    assert not (quick / "toxiproxy.json").exists()
    assert (ROOT / "toxiproxy.json").exists()
    ended = checkout_sim("run", "quick.yaml", "--strategy", "naive", cwd=quick)

    assert ended.code == 0, ended.err
