"""The wire contract of the order service: shapes, limits, and no 500 for bad input."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.services.order.world import MUG, OrderService, PaymentDouble

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
COMMANDS: dict[str, dict[str, Any]] = {
    "/cart/add": {"userId": "ada", **MUG},
    "/order/place": {"userId": "ada", "paymentMethod": "pm_card_visa"},
    "/order/cancel": {"orderId": "ord_1"},
}
# Not that valid data is accepted: a cart may be empty, full or unpayable.
PROMISED: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
# Schemas as narrow as these make generation filter a lot, and a busy machine makes it slow:
# neither says anything about the service.
RELAXED = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass
class Wire:
    """A running hardened order service, asked from synchronous tests."""

    runner: asyncio.Runner
    service: OrderService

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.runner.run(self.service.client.request(method, path, **more))


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    database: Path = tmp_path_factory.mktemp("order") / "order.db"
    service = OrderService(strategy="hardened", database=database, payment=PaymentDouble())
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        runner.run(stack.enter_async_context(service.running()))
        yield Wire(runner, service)
        runner.run(stack.aclose())


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/cart/add"),
        ("POST", "/order/place"),
        ("POST", "/order/cancel"),
        ("GET", "/cart/{userId}"),
        ("GET", "/order/{orderId}"),
        ("GET", "/order"),
    ],
)
def test_every_answer_is_one_the_openapi_document_foresees(
    wire: Wire, method: str, path: str, mode: GenerationMode
) -> None:
    document = wire.ask("GET", "/openapi.json").json()
    operation = schemathesis.openapi.from_dict(document)[path][method]

    @RELAXED
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: schemathesis.Case[Any]) -> None:
        sent = case.as_transport_kwargs(base_url="http://order")
        answer = wire.ask(
            sent["method"],
            sent["url"],
            params=sent.get("params"),
            headers=sent["headers"],
            content=json.dumps(sent["json"]).encode() if "json" in sent else sent.get("data"),
        )
        case.validate_response(answer, checks=PROMISED)

    holds()


@pytest.mark.parametrize("path", list(COMMANDS))
def test_a_command_with_one_field_replaced_is_done_or_refused_by_name(
    wire: Wire, path: str
) -> None:
    @RELAXED
    @given(field=st.sampled_from([*COMMANDS[path], "extra"]), value=JSON)
    @example(field="quantity", value=float("nan"))
    @example(field="userId", value="\ud800")
    @example(field="userId", value="\x00")
    @example(field="userId", value="a\n")
    @example(field="price", value=10**400)
    @example(field="quantity", value=2**63)
    def holds(field: str, value: object) -> None:
        body = json.dumps({**COMMANDS[path], field: value})
        answer = wire.ask("POST", path, content=body.encode())
        assert answer.status_code in {200, 202, 400, 402, 404, 409, 422}
        if answer.status_code == 422:
            assert {detail["field"] for detail in answer.json()["details"]} == {field}

    holds()


@pytest.mark.parametrize("path", list(COMMANDS))
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"userId": NaN}', b"[" * 50_000])
def test_a_body_that_is_not_json_is_malformed(wire: Wire, path: str, body: bytes) -> None:
    answer = wire.ask("POST", path, content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    assert answer.json()["definite"] is True


@pytest.mark.parametrize("path", list(COMMANDS))
@pytest.mark.parametrize("body", ["null", "[]", "1", '"x"', "{}"])
def test_json_of_the_wrong_shape_is_an_invalid_request(wire: Wire, path: str, body: str) -> None:
    answer = wire.ask("POST", path, content=body.encode())
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["details"] != []


def test_a_body_over_64_kib_is_too_large(wire: Wire) -> None:
    answer = wire.ask("POST", "/order/place", content=b" " * (64 * 1024 + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize("price", [19.99, "19.99", "19.990"[:5], 19, "19", 0, "1000000"])
def test_a_price_may_be_a_number_or_a_numeric_string(wire: Wire, price: object) -> None:
    answer = wire.ask("POST", "/cart/add", json={**COMMANDS["/cart/add"], "price": price})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "price", ["19.999", 19.999, -1, "-1", "1e2", 1_000_000.01, True, None, "", " 1", "٣", [1]]
)
def test_a_price_that_is_not_exact_money_is_refused(wire: Wire, price: object) -> None:
    answer = wire.ask("POST", "/cart/add", json={**COMMANDS["/cart/add"], "price": price})
    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json()["details"]] == ["price"]


@pytest.mark.parametrize("quantity", [0, -1, 1001, 1.5, "1", True, None])
def test_a_quantity_is_an_integer_from_1_to_1000(wire: Wire, quantity: object) -> None:
    answer = wire.ask("POST", "/cart/add", json={**COMMANDS["/cart/add"], "quantity": quantity})
    assert answer.status_code == 422


@pytest.mark.parametrize("name", ["", "x" * 129, "a\x00b", "a\u2028b", "\x7f", 7, None])
def test_a_name_is_1_to_128_printable_characters(wire: Wire, name: object) -> None:
    answer = wire.ask("POST", "/cart/add", json={**COMMANDS["/cart/add"], "userId": name})
    assert answer.status_code == 422


@pytest.mark.parametrize("name", ["x" * 128, "ada lovelace", "Ада", "👩‍💻", "a/b", "?&=#", "'--"])
def test_any_printable_name_finds_its_cart_again(wire: Wire, name: str) -> None:
    wire.ask("POST", "/cart/add", json={**COMMANDS["/cart/add"], "userId": name})
    cart = wire.ask("GET", str(httpx.URL("http://order/cart/").join(_quoted(name)))).json()
    assert (cart["userId"], cart["items"][0]["productId"]) == (name, "mug")


def _quoted(name: str) -> str:
    return "/cart/" + "".join(f"%{byte:02X}" for byte in name.encode())


@pytest.mark.parametrize("key", [b"", b"x" * 256, b"\xc3\xa9", b"\t"])
def test_a_key_is_1_to_255_printable_ascii_characters(wire: Wire, key: bytes) -> None:
    answer = wire.ask(
        "POST", "/order/place", json={"userId": "ada"}, headers={b"Idempotency-Key": key}
    )
    assert answer.status_code == 422
    assert answer.json()["details"][0]["field"] == "Idempotency-Key"


def test_the_hundred_and_first_line_is_refused_and_the_cart_stays(wire: Wire) -> None:
    line = {**COMMANDS["/cart/add"], "userId": "hoarder"}
    for number in range(100):
        assert wire.ask("POST", "/cart/add", json={**line, "productId": f"p{number}"}).is_success
    full = wire.ask("POST", "/cart/add", json={**line, "productId": "p100"})
    more = wire.ask("POST", "/cart/add", json={**line, "productId": "p7"})
    assert (full.status_code, full.json()["code"]) == (409, "cart_full")
    assert (len(more.json()["items"]), more.json()["items"][7]["quantity"]) == (100, 2)


def test_the_same_product_at_two_prices_stays_two_items(wire: Wire) -> None:
    line = {**COMMANDS["/cart/add"], "userId": "bargain"}
    wire.ask("POST", "/cart/add", json=line)
    wire.ask("POST", "/cart/add", json={**line, "price": 1})
    cart = wire.ask("POST", "/cart/add", json={**line, "quantity": 2}).json()
    assert [(item["price"], item["quantity"]) for item in cart["items"]] == [(42, 3), (1, 1)]


def test_a_cart_nobody_filled_is_empty_and_was_never_updated(wire: Wire) -> None:
    cart = wire.ask("GET", "/cart/nobody").json()
    assert cart == {"userId": "nobody", "items": [], "updatedAt": None}


def test_a_shoppers_orders_come_newest_first(wire: Wire) -> None:
    placed = []
    for _ in range(3):
        wire.ask("POST", "/cart/add", json={**COMMANDS["/cart/add"], "userId": "regular"})
        answer = wire.ask("POST", "/order/place", json={"userId": "regular"})
        placed.append(answer.json()["order"])
    seen = wire.ask("GET", "/order?userId=regular&limit=2").json()["orders"]
    assert seen == placed[:0:-1]
    assert wire.ask("GET", f"/order/{placed[0]['orderId']}").json() == placed[0]


def test_the_ledgers_page_oldest_first_and_keep_emptied_carts(wire: Wire) -> None:
    wire.ask("POST", "/cart/add", json={**COMMANDS["/cart/add"], "userId": "ledger-1"})
    order = wire.ask("POST", "/order/place", json={"userId": "ledger-1"}).json()["order"]
    rows: dict[str, list[dict[str, Any]]] = {"orders": [], "carts": []}
    for name, found in rows.items():
        page = {"next": "0"}
        while page["next"] is not None:
            page = wire.ask("GET", f"/ledger/{name}?limit=2&after={page['next']}").json()
            found.extend(page["rows"])
    of_order = [row for row in rows["orders"] if row["order_id"] == order["orderId"]]
    assert set(of_order[0]) == {
        "order_id",
        "user_id",
        "status",
        "total_minor",
        "currency",
        "client_key",
        "cancel_wanted",
        "created_at_ms",
    }
    assert (of_order[0]["status"], of_order[0]["cancel_wanted"]) == ("confirmed", False)
    of_cart = [row for row in rows["carts"] if row["user_id"] == "ledger-1"]
    assert of_cart == [{"user_id": "ledger-1", "lines": 0, "total_minor": 0}]
