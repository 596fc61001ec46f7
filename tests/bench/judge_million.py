"""What judging many orders costs: `python -m tests.bench.judge_million [orders]`.

Fills an index of a million orders through the judge's own schema, one in a thousand of them wrong
in one of ten ways, so that every core claim is broken by some; then a fresh process opens it and
asks them all. Filling uses bulk rows, since a bench has no history to follow; what following one
costs is measured beside it, on observations, and so is finishing the index, which the judging waits
for but does not count. Prints seconds and peak memory beside their targets; asserts nothing.
"""

import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from checkout_sim.checks.evidence import Evidence, close_index
from checkout_sim.checks.history import History
from checkout_sim.checks.judge import judge
from checkout_sim.checks.schema import SCHEMA_VERSION, TABLES
from checkout_sim.model.claims import CORE
from checkout_sim.model.verdict import Broken
from checkout_sim.ndjson import encode
from tests.bench.table import Figure, show
from tests.histories import Tale

ORDERS = 1_000_000
WRONG_EVERY = 1_000
WAYS = (
    *("sound", "stuck", "failed", "underpaid", "disbelieved", "twice", "rowless", "lied_to"),
    *("went_back", "refused", "bought_again"),
)
TARGET_S, TARGET_MB = 5.0, 300.0
TARGET_LINE_US, TARGET_ENCODE_US = 6.0, 8.0
FOLLOWED, ROUNDS = 20_000, 3
JUDGE_LIMIT_S = 600

Row = tuple[Any, ...]


