"""Whatever is sent, the answer is 4xx in Stripe's envelope, never a 500 and never a charge."""

import base64
import string
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.errors import Refused
from services.gateway.forms import parse
from tests.services.gateway.gateway_process import GatewayProcess, intent

FUZZ = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
WORDS = st.sampled_from(
    [
        "amount",
        "currency",
        "confirm",
        "payment_method",
        "payment_method_data[type]",
        "payment_method_data[card][number]",
        "metadata[order_id]",
        "metadata",
        "metadata[]",
        "expand[]",
        "expand",
        "capture_method",
        "shipping[name]",
        "return_url",
        "automatic_payment_methods[enabled]",
        "description",
        "payment_intent",
        "charge",
        "limit",
        "created[gt]",
        "starting_after",
        "query",
        "type",
        "types[]",
        "card[number]",
        "card[token]",
    ]
)
NAMES = WORDS | st.text(max_size=12)
VALUES = (
    st.sampled_from(
        ["4200", "usd", "true", "card", "pm_card_visa", "latest_charge", "", "-1", "1e3"]
    )
    | st.integers().map(str)
    | st.text(max_size=20)
)
PATHS = st.sampled_from(
    [
        "payment_intents",
        "payment_intents/pi_1",
        "payment_intents/pi_1/confirm",
        "payment_intents/pi_1/capture",
        "payment_intents/pi_1/cancel",
        "payment_intents/search",
        "refunds",
        "refunds/re_1",
        "refunds/re_1/cancel",
        "charges",
        "charges/ch_1",
        "payment_methods",
        "payment_methods/pm_1",
        "events",
        "events/evt_1",
        "balance_transactions",
    ]
) | st.text(max_size=20).map(lambda path: quote(path, safe="/"))


@FUZZ
@given(
    method=st.sampled_from(["GET", "POST"]),
    path=PATHS,
    pairs=st.lists(st.tuples(NAMES, VALUES), max_size=6),
)
def test_no_form_makes_a_500(
    gateway: GatewayProcess, method: str, path: str, pairs: list[tuple[str, str]]
) -> None:
    form = "&".join(f"{quote(name, safe='[]')}={quote(value)}" for name, value in pairs)
    url = f"{gateway.url}/v1/{path}"
    answer = gateway.http.request(
        method,
        url if method == "POST" else f"{url}?{form}",
        content=form if method == "POST" else None,
        headers=gateway.headers(),
    )

    assert answer.status_code < 500, (answer.text, form)
    if answer.status_code >= 400:
        assert answer.json()["error"]["type"] in {"invalid_request_error", "card_error"}


@FUZZ
@given(st.binary(max_size=200))
def test_no_bytes_make_a_500(gateway: GatewayProcess, body: bytes) -> None:
    answer = gateway.http.post(
        f"{gateway.url}/v1/payment_intents", content=body, headers=gateway.headers()
    )

    assert 400 <= answer.status_code < 500


@given(st.dictionaries(st.text(string.ascii_letters, min_size=1), st.text(), max_size=8))
def test_what_was_encoded_is_decoded(metadata: dict[str, str]) -> None:
    pairs = [f"metadata[{key}]={quote(value)}" for key, value in metadata.items()]
    if any("\x00" in value for value in metadata.values()):
        with pytest.raises(Refused):
            parse("&".join(pairs).encode())
        return
    form = parse("&".join(pairs).encode())

    assert form.values.get("metadata", {}) == metadata


@given(st.permutations(["a=1", "b[c]=2", "b[d]=3", "e[]=4"]))
def test_the_digest_ignores_the_order_of_parameters(pairs: list[str]) -> None:
    assert parse("&".join(pairs).encode()).digest == parse(b"a=1&b[c]=2&b[d]=3&e[]=4").digest


