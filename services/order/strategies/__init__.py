"""The chapters, by name: one file each, the same name in every service that has a part in it."""

from collections.abc import Callable, Mapping

from ..context import Context, Strategy
from .hardened import Hardened
from .naive import Naive
from .orchestrated import Orchestrated


def _choreographed(context: Context) -> Strategy:
    """Import the chapter on its use: FastStream costs every other one a third of its start."""
    from .choreographed import Choreographed  # noqa: PLC0415 - as said

    return Choreographed(context)


STRATEGIES: Mapping[str, Callable[[Context], Strategy]] = {
    "naive": Naive,
    "hardened": Hardened,
    "orchestrated": Orchestrated,
    "choreographed": _choreographed,
}
