"""Windows: when each fault was in force, from its read-back to its lifting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkout_sim.checks.history import History, Remark

_NEVER = 2**62
# A change is read back before `fault.injected` is recorded; what it struck may be seen first.
_READ_BACK_MS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One injection of one fault. `begin` and `end` are observation ids, the times recorder's."""

    fault: str
    begin: int
    begin_ms: float
    end: int
    end_ms: float
    target: str
    checkout: int | None
    toxics: tuple[Mapping[str, Any], ...] = ()

    @property
    def streams(self) -> frozenset[str]:
        """Return the directions that were read back as struck."""
        return frozenset(str(toxic.get("stream")) for toxic in self.toxics)

    @property
    def delay_ms(self) -> float:
        """Return the smallest latency read back, 0 when none was."""
        delays = [
            float(toxic.get("attributes", {}).get("latency", 0))
            for toxic in self.toxics
            if toxic.get("type") == "latency"
        ]
        return min(delays, default=0.0)


def windows_of(history: History) -> tuple[Window, ...]:
    """Return every window in order of injection; one not lifted singly ends with the calm."""
    open_: dict[tuple[str, int], Remark] = {}
    closed: list[Window] = []
    calm: Remark | None = None
    for remark in history.remarks("fault.injected", "fault.lifted", "phase.entered"):
        name = (remark.fault or "", int(remark.data.get("window", 1)))
        if remark.kind == "fault.injected":
            open_[name] = remark
        elif remark.kind == "fault.lifted" and name in open_:
            closed.append(_window(open_.pop(name), remark))
        elif remark.data.get("phase") == "settle":  # lifting is over when settling begins
            calm = remark
    closed += [_window(injected, calm) for injected in open_.values()]
    return tuple(sorted(closed, key=lambda window: window.begin))


def _window(injected: Remark, lifted: Remark | None) -> Window:
    data = injected.data
    before_ms = float(data.get("armed_ms", 0.0)) + _READ_BACK_MS
    return Window(
        fault=injected.fault or "",
        begin=injected.id,
        begin_ms=injected.t_ms - before_ms,
        end=_NEVER if lifted is None else lifted.id,
        end_ms=float("inf") if lifted is None else lifted.t_ms,
        target=str(data.get("target", "")),
        checkout=injected.checkout,
        toxics=tuple(data.get("toxics") or ()),
    )
