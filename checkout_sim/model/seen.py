"""What reaches the tool from its processes, before the recorder numbers it into an Observation.

`stack/` makes these values, the runner turns them into observations. Standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

ProcessKind = Literal[
    "process.started", "process.killed", "process.paused", "process.resumed", "process.exited"
]


class ServiceLine(NamedTuple):
    """One JSON line a service wrote on standard output (services/README.md, Events).

    `source` is the service's name, `instance` counts its replicas from 1, `n` counts the lines of
    one process from 1, `ms` is that process's monotonic clock. A tuple, not a dataclass: every
    checkout makes a dozen, and a frozen dataclass costs six times as much to make (measured).
    """

    source: str
    instance: int
    n: int
    ms: float
    kind: str
    order: str | None = None
    key: str | None = None
    data: Mapping[str, Any] = MappingProxyType({})


class Hiccup(NamedTuple):
    """How long a processor of this machine stood still: nothing on it ran (jHiccup's term).

    `ended_ms` is CLOCK_MONOTONIC; `cpu` is None where none can be told apart.
    """

    cpu: int | None
    ms: float
    ended_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessNote:
    """Something that happened to a process, confirmed by the kernel before it is said.

    `exit_status` is as in `subprocess`: negative for a signal. `asked` and `last_lines` (of its
    standard error) belong to `process.exited` alone.
    """

    kind: ProcessKind
    process: str
    instance: int
    pid: int
    port: int
    exit_status: int | None = None
    asked: bool = True
    last_lines: tuple[str, ...] = ()

    @property
    def data(self) -> Mapping[str, Any]:
        """Return the observation's `data`, as model/history.py lists it for this kind."""
        who = {"process": self.process, "instance": self.instance, "pid": self.pid}
        if self.kind != "process.exited":
            return {**who, "port": self.port}
        ended = {"exit_status": self.exit_status, "asked": self.asked}
        return {**who, **ended, "last_lines": list(self.last_lines)}


Claim = Literal["confirmed", "failed", "refused", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An order as the shopper was shown it."""

    order_id: str
    status: str
    total_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one attempt ended, as far as the shopper can know. Never an exception."""

    claim: Claim
    http_status: int | None
    error: str | None
    document: Document | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A side request's answer: status and, for a look-up, the order's status."""

    http_status: int | None
    error: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a fault deed really did: the target it chose and what was read back.

    `seen` is an observation of its own, such as the broker's word that it took a message.
    """

    target: str
    data: Mapping[str, Any] = field(default_factory=dict)
    seen: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """What one service has not decided yet, requests in flight included."""

    count: int
    ids: tuple[str, ...]
    in_flight: int
    last_seq: int | None
