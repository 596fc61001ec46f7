"""From what was typed to scenarios: shipped ones by name, one's own by file or folder.

Takes the words of the command line, gives sound scenarios, or raises with every problem found.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from checkout_sim.cli.streams import complain
from checkout_sim.model.errors import (
    CheckoutSimError,
    Problem,
    ScenarioInvalid,
    ScenarioNotFound,
    StrategyUnknown,
)
from checkout_sim.model.scenario import Scenario
from checkout_sim.model.wire import STRATEGIES
from checkout_sim.scenario_files.shipped import links_path, shipped_roots

CORE_TAG = "core"


def chosen(targets: Sequence[str]) -> list[Scenario]:
    """Return what to run: the targets' scenarios, or the core set where none is named.

    Raises ScenarioInvalid with all problems of all files; warnings about what runs are only told.
    """
    scenarios, problems = loaded(targets)
    errors = tuple(problem for problem in problems if problem.severity == "error")
    if errors:
        raise ScenarioInvalid(errors)
    if not targets:
        scenarios = [scenario for scenario in scenarios if CORE_TAG in scenario.tags]
    running = {scenario.path for scenario in scenarios}
    for problem in problems:
        if problem.path in running:
            complain(str(problem))
    if not scenarios:
        raise ScenarioNotFound(
            f'no shipped scenario has the tag "{CORE_TAG}"; name a file, say '
            "`checkout-sim run my.yaml`"
        )
    return scenarios


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of several equal parts: `place` counts from 1."""

    place: int
    parts: int


def shard_of(said: str) -> Shard:
    """Return what `2/5` says. Raises typer.BadParameter."""
    found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", said)
    if found is None or int(found[1]) > int(found[2]):
        raise typer.BadParameter(
            f'"{said}" is no part of a whole; write K/N with 1 <= K <= N, say 2/5',
            param_hint="--shard",
        )
    return Shard(place=int(found[1]), parts=int(found[2]))


def sharded(scenarios: Sequence[Scenario], shard: Shard) -> list[Scenario]:
    """Return one part: scenarios are sorted by name and path and dealt out like cards.

    So the parts of one set are equal to within one scenario, and every machine deals alike.
    """
    dealt = sorted(scenarios, key=lambda scenario: (scenario.name, scenario.path))
    return dealt[shard.place - 1 :: shard.parts]


def loaded(targets: Sequence[str]) -> tuple[list[Scenario], tuple[Problem, ...]]:
    """Return every sound scenario meant, and all problems, warnings included."""
    # Imported here: pydantic takes 100 ms that --help does without.
    from checkout_sim.scenario_files.load import (  # noqa: PLC0415
        find_scenarios,
        link_names,
        load_scenarios,
    )

    try:
        paths = find_scenarios(targets, roots=shipped_roots())
    except ScenarioInvalid:
        raise
    except CheckoutSimError as error:
        raise ScenarioNotFound(f"{error} (`checkout-sim list` shows what is shipped)") from error
    if not paths:
        raise ScenarioNotFound("no scenario files were found; name a file or a folder")
    scenarios, problems = load_scenarios(paths, links=link_names(links_path()))
    return list(scenarios), problems


def short_names(names_by_path: Mapping[str, str]) -> dict[str, str]:
    """Return what to type for each shipped scenario's path, so that it works from anywhere."""
    roots = {root.resolve() for root in shipped_roots()}
    return {
        path: name for path, name in names_by_path.items() if Path(path).resolve().parent in roots
    }


def known_strategies(names: Sequence[str]) -> list[str] | None:
    """Return the strategies asked for, None for those the scenarios name.

    Raises StrategyUnknown for one that does not exist.
    """
    for name in names:
        if name not in STRATEGIES:
            raise StrategyUnknown(
                f'there is no strategy "{name}"{_nearest(name)}; '
                f"choose from {', '.join(STRATEGIES)}"
            )
    return list(dict.fromkeys(names)) or None


def _nearest(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only a typing error needs it

    near = get_close_matches(name, STRATEGIES, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""
