"""A recorded run becomes a scenario file: drafted, validated as `validate` does, written whole.

Takes a run's folder or a scenario's text; gives a Draft or a path. Everything here blocks, and is
called off the loop.
"""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from checkout_sim.archive.recorder import HISTORY_NAME
from checkout_sim.archive.runs import read_verdict
from checkout_sim.drafting.draft import Choices, Outcome, drafted
from checkout_sim.engine.refusing import Refusal
from checkout_sim.model.answer import Draft, Saved
from checkout_sim.model.command import DraftScenario, SaveScenario
from checkout_sim.model.errors import ScenarioInvalid
from checkout_sim.model.verdict import Violation
from checkout_sim.ndjson import read_history
from checkout_sim.scenario_files.load import load_scenario

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


def draft_of(
    folder: Path, wanted: DraftScenario, *, command_id: str, links: Sequence[str]
) -> Draft:
    """Return the scenario cut from a run, with what `validate` says of it.

    Raises Refusal where nothing can be cut from it, HistoryUnreadable where it cannot be read.
    """
    observations = list(read_history(folder / HISTORY_NAME))
    choices = Choices(
        name=wanted.name or f"recorded-{folder.name[:15]}",
        drop=frozenset(wanted.drop),
        moments=wanted.moments,
        trim_idle=wanted.trim_idle,
    )
    made = drafted(observations, choices, outcome_of(read_verdict(folder)))
    if not made.text:
        raise Refusal(
            "invalid",
            "nobody bought anything in this run, and a scenario needs a checkout",
            "buy something, break something, then ask for the verdict",
        )
    return Draft(
        command_id=command_id,
        run_id=folder.name,
        name=choices.name,
        items=made.items,
        text=made.text,
        problems=problems_of(choices.name, made.text, links=links),
        notes=made.notes,
    )


def outcome_of(verdict: Mapping[str, Any] | None) -> Outcome:
    """Return what a run's verdict.json says of it; nothing where the run was not judged."""
    if verdict is None:
        return Outcome()
    return Outcome(
        status=verdict["verdict"],
        violations=tuple(
            Violation(
                invariant=one["invariant"],
                order_id=one["order_id"],
                checkout=one["checkout"],
                detail=one["detail"],
            )
            for one in verdict["violations"]
        ),
    )


def save(wanted: SaveScenario, *, folder: Path, links: Sequence[str]) -> Path:
    """Write a scenario that `validate` accepts, whole or not at all. Raises Refusal."""
    if not _NAME.fullmatch(wanted.name):
        raise Refusal(
            "invalid",
            f'"{wanted.name}" is no name for a scenario: small letters, digits and dashes',
        )
    path = folder / f"{wanted.name}.yaml"
    problems = problems_of(wanted.name, wanted.text, links=links)
    if problems:
        raise Refusal("invalid", "\n".join(problems), "correct the text, then write it again")
    if path.exists() and not wanted.replace:
        raise Refusal("invalid", f"{path} exists already", "choose another name, or replace it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_whole(path, wanted.text)
    except OSError as error:
        raise Refusal(
            "invalid",
            f"{path} cannot be written: {error.strerror or error}",
            "make room, or start the engine where scenarios may be written",
        ) from error
    return path


def saved(command_id: str, path: Path) -> Saved:
    """Return the answer to a scenario that was written."""
    return Saved(command_id=command_id, path=str(path))


def problems_of(name: str, text: str, *, links: Sequence[str]) -> tuple[str, ...]:
    """Return what `validate` has against a text, by line, as of the file it would become."""
    with tempfile.TemporaryDirectory(prefix="checkout-sim-") as folder:
        path = Path(folder) / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            load_scenario(path, links=links)
        except ScenarioInvalid as error:
            return tuple(
                f"{name}.yaml:{one.line}:{one.column}: {one.message}" for one in error.problems
            )
    return ()


def _write_whole(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
