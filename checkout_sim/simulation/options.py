"""What a caller may choose for a simulation, and what it hears while one goes on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from checkout_sim.model.run import Engine

DatabaseChoice = Literal["sqlite", "postgres"]
EngineChoice = Literal["auto", "toxiproxy", "embedded"]
DEFAULT_JOBS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run: which proxy server, where runs are kept, how many at a time.

    `database_url` names a PostgreSQL server to use instead of a private one.
    """

    engine: EngineChoice = "auto"
    toxiproxy_url: str | None = None
    runs_folder: Path
    jobs: int = DEFAULT_JOBS
    fail_fast: bool = False
    links_path: Path
    database_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One thing worth showing while runs go on; `done` and `total` count checkouts."""

    kind: Literal["engine", "opened", "phase", "checkout", "finished", "again"]
    run_id: str
    scenario: str
    strategy: str
    phase: str = ""
    done: int = 0
    total: int = 0
    engine: Engine | None = None
    note: str = ""
