import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from checkout_sim.model.run import Run
from checkout_sim.reports.summary import report, run_json, schema
from tests.unit.reports.stories import TOXIPROXY, caught, regressed, run, undecided

PROMISED = {
    "": {"version", "engine", "runs"},
    "engine": {"name", "version"},
    "run": {
        *("id", "scenario", "strategy", "seed", "verdict", "expected", "as_expected"),
        *("orders", "violations", "faults", "timings"),
    },
    "orders": {"total", "confirmed", "rolled_back", "unsettled"},
    "violation": {"invariant", "order_id", "detail"},
    "fault": {"name", "fired"},
    "timings": {
        *("start_ms", "storm_ms", "settle_ms", "judge_ms"),
        *("checkout_p50_ms", "checkout_p99_ms"),
    },
}


def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


@pytest.mark.parametrize(
    "runs",
    [[], [run()], [caught(), regressed(), undecided()], [run(expected=None)]],
    ids=["no run", "clean", "mixed", "nothing expected"],
)
def test_every_report_is_what_the_schema_says(runs: list[Run]) -> None:
    whole = json.loads(json.dumps(report(runs)))

    assert list(validator().iter_errors(whole)) == []


def without(whole: dict[str, Any], *path: str | int) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(whole))
    inner: Any = copy
    for part in path[:-1]:
        inner = inner[part]
    del inner[path[-1]]
    return copy


@pytest.mark.parametrize(
    "path",
    [
        ("version",),
        ("engine", "version"),
        ("runs", 0, "verdict"),
        ("runs", 0, "orders", "unsettled"),
        ("runs", 0, "violations", 0, "order_id"),
        ("runs", 0, "faults", 0, "fired"),
        ("runs", 0, "timings", "checkout_p99_ms"),
    ],
)
def test_the_schema_refuses_a_report_that_lost_a_key(path: tuple[str | int, ...]) -> None:
    assert not validator().is_valid(without(report([caught()]), *path))


def test_the_schema_refuses_a_verdict_that_is_none() -> None:
    whole = report([caught()])
    whole["runs"][0]["verdict"] = "broken"

    assert not validator().is_valid(whole)


def test_no_promised_key_is_dropped() -> None:
    whole = report([caught()])
    one = whole["runs"][0]
    found = {
        "": whole,
        "engine": whole["engine"],
        "run": one,
        "orders": one["orders"],
        "violation": one["violations"][0],
        "fault": one["faults"][0],
        "timings": one["timings"],
    }
    assert {
        part: PROMISED[part] - set(found[part])
        for part in PROMISED
        if PROMISED[part] - set(found[part])
    } == {}


def test_the_schema_requires_every_promised_key() -> None:
    whole = schema()
    required = {
        "": whole["required"],
        "engine": whole["properties"]["engine"]["required"],
        "run": whole["$defs"]["run"]["required"],
        "orders": whole["$defs"]["run"]["properties"]["orders"]["required"],
        "violation": whole["$defs"]["violation"]["required"],
        "fault": whole["$defs"]["fault"]["required"],
        "timings": whole["$defs"]["run"]["properties"]["timings"]["required"],
    }
    assert all(PROMISED[part] <= set(required[part]) for part in PROMISED)


def test_a_catch_is_reported_with_its_evidence() -> None:
    one = run_json(caught())

    assert (one["verdict"], one["expected"], one["as_expected"]) == ("invalid", "invalid", True)
    assert one["violations"][0] == {
        "invariant": "unconfirmed_means_not_paid",
        "order_id": "ord_8f3ac2",
        "checkout": 3,
        "detail": "the order is failed, yet 42.00 usd was captured and kept",
        "events": [41, 66],
    }
    assert one["beliefs"]["ord_8f3ac2"]["gateway"] == "captured 42.00 usd, nothing refunded"
    assert [{key: fault[key] for key in ("name", "fired")} for fault in one["faults"]] == [
        {"name": "swallow", "fired": True}
    ]


def test_nothing_expected_is_null_and_not_false() -> None:
    one = run_json(run(expected=None))

    assert (one["expected"], one["as_expected"]) == (None, None)


def test_an_unknown_run_carries_its_reasons() -> None:
    assert run_json(undecided())["unknowns"] == {"faults_fired": "swallow left no trace"}


def test_a_report_cut_short_says_so() -> None:
    whole = report([], engine=TOXIPROXY, complete=False)

    assert (whole["complete"], whole["engine"]["name"]) == (False, "toxiproxy")
