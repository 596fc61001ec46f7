"""`GET /metrics` counts what happened, for Prometheus."""

from prometheus_client.parser import text_string_to_metric_families

from tests.services.gateway.gateway_process import GatewayProcess
from tests.services.gateway.webhook_receiver import WebhookReceiver


def samples(gateway: GatewayProcess) -> dict[tuple[str, str], float]:
    """Return every sample by its name and the value of its first label."""
    text = gateway.http.get(f"{gateway.url}/metrics").text
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("le", "+Inf") == "+Inf"
    }


def test_money_webhooks_and_requests_are_counted(own_gateway: GatewayProcess) -> None:
    with WebhookReceiver() as receiver:
        own_gateway.post(
            "webhook_endpoints",
            {"url": receiver.url, "enabled_events[0]": "payment_intent.succeeded"},
        )
        own_gateway.paid("ord_1")
        own_gateway.paid("ord_2", card="pm_card_mastercard")
        own_gateway.get("payment_intents/pi_none")
        own_gateway.event("gateway.webhook_sent", order="ord_1")
        own_gateway.event("gateway.webhook_sent", order="ord_2")
    seen = samples(own_gateway)

    assert seen["gateway_journal_rows_total", "captured"] == 2
    assert seen["gateway_webhooks", "delivered"] == 2
    assert seen["gateway_webhook_tries_total", ""] == 2
    assert seen["gateway_request_duration_seconds_count", "200"] == 3
    assert seen["gateway_request_duration_seconds_count", "404"] == 1
    assert seen["gateway_request_duration_seconds_sum", "200"] > 0


def test_a_gateway_nobody_has_used_answers_too(own_gateway: GatewayProcess) -> None:
    seen = samples(own_gateway)

    assert seen == {("gateway_webhook_tries_total", ""): 0}


def test_counts_of_the_journal_survive_a_crash(own_gateway: GatewayProcess) -> None:
    own_gateway.paid("ord_1")
    own_gateway.kill()
    own_gateway.start()

    assert samples(own_gateway)["gateway_journal_rows_total", "captured"] == 1
