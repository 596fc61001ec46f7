"""timeout: swallows all data; closes after `timeout` milliseconds without any, 0 meaning never."""

from typing import ClassVar

from checkout_sim.proxy.chain import Chunk, Stage


class Timeout(Stage):
    """Stops data and, in the end, the connection, as `toxics/timeout.go`."""

    kind: ClassVar[str] = "timeout"
    attribute_names: ClassVar[tuple[str, ...]] = ("timeout",)

    def started(self) -> None:
        """Start the clock at once: idle connections are closed too."""
        self.cancel_timer()
        if self.toxic.attributes["timeout"] > 0 and self.active:
            self.close_after(self.toxic.attributes["timeout"] / 1000)

    def took(self, chunk: Chunk) -> None:
        """Drop the chunk; the clock starts again."""
        del chunk
        self.started()

    def removed(self) -> bool:
        """Close the connection: what it lost cannot be made good."""
        self.close()
        return False
