"""A field to type into whose keys are performed each in its turn.

Textual performs a field's enter or backspace once it has come up to the app, by when letters that
were typed after it stand in the line: of `end backspace 0` that arrives at once the 0 was erased.
"""

from textual import events
from textual.widgets import Input


class Field(Input):
    """Textual's input, which answers its own keys before the next one comes."""

    async def on_key(self, event: events.Key) -> None:
        """Take a key: letters are Textual's to insert, what is bound here is performed at once."""
        if event.is_printable:
            return
        for binding in self._bindings.key_to_bindings.get(event.key, ())[:1]:
            event.stop()
            event.prevent_default()
            await self.run_action(binding.action)
