"""The palette: every action of the view, searched by what it is called or does."""

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.command import CommandInput, CommandPalette, DiscoveryHit, Hit, Hits, Provider

from checkout_sim.tui.actions.action import LISTS
from checkout_sim.tui.actions.table import shown_key

if TYPE_CHECKING:
    from checkout_sim.tui.app import CheckoutSimApp


class Palette(CommandPalette):
    """Textual's palette without its magnifying glass: two cells wide, or one, by terminal."""

    DEFAULT_CSS: ClassVar[str] = "Palette SearchIcon { display: none; }"

    def __init__(self) -> None:
        super().__init__(providers=[ActionsProvider], placeholder="search every action")

    def on_key(self, event: events.Key) -> None:
        """Give the line a letter typed before it was there; its own never come this far."""
        if event.is_printable:
            event.stop()
            event.prevent_default()
            self.query_one(CommandInput).post_message(events.Key(event.key, event.character))


class ActionsProvider(Provider):
    """Actions of the topmost view and those that work everywhere."""

    @property
    def _app(self) -> "CheckoutSimApp":
        app: CheckoutSimApp = self.app  # type: ignore[assignment] # the only app there is
        return app

    async def search(self, query: str) -> Hits:
        """Yield the actions that match, best first by Textual's matcher."""
        matcher = self.matcher(query)
        for row in self._app.actions_of(self._app.scope):
            if row.scope == LISTS:
                continue
            name = f"{row.title}  {row.id}"
            score = max(matcher.match(name), matcher.match(row.help or name))
            if score > 0:
                run = partial(self._app.perform, row.id)
                yield Hit(score, matcher.highlight(name), run, help=self._told(row.help, row.keys))

    async def discover(self) -> Hits:
        """Yield every action while nothing is typed."""
        for row in self._app.actions_of(self._app.scope):
            if row.scope == LISTS:
                continue
            run = partial(self._app.perform, row.id)
            yield DiscoveryHit(f"{row.title}  {row.id}", run, help=self._told(row.help, row.keys))

    @staticmethod
    def _told(words: str, keys: tuple[str, ...]) -> str:
        return f"{words}   {' '.join(shown_key(key) for key in keys)}".strip()
