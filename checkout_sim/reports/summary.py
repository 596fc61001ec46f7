"""The JSON report: runs as programs read them, described by `run_report.schema.json`.

Keys may be added within a version, none dropped or changed. The same object of one run is what
the archive keeps as `verdict.json`.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any

from checkout_sim.model.run import Engine, Run
from checkout_sim.reports import phrases

REPORT_VERSION = 1

_NO_ENGINE = Engine(name="unknown", version="unknown")


def report(
    runs: Sequence[Run],
    *,
    engine: Engine | None = None,
    complete: bool = True,
    targets: phrases.Targets | None = None,
) -> dict[str, Any]:
    """Return the whole report; `complete` is false where not every run asked for finished.

    The engine is that of the runs, else `engine`, else named unknown.
    """
    carried = runs[0].engine if runs else engine or _NO_ENGINE
    return {
        "version": REPORT_VERSION,
        "engine": {"name": carried.name, "version": carried.version},
        "complete": complete,
        "runs": [run_json(run, targets=targets) for run in phrases.in_order(runs)],
    }


def run_json(run: Run, *, targets: phrases.Targets | None = None) -> dict[str, Any]:
    """Return one run; `timings` are milliseconds, null where nothing was measured."""
    return {
        "id": run.id,
        "scenario": run.scenario,
        "scenario_path": run.scenario_path,
        "strategy": run.strategy,
        "seed": run.seed,
        "folder": str(run.folder),
        "engine": asdict(run.engine),
        **_judgement(run),
        "timings": _timings(run),
        "in_place_of": list(run.in_place_of),
        "reproduce": phrases.reproduce(run, targets),
    }


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the report."""
    text = resources.files(__package__).joinpath("run_report.schema.json").read_bytes()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _judgement(run: Run) -> dict[str, Any]:
    verdict = run.verdict
    surprises = (*run.known, *run.surprises)  # the report tells all, whatever a baseline excuses
    return {
        "verdict": verdict.status,
        "expected": run.expected.verdict if run.expected else None,
        "expectation": _expectation(run),
        "as_expected": None if run.expected is None else not surprises,
        "surprises": [surprise.detail for surprise in surprises],
        "surprise_keys": [surprise.key for surprise in surprises],
        "known": [surprise.key for surprise in run.known],
        "unknowns": dict(verdict.unknowns),
        "orders": asdict(verdict.orders),
        "violations": [
            {
                "invariant": violation.invariant,
                "order_id": violation.order_id,
                "checkout": violation.checkout,
                "detail": violation.detail,
                "events": list(violation.events),
            }
            for violation in verdict.violations
        ],
        "violations_total": phrases.violations_total(run),
        "beliefs": {order: _believed(run, order) for order in run.beliefs},
        "faults": [
            {
                "name": fault.name,
                "type": fault.type,
                "fired": fault.fired,
                "optional": fault.optional,
                "reason": fault.reason,
            }
            for fault in verdict.faults
        ],
        "notes": list(verdict.notes),
    }


def _expectation(run: Run) -> dict[str, Any] | None:
    stated = run.expected
    if stated is None:
        return None
    return {
        "verdict": stated.verdict,
        "trips": list(stated.trips),
        "may_trip": list(stated.may_trip),
        "confirmed": list(stated.confirmed) if stated.confirmed else None,
        "sees": list(stated.sees),
    }


def _believed(run: Run, order: str) -> dict[str, Any]:
    believed = asdict(run.beliefs[order])
    return {**believed, "faults": list(run.beliefs[order].faults)}


def _timings(run: Run) -> dict[str, float | None]:
    return {name: None if ms is None else round(ms, 3) for name, ms in asdict(run.timings).items()}