def way_of(n: int) -> str:
    """Return how order n goes; the seeded faults take turns."""
    return WAYS[1 + n // WRONG_EVERY % (len(WAYS) - 1)] if n % WRONG_EVERY == 0 else "sound"


def order_id(n: int) -> str:
    """Return an id as long and as unordered as the services make them."""
    return f"ord_{n * 0x9E3779B97F4A7C15 % 2**128:032x}"


def rows_of(n: int) -> Iterator[tuple[str, Row]]:
    """Yield every row that order n leaves in the index."""
    way, event, seq, name = way_of(n), 40 * n, 4 * n, order_id(n)
    ends = {"stuck": "pending", "failed": "failed"}.get(way, "confirmed")
    paid = 4100 if way == "underpaid" else 4200
    intent, key = f"pi_{n:024x}", f"{name}:confirm:1"
    checkout = n - 1 if way == "bought_again" else n
    yield "order_id", (n, name)
    if way != "rowless":
        yield "order_row", (n, checkout, ends, 4200, "usd", event)
    believed = "failed" if way == "disbelieved" else "completed"
    keys = f'["{name}:create:1", "{key}"]'
    yield "payment_row", (n, event + 1, believed, paid, "usd", intent, keys)
    made = (intent, paid, "usd", f"{name}:create:1", None, event + 2)
    yield "journal", (n, seq, "intent_created", 0, *made)
    yield "journal", (n, seq + 1, "captured", paid, intent, paid, "usd", key, None, event + 3)
    if way == "twice":
        again = (f"{intent}b", paid, "usd", key, None, event + 4)
        yield "journal", (n, seq + 2, "captured", paid, *again)
    yield "transition", (n, event - 9, "order.created", 1.0, checkout)
    if ends != "pending":
        yield "transition", (n, event - 5, f"order.{ends}", 2.0, None)
    if way == "went_back":
        yield "transition", (n, event - 3, "order.failed", 3.0, None)
    yield "sent", (n, 1, event - 10, f"key-{n}", "digest", 0, None)
    claim = {"stuck": "unknown", "failed": "unknown", "lied_to": "failed"}.get(way, ends)
    said = None if claim == "unknown" else claim
    yield "ended", (n, 1, event - 4, 1.0, claim, 200, None, 9.5, n if said else 0, said, 0)
    if way == "refused":
        yield "sent", (n, 2, event - 3, f"key-{n}", "digest", 0, None)
        yield "ended", (n, 2, event - 2, 1.0, "refused", 400, None, 9.5, 0, None, 0)


def fill(path: Path, orders: int) -> float:
    """Write an index of so many orders, and return the seconds that finishing it took.

    The run around them is a real, short one.
    """
    frame = Tale().history()
    with sqlite3.connect(path, isolation_level=None) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.executescript(TABLES)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("BEGIN")
        for table in ("remark", "kind"):
            insert(db, table, frame.rows(f"SELECT * FROM {table}").fetchall())
        for first in range(1, orders + 1, 20_000):
            batch: defaultdict[str, list[Row]] = defaultdict(list)
            for n in range(first, min(first + 20_000, orders + 1)):
                for table, row in rows_of(n):
                    batch[table].append(row)
            for table, rows in batch.items():
                insert(db, table, rows)
        began = perf_counter()
        close_index(db)
        finishing = perf_counter() - began
    db.close()
    frame.close()
    return finishing


def insert(db: sqlite3.Connection, table: str, rows: list[Row]) -> None:
    """Insert rows that are as wide as their table."""
    marks = ", ".join("?" * len(rows[0]))
    db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def judge_alone(path: Path) -> None:
    """Judge an index and print what it cost: this process does nothing else."""
    began, cpu = perf_counter(), process_time()
    history = History.open(path)
    verdict = judge(history, invariants=CORE)
    seconds = perf_counter() - began
    totals = {
        name: found.total for name, found in verdict.findings.items() if isinstance(found, Broken)
    }
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    said: dict[str, Any] = {
        "seconds": seconds,
        "peak_mb": peak_mb,
        "cpu": process_time() - cpu,
        "totals": totals,
    }
    print(json.dumps({**said, "status": verdict.status}))


def follow() -> tuple[float, float, int]:
    """Return what indexing and what encoding one observation costs, in us, and of how many.

    CPU time, since neither waits for anything, and of three rounds the best: wall time and the
    other rounds tell of what else the machine was doing.
    """
    tale = Tale()
    for checkout in range(1, FOLLOWED + 1):
        tale.bought(checkout, told="confirmed")
    tale.ended()
    indexing, encoding = [], []
    for _ in range(ROUNDS):
        evidence, began = Evidence.in_memory(), process_time()
        evidence.extend(tale.seen)
        indexing.append(process_time() - began)
        began = process_time()
        for seen in tale.seen:
            encode(seen)
        encoding.append(process_time() - began)
    count = len(tale.seen)
    return min(indexing) / count * 1e6, min(encoding) / count * 1e6, count


def figures(orders: int = ORDERS) -> list[Figure]:
    """Fill an index, judge it in a fresh process, and return what that cost."""
    with tempfile.TemporaryDirectory(prefix="judge-million-") as folder:
        path = Path(folder) / "evidence.db"
        began = perf_counter()
        finishing = fill(path, orders)
        filling = perf_counter() - began - finishing
        size_mb = path.stat().st_size / 2**20
        command = [sys.executable, "-m", "tests.bench.judge_million", "--judge", str(path)]
        judged = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=JUDGE_LIMIT_S
        )
    said = json.loads(judged.stdout)
    add_us, encode_us, lines = follow()
    full = orders >= ORDERS
    return [
        Figure(
            name=f"judge {orders:,} orders, core claims",
            value=said["seconds"],
            unit="s",
            target=TARGET_S if full else None,
            note=f"{said['status']}, {sum(said['totals'].values()):,} violations",
        ),
        Figure(
            name="CPU of the judging process",
            value=said["cpu"],
            unit="s",
            note="two threads; where they wait for other work, wall time nears or passes this",
        ),
        Figure(
            name="peak memory of the judging process",
            value=said["peak_mb"],
            unit="MB",
            target=TARGET_MB,
        ),
        Figure(
            name="index one observation, CPU",
            value=add_us,
            unit="us",
            target=TARGET_LINE_US,
            note=f"{lines:,} lines, best of {ROUNDS} rounds",
        ),
        Figure(
            name="encode one observation, CPU", value=encode_us, unit="us", target=TARGET_ENCODE_US
        ),
        Figure(
            name="finish the index",
            value=finishing,
            unit="s",
            note="when the run ends, before judging: money summed, tables indexed",
        ),
        Figure(name="fill the index in bulk", value=filling, unit="s"),
        Figure(name="size of the index", value=size_mb, unit="MB"),
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--judge"]:
        judge_alone(Path(sys.argv[2]))
    else:
        show(figures(int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS))
