"""The log: what was seen lately, one line each, in words that fit.

Takes observations; keeps the last 2,000 and gives lines for a width. Levels: `debug` is everything,
`info` leaves out the halves of calls that went well and the reading of ledgers, `warn` keeps what a
fault, a process or an unknown outcome caused.
"""

from collections import deque
from collections.abc import Iterable
from typing import Literal, NamedTuple, Self

from checkout_sim.board.places import LINK_OF_NAME
from checkout_sim.model.history import Observation

Level = Literal["debug", "info", "warn"]
LEVELS: tuple[Level, ...] = ("info", "debug", "warn")

MOST_LINES = 2_000
_RATE_SECONDS = 5
_QUIET = ("ledger.", "process.listening", "call.started", "client.sent")
_LOUD = (
    "fault.",
    "process.killed",
    "process.paused",
    "process.exited",
    "evidence.",
    "machine.",
    "quiet.given_up",
    "operator.",
    "payment.charge_unknown",
    "ledger.failed",
)


class LogLine(NamedTuple):
    """One line: when (s since the run began), who, what, about which checkout."""

    id: int
    t_ms: float
    source: str
    text: str
    checkout: int | None
    loud: bool
    order: str | None = None


class Log:
    """The newest observations, newest last, and how many there were ever."""

    def __init__(self) -> None:
        self.seen: deque[Observation] = deque(maxlen=MOST_LINES)
        self.count = 0
        self._by_second: deque[tuple[int, int]] = deque(maxlen=_RATE_SECONDS + 1)

    def snapshot(self) -> Self:
        """Return a copy that later events do not touch."""
        copy = type(self)()
        copy.seen = self.seen.copy()
        copy.count = self.count
        copy._by_second = self._by_second.copy()  # noqa: SLF001 - its own kind
        return copy

    def add(self, one: Observation) -> None:
        """Keep one more."""
        self.seen.append(one)
        self.count += 1
        second = int(one.t_ms // 1000)
        if self._by_second and self._by_second[-1][0] >= second:
            self._by_second[-1] = (self._by_second[-1][0], self._by_second[-1][1] + 1)
        else:
            self._by_second.append((second, 1))

    def per_s(self, now_ms: float) -> float:
        """Return how many came a second, over the last whole seconds."""
        now = int(now_ms // 1000)
        lately = sum(many for at, many in self._by_second if now - _RATE_SECONDS <= at < now)
        return lately / _RATE_SECONDS

    def tail(self, most: int, level: Level = "info", *, text: str = "") -> list[LogLine]:
        """Return the newest lines of a level that contain a text, oldest first."""
        lines: list[LogLine] = []
        for one in reversed(self.seen):
            if len(lines) >= most:
                break
            if shown(one, level):
                line = line_of(one)
                if not text or text in f"{line.source} {line.text} #{line.checkout} {line.order}":
                    lines.append(line)
        lines.reverse()
        return lines


def shown(one: Observation, level: Level) -> bool:
    """Return whether a level shows an observation."""
    if level == "debug":
        return True
    if is_loud(one):
        return True
    return level == "info" and not one.kind.startswith(_QUIET)


def is_loud(one: Observation) -> bool:
    """Return whether it tells of a fault, a process, an operator or an unknown outcome."""
    if one.kind.startswith(_LOUD):
        return True
    return one.kind == "call.ended" and one.data.get("error") is not None


def line_of(one: Observation) -> LogLine:
    """Return an observation as one line."""
    return LogLine(
        id=one.id,
        t_ms=one.t_ms,
        source=one.source,
        text=said(one),
        checkout=one.checkout,
        loud=is_loud(one),
        order=one.order,
    )


def said(one: Observation) -> str:  # noqa: PLR0911 - one for each kind that has words of its own
    """Return an observation in words: its kind, and what matters of its data."""
    data = one.data
    match one.kind:
        case "call.started":
            return f"call.started on {_link(data.get('link'))}: {data.get('operation', '')}"
        case "call.ended":
            return _call_ended(one)
        case "client.sent":
            return f"sent, attempt {data.get('attempt', 1)}, {data.get('card', '')}"
        case "client.ended":
            after = float(data.get("duration_ms") or 0)
            told = data.get("error") or data.get("http_status")
            return f"told {data.get('claim')} ({told}) after {after:.0f} ms"
        case "phase.entered":
            return f"phase {data.get('phase')}"
        case "machine.hiccup":
            return f"stood still for {float(data.get('ms') or 0):.0f} ms (cpu {data.get('cpu')})"
        case "fault.injected" | "fault.lifted" | "fault.failed":
            return f"fault {one.fault} {_fault(one)}"
        case _ if one.kind.startswith("process."):
            status = data.get("exit_status")
            ended = f" with {status}" if status is not None else ""
            return f"{one.kind} {data.get('process', '')} pid {data.get('pid', '-')}{ended}"
        case _:
            return f"{one.kind}{_about(one)}"


def _call_ended(one: Observation) -> str:
    data = one.data
    after = float(data.get("duration_ms") or 0)
    link = _link(data.get("link"))
    if data.get("error"):
        return f"call.ended on {link}: {data['error']} after {after:.0f} ms"
    return f"call.ended on {link} after {after:.0f} ms"


def _fault(one: Observation) -> str:
    data = one.data
    if one.kind == "fault.injected":
        return f"armed on {_link(data.get('target'))}: {data.get('type')}"
    if one.kind == "fault.lifted":
        return f"lifted ({data.get('how', 'release')})"
    return f"failed: {data.get('message')}"


def _about(one: Observation) -> str:
    data = one.data
    if "amount_minor" in data and one.kind.startswith("gateway."):
        return f" {money(data.get('amount_minor'))}"
    words = (data.get(name) for name in ("status", "reason", "code", "error", "text", "message"))
    told = "; ".join(dict.fromkeys(str(word) for word in words if word))
    return f": {told}" if told else ""


def _link(name: object) -> str:
    link = LINK_OF_NAME.get(str(name))
    return link.label if link else str(name)


def money(minor: object) -> str:
    """Return minor units as a decimal without a currency; "-" of nothing."""
    if not isinstance(minor, int):
        return "-"
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def orders_in(lines: Iterable[LogLine]) -> tuple[int, ...]:
    """Return the checkouts some lines are about, each once."""
    return tuple(dict.fromkeys(line.checkout for line in lines if line.checkout is not None))
