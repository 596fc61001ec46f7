"""Toxics on our links that nobody here put there.

Takes the proxy server's URL and the links; reads one link every two seconds, in turn, over a
connection of its own, and says what is foreign when it is first seen. Never all links at once: a
link whose toxic is stuck would hold up the reading of all (`GET /proxies` waits for each). What is
ours and was given up on is taken off when it turns up late.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import cycle

from checkout_sim.faults.toxics import Toxiproxy
from checkout_sim.model.errors import FaultNotApplied
from checkout_sim.model.fault import PlacedToxic

EVERY_S = 2.0


class ForeignToxics:
    """What others did to our links."""

    def __init__(
        self,
        url: str,
        links: Sequence[str],
        *,
        ours: Callable[[], frozenset[str]],
        wanted: Callable[[], frozenset[str]],
        found: Callable[[str, PlacedToxic], None],
    ) -> None:
        self._toxiproxy = Toxiproxy(url)
        self._links = links
        self._ours = ours
        self._wanted = wanted
        self._found = found
        self._known: dict[tuple[str, str], PlacedToxic] = {}

    async def go_on(self) -> None:
        """Read links in turn until cancelled; one that does not answer is passed over."""
        for link in cycle(self._links):
            await asyncio.sleep(EVERY_S)
            try:
                state = await self._toxiproxy.read(link)
                await self._remove_leftovers(link, state.toxics)
            except FaultNotApplied:
                continue  # whoever changes a link is told so; here nobody asked
            foreign = {one.name: one for one in state.toxics if one.name not in self._ours()}
            for name, toxic in foreign.items():
                if (link, name) not in self._known:
                    self._found(link, toxic)
            self._known = {place: one for place, one in self._known.items() if place[0] != link}
            self._known |= {(link, name): toxic for name, toxic in foreign.items()}

    async def _remove_leftovers(self, link: str, toxics: Sequence[PlacedToxic]) -> None:
        """Take off what was ours and nobody wants: an addition may land after its deadline."""
        for toxic in toxics:
            if toxic.name in self._ours() - self._wanted():
                await self._toxiproxy.remove(link, [toxic], how="release")

    async def remove(self) -> None:
        """Take all that is known off. Raises FaultNotApplied naming what is left."""
        left: list[str] = []
        for (link, _), toxic in list(self._known.items()):
            try:
                await self._toxiproxy.remove(link, [toxic], how="release")
            except FaultNotApplied as failed:
                left.append(str(failed))
        if left:
            raise FaultNotApplied("; ".join(left))

    async def close(self) -> None:
        """Close the connection."""
        await self._toxiproxy.close()
