"""Which PostgreSQL would be started: where it is installed, which version, and as whom it runs.

Takes the machine as it is; gives a program, or the sentence that says how to get one. Looks for
the server's programs, which distributions keep off PATH, in the places they put them.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from checkout_sim.model.errors import StackDidNotStart

LEAST_VERSION = 13
HOW_TO_INSTALL = (
    "install it (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql), "
    "or name a server with --database-url; its system service may stay stopped, checkout-sim "
    "starts a private one"
)
_USUAL = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/usr/local/pgsql/bin",
)
_MAJOR = re.compile(r"(\d+)")
_TOLD = re.compile(r"\d+(?:\.\d+)*\S*")
_ANSWER_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresProgram:
    """An installed PostgreSQL server."""

    initdb: Path
    postgres: Path

    def version(self) -> str:
        """Return the version it tells, by running it; empty where it tells none."""
        try:
            told = subprocess.run(  # noqa: S603 - the program found, no shell
                [self.postgres, "--version"],
                capture_output=True,
                text=True,
                timeout=_ANSWER_LIMIT_S,
                check=False,
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            return ""
        found = _TOLD.search(told)
        return "" if found is None else found.group(0)


def find_postgresql() -> PostgresProgram:
    """Return the newest PostgreSQL here; StackDidNotStart says how to get one."""
    for folder in _folders():
        program = PostgresProgram(initdb=folder / "initdb", postgres=folder / "postgres")
        if program.initdb.exists() and program.postgres.exists():
            return program
    raise StackDidNotStart(
        f"database: no PostgreSQL server (initdb, postgres) is installed; {HOW_TO_INSTALL}"
    )


def is_installed() -> bool:
    """Return whether a private PostgreSQL can be started here."""
    try:
        find_postgresql()
    except StackDidNotStart:
        return False
    return True


def require_version(version: str) -> None:
    """Raise StackDidNotStart for a PostgreSQL that is too old."""
    found = _MAJOR.search(version)
    if found is not None and int(found.group(1)) < LEAST_VERSION:
        raise StackDidNotStart(
            f"database: PostgreSQL {version}, expected {LEAST_VERSION} or later; upgrade it"
        )


def _folders() -> Iterator[Path]:
    """Yield where a server may be, the newest version of each place first, PATH last."""
    for usual in _USUAL:
        root, _, pattern = usual[1:].rpartition("/bin")[0].rpartition("/")
        found = [folder / "bin" for folder in Path("/", root).glob(pattern)]
        yield from sorted(found, key=_version_of, reverse=True)
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent


def _version_of(folder: Path) -> int:
    found = _MAJOR.search(folder.parent.name)
    return 0 if found is None else int(found.group(1))
