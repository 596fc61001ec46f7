"""Scenario files in, `Scenario`s or every problem of every file out. Costs no stack.

The rest of the tool meets this floor here: `load_scenario`, `load_scenarios`, `find_scenarios`,
`link_names` and `json_schema`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from checkout_sim.model.errors import Problem, ScenarioInvalid
from checkout_sim.model.scenario import Scenario
from checkout_sim.scenario_files.build import scenario_of
from checkout_sim.scenario_files.find import find_scenarios
from checkout_sim.scenario_files.links import link_names
from checkout_sim.scenario_files.lint import warnings
from checkout_sim.scenario_files.parse import Document, read_document
from checkout_sim.scenario_files.problems import in_order, problems_of, problems_of_shape
from checkout_sim.scenario_files.rules import findings
from checkout_sim.scenario_files.salvage import salvage
from checkout_sim.scenario_files.shape import ScenarioShape, json_schema

__all__ = ["find_scenarios", "json_schema", "link_names", "load_scenario", "load_scenarios"]


def load_scenario(path: Path, *, links: Sequence[str]) -> Scenario:
    """Return the scenario of one file; raise ScenarioInvalid with all that is wrong in it.

    `links` are the names of `toxiproxy.json`. Warnings stop nothing and are not told here.
    """
    scenario, problems = _load(path, links)
    if scenario is None:
        raise ScenarioInvalid(problems)
    return scenario


def load_scenarios(
    paths: Sequence[Path], *, links: Sequence[str]
) -> tuple[tuple[Scenario, ...], tuple[Problem, ...]]:
    """Return the sound scenarios in order, and all problems of all files, warnings included."""
    loaded = [_load(path, links) for path in paths]
    scenarios = tuple(scenario for scenario, _ in loaded if scenario is not None)
    return scenarios, tuple(problem for _, problems in loaded for problem in problems)


def _load(path: Path, links: Sequence[str]) -> tuple[Scenario | None, tuple[Problem, ...]]:
    """Return the scenario, if it is sound, and what is wrong or doubtful."""
    context = {"links": links}
    try:
        document = read_document(path)
        shape = ScenarioShape.model_validate(document.data, context=context)
    except ScenarioInvalid as error:
        return None, error.problems
    except ValidationError as error:
        return None, _all_problems(document, error, context)
    errors = problems_of(findings(shape, stem=path.stem), document)
    if errors:
        return None, errors
    return scenario_of(shape, document), problems_of(warnings(shape), document)


def _all_problems(
    document: Document, error: ValidationError, context: Mapping[str, object]
) -> tuple[Problem, ...]:
    """Return what is misshapen, and what the rules say of the parts that are not."""
    problems = problems_of_shape(error, document)
    left = salvage(document, error, context=context)
    if left is None:
        return problems
    ruled = left.told(findings(left.shape, stem=Path(document.path).stem))
    return in_order([*problems, *problems_of(ruled, document)])
