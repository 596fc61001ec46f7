"""The hunt for one mutant: the ordinary command runs its scenario against the mutated services.

Takes a mutant, gives what the run said. Caught means that the scenario's own expectation was not
met; a command that could not run at all caught nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutants.mutant import ROOT, Mutant, mutated

LIMIT_S = 300.0
_AS_EXPECTED, _SURPRISED, _UNKNOWN = 0, 1, 3  # checkout_sim/cli/exits.py


class CommandFailed(Exception):
    """The command ended with neither verdict: its exit status and last words say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunt:
    """What became of one mutant. `surprises` are the report's keys, without `broke:`."""

    mutant: Mutant
    surprises: tuple[str, ...]
    took_s: float

    @property
    def caught(self) -> bool:
        """Return whether the scenario's expectation was not met."""
        return bool(self.surprises)

    @property
    def as_named(self) -> bool:
        """Return whether it was given away by what its table says."""
        return self.mutant.by in self.surprises


def hunt(mutant: Mutant) -> Hunt:
    """Run the mutant's scenario against the mutated services. Raises NotApplied, CommandFailed."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"mutant-{mutant.name}-") as folder:
        path = str(mutated(mutant, Path(folder)))
        (run,) = runs_of([mutant.scenario], mutant.strategy, folder=Path(folder), services_at=path)
    return Hunt(mutant=mutant, surprises=surprises_of(run), took_s=time.monotonic() - began)


def runs_of(
    scenarios: Sequence[str],
    strategy: str,
    *,
    folder: Path,
    services_at: str | None = None,
    jobs: int = 1,
) -> list[Mapping[str, Any]]:
    """Return the report's runs of scenarios, by name or path, with one strategy. CommandFailed."""
    report = folder / f"{strategy}.json"
    command = [sys.executable, "-m", "checkout_sim", "run", *scenarios, "--strategy", strategy]
    command += ["--json", str(report), "--jobs", str(jobs), "--runs-dir", str(folder / "runs")]
    path = os.pathsep.join(filter(None, (services_at, str(ROOT))))
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=LIMIT_S * len(scenarios),
        check=False,
    )
    if ended.returncode not in (_AS_EXPECTED, _SURPRISED, _UNKNOWN) or not report.is_file():
        said = ended.stderr.strip()[-800:]
        raise CommandFailed(f"exit status {ended.returncode}: {said}")
    runs: list[Mapping[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["runs"]
    return runs


def surprises_of(run: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what in a run was not as expected; a broken claim by its bare name."""
    return tuple(str(key).removeprefix("broke:") for key in run["surprise_keys"])
