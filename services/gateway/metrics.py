"""`GET /metrics` in Prometheus' text format: what the journal and the outbox hold, and durations.

Counts are read from the database when they are asked for, so the hot path pays nothing and a
restart forgets nothing; only durations are gathered as requests pass. The client library is
imported by the first who asks.
"""

import sqlite3
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..chassis.database import Database
from .store import driver

_BOUNDS_MS = (1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0)


class Durations:
    """How long /v1 took, by HTTP status: a histogram whose buckets do not overlap."""

    __slots__ = ("_buckets", "_sums_ms")

    def __init__(self) -> None:
        self._buckets: dict[int, list[int]] = {}
        self._sums_ms: dict[int, float] = {}

    def observe(self, status: int, ms: float) -> None:
        """Count one request."""
        buckets = self._buckets.get(status)
        if buckets is None:
            buckets = self._buckets[status] = [0] * (len(_BOUNDS_MS) + 1)
        buckets[bisect_left(_BOUNDS_MS, ms)] += 1
        self._sums_ms[status] = self._sums_ms.get(status, 0.0) + ms

    def cumulative(self) -> Iterator[tuple[str, list[tuple[str, float]], float]]:
        """Yield status, (upper bound in seconds, requests up to it) and the sum in seconds."""
        bounds = [str(ms / 1000) for ms in _BOUNDS_MS] + ["+Inf"]
        for status, buckets in sorted(self._buckets.items()):
            upto = [float(sum(buckets[: n + 1])) for n in range(len(buckets))]
            yield str(status), list(zip(bounds, upto, strict=True)), self._sums_ms[status] / 1000


class MetricsRoute:
    """The route over one gateway's database and durations."""

    def __init__(self, database: Database, durations: Durations) -> None:
        self._database = database
        self._durations = durations

    def routes(self) -> list[Route]:
        """Return the route for the app."""
        return [Route("/metrics", self.show, methods=["GET"])]

    async def show(self, _: Request) -> Response:
        """Answer every metric as it stands now."""
        from prometheus_client import (  # noqa: PLC0415 - see the module's docstring
            CONTENT_TYPE_LATEST,
            CollectorRegistry,
            generate_latest,
        )

        counts = await self._database.read(_counts)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Families(counts, self._durations))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Families:
    """What prometheus_client calls a collector: the metrics of one answer."""

    def __init__(self, counts: Mapping[str, Sequence[Any]], durations: Durations) -> None:
        self._counts = counts
        self._durations = durations

    def collect(self) -> Iterator[Any]:
        """Yield the metric families."""
        from prometheus_client.core import (  # noqa: PLC0415 - as above
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        journal = CounterMetricFamily(
            "gateway_journal_rows", "Rows of the journal.", labels=["kind"]
        )
        for kind, number in self._counts["journal"]:
            journal.add_metric([kind], number)
        yield journal
        webhooks = GaugeMetricFamily(
            "gateway_webhooks", "Deliveries of webhooks, by what became of them.", labels=["state"]
        )
        for state, number in self._counts["deliveries"]:
            webhooks.add_metric([state], number)
        yield webhooks
        tries = CounterMetricFamily("gateway_webhook_tries", "Tries to deliver a webhook.")
        tries.add_metric([], self._counts["tries"][0][0])
        yield tries
        took = HistogramMetricFamily(
            "gateway_request_duration_seconds", "How long /v1 took.", labels=["status"]
        )
        for status, buckets, total_s in self._durations.cumulative():
            took.add_metric([status], buckets, total_s)
        yield took


def _counts(connection: Connection) -> dict[str, Sequence[Any]]:
    sql: sqlite3.Connection = driver(connection)
    return {
        "journal": sql.execute(
            "SELECT kind, count(*) FROM journal GROUP BY kind ORDER BY kind"
        ).fetchall(),
        "deliveries": sql.execute(
            "SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state"
        ).fetchall(),
        "tries": sql.execute("SELECT coalesce(sum(attempts), 0) FROM deliveries").fetchall(),
    }
