"""Which runs need a server (broker, database), and what becomes of those this machine has none for.

A run that somebody asked for by name goes ahead and fails with what to install; one that merely
came along, with a folder or with the strategies a scenario expects something of, is skipped aloud.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from checkout_sim.cli.options import DatabaseName
from checkout_sim.model.scenario import Scenario
from checkout_sim.reports.evidence import NotRun
from checkout_sim.stack.servers import ServerName, needed, unavailable

_NEEDS = {"broker": "rabbitmq-server", "database": "postgresql"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was typed: the targets, strategies and database that were named."""

    targets: Sequence[str]
    strategies: Sequence[str]
    database: DatabaseName | None


def without_what_is_missing(
    pairs: Sequence[tuple[Scenario, str]],
    *,
    asked: Asked,
    has_database: bool,
    missing: Callable[[ServerName], str | None] = unavailable,
) -> tuple[list[tuple[Scenario, str]], list[NotRun]]:
    """Return the runs to make, and those skipped for want of a server.

    `has_database` says that somebody's own database server is used, where no fault strikes it.
    `missing` says why a server cannot be started here, or None.
    """
    why: dict[ServerName, str | None] = {}
    kept: list[tuple[Scenario, str]] = []
    skipped: list[NotRun] = []
    for scenario, strategy in pairs:
        lacking: list[ServerName] = []
        for name in needed(strategy, scenario.stack):
            if name == "database" and has_database and not _strikes_database(scenario):
                continue
            if name not in why:
                why[name] = missing(name)
            if why[name] is not None and not _by_name(name, scenario, strategy, asked):
                lacking.append(name)
        if not lacking:
            kept.append((scenario, strategy))
            continue
        told = "; ".join(f"{_NEEDS[name]} ({why[name]})" for name in lacking)
        skipped.append(
            NotRun(
                scenario=scenario.name,
                strategy=strategy,
                why=f"skipped: needs {told}",
                skipped=True,
            )
        )
    return kept, skipped


def _strikes_database(scenario: Scenario) -> bool:
    return any("database" in getattr(fault.kind, "processes", ()) for fault in scenario.faults)


def _by_name(name: ServerName, scenario: Scenario, strategy: str, asked: Asked) -> bool:
    """Return whether what needs this server was named, not merely found."""
    named = any(
        target == scenario.name or (Path(target) == Path(scenario.path))
        for target in asked.targets
        if not Path(target).is_dir()
    )
    if name == "database":
        return named or asked.database == "postgres"
    return strategy in asked.strategies
