"""Reads what each service finally believes, on its direct port: the observer is not attacked.

Takes the direct URLs of every service instance; gives health, undecided work and ledger rows as
services/README.md shapes them. What cannot be read raises LedgerUnreadable, never an empty list:
absence proves nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from checkout_sim.model.errors import LedgerUnreadable
from checkout_sim.model.ledger import BROKER, KEEPER_OF, OF_EVERY_STRATEGY
from checkout_sim.model.seen import Undecided

CALL_LIMIT_S = 10.0
PAGE_ROWS = 2000  # of the 5000 the contract allows: a service answers others between pages
_TRIES = 2  # a pooled connection may have died with an earlier life of the service
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What one process says of itself."""

    status: str
    service: str
    instance: str
    replica: int
    pid: int
    strategy: str | None


class Messages(Protocol):
    """What is needed of a broker; both raise LedgerUnreadable."""

    async def waiting(self) -> Undecided:
        """Return the messages nobody has handled yet, dead ones apart."""
        ...

    async def dead_letters(self) -> Sequence[Mapping[str, Any]]:
        """Return the messages that nobody will handle."""
        ...


class Ledgers:
    """Every service's final word. `urls` maps a service to its instances' direct URLs.

    `names` are the ledgers that the strategy at hand has.
    """

    def __init__(
        self,
        urls: Mapping[str, Sequence[str]],
        http: httpx.AsyncClient,
        names: Sequence[str] = OF_EVERY_STRATEGY,
        messages: Messages | None = None,
    ) -> None:
        self._urls = urls
        self._http = http
        self.names = tuple(names)
        self._messages = messages

    async def health(self, name: str, instance: int = 1) -> Health:
        """Ask one instance (from 1) how it is."""
        url = f"{self._urls[name][instance - 1]}/health"
        said = await self._get(name, url)
        try:
            return Health(
                status=str(said["status"]),
                service=str(said["service"]),
                instance=str(said["instance"]),
                replica=int(said["replica"]),
                pid=int(said["pid"]),
                strategy=said.get("strategy"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(name, url, f"{said!r:.200}", f"a health ({error!r})") from error

    async def undecided(self) -> dict[str, Undecided]:
        """Ask every instance of every service, in parallel, what it has not finished.

        Rows are shared by the instances of a service, requests in flight are added up; `ids`
        holds the first 20.
        """
        answers = await asyncio.gather(*(self._undecided_of(name) for name in self._urls))
        found = dict(zip(self._urls, answers, strict=True))
        if self._messages is not None:
            found[BROKER] = await self._messages.waiting()
        return found

    async def read(
        self, name: str, *, after: int | None = None
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the rows of one of the ledgers of `model/ledger.py`, oldest first.

        `after` passes over that many: a ledger's cursor counts its rows from 1, with gaps at most.
        """
        keeper = KEEPER_OF[name]
        service = keeper.service
        if service == BROKER:
            for row in await self._messages.dead_letters() if self._messages else ():
                yield row
            return
        cursor: str | int | None = after
        while True:
            query = {"limit": str(PAGE_ROWS)} | ({} if cursor is None else {"after": str(cursor)})
            page, url = await self._page(service, keeper.path, query)
            rows, following = page.get("rows"), page.get("next")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise _unreadable(service, url, f"rows {rows!r:.200}", "a list of objects")
            for row in rows:
                yield row
            if following is None:
                return
            if following == cursor or not rows:
                raise _unreadable(service, url, f"next {following!r} again", "a later cursor")
            cursor = following

    async def _page(
        self, service: str, path: str, query: Mapping[str, str]
    ) -> tuple[dict[str, Any], str]:
        """Return one page from the first instance that answers: replicas share a database."""
        failures: list[str] = []
        for base in self._urls[service]:
            url = str(httpx.URL(f"{base}/ledger/{path}", params=query))
            try:
                return await self._get(service, url), url
            except LedgerUnreadable as error:
                failures.append(str(error))
        raise LedgerUnreadable("; ".join(failures))

    async def _undecided_of(self, name: str) -> Undecided:
        urls = [f"{base}/undecided" for base in self._urls[name]]
        answers = await asyncio.gather(*(self._get(name, url) for url in urls))
        try:
            seqs = [int(said["last_seq"]) for said in answers if said.get("last_seq") is not None]
            return Undecided(
                count=max(int(said["count"]) for said in answers),
                ids=tuple(str(order) for order in answers[0]["ids"]),
                in_flight=sum(int(said["in_flight"]) for said in answers),
                last_seq=max(seqs, default=None),
            )
        except (KeyError, TypeError, ValueError) as error:
            expected = f"count, ids, in_flight and last_seq ({error!r})"
            raise _unreadable(name, urls[0], f"{answers!r:.200}", expected) from error

    async def _get(self, service: str, url: str) -> dict[str, Any]:
        """GET one JSON object within 10 s; reading is safe to repeat, so it is, once."""
        for last in (False,) * (_TRIES - 1) + (True,):
            try:
                async with asyncio.timeout(CALL_LIMIT_S):
                    response = await self._http.get(url)
                break
            except (httpx.TransportError, TimeoutError) as error:
                if last or isinstance(error, TimeoutError):
                    silent = isinstance(error, httpx.ConnectError)
                    found = "nobody listening" if silent else f"{type(error).__name__}: {error}"
                    raise _unreadable(service, url, found, "200 and a JSON object") from error
        try:
            said = response.json()
        except ValueError:
            said = None
        if response.status_code != _OK or not isinstance(said, dict):
            found = f"{response.status_code} {response.text:.200}"
            raise _unreadable(service, url, found, "200 and a JSON object")
        return said


def _unreadable(service: str, url: str, found: str, expected: str) -> LedgerUnreadable:
    return LedgerUnreadable(
        f"{service}: GET {url}: found {found}; expected {expected}; the service's log in the "
        "run's folder may say why"
    )