def test_the_digest_sees_every_difference() -> None:
    forms = [b"a=1", b"a=2", b"b=1", b"a=1&b=1", b"a[]=1", b"a[b]=1", b"a=&b=1", b"a=1%26b%3D1"]

    assert len({parse(form).digest for form in forms}) == len(forms)


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"currency": "usd"}, "parameter_missing", "amount"),
        ({"amount": "1"}, "parameter_missing", "currency"),
        ({"amount": "ten", "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ({"amount": "0", "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ({"amount": "100000000", "currency": "usd"}, "amount_too_large", "amount"),
        ({"amount": "1", "currency": "zzz"}, None, "currency"),
        ({"amount": "1", "currency": "usd", "colour": "red"}, "parameter_unknown", "colour"),
        ({"amount": "1", "currency": "usd", "confirm": "yes"}, None, "confirm"),
    ],
)
def test_a_bad_parameter_is_named(
    gateway: GatewayProcess, form: dict[str, str], code: str | None, param: str
) -> None:
    answer = gateway.post("payment_intents", form)
    error = answer.json()["error"]

    assert answer.status_code == 400
    assert (error["type"], error.get("code"), error["param"]) == (
        "invalid_request_error",
        code,
        param,
    )
    assert error["request_log_url"].endswith(answer.headers["request-id"])


def test_real_parameters_pass_even_where_unused(gateway: GatewayProcess, order: str) -> None:
    made = gateway.create(
        order,
        description="socks",
        receipt_email="a@example.com",
        off_session="true",
        **{
            "automatic_payment_methods[enabled]": "true",
            "automatic_payment_methods[allow_redirects]": "never",
            "shipping[name]": "Ann",
            "payment_method_options[card][request_three_d_secure]": "any",
            "transfer_data[destination]": "acct_1",
        },
    )

    assert (made["description"], made["shipping"]) == ("socks", {"name": "Ann"})
    assert made["automatic_payment_methods"] == {"allow_redirects": "never", "enabled": True}


@pytest.mark.parametrize(
    "path",
    ["payment_intents/pi_none", "charges/ch_none", "refunds/re_none", "payment_intents/re_1"],
)
def test_an_unknown_id_is_missing(gateway: GatewayProcess, path: str) -> None:
    answer = gateway.get(path)

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "resource_missing"


@pytest.mark.parametrize("path", ["customers", "payment_intents/pi_1/explode", "", "a/b/c/d/e"])
def test_an_unknown_url_is_404_in_the_envelope(gateway: GatewayProcess, path: str) -> None:
    answer = gateway.post(path)

    assert answer.status_code == 404
    assert "Unrecognized request URL" in answer.json()["error"]["message"]


def test_a_body_over_64_kib_is_413(gateway: GatewayProcess, order: str) -> None:
    answer = gateway.post("payment_intents", intent(order, description="x" * 70_000))

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("Bearer", 401),
        ("Digest sk_test_1", 401),
        ("Bearer sk_live_1", 401),
        ("Bearer pk_test_1", 401),
        ("Basic !!!", 401),
        ("Basic " + base64.b64encode(b"sk_test_1:").decode(), 200),
        ("Bearer sk_test_1", 200),
        ("Bearer rk_test_1", 200),
    ],
)
def test_only_test_keys_are_let_in_and_none_is_repeated(
    gateway: GatewayProcess, authorization: str | None, status: int
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = gateway.http.get(f"{gateway.url}/v1/charges", headers=headers)

    assert answer.status_code == status
    assert answer.headers["request-id"].startswith("req_")
    assert "sk_live_1" not in answer.text


def test_version_and_key_are_echoed(gateway: GatewayProcess, order: str) -> None:
    answer = gateway.http.post(
        f"{gateway.url}/v1/payment_intents",
        data=intent(order),
        headers={**gateway.headers(order), "Stripe-Version": "2025-01-27.acacia"},
    )

    assert answer.headers["stripe-version"] == "2025-01-27.acacia"
    assert answer.headers["idempotency-key"] == order


def test_a_client_that_leaves_within_its_body_has_begun_nothing(
    gateway: GatewayProcess, order: str
) -> None:
    def torn() -> Iterator[bytes]:
        yield b"amount=4200&currency=usd&metadata[order_id]="
        raise ConnectionAbortedError

    with httpx.Client() as client, pytest.raises(ConnectionAbortedError):
        client.post(
            f"{gateway.url}/v1/payment_intents",
            content=torn(),
            headers=gateway.headers(order),
        )
    whole = gateway.post("payment_intents", intent(order), key=order)

    assert "idempotent-replayed" not in whole.headers
    assert gateway.kinds(order) == ["intent_created"]
