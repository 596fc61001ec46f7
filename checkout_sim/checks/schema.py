"""The tables of `evidence.db`: a history laid out so that every claim is one set-based query.

Orders get dense integers in order of first appearance (0 stands for "names no order"), and what
belongs to an order is clustered by them, so a claim over a million orders walks pages in order
instead of looking texts up (INVARIANTS, Scale). `event` columns hold observation ids.
"""

SCHEMA_VERSION = 4

# Large pages: a claim reads its tables from end to end.
TABLES = """
PRAGMA page_size = 16384;
CREATE TABLE order_id (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL);
CREATE TABLE order_row (
    n INTEGER PRIMARY KEY, checkout INTEGER, status TEXT NOT NULL, total_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, event INTEGER NOT NULL);
CREATE TABLE payment_row (
    n INTEGER NOT NULL, event INTEGER NOT NULL, status TEXT NOT NULL,
    amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, payment_intent TEXT, keys TEXT NOT NULL,
    PRIMARY KEY (n, event)) WITHOUT ROWID;
CREATE TABLE journal (
    n INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, delta INTEGER NOT NULL,
    payment_intent TEXT, amount_minor INTEGER, currency TEXT, idempotency_key TEXT, label TEXT,
    event INTEGER NOT NULL, PRIMARY KEY (n, seq)) WITHOUT ROWID;
CREATE TABLE cart_row (
    checkout INTEGER PRIMARY KEY, lines INTEGER NOT NULL, event INTEGER NOT NULL);

CREATE TABLE saga_row (
    n INTEGER NOT NULL, saga TEXT NOT NULL, state TEXT NOT NULL, direction TEXT NOT NULL,
    event INTEGER NOT NULL, PRIMARY KEY (n, saga)) WITHOUT ROWID;
CREATE TABLE saga_step_row (
    n INTEGER NOT NULL, saga TEXT NOT NULL, seq INTEGER NOT NULL, step TEXT NOT NULL,
    phase TEXT NOT NULL, event INTEGER NOT NULL, PRIMARY KEY (n, saga, seq)) WITHOUT ROWID;
CREATE TABLE order_outbox (
    event INTEGER PRIMARY KEY, n INTEGER NOT NULL, message_id TEXT NOT NULL, topic TEXT NOT NULL,
    sent INTEGER NOT NULL);
CREATE TABLE payment_outbox (
    event INTEGER PRIMARY KEY, n INTEGER NOT NULL, message_id TEXT NOT NULL, topic TEXT NOT NULL,
    sent INTEGER NOT NULL);
CREATE TABLE order_inbox (
    event INTEGER PRIMARY KEY, n INTEGER NOT NULL, consumer TEXT NOT NULL,
    message_id TEXT NOT NULL);
CREATE TABLE payment_inbox (
    event INTEGER PRIMARY KEY, n INTEGER NOT NULL, consumer TEXT NOT NULL,
    message_id TEXT NOT NULL);
CREATE VIEW outbox AS SELECT * FROM order_outbox UNION ALL SELECT * FROM payment_outbox;
CREATE VIEW inbox AS SELECT * FROM order_inbox UNION ALL SELECT * FROM payment_inbox;

CREATE TABLE transition (
    n INTEGER NOT NULL, id INTEGER NOT NULL, kind TEXT NOT NULL, at REAL, checkout INTEGER,
    PRIMARY KEY (n, id)) WITHOUT ROWID;
CREATE TABLE event (
    n INTEGER NOT NULL, id INTEGER NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, at REAL,
    PRIMARY KEY (n, id)) WITHOUT ROWID;
CREATE TABLE message (
    id INTEGER PRIMARY KEY, n INTEGER NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, at REAL,
    consumer TEXT, message_id TEXT, topic TEXT, deliveries INTEGER);
CREATE TABLE call (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, t_ms REAL NOT NULL, source TEXT NOT NULL,
    n INTEGER NOT NULL, link TEXT, call_id TEXT, attempt INTEGER, operation TEXT, error TEXT,
    duration_ms REAL, at REAL, instance INTEGER);

CREATE TABLE sent (
    checkout INTEGER NOT NULL, attempt INTEGER NOT NULL, id INTEGER NOT NULL, key TEXT, body TEXT,
    proof INTEGER NOT NULL, patience_ms REAL,
    PRIMARY KEY (checkout, attempt, id)) WITHOUT ROWID;
CREATE TABLE ended (
    checkout INTEGER NOT NULL, attempt INTEGER NOT NULL, id INTEGER NOT NULL, t_ms REAL NOT NULL,
    claim TEXT NOT NULL, http_status INTEGER, error TEXT, duration_ms REAL, n INTEGER NOT NULL,
    status TEXT, proof INTEGER NOT NULL,
    PRIMARY KEY (checkout, attempt, id)) WITHOUT ROWID;
CREATE TABLE found (
    id INTEGER PRIMARY KEY, checkout INTEGER, n INTEGER NOT NULL, http_status INTEGER, status TEXT);
CREATE TABLE canceled (
    id INTEGER PRIMARY KEY, checkout INTEGER, n INTEGER NOT NULL, http_status INTEGER);

CREATE TABLE remark (
    id INTEGER PRIMARY KEY, t_ms REAL NOT NULL, source_ms REAL, source TEXT NOT NULL,
    kind TEXT NOT NULL, checkout INTEGER, n INTEGER NOT NULL, fault TEXT, data TEXT NOT NULL);
CREATE TABLE kind (
    kind TEXT PRIMARY KEY, seen INTEGER NOT NULL, first INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE size (
    name TEXT PRIMARY KEY, rows INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE flaw (
    event INTEGER NOT NULL, detail TEXT NOT NULL);
"""

