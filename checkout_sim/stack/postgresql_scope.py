"""The databases of one run on a PostgreSQL server: created, dropped, asked for its version.

Takes a connection string of an administrator; talks past every link. psycopg is imported where it
is used: 70 ms that a run on SQLite need not pay.
"""

import asyncio
import contextlib
import re
from collections.abc import Sequence
from typing import Any

from checkout_sim.model.errors import StackDidNotStart

CONNECT_LIMIT_S = 5
_NAME = re.compile(r"[a-z0-9-]{1,50}")
_PREFIX = "checkout-sim-"


def database_of(scope: str) -> str:
    """Return the name of a scope's database."""
    if not _NAME.fullmatch(scope):
        raise ValueError(f'"{scope}" cannot name a database; expected 1 to 50 of a-z, 0-9 and -')
    return f"{_PREFIX}{scope}"


class Administration:
    """What an administrator's connection is for, each deed on one of its own, in a thread."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo

    async def version(self) -> str | None:
        """Return what the server says it is; None while it does not answer."""
        import psycopg  # noqa: PLC0415 - see above

        try:
            return await asyncio.to_thread(self._version)
        except psycopg.OperationalError:
            return None

    async def version_or_raise(self) -> str:
        """Return the same; StackDidNotStart says why it does not answer."""
        import psycopg  # noqa: PLC0415 - see above

        try:
            return await asyncio.to_thread(self._version)
        except psycopg.Error as error:
            raise StackDidNotStart(
                f"database: the server of --database-url does not answer: {_line_of(error)}"
            ) from error

    async def create(self, scopes: Sequence[str]) -> None:
        """Create the databases of these scopes. Raises StackDidNotStart, saying what it may not."""
        import psycopg  # noqa: PLC0415 - see above

        try:
            await asyncio.to_thread(self._each, 'CREATE DATABASE "{}"', scopes)
        except psycopg.Error as error:
            raise StackDidNotStart(
                f"database: cannot create {database_of(scopes[0])}: {_line_of(error)}; "
                "the user needs the right CREATEDB on that server"
            ) from error

    async def drop(self, scopes: Sequence[str]) -> None:
        """Drop them with whoever is still connected; a server that is gone keeps them."""
        import psycopg  # noqa: PLC0415 - see above

        statement = 'DROP DATABASE IF EXISTS "{}" WITH (FORCE)'
        with contextlib.suppress(psycopg.OperationalError):
            await asyncio.to_thread(self._each, statement, scopes)

    def _version(self) -> str:
        with self._connected() as connection:
            (told,) = connection.execute("SHOW server_version").fetchone()
        return str(told).partition(" ")[0]

    def _each(self, statement: str, scopes: Sequence[str]) -> None:
        with self._connected() as connection:
            for scope in scopes:
                connection.execute(statement.format(database_of(scope)))

    def _connected(self) -> Any:
        import psycopg  # noqa: PLC0415 - see above

        return psycopg.connect(
            self._conninfo, autocommit=True, connect_timeout=CONNECT_LIMIT_S, options=""
        )


def _line_of(error: Exception) -> str:
    return str(error).partition("\n")[0]
