"""noop: passes everything on. For trying a chain."""

from typing import ClassVar

from checkout_sim.proxy.chain import Stage


class Noop(Stage):
    """Does nothing, as `toxics/noop.go`."""

    kind: ClassVar[str] = "noop"
