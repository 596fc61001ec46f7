"""Endpoints are made, changed, rolled and forgotten as Stripe's API and dashboard do it."""

from collections.abc import Iterator

import pytest
import stripe

from tests.services.gateway.gateway_process import GatewayProcess
from tests.services.gateway.webhook_receiver import WebhookReceiver


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as listening:
        yield listening


def register(gateway: GatewayProcess, receiver: WebhookReceiver, *events: str) -> dict[str, object]:
    form = {f"enabled_events[{n}]": kind for n, kind in enumerate(events)}
    answer = gateway.post("webhook_endpoints", {"url": f"{receiver.url}/hook", **form})
    assert answer.status_code == 200, answer.text
    made: dict[str, object] = answer.json()
    return made


def test_an_endpoint_is_told_what_it_asked_for(
    own_gateway: GatewayProcess, receiver: WebhookReceiver
) -> None:
    made = register(own_gateway, receiver, "payment_intent.created", "charge.succeeded")
    own_gateway.paid("ord_1")
    heard = receiver.of("ord_1", 2)

    assert str(made["secret"]).startswith("whsec_")
    assert {one.path for one in heard} == {"/hook"}
    assert sorted(receiver.types()) == ["charge.succeeded", "payment_intent.created"]


def test_its_secret_is_told_once(own_gateway: GatewayProcess, receiver: WebhookReceiver) -> None:
    made = register(own_gateway, receiver, "*")
    read = own_gateway.get(f"webhook_endpoints/{made['id']}").json()
    listed = own_gateway.get("webhook_endpoints").json()["data"]

    assert "secret" not in read
    assert {**read, "secret": made["secret"]} == made
    assert listed == [read]


def test_a_disabled_endpoint_is_told_nothing_until_it_is_enabled_again(
    own_gateway: GatewayProcess, receiver: WebhookReceiver
) -> None:
    path = f"webhook_endpoints/{register(own_gateway, receiver, '*')['id']}"
    off = own_gateway.post(path, {"disabled": "true"}).json()
    own_gateway.create("ord_1")
    on = own_gateway.post(
        path, {"disabled": "false", "enabled_events[0]": "payment_intent.created"}
    ).json()
    own_gateway.create("ord_2")
    receiver.of("ord_2", 1)

    assert (off["status"], on["status"]) == ("disabled", "enabled")
    assert [one.event["data"]["object"]["metadata"]["order_id"] for one in receiver.heard] == [
        "ord_2"
    ]


def test_a_forgotten_endpoint_is_told_no_more(
    own_gateway: GatewayProcess, receiver: WebhookReceiver
) -> None:
    made = register(own_gateway, receiver, "*")
    gone = own_gateway.http.delete(
        f"{own_gateway.url}/v1/webhook_endpoints/{made['id']}", headers=own_gateway.headers()
    )
    own_gateway.paid("ord_1")

    assert gone.json() == {"id": made["id"], "object": "webhook_endpoint", "deleted": True}
    assert own_gateway.get(f"webhook_endpoints/{made['id']}").status_code == 404
    assert own_gateway.http.get(f"{own_gateway.url}/undecided").json()["count"] == 0
    assert receiver.heard == []


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"enabled_events[0]": "*"}, "url"),
        ({"url": "http://127.0.0.1:1"}, "enabled_events"),
        ({"url": "127.0.0.1", "enabled_events[0]": "*"}, "url"),
        ({"url": "http://127.0.0.1:1", "enabled_events[0]": "charge.wished_for"}, "enabled_events"),
        ({"url": "http://127.0.0.1:1", "enabled_events[0]": "*", "secret": "x"}, "secret"),
    ],
)
def test_an_endpoint_that_makes_no_sense_is_refused(
    gateway: GatewayProcess, form: dict[str, str], param: str
) -> None:
    answer = gateway.post("webhook_endpoints", form)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_while_a_secret_rolls_both_are_good(
    own_gateway: GatewayProcess, receiver: WebhookReceiver
) -> None:
    made = register(own_gateway, receiver, "payment_intent.created")
    roll = f"{own_gateway.url}/_control/webhook_endpoints/{made['id']}/roll"
    rolled = own_gateway.http.post(roll, json={"expires_after_ms": 3_600_000}).json()
    own_gateway.create("ord_1")
    (during,) = receiver.of("ord_1", 1)
    last = own_gateway.http.post(roll, json={"secret": "whsec_last"}).json()
    own_gateway.create("ord_2")
    (after,) = receiver.of("ord_2", 1)

    def knows(secret: object, signature: str, body: bytes) -> bool:
        try:
            stripe.WebhookSignature.verify_header(body, signature, str(secret))
        except stripe.SignatureVerificationError:
            return False
        return True

    assert during.signature.count("v1=") == 2
    assert knows(made["secret"], during.signature, during.body)
    assert knows(rolled["secret"], during.signature, during.body)
    assert last["secret"] == "whsec_last"
    assert after.signature.count("v1=") == 1
    assert knows("whsec_last", after.signature, after.body)
    assert not knows(rolled["secret"], after.signature, after.body)


def test_an_unknown_endpoint_cannot_be_rolled(gateway: GatewayProcess) -> None:
    answer = gateway.http.post(f"{gateway.url}/_control/webhook_endpoints/we_none/roll", json={})

    assert (answer.status_code, answer.json()["code"]) == (404, "endpoint_not_found")
