"""The chapters of the payment service, by name."""

from collections.abc import Callable, Mapping

from ..context import Context, Strategy
from .hardened import Hardened
from .naive import Naive
from .orchestrated import Orchestrated

STRATEGIES: Mapping[str, Callable[[Context], Strategy]] = {
    "naive": Naive,
    "hardened": Hardened,
    "orchestrated": Orchestrated,
}
