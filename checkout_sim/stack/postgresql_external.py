"""Somebody else's PostgreSQL (`--database-url`): used, never struck.

Takes a URL whose user may create databases; gives a `servers.Server` on which each run has
databases of its own, dropped afterwards. Faults on the process `database` get a private server.
"""

from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

from checkout_sim.model.errors import FaultNotApplied, StackDidNotStart
from checkout_sim.model.wire import DATABASE_LINKS
from checkout_sim.stack.postgresql_program import require_version
from checkout_sim.stack.postgresql_scope import Administration, database_of
from checkout_sim.stack.servers import ServerName

USUAL_PORT = 5432


class ExternalPostgreSQL:
    """A server at a URL; the process behind it is none of ours."""

    name: ServerName = "database"
    pid = 0

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._administration = Administration(url)
        self.host = self._url.hostname or "127.0.0.1"
        self.port = self._url.port or USUAL_PORT
        self.version = ""

    async def connect(self) -> None:
        """Ask for its version. Raises StackDidNotStart where it does not answer, or is too old."""
        self.version = await self._administration.version_or_raise()
        require_version(self.version)

    def url_at(self, host: str, port: int, *, scope: str) -> str:
        """Return the URL with another address and database; user and options are kept."""
        who = self._url.netloc.rpartition("@")[0]
        netloc = f"{who}@{host}:{port}" if who else f"{host}:{port}"
        return urlunsplit(
            self._url._replace(scheme="postgresql", netloc=netloc, path=f"/{database_of(scope)}")
        )

    async def open_scope(self, scope: str) -> None:
        """Create the databases of one run, one per service."""
        await self._administration.create([f"{scope}-{service}" for service in DATABASE_LINKS])

    async def close_scope(self, scope: str) -> None:
        """Drop the databases of one run."""
        await self._administration.drop([f"{scope}-{service}" for service in DATABASE_LINKS])

    async def kill(self) -> None:
        """Refuse."""
        self._refuse("kill")

    async def pause(self) -> None:
        """Refuse."""
        self._refuse("pause")

    async def resume(self) -> None:
        """Do nothing: it was never paused."""

    async def start_again(self) -> None:
        """Do nothing: it was never ended."""

    async def restart(self) -> None:
        """Refuse."""
        self._refuse("restart")

    async def stop(self) -> None:
        """Do nothing: it was there before us."""

    def _refuse(self, deed: str) -> NoReturn:
        raise FaultNotApplied(
            f"cannot {deed} database: the server at {self.host}:{self.port} is not ours; leave "
            "--database-url out, and a private one is started"
        )


async def use_postgresql(url: str) -> ExternalPostgreSQL:
    """Return the server at `url`, which answers. Raises StackDidNotStart."""
    if urlsplit(url).scheme not in {"postgresql", "postgres"}:
        raise StackDidNotStart(
            f"--database-url: found {url.partition(':')[0]}:…, expected "
            "postgresql://user:password@host:port/database"
        )
    server = ExternalPostgreSQL(url)
    await server.connect()
    return server
