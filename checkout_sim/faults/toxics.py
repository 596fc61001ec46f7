"""Puts toxics on links and takes them off, through Toxiproxy's HTTP API; every change is read back.

The only file that imports toxiproxy-python 0.1.1, and its fence. That client is unmaintained: it
has no timeouts, opens a connection per call, honours proxy variables, keeps host and port on a
class, reports only 400, 404 and 409, has no PATCH, and lists all proxies where one is meant. So
its `requests` is replaced by one kept connection with a deadline that raises for every refusal,
its lookups are not used, and one worker thread per server makes all calls. What it lacks (PATCH,
version, read-back) is spoken over the same connection: httpx costs 2 ms a call, this 0.2.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlsplit

import toxiproxy.api
from toxiproxy.proxy import Proxy as ClientProxy

from checkout_sim.faults.proxy_calls import Answer, Speaker, ToxiproxyError
from checkout_sim.model.errors import FaultNotApplied
from checkout_sim.model.fault import BOUNCED_BY_DEFAULT, PlacedToxic

NOTICE_S = 0.05  # after a bounce: clients with pooled sockets notice that these are dead
NOT_FOUND = 404

# What makes a toxic let go of what it holds; a DELETE alone may wait 5 s per held chunk
# (Shopify/toxiproxy#558). Not bandwidth: it holds one chunk, which a DELETE passes on, and to raise
# its rate while it holds one can end the whole server (2.12.0 slices by the new rate what it found
# too long for the old one: "slice bounds out of range", toxics/bandwidth.go:46).
NEUTRAL: Mapping[str, Mapping[str, int]] = {
    "latency": {"latency": 0, "jitter": 0},
    "slicer": {"delay": 0},
    "slow_close": {"delay": 0},
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyState:
    """A proxy as the server shows it; toxics in the server's order, upstream ones first."""

    name: str
    listen: str
    upstream: str
    enabled: bool
    toxics: tuple[PlacedToxic, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A change that was read back: how the link stands, and how long the change took.

    `armed_ms` runs from the first call to the answer of the one that made the change; `took_ms`
    to the end of the read-back. Neither counts the pause after a bounce.
    """

    link: str
    state: ProxyState
    bounced: bool
    armed_ms: float
    took_ms: float


_here = threading.local()  # each worker thread's speaker


class _Requests:
    """Stands where toxiproxy-python expects the module `requests`.

    The host in the URL is the client's class-level one; the thread knows better.
    """

    def get(self, *, url: str, **_: object) -> Answer:
        return self._call("GET", url)

    def post(self, *, url: str, json: object = None, **_: object) -> Answer:
        return self._call("POST", url, json)

    def delete(self, *, url: str, **_: object) -> Answer:
        return self._call("DELETE", url)

    def _call(self, method: str, url: str, body: object = None) -> Answer:
        speaker: Speaker = _here.speaker
        return speaker.call(method, urlsplit(url).path, body)


toxiproxy.api.requests = _Requests()


@dataclass(slots=True)
class _LinkMemory:
    """What was done to a link and not yet undone."""

    toxics: dict[str, PlacedToxic] = field(default_factory=dict)
    down: bool = False


class Toxiproxy:
    """The toxics of one proxy server, real or embedded. One per stack.

    Every call to the server has a limit of 2 s. All methods raise FaultNotApplied where the
    server refuses, does not answer, or reads back something else than was asked for.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._speaker = Speaker(url)
        self._links: dict[str, _LinkMemory] = {}
        self._worker = ThreadPoolExecutor(
            max_workers=1, thread_name_prefix="toxiproxy", initializer=self._initialize
        )

    def _initialize(self) -> None:
        _here.speaker = self._speaker

    async def _do(self, what: str, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, work)
        except ToxiproxyError as error:
            raise FaultNotApplied(f"{what}: proxy server at {self._url}: {error}") from error

    # -- what the tool asks

    async def add(self, link: str, toxics: Sequence[PlacedToxic], *, bounce: bool) -> Applied:
        """Put toxics on a link and read it back.

        With `bounce` the link is disabled meanwhile, so that they meet fresh connections; that
        kills calls in flight, and 50 ms pass before the return, for clients to notice.
        """
        names = ", ".join(toxic.name for toxic in toxics)
        applied = await self._do(f"{link}: adding {names}", lambda: self._add(link, toxics, bounce))
        if bounce:
            await asyncio.sleep(NOTICE_S)
        return applied

    async def remove(
        self, link: str, toxics: Sequence[PlacedToxic], *, how: Literal["release", "cut"]
    ) -> None:
        """Take toxics off; what they held passes now (release) or is lost (cut).

        After timeout, reset_peer and limit_data the link is bounced in either case.
        """
        names = ", ".join(toxic.name for toxic in toxics)
        await self._do(f"{link}: removing {names}", lambda: self._remove(link, toxics, how))

    async def down(self, link: str) -> Applied:
        """Refuse connections, close those open, drop what is held; toxics stay."""
        return await self._do(f"{link}: taking it down", lambda: self._switch(link, up=False))

    async def up(self, link: str) -> None:
        """Accept connections again."""
        await self._do(f"{link}: bringing it up", lambda: self._switch(link, up=True))

    async def heal(self) -> None:
        """Undo all that was done here, link by link, as far as the server lets us; idempotent."""
        left = await self._do("healing", self._heal)
        if left:
            raise FaultNotApplied(
                f"proxy server at {self._url}: not healed: {'; '.join(left)}. If it is your own "
                "(--toxiproxy-url), restart it; then run again"
            )

    async def read(self, link: str) -> ProxyState:
        """Say how a link stands."""
        return await self._do(f"{link}: reading it", lambda: self._read(link))

    async def version(self) -> str:
        """Say which version the server reports; a build from source says `git`."""
        answer = await self._do("reading its version", lambda: self._get("/version"))
        return str(answer["version"])

    async def close(self) -> None:
        """Close the connection and end the worker; undoes nothing."""
        await asyncio.get_running_loop().run_in_executor(self._worker, self._speaker.close)
        self._worker.shutdown(wait=False)

    # -- on the worker thread

    def _get(self, path: str) -> Any:
        return self._speaker.call("GET", path).json()

    def _read(self, link: str) -> ProxyState:
        return _state(self._get(f"/proxies/{quote(link, safe='')}"))

    def _memory(self, link: str) -> _LinkMemory:
        return self._links.setdefault(link, _LinkMemory())

    def _add(self, link: str, toxics: Sequence[PlacedToxic], bounce: bool) -> Applied:  # noqa: FBT001 called in one place
        started = monotonic()
        proxy, memory = _client_proxy(link), self._memory(link)
        if bounce and not memory.down:
            proxy.disable()
        try:
            for toxic in toxics:
                _place(proxy, toxic, memory)
        finally:
            if bounce and not memory.down:
                proxy.enable()
        armed = monotonic()
        state = self._verified(link, present=toxics)
        return Applied(
            link=link,
            state=state,
            bounced=bounce,
            armed_ms=(armed - started) * 1000,
            took_ms=(monotonic() - started) * 1000,
        )

    def _remove(
        self, link: str, toxics: Sequence[PlacedToxic], how: Literal["release", "cut"]
    ) -> None:
        proxy, memory = _client_proxy(link), self._memory(link)
        cut = how == "cut" and not memory.down
        if cut:
            proxy.disable()
        try:
            self._delete(link, toxics)
        finally:
            if cut:
                proxy.enable()
        if not cut and not memory.down and any(each.type in BOUNCED_BY_DEFAULT for each in toxics):
            proxy.disable()
            proxy.enable()
        self._verified(link, absent=toxics)
        for toxic in toxics:
            memory.toxics.pop(toxic.name, None)

    def _delete(self, link: str, toxics: Sequence[PlacedToxic]) -> None:
        """Neutralise all, then delete all; one that is gone already is what we want."""
        place = f"/proxies/{quote(link, safe='')}/toxics"
        for toxic in toxics:
            if toxic.type in NEUTRAL:
                body = {"attributes": NEUTRAL[toxic.type]}
                _unless_gone(self._speaker.call, "PATCH", f"{place}/{toxic.name}", body)
        proxy = _client_proxy(link)
        for toxic in toxics:
            _unless_gone(proxy.destroy_toxic, toxic.name)

    def _switch(self, link: str, *, up: bool) -> Applied:
        started = monotonic()
        proxy, memory = _client_proxy(link), self._memory(link)
        memory.down = memory.down or not up
        (proxy.enable if up else proxy.disable)()
        memory.down = not up
        armed = monotonic()
        return Applied(
            link=link,
            state=self._verified(link),
            bounced=False,
            armed_ms=(armed - started) * 1000,
            took_ms=(monotonic() - started) * 1000,
        )

    def _heal(self) -> list[str]:
        left: list[str] = []
        for link, memory in self._links.items():
            try:
                self._heal_link(link, memory)
            except (ToxiproxyError, FaultNotApplied) as error:
                left.append(f"{link} ({', '.join(memory.toxics) or 'down'}): {error}")
        return left

    def _heal_link(self, link: str, memory: _LinkMemory) -> None:
        ours = tuple(memory.toxics.values())
        if not ours and not memory.down:
            return
        proxy = _client_proxy(link)
        self._delete(link, ours)
        if not memory.down and any(toxic.type in BOUNCED_BY_DEFAULT for toxic in ours):
            proxy.disable()
        proxy.enable()
        memory.down = False
        self._verified(link, absent=ours)
        memory.toxics.clear()

    def _verified(
        self,
        link: str,
        *,
        present: Sequence[PlacedToxic] = (),
        absent: Sequence[PlacedToxic] = (),
    ) -> ProxyState:
        """Read a link back and compare."""
        state = self._read(link)
        found = {toxic.name: toxic for toxic in state.toxics}
        wrong = [
            f"{sent.name} reads {found.get(sent.name)}, sent {sent}"
            for sent in present
            if not _same(found.get(sent.name), sent)
        ]
        wrong += [f"{gone.name} is still there" for gone in absent if gone.name in found]
        expected = not self._memory(link).down
        if state.enabled != expected:
            wrong.append(f"enabled reads {state.enabled}, expected {expected}")
        if wrong:
            raise FaultNotApplied(f"{link}: read back from {self._url}: {'; '.join(wrong)}")
        return state


def _client_proxy(link: str) -> Any:
    """Give the client's handle on a proxy without asking the server for it."""
    return ClientProxy(name=link, listen="", upstream="", enabled=True)


def _place(proxy: Any, toxic: PlacedToxic, memory: _LinkMemory) -> None:
    standing = memory.toxics.get(toxic.name)
    memory.toxics[toxic.name] = toxic  # before the call: an unanswered one may have landed
    try:
        proxy.add_toxic(
            name=toxic.name,
            type=toxic.type,
            stream=toxic.stream,
            toxicity=1.0,
            attributes=dict(toxic.attributes),
        )
    except ToxiproxyError as error:
        if error.status:  # refused: what has this name is not ours, or is from an earlier window
            del memory.toxics[toxic.name]
            if standing is not None:
                memory.toxics[toxic.name] = standing
        raise


def _unless_gone(call: Callable[..., object], *arguments: object) -> None:
    try:
        call(*arguments)
    except ToxiproxyError as error:
        if error.status != NOT_FOUND:
            raise


def _same(read: PlacedToxic | None, sent: PlacedToxic) -> bool:
    return (
        read is not None
        and (read.type, read.stream) == (sent.type, sent.stream)
        and all(sent.attributes.get(key, 0) == value for key, value in read.attributes.items())
        and sent.attributes.keys() <= read.attributes.keys()
    )


def _state(shown: Mapping[str, Any]) -> ProxyState:
    return ProxyState(
        name=shown["name"],
        listen=shown["listen"],
        upstream=shown["upstream"],
        enabled=shown["enabled"],
        toxics=tuple(
            PlacedToxic(
                name=toxic["name"],
                type=toxic["type"],
                stream=toxic["stream"],
                attributes=toxic["attributes"],
            )
            for toxic in shown["toxics"]
        ),
    )
