"""The JUnit report: a suite per strategy, a case per scenario and invariant.

Takes runs and what was asked for and not run, gives XML. A broken claim that the scenario expects
passes and says so; any other fails, typed by the claim. What could not be decided is skipped with
its reason (the exit code is 3 all the same), what never ran is an error.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from checkout_sim.model.run import Run
from checkout_sim.model.verdict import Broken, Finding, Holds, Unknown
from checkout_sim.reports import evidence, phrases
from checkout_sim.reports.evidence import NotRun

EXPECTATION = "expectation"

_MOST_VIOLATIONS = 10
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(
    runs: Sequence[Run],
    *,
    missing: Sequence[NotRun] = (),
    targets: phrases.Targets | None = None,
) -> bytes:
    """Return the report as XML (UTF-8)."""
    whole = JUnitXml("checkout-sim")
    runs = phrases.in_order(runs)
    names = dict.fromkeys([*(run.strategy for run in runs), *(one.strategy for one in missing)])
    for strategy in sorted(names, key=phrases.strategy_place):
        suite = TestSuite(strategy)
        own = [run for run in runs if run.strategy == strategy]
        for run in own:
            suite.add_property(f"run of {run.scenario}", f"{run.id}, seed {run.seed}")
        for run in own:
            suite.add_testcases(list(_cases(run, targets)))
        suite.add_testcases([_never_ran(one) for one in missing if one.strategy == strategy])
        whole.add_testsuite(suite)
    whole.update_statistics()  # type: ignore[no-untyped-call]
    xml: bytes = whole.tostring()  # type: ignore[no-untyped-call]
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + xml + b"\n"


def _cases(run: Run, targets: phrases.Targets | None) -> Iterator[TestCase]:
    yield _expectation(run, targets)
    for name, finding in run.verdict.findings.items():
        yield _claim(run, name, finding, targets)
    for name, finding in run.verdict.checks.items():
        case = _case(run.scenario, name)
        if isinstance(finding, Unknown):
            case.result = [Skipped(_clean(f"unknown: {finding.reason}"), "unknown")]
        yield case


def _expectation(run: Run, targets: phrases.Targets | None) -> TestCase:
    """Return the case that says how the run stands as a whole; it carries the run's time."""
    took = run.timings
    seconds = (took.start_ms + took.storm_ms + took.settle_ms + took.judge_ms) / 1000
    case = _case(run.scenario, EXPECTATION, seconds=round(seconds, 3))
    rest = [one for one in run.surprises if one.kind not in {"broke", "held", "unknown"}]
    if run.undecided:
        told = "; ".join(evidence.reasons(run))
        case.result = [Skipped(_clean(f"unknown: {told}"), "unknown")]
    elif rest:
        message = "; ".join(one.detail for one in rest)
        case.result = [_failure(message, EXPECTATION, [*_heading(run), message], run, targets)]
    case.system_out = _clean("\n".join(_told_of_run(run, targets)))
    return case


def _told_of_run(run: Run, targets: phrases.Targets | None) -> Iterator[str]:
    yield from _heading(run)
    for one in run.known:
        yield f"known from the baseline: {one.detail}"
    yield from evidence.ways_to_see(run, targets)


def _claim(run: Run, name: str, finding: Finding, targets: phrases.Targets | None) -> TestCase:
    case = _case(run.scenario, name)
    surprise = evidence.of_claim(run.surprises, name)
    match finding:
        case Holds() if surprise is not None:
            told = [*_heading(run), surprise.detail]
            case.result = [_failure(surprise.detail, name, told, run, targets)]
        case Holds():
            case.system_out = f"holds; {finding.judged} looked at"
        case Unknown():
            case.result = [Skipped(_clean(f"unknown: {finding.reason}"), "unknown")]
        case Broken():
            told = [*evidence.told_all(run, finding, most=_MOST_VIOLATIONS)]
            if run.disturbed:
                case.result = [Skipped(_clean(f"unknown: {run.surprises[0].detail}"), "unknown")]
            elif surprise is not None or run.expected is None:
                message = told[0]
                case.result = [_failure(message, name, [*_heading(run), *told], run, targets)]
            else:
                known = evidence.of_claim(run.known, name)
                why = "as the scenario expects" if known is None else "known from the baseline"
                case.system_out = _clean("\n".join([f"broken, {why}", *told]))
    return case


def _heading(run: Run) -> Iterable[str]:
    return (f"{phrases.title(run)}, seed {run.seed}: {phrases.outcome(run)}",)


def _failure(
    message: str, kind: str, told: Sequence[str], run: Run, targets: phrases.Targets | None
) -> Failure:
    failure = Failure(_clean(message), kind)
    failure.text = _clean("\n".join([*told, "", *evidence.ways_to_see(run, targets)]))
    return failure


def _never_ran(one: NotRun) -> TestCase:
    case = _case(one.scenario, EXPECTATION)
    if one.skipped:
        case.result = [Skipped(_clean(one.why))]
        return case
    error = Error(_clean(one.why), "not run")
    error.text = _clean(one.why)
    case.result = [error]
    return case


def _case(scenario: str, name: str, *, seconds: float = 0.0) -> TestCase:
    return TestCase(_clean(name), classname=_clean(scenario), time=seconds)


def _clean(text: str) -> str:
    """Return the text without what XML 1.0 cannot hold; a service's last words may be anything."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
