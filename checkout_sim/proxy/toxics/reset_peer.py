"""reset_peer: the first data or end is dropped, and after `timeout` milliseconds comes an RST."""

from typing import ClassVar

from checkout_sim.proxy.chain import Chunk, Stage


class ResetPeer(Stage):
    """Closes abruptly, as `toxics/reset_peer.go`.

    Only connections opened while it is there end in RST: the socket option is set at connecting.
    """

    kind: ClassVar[str] = "reset_peer"
    attribute_names: ClassVar[tuple[str, ...]] = ("timeout",)
    resets: ClassVar[bool] = True

    _firing = False

    def busy(self) -> bool:
        """Whether the end is under way."""
        return self._firing

    def took(self, chunk: Chunk) -> None:
        """Drop the chunk and start the end."""
        del chunk
        self._fire()

    def ended(self) -> None:
        """Start the end as data would."""
        self._fire()

    def _fire(self) -> None:
        self._firing = True
        delay_s = self.toxic.attributes["timeout"] / 1000
        if delay_s > 0:
            self.close_after(delay_s)
        else:
            self.close()

    def release(self) -> None:
        """Change nothing: an end under way is not called back."""

    def removed(self) -> bool:
        """Leave, unless the end is under way."""
        return not self._firing and super().removed()
