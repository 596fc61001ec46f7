"""Signs webhooks by the Stripe SDK's own scheme: `t=<seconds>,v1=<HMAC-SHA256 of "t.body">`.

With two secrets, while one is rolled, the header holds two `v1`, and a receiver that knows either
accepts it (docs.stripe.com/webhooks/signatures). The SDK costs 0.2 s to import, so that happens at
the first call, or ahead of it by `prepare`; a gateway without an endpoint never pays.
"""

from collections.abc import Sequence

SCHEME = "v1"


def prepare() -> None:
    """Import the SDK now rather than while a delivery is due."""
    from stripe import WebhookSignature  # noqa: F401, PLC0415 - paid by those who send webhooks


def header(body: str, secrets: Sequence[str], *, timestamp_s: int) -> str:
    """Return the `Stripe-Signature` of a body sent now, signed with each of the secrets."""
    from stripe import WebhookSignature  # noqa: PLC0415 - as above

    signed = [
        WebhookSignature.generate_signature_header(body, secret, timestamp_s) for secret in secrets
    ]
    return ",".join([signed[0], *(text.partition(",")[2] for text in signed[1:])])
