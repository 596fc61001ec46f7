"""The journal and the books below it hold even against someone with the file in hand."""

import sqlite3
from collections.abc import Iterator

import pytest

from tests.services.gateway.gateway_process import GatewayProcess


@pytest.fixture
def file(gateway: GatewayProcess) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(gateway.database, timeout=5)
    database.execute("PRAGMA recursive_triggers = ON")
    yield database
    database.rollback()
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET amount_minor = 1",
        "DELETE FROM journal",
        "REPLACE INTO journal (seq, at_ms, kind, amount_minor) VALUES (1, 0, 'captured', 0)",
    ],
)
def test_the_journal_refuses_edits(
    gateway: GatewayProcess, order: str, file: sqlite3.Connection, statement: str
) -> None:
    gateway.paid(order)
    before = gateway.journal()
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        file.execute(statement)
    file.rollback()

    assert gateway.journal() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE charges SET amount_refunded = amount_captured + 1 WHERE id = ?",
        "UPDATE charges SET amount_captured = amount + 1 WHERE id = ?",
        "UPDATE charges SET amount_refunded = -1 WHERE id = ?",
        (
            "INSERT INTO charges SELECT NULL, 'ch_second', created_ms, payment_intent, status, "
            "amount, amount_captured, amount_refunded, document FROM charges WHERE id = ?"
        ),
    ],
)
def test_the_books_refuse_to_make_money(
    gateway: GatewayProcess, order: str, file: sqlite3.Connection, statement: str
) -> None:
    paid = gateway.paid(order)
    with pytest.raises(sqlite3.IntegrityError):
        file.execute(statement, (paid["latest_charge"],))


def test_a_row_names_order_run_key_and_request(gateway: GatewayProcess, order: str) -> None:
    form = {
        "amount": "4200",
        "currency": "eur",
        "metadata[order_id]": order,
        "metadata[run_id]": "run_7",
    }
    made = gateway.post("payment_intents", form, key=f"{order}:create")
    (row,) = gateway.journal(order)

    assert row == {
        "seq": row["seq"],
        "at_ms": row["at_ms"],
        "kind": "intent_created",
        "order_id": order,
        "run_id": "run_7",
        "payment_intent": made.json()["id"],
        "charge": None,
        "refund": None,
        "amount_minor": 4200,
        "currency": "eur",
        "idempotency_key": f"{order}:create",
        "request_id": made.headers["request-id"],
        "label": None,
    }


def test_an_event_repeats_its_row(gateway: GatewayProcess, order: str) -> None:
    gateway.create(order, key=f"{order}:create")
    event = gateway.event("gateway.intent_created", order=order)
    (row,) = gateway.journal(order)

    assert event["key"] == f"{order}:create"
    assert {**event["data"], "kind": "intent_created"} == row


def test_the_ledger_is_paged_by_seq(gateway: GatewayProcess, order: str) -> None:
    gateway.paid(order)
    url = f"{gateway.url}/ledger/journal"
    first = gateway.http.get(url, params={"limit": "1"}).json()
    second = gateway.http.get(url, params={"limit": "1", "after": first["next"]}).json()

    assert [first["rows"][0]["seq"], second["rows"][0]["seq"]] == [1, 2]
    assert gateway.http.get(f"{gateway.url}/undecided").json()["last_seq"] >= 2