# What the journal says each order holds: the index every claim about money walks. `currency` and
# `intent` are those of one movement (a bare column: SQLite takes it from some row of the group), so
# where there are several `moves` a claim looks at each of them in the journal.
MONEY = """
CREATE TABLE money (
    n INTEGER PRIMARY KEY, net INTEGER NOT NULL, captures INTEGER NOT NULL,
    moves INTEGER NOT NULL, currency TEXT, intent TEXT);
INSERT INTO money
SELECT n, SUM(delta), SUM(kind = 'captured'), COUNT(*), currency, payment_intent
FROM journal WHERE kind IN ('captured', 'refunded', 'refund_failed') GROUP BY n;
INSERT INTO size SELECT 'capture', COALESCE(SUM(captures), 0) FROM money;
CREATE INDEX money_moved_often ON money (n) WHERE moves > 1;
CREATE VIEW orphan AS SELECT n FROM money WHERE n NOT IN (SELECT n FROM order_row);
"""

# Built after the last insert: appending to a finished b-tree is several times cheaper.
INDEXES = """
CREATE UNIQUE INDEX IF NOT EXISTS order_id_by_id ON order_id (id);
CREATE INDEX order_row_by_checkout ON order_row (checkout, status);
CREATE INDEX order_row_undecided ON order_row (n, checkout)
    WHERE status NOT IN ('confirmed', 'failed', 'canceled');
CREATE INDEX order_row_rolled_back ON order_row (n, status)
    WHERE status IN ('failed', 'canceled');
CREATE INDEX transition_back ON transition (n, kind)
    WHERE kind IN ('order.failed', 'order.canceled');
CREATE INDEX payment_row_by_order ON payment_row
    (n, status, amount_minor, currency, payment_intent, event);
CREATE INDEX payment_row_by_intent ON payment_row (payment_intent)
    WHERE payment_intent IS NOT NULL;
CREATE INDEX created_by_checkout ON transition (checkout) WHERE checkout IS NOT NULL;
CREATE INDEX sent_as_proof ON sent (checkout) WHERE proof;
CREATE INDEX call_by_link ON call (link, id);
CREATE INDEX call_by_call_id ON call (call_id, kind);
CREATE INDEX call_by_order ON call (n);
CREATE INDEX message_by_id ON message (message_id, kind, consumer);
CREATE INDEX message_by_order ON message (n, kind);
CREATE INDEX remark_by_kind ON remark (kind, id);
"""
