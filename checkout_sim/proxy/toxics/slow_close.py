"""slow_close: the end of the stream is passed on `delay` milliseconds late."""

from typing import ClassVar

from checkout_sim.proxy.chain import Stage


class SlowClose(Stage):
    """Delays only the end, as `toxics/slow_close.go`."""

    kind: ClassVar[str] = "slow_close"
    attribute_names: ClassVar[tuple[str, ...]] = ("delay",)

    _ending = False

    def busy(self) -> bool:
        """Whether the end waits; nothing comes after it."""
        return self._ending

    def ended(self) -> None:
        """Wait, then close."""
        self._ending = True
        self.close_after(self.toxic.attributes["delay"] / 1000)

    def let_go(self) -> None:
        """Take the end up anew: a changed delay counts from the change."""
        if self._ending:
            self._ending = False
            self.put_back(None)
