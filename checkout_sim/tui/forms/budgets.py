"""What a caller is ready to wait on each link, so that a figure beyond it can be pointed out.

Takes the budgets of `model/wire.py`, scaled and overridden as the run says; gives milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkout_sim.model.wire import SETTINGS, SHOPPER_PATIENCE_MS

_SHOPPER = "shopper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long one try may take on a link, and all tries together; both in ms."""

    try_ms: int
    total_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """The budgets of the run under way; without one, those of time scale 1."""

    time_scale: float = 1.0
    settings: Mapping[str, Mapping[str, Any]] | None = None
    patience_ms: int | None = None

    def on(self, link: str) -> Budget | None:
        """Return the caller's budget on this link; None where nothing is known of one."""
        caller, _, callee = link.partition("_to_")
        if caller == _SHOPPER:
            patience = self.patience_ms or round(SHOPPER_PATIENCE_MS * self.time_scale)
            return Budget(try_ms=patience, total_ms=patience)
        try_ms = self._ms(caller, f"{callee}_try_ms")
        if try_ms is None:
            return None
        return Budget(try_ms=try_ms, total_ms=self._ms(caller, f"{callee}_total_ms") or try_ms)

    def _ms(self, service: str, setting: str) -> int | None:
        usual = SETTINGS.get(service, {}).get(setting)
        own = (self.settings or {}).get(service, {}).get(setting)
        try:
            # An override is a duration of the file's own, which no time scale touches.
            return round(float(own)) if own is not None else _scaled(usual, self.time_scale)
        except (TypeError, ValueError):
            return _scaled(usual, self.time_scale)


def _scaled(ms: float | None, scale: float) -> int | None:
    return None if ms is None else round(ms * scale)
