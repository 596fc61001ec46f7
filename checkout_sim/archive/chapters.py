"""An archived run, gathered for a report: verdict, course, violated orders, scenario.

Takes a run's folder; gives a `Chapter`. The history is read once, and of its lines only those that
a page shows are decoded: attempts, faults, phases, and everything about the violated orders.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from checkout_sim.archive.orders import believed_in, first_worth_a_look, violations_in
from checkout_sim.archive.recorder import HISTORY_NAME
from checkout_sim.archive.runs import read_verdict
from checkout_sim.checks.course import course
from checkout_sim.checks.diagnosis import diagnose
from checkout_sim.checks.ladder import RUN_WIDE, ladder
from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.model.history import Observation
from checkout_sim.model.verdict import Violation
from checkout_sim.ndjson import encode, mentioning, read_history
from checkout_sim.reports.chapter import Chapter, Told

# A ladder takes about 10 KB of the page: these bound it, every further order is named.
MOST_ORDERS = 150
_MOST_EVIDENCE = 24


def chapter_of(folder: Path, *, most_orders: int = MOST_ORDERS) -> Chapter:
    """Return what there is of a run; a damaged history leaves what its verdict says."""
    facts = read_verdict(folder) or {}
    violations = violations_in(facts)
    named = dict.fromkeys(one.order_id for one in violations if one.order_id is not None)
    problem, seen, full = "", [], list(named)[:most_orders]
    try:
        if not full:
            first = first_worth_a_look(folder, violations)
            full = [first] if first else []
        seen = list(_read(folder, full, violations))
    except HistoryUnreadable as error:
        problem = str(error)
    opened = next((one.data for one in seen if one.kind == "run.opened"), {})
    text, note = _scenario(folder, facts, opened)
    return Chapter(
        id=folder.name,
        facts={**_known(opened), **facts},
        engine=_engine(opened),
        course=course(seen) if seen else None,
        orders=tuple(_told(seen, full, violations, facts)) if seen else (),
        more=tuple((one, _claims(violations, one)) for one in list(named)[most_orders:]),
        loose=tuple(one for one in violations if one.order_id is None),
        scenario_text=text,
        scenario_note=note,
        problem=problem,
    )


def _read(
    folder: Path, orders: Sequence[str], violations: Sequence[Violation]
) -> Iterable[Observation]:
    kinds = (*RUN_WIDE, "client.")
    siblings = {
        f'"checkout":{one.checkout},'
        for one in violations
        if one.invariant == "one_confirmed_order_per_checkout" and one.checkout is not None
    }
    wanted = mentioning(kinds=kinds, words=sorted(siblings)[:20], orders=orders)
    return read_history(folder / HISTORY_NAME, wanted=wanted)


def _told(
    seen: Sequence[Observation],
    orders: Sequence[str],
    violations: Sequence[Violation],
    facts: Mapping[str, Any],
) -> Iterable[Told]:
    """Yield the orders in full; each ladder is given only what can concern it."""
    run_wide = [one for one in seen if one.kind.startswith(RUN_WIDE)]
    by_order: dict[str, list[Observation]] = defaultdict(list)
    by_checkout: dict[int, list[Observation]] = defaultdict(list)
    for one in seen:
        if one.checkout is not None:
            by_checkout[one.checkout].append(one)
        elif one.order is not None:
            by_order[one.order].append(one)
    checkouts = {one.order: one.checkout for one in seen if one.order and one.checkout is not None}
    for order in orders:
        own = by_checkout.get(checkouts.get(order, 0), [])
        near = {one.id: one for one in (*run_wide, *own, *by_order.get(order, []))}
        drawn = ladder(
            [near[at] for at in sorted(near)], order, believed_already=believed_in(facts, order)
        )
        about = tuple(one for one in violations if one.order_id == order)
        cited = sorted({event for one in about for event in one.events if event in near})
        yield Told(
            ladder=drawn,
            violations=about,
            diagnosis=diagnose(drawn, about),
            evidence=tuple(encode(near[at]).decode().rstrip() for at in cited[:_MOST_EVIDENCE]),
        )


def _claims(violations: Sequence[Violation], order: str) -> tuple[str, ...]:
    return tuple(one.invariant for one in violations if one.order_id == order)


def _known(opened: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run without a verdict still says of itself."""
    names = ("scenario", "strategy", "seed")
    return {name: opened[name] for name in names if name in opened}


def _engine(opened: Mapping[str, Any]) -> str:
    engine = opened.get("engine") or {}
    return f"{engine.get('name', 'unknown')} {engine.get('version', '')}".strip()


def _scenario(folder: Path, facts: Mapping[str, Any], opened: Mapping[str, Any]) -> tuple[str, str]:
    """Return the scenario's text, and a note where it is not the very file that was run."""
    path = Path(str(facts.get("scenario_path") or opened.get("path") or ""))
    try:
        content = path.read_bytes()
    except (OSError, ValueError):
        content = b""
    digest = opened.get("digest")
    if content and (digest is None or hashlib.sha256(content).hexdigest() == digest):
        return content.decode(errors="replace"), ""
    why = "has changed since" if content else "is not there any more"
    note = f"The scenario file {why}; this is the plan that was run."
    for name in ("scenario.lock", "scenario.lock.yaml"):
        try:
            return (folder / name).read_text(errors="replace"), note
        except OSError:
            continue
    return "", f"The scenario file {why}, and no plan was kept."
