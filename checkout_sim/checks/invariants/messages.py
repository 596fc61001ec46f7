"""What messages owe the commits they tell of: all published, applied once, poison set aside.

A message is known by its outbox row's id, the same at every publication, and a webhook by its
event's (services/README.md, Events). Where a strategy sends none, these claims hold of nothing.
"""

from checkout_sim.checks.history import History, Row
from checkout_sim.checks.invariants.conclusion import conclude, of_order
from checkout_sim.model.ledger import INBOXES, ledgers_of
from checkout_sim.model.verdict import Broken, Holds, Violation
from checkout_sim.model.wire import SETTINGS

# A delivery that fails as number so many goes to the dead queue; `message_tries` says otherwise.
_MESSAGE_TRIES = 5

# Each select: order number, message id, who, what is wrong, the observation that shows it.
_UNPUBLISHED = """
WITH sent(id) AS (SELECT message_id FROM message WHERE kind = 'message.published'),
reached(id) AS (SELECT message_id FROM message WHERE kind <> 'message.published')
SELECT n, message_id, topic, 'unsent', event FROM outbox WHERE NOT sent
UNION ALL
SELECT n, message_id, topic, 'unconfirmed', event FROM outbox
WHERE sent AND message_id NOT IN (SELECT id FROM sent WHERE id IS NOT NULL)
UNION ALL
SELECT n, message_id, topic, 'lost', event FROM outbox
WHERE sent AND message_id IN (SELECT id FROM sent)
AND message_id NOT IN (SELECT id FROM reached WHERE id IS NOT NULL)
UNION ALL
SELECT n, message_id, COALESCE(topic, consumer), 'causeless', MIN(id) FROM message
WHERE kind IN ('message.published', 'message.handled') AND consumer IS NOT 'stripe'
AND message_id IS NOT NULL AND message_id NOT IN (SELECT message_id FROM outbox)
GROUP BY n, message_id
ORDER BY 5
"""

_SAID = {
    "unsent": "was committed and never sent",
    "unconfirmed": "is marked sent, but the broker never confirmed it",
    "lost": "was sent and confirmed, and no consumer ever saw it",
    "causeless": "was sent, and no outbox row holds it: no commit stands behind it",
}


def every_commit_is_published(history: History) -> Holds | Broken:
    """Every outbox row was sent, confirmed and received; no message is without its row."""

    def describe(row: Row) -> Violation:
        n, message_id, topic, how, event = row
        detail = f"message {message_id} ({topic}) {_SAID[how]}"
        return of_order(
            history, n, invariant="every_commit_is_published", detail=detail, events=(event,)
        )

    outboxes = history.size("order_outbox") + history.size("payment_outbox")
    return conclude(history.rows(_UNPUBLISHED), describe, judged=outboxes)


_TWICE = """
SELECT n, consumer, message_id, COUNT(*), GROUP_CONCAT(id) FROM message
WHERE kind = 'message.handled' AND message_id IS NOT NULL
GROUP BY consumer, message_id HAVING COUNT(*) > 1
"""

_UNNOTED = """
SELECT m.n, m.consumer, m.message_id, 1, MIN(m.id) FROM message m
WHERE m.kind = 'message.handled' AND m.message_id IS NOT NULL AND m.consumer IS NOT 'stripe'
AND NOT EXISTS (SELECT 1 FROM inbox i
    WHERE i.consumer = m.consumer AND i.message_id = m.message_id)
GROUP BY m.consumer, m.message_id
"""


def effects_are_applied_once(history: History) -> Holds | Broken:
    """No consumer handles a message, or a webhook's event, twice; each handled is in its inbox.

    The inbox row is what suppresses the next delivery, so its absence is the offence even where
    no second delivery came.
    """

    def describe(row: Row) -> Violation:
        n, consumer, message_id, times, events = row
        detail = f"message {message_id} was handled {times} times by {consumer}"
        if times == 1:
            detail = f"message {message_id} was handled by {consumer}, whose inbox has no row of it"
        return of_order(
            history,
            n,
            invariant="effects_are_applied_once",
            detail=detail,
            events=tuple(sorted(int(event) for event in str(events).split(","))),
        )

    offences = list(history.rows(_TWICE))
    if set(INBOXES) <= set(ledgers_of(history.opened.get("strategy"))):
        offences += history.rows(_UNNOTED)
    return conclude(offences, describe, judged=history.kinds.get("message.handled", 0))


_NOT_DONE_WITH = """
SELECT n, consumer, message_id, MAX(COALESCE(deliveries, 1)) AS most, MAX(id),
    SUM(kind IN ('message.handled', 'message.deduplicated', 'message.dead_lettered')) AS done
FROM message WHERE consumer IS NOT NULL AND consumer <> 'stripe'
GROUP BY consumer, COALESCE(message_id, '') HAVING done = 0 OR most > 1 ORDER BY 5
"""


def poison_is_contained(history: History) -> Holds | Broken:
    """Every message received is handled, or dead after no more deliveries than are declared."""

    def describe(row: Row) -> Violation:
        n, consumer, message_id, most, event, done = row
        name = f"message {message_id}" if message_id else "a message without an id"
        detail = f"{name} reached {consumer} and was neither handled nor set aside"
        if done:
            allowed = _tries(history, consumer)
            detail = f"{name} was delivered {most} times to {consumer}; {allowed} are declared"
        return of_order(history, n, invariant="poison_is_contained", detail=detail, events=(event,))

    offences = (
        row
        for row in history.rows(_NOT_DONE_WITH)
        if not row[5] or row[3] > _tries(history, row[1])
    )
    received = history.kinds.get("message.received", 0)
    return conclude(offences, describe, judged=received)


def _tries(history: History, consumer: str) -> int:
    """Return how many deliveries the service that reads `<service>.events` declares."""
    service = consumer.partition(".")[0]
    overridden = history.opened.get("settings", {}).get(service, {}).get("message_tries")
    declared = SETTINGS.get(service, {}).get("message_tries", _MESSAGE_TRIES)
    return int(declared if overridden is None else overridden)
