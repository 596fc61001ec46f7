"""The proxies the server holds, and what may be done to them: the rules behind the HTTP API.

They follow `proxy.go`, `proxy_collection.go` and `toxic_collection.go` of Shopify/toxiproxy
2.12.0. A proxy listens while it is enabled; stopping it closes both ends of every connection and
drops what is held. Toxics outlive stopping; they are kept apart per direction, upstream first.
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from checkout_sim.proxy import addresses
from checkout_sim.proxy.chain import Toxic
from checkout_sim.proxy.relay import End, Link, reset_on_close
from checkout_sim.proxy.toxics import KINDS

DIAL_LIMIT_S = 10.0
BACKLOG = 4096

OnHit = Callable[["Proxy", Toxic], None]


class Connection:
    """A client, its upstream once dialled, and the two links between them."""

    __slots__ = ("_dialling", "_proxy", "client", "links", "upstream")

    def __init__(self, proxy: "Proxy") -> None:
        self._proxy = proxy
        self.client = End(self._accepted)
        self.upstream = End(self._dialled)
        self.links: tuple[Link, Link] | None = None  # what the client sends, what it is sent
        self._dialling: asyncio.Task[None] | None = None

    def _accepted(self, client: End) -> None:
        client.lost = self._forget_when_over
        self._proxy.connections.add(self)
        self._dialling = asyncio.get_running_loop().create_task(self._dial())

    async def _dial(self) -> None:
        try:
            host, port = addresses.split(self._proxy.upstream)
            async with asyncio.timeout(DIAL_LIMIT_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: self.upstream, host or addresses.LOOPBACK, port
                )
        except (OSError, addresses.AddressError):  # a TimeoutError is an OSError
            self.client.transport.close()

    def _dialled(self, upstream: End) -> None:
        upstream.lost = self._forget_when_over
        if self.client.gone:
            upstream.transport.abort()
            return
        sent = self._proxy.link(self.client, upstream)
        received = self._proxy.link(upstream, self.client)
        self.links = (sent, received)
        self._proxy.fill(sent, received)
        if any(stage.resets and stage.active for link in self.links for stage in link.stages):
            reset_on_close(self.client)
            reset_on_close(upstream)
        upstream.begin(received, sent)
        self.client.begin(sent, received)

    def _forget_when_over(self) -> None:
        if self.client.over and (self.links is None or self.upstream.over):
            self._proxy.connections.discard(self)
            for link in self.links or ():
                link.dispose()

    def abort(self) -> None:
        """Close both ends at once and drop what is held."""
        if self._dialling is not None and not self._dialling.done():
            self._dialling.cancel()
        for link in self.links or ():
            link.dispose()
        self.client.gone = self.upstream.gone = True
        self.client.transport.abort()
        if self.links is not None:
            self.upstream.transport.abort()


class Proxy:
    """One listener, its upstream, its toxics and its connections."""

    def __init__(
        self, name: str, listen: str, upstream: str, *, chance: Random, on_hit: OnHit
    ) -> None:
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.toxics: list[Toxic] = []
        self.connections: set[Connection] = set()
        self._chance = chance
        self._on_hit = on_hit
        self._server: asyncio.Server | None = None

    @property
    def enabled(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    async def start(self) -> None:
        """Listen; raises AddressError and stays disabled where it cannot."""
        if self._server is not None:
            return
        bound = addresses.listen(self.listen, backlog=BACKLOG)
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self).client, sock=bound, backlog=BACKLOG
        )
        self.listen = addresses.listening_on(bound)

    async def stop(self) -> None:
        """Stop listening, then close both ends of every connection."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)  # the loop closes the sockets in its next turn
        await asyncio.sleep(0)

    async def update(self, *, listen: str, upstream: str, enabled: bool) -> None:
        """Follow a PATCH: another address or upstream restarts it, toxics stay."""
        if self.differs(listen, upstream):
            await self.stop()
            self.listen, self.upstream = listen, upstream
        if enabled:
            await self.start()
        else:
            await self.stop()

    def differs(self, listen: str, upstream: str) -> bool:
        """Whether these are other addresses; `listen` is compared after resolving it."""
        return self.listen != addresses.resolve(listen) or self.upstream != upstream

    # -- connections

    def link(self, source: End, destination: End) -> Link:
        """Make a link of this proxy."""
        return Link(
            source,
            destination,
            draw=self._chance.random,
            on_hit=lambda toxic: self._on_hit(self, toxic),
        )

    def fill(self, sent: Link, received: Link) -> None:
        """Give a new connection's links the toxics that are there."""
        for toxic in self.toxics:
            (sent if toxic.upstream else received).add(KINDS[toxic.kind], toxic)

    def _links(self, toxic: Toxic) -> list[Link]:
        side = 0 if toxic.upstream else 1
        return [each.links[side] for each in list(self.connections) if each.links is not None]

    # -- toxics

    def listed(self) -> list[Toxic]:
        """Give the toxics as the API lists them: upstream ones first, each in order of adding."""
        return sorted(self.toxics, key=lambda toxic: not toxic.upstream)

    def toxic(self, name: str) -> Toxic | None:
        """Find a toxic; names are unique over both directions."""
        return next((toxic for toxic in self.toxics if toxic.name == name), None)

    def add(self, toxic: Toxic) -> None:
        """Put a toxic at the end of its direction, on open connections too."""
        self.toxics.append(toxic)
        for link in self._links(toxic):
            link.add(KINDS[toxic.kind], toxic)

    def change(self, toxic: Toxic, *, attributes: dict[str, int], toxicity: float) -> None:
        """Give a toxic new attributes, on open connections too."""
        toxic.attributes, toxic.toxicity = attributes, toxicity
        for link in self._links(toxic):
            link.change(toxic)

    def remove(self, toxic: Toxic) -> None:
        """Take a toxic out, of open connections too."""
        self.toxics.remove(toxic)
        for link in self._links(toxic):
            link.remove(toxic)

    def remove_all(self) -> None:
        """Take every toxic out."""
        for toxic in self.listed():
            self.remove(toxic)

    def shown(self) -> dict[str, Any]:
        """Give the proxy as the API shows it; the stray `Logger` is upstream's."""
        return {
            "name": self.name,
            "listen": self.listen,
            "upstream": self.upstream,
            "enabled": self.enabled,
            "Logger": {},
            "toxics": [shown(toxic) for toxic in self.listed()],
        }


def shown(toxic: Toxic) -> dict[str, Any]:
    """Give a toxic as the API shows it."""
    return {
        "attributes": toxic.attributes,
        "name": toxic.name,
        "type": toxic.kind,
        "stream": toxic.stream,
        "toxicity": toxic.toxicity,
    }
