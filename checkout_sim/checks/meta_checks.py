"""Meta checks: whether the run can carry a verdict at all. Failing one makes it unknown.

Each takes a history and gives Holds or Unknown, never Broken: what is wrong here is wrong with
the evidence, not with the services.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from checkout_sim.checks.history import History, Remark
from checkout_sim.model.ledger import DEAD_LETTERS, ledgers_of
from checkout_sim.model.verdict import Holds, Unknown

_LAST_LINES = 5


def unread_ledgers(history: History) -> Mapping[str, str]:
    """Return why each ledger that was not read whole, and twice alike, was not.

    Those that the run's strategy does not have are not missed.
    """
    read: dict[str, object] = {}
    failed: dict[str, str] = {}
    for remark in history.remarks("ledger.ended", "ledger.failed"):
        name = str(remark.data.get("name"))
        if remark.kind == "ledger.failed":
            failed[name] = str(remark.data.get("message"))
        elif read.setdefault(name, remark.data.get("digest")) != remark.data.get("digest"):
            failed[name] = "two readings differ"
    unread = {name: f"the {name} ledger was not read: {why}" for name, why in failed.items()}
    for name in ledgers_of(history.opened.get("strategy")):
        if name not in read and name not in failed:
            unread[name] = f"the {name} ledger was not read: the history ends before it does"
    return unread


def history_is_complete(history: History, unread: Mapping[str, str]) -> Holds | Unknown:
    """Ids run without gaps, each attempt ended once, each ledger was read whole."""
    missing = list(_missing(history))
    missing += unread.values()
    if missing:
        more = f" (and {len(missing) - 3} more)" if len(missing) > 3 else ""  # noqa: PLR2004 - shown
        return Unknown(reason="; ".join(missing[:3]) + more)
    return Holds(judged=sum(history.kinds.values()))


def _missing(history: History) -> Iterator[str]:
    if not history.opened:
        yield "there is no run.opened"
    for event, detail in history.rows("SELECT event, detail FROM flaw ORDER BY event"):
        yield f"{detail} (observation {event})"
    for gap in history.remarks("evidence.gap"):
        yield f"{gap.data.get('message')} (observation {gap.id})"
    yield from _unended(history)


def _unended(history: History) -> Iterator[str]:
    """Yield attempts that did not end exactly once; with as many ends as sends none ended twice."""
    said = "attempt {1} of checkout {0} ended {2} times instead of once"
    for row in history.rows(
        "SELECT checkout, attempt FROM sent EXCEPT SELECT checkout, attempt FROM ended "
        "ORDER BY checkout, attempt LIMIT 10"
    ):
        yield said.format(*row, 0)
    if history.size("ended") != history.size("sent"):
        for row in history.rows(
            "SELECT checkout, attempt, COUNT(*) AS ends FROM ended "
            "GROUP BY checkout, attempt HAVING ends > 1 LIMIT 10"
        ):
            yield said.format(*row)


def came_to_rest(history: History) -> Holds | Unknown:
    """Nothing moved any more when the ledgers were read.

    A stalled run is at rest too: what is undecided stays so, and is judged as it stands.
    """
    for remark in history.remarks("quiet.given_up"):
        moving = remark.data.get("moving") or ()
        if moving:
            return Unknown(reason=f"still moving when waiting ended: {', '.join(moving)}")
        return Holds(judged=1)
    if "quiet.reached" in history.kinds:
        return Holds(judged=1)
    return Unknown(reason="the run never waited for rest: there is no quiet.reached")


def run_was_exercised(history: History, *, sent: int, judged: int) -> Holds | Unknown:
    """Every checkout of the plan was sent, and there were orders and claims to judge."""
    asked = int(history.opened.get("checkouts", 0))
    if sent < asked:
        return Unknown(reason=f"{sent} of {asked} checkouts were sent")
    if not judged:
        return Unknown(reason="no claim was asked, so nothing was judged")
    orders = history.size("order_row")
    if not orders:
        return Unknown(reason="the orders ledger has no row, so nothing was judged")
    return Holds(judged=orders)


def notes_of(history: History) -> tuple[str, ...]:
    """Return what a reader of the verdict should know and no claim says."""
    notes = []
    for remark in history.remarks("quiet.given_up"):
        undecided = remark.data.get("undecided") or {}
        named = "; ".join(f"{name}: {', '.join(ids)}" for name, ids in sorted(undecided.items()))
        why = "nothing moved" if remark.data.get("reason") == "stalled" else "the time was spent"
        notes.append(f"waiting for rest ended because {why}; undecided: {named or 'nothing'}")
    notes += [
        f"{_own_end(remark.data)} (observation {remark.id})"
        for remark in history.remarks("process.exited")
        if not remark.data.get("asked", True)
    ]
    notes += [_dead_letter(remark.data["row"]) for remark in _dead_letters(history)]
    return tuple(notes)


def _dead_letters(history: History) -> Iterator[Remark]:
    """Yield the messages that were in a dead queue at the end."""
    for remark in history.remarks("ledger.read"):
        if remark.data.get("name") == DEAD_LETTERS:
            yield remark


def _dead_letter(row: Mapping[str, Any]) -> str:
    """Return what was set aside and why, with its words."""
    whose = f" of {row['order_id']}" if row.get("order_id") else ""
    return (
        f"dead letter in {row.get('queue')}{whose}: message {row.get('message_id')} "
        f"({row.get('topic') or 'no topic'}), {row.get('reason') or 'no reason given'}: "
        f"{row.get('body')}"
    )


def _own_end(exited: Mapping[str, Any]) -> str:
    """Return how a process ended that nobody had asked to, with its last words."""
    status, lines = exited.get("exit_status"), exited.get("last_lines") or ()
    told = f"{exited.get('process')} ended by itself"
    told += f" with status {status}" if status is not None else ""
    if not lines:
        return f"{told}, its log said nothing"
    return f"{told}, the last lines of its log: {' / '.join(map(str, lines[-_LAST_LINES:]))}"
