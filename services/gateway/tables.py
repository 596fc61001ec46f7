"""The gateway's tables: wire documents beside the few columns that rules and lists need.

A document is what the API shows, kept as JSON text so that most reads are a copy; a column is a
rule's business. `n` orders newest last. `created_ms` of charges, events and balance transactions
may lie ahead: they become visible then (`error_500_after_effect` with `reveal_after_ms`). The
database itself holds conservation (what moved is what rows say moved) and an append-only journal.
"""

from sqlalchemy import (
    DDL,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    event,
    text,
)

METADATA = MetaData()


def _document(name: str, *columns: Column[str] | Column[int] | CheckConstraint) -> Table:
    return Table(
        name,
        METADATA,
        Column("n", Integer, primary_key=True),
        Column("id", Text, nullable=False, unique=True),
        Column("created_ms", Integer, nullable=False),
        *columns,
        Column("document", Text, nullable=False),
    )


INTENTS = _document(
    "intents",
    Column("changed_ms", Integer, nullable=False),
    Column("masked_until_ms", Integer, nullable=False),
    Column("order_id", Text),
    Column("user_id", Text),
)
CHARGES = _document(
    "charges",
    Column("payment_intent", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("amount_captured", Integer, nullable=False),
    Column("amount_refunded", Integer, nullable=False),
    CheckConstraint(
        "0 <= amount_refunded AND amount_refunded <= amount_captured AND amount_captured <= amount",
        name="conservation",
    ),
)
Index(
    "one_successful_charge_per_intent",
    CHARGES.c.payment_intent,
    unique=True,
    sqlite_where=text("status = 'succeeded'"),
)
REFUNDS = _document(
    "refunds",
    Column("payment_intent", Text, nullable=False),
    Column("charge", Text, nullable=False, index=True),
    Column("status", Text, nullable=False),
    Column("amount", Integer, nullable=False),
)
PAYMENT_METHODS = _document("payment_methods", Column("number", Text, nullable=False))
BALANCE_TRANSACTIONS = _document("balance_transactions")
EVENTS = _document(
    "events", Column("type", Text, nullable=False), Column("object_id", Text, index=True)
)

WEBHOOK_ENDPOINTS = _document(
    "webhook_endpoints",
    Column("secret", Text, nullable=False),
    Column("old_secret", Text),
    Column("old_until_ms", Integer, nullable=False),
)
# One row per event and endpoint (two for `event_duplicate`). `body` is kept of a forgery alone.
DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("n", Integer, primary_key=True),
    Column("event", Text, nullable=False, index=True),
    Column("type", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("order_id", Text),
    Column("payment_intent", Text, nullable=False),
    Column("state", Text, nullable=False),  # due | held | delivered | undelivered | forged
    Column("due_ms", Integer),  # null: nothing will be sent any more
    Column("attempts", Integer, nullable=False),
    Column("body", Text),
)
Index("deliveries_due", DELIVERIES.c.due_ms, sqlite_where=text("due_ms IS NOT NULL"))

KEYS = Table(
    "idempotency_keys",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("endpoint", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("created_ms", Integer, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("order_id", Text),
    Column("payment_intent", Text),
    Column("status", Integer),  # null: reserved, still executing
    Column("body", Text),
)
JOURNAL = Table(
    "journal",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("at_ms", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("order_id", Text),
    Column("run_id", Text),
    Column("payment_intent", Text),
    Column("charge", Text),
    Column("refund", Text),
    Column("amount_minor", Integer, nullable=False),
    Column("currency", Text),
    Column("idempotency_key", Text),
    Column("request_id", Text),
    Column("label", Text),
)
SETTLEMENTS = Table(
    "settlements",
    METADATA,
    Column("n", Integer, primary_key=True),
    Column("due_ms", Integer, nullable=False, index=True),
    Column("refund", Text, nullable=False),
    Column("outcome", Text, nullable=False),  # succeeded | failed
)
FAULTS = Table(
    "faults",
    METADATA,
    Column("n", Integer, primary_key=True),
    Column("label", Text, nullable=False, unique=True),
    Column("armed", Text, nullable=False),
    Column("seen", Integer, nullable=False),
    Column("used", Integer, nullable=False),
)

for _verb in ("UPDATE", "DELETE"):
    event.listen(
        JOURNAL,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER journal_refuses_{_verb.lower()} BEFORE {_verb} ON journal "
            "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
        ),
    )
