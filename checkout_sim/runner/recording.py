"""Recording: numbers observations and hands each to everyone who must know, in the same instant."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from checkout_sim.model.history import Observation
from checkout_sim.model.seen import ServiceLine
from checkout_sim.runner.attribution import Attribution
from checkout_sim.runner.ports import Clock

Sink = Callable[[Observation], None]


class Recording:
    """The one way into a history: implements `Record`, with ids 1, 2, 3 … and no gaps."""

    def __init__(self, clock: Clock, sinks: Sequence[Sink]) -> None:
        self._clock = clock
        self._sinks = list(sinks)
        self._began_ms = clock.now_ms()
        self._last_id = 0
        self.attribution = Attribution()
        self.last_seen_ms = self._began_ms

    def now_ms(self) -> float:
        """Return what `t_ms` an observation made now would have."""
        return self._clock.now_ms() - self._began_ms

    def add_sink(self, sink: Sink) -> None:
        """Let one more party see every observation from now on."""
        self._sinks.append(sink)

    def __call__(
        self,
        source: str,
        kind: str,
        *,
        source_ms: float | None = None,
        checkout: int | None = None,
        order: str | None = None,
        key: str | None = None,
        fault: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Observation:
        """Append one observation and return it as recorded."""
        self._last_id += 1
        now_ms = self._clock.now_ms()
        self.last_seen_ms = now_ms
        seen = Observation(
            id=self._last_id,
            t_ms=round(now_ms - self._began_ms, 3),
            source=source,
            kind=kind,
            source_ms=source_ms,
            checkout=checkout,
            order=order,
            key=key,
            fault=fault,
            data={} if data is None else data,
        )
        for sink in self._sinks:
            sink(seen)
        return seen

    def overheard(self, heard: ServiceLine) -> None:
        """Append what a service logged, once it is known which checkout it belongs to."""
        self.last_seen_ms = self._clock.now_ms()
        for line, checkout in self.attribution.attribute(heard):
            self._append(line, checkout)

    def flush(self) -> None:
        """Append what still waited for its checkout to be learned."""
        for line, checkout in self.attribution.flush():
            self._append(line, checkout)

    def _append(self, line: ServiceLine, checkout: int | None) -> None:
        self(
            line.source,
            line.kind,
            source_ms=line.ms,
            checkout=checkout,
            order=line.order,
            key=line.key,
            data=line.data if line.instance == 1 else {**line.data, "instance": line.instance},
        )
