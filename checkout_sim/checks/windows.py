"""Windows: when each fault was in force, from its read-back to its lifting."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checkout_sim.model.history import Observation

if TYPE_CHECKING:  # a ladder needs no index: SQLite and the judge would cost `explain` 30 ms
    from checkout_sim.checks.history import History, Remark

TELLING = ("fault.injected", "fault.lifted", "phase.entered")

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
    type: str = ""
    asked_ms: float = 0.0  # when the injection was asked for, just before its read-back
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


def windows_of(history: "History") -> tuple[Window, ...]:
    """Return every window in order of injection; one not lifted singly ends with the calm."""
    return paired(history.remarks(*TELLING))


def paired(remarks: Iterable["Remark | Observation"]) -> tuple[Window, ...]:
    """Return the windows that these remarks open and close; those of other kinds are ignored."""
    open_: dict[tuple[str, int], Remark | Observation] = {}
    closed: list[Window] = []
    calm: Remark | Observation | None = None
    for remark in remarks:
        name = (remark.fault or "", int(remark.data.get("window", 1)))
        if remark.kind == "fault.injected":
            open_[name] = remark
        elif remark.kind == "fault.lifted" and name in open_:
            closed.append(_window(open_.pop(name), remark))
        elif (
            remark.kind == "phase.entered" and remark.data.get("phase") == "settle"
        ):  # lifting is over when settling begins
            calm = remark
    closed += [_window(injected, calm) for injected in open_.values()]
    return tuple(sorted(closed, key=lambda window: window.begin))


def _window(injected: "Remark | Observation", lifted: "Remark | Observation | None") -> Window:
    data = injected.data
    asked_ms = injected.t_ms - float(data.get("armed_ms", 0.0))
    return Window(
        fault=injected.fault or "",
        begin=injected.id,
        begin_ms=asked_ms - _READ_BACK_MS,
        end=_NEVER if lifted is None else lifted.id,
        end_ms=float("inf") if lifted is None else lifted.t_ms,
        target=str(data.get("target", "")),
        checkout=injected.checkout,
        type=str(data.get("type", "")),
        asked_ms=asked_ms,
        toxics=tuple(data.get("toxics") or ()),
    )
