"""Verifies webhooks by the Stripe SDK's own scheme, over the raw body, on the injected clock.

The SDK's check of the timestamp reads the wall clock, so it is left out there and made here, by
its rule: older than five minutes is refused, as a recording played again would be
(docs.stripe.com/webhooks/signatures).
"""

from stripe import SignatureVerificationError, WebhookSignature

TOLERANCE_S = 300


class NotGenuine(Exception):
    """A webhook that nobody who knows the secret has signed lately; the message says why."""


def verify(body: bytes, header: str | None, secret: str, *, now_s: float) -> str:
    """Return the body as text if its signature is good and fresh, else raise NotGenuine."""
    try:
        text = body.decode()
        WebhookSignature.verify_header(text, header, secret)
    except UnicodeDecodeError:
        raise NotGenuine("the body is not UTF-8") from None
    except SignatureVerificationError as problem:
        raise NotGenuine(problem.user_message or "the signature does not fit") from None
    signed_s = _signed_at_s(header or "")
    if signed_s < now_s - TOLERANCE_S:
        raise NotGenuine(f"it was signed {now_s - signed_s:.0f} s ago; {TOLERANCE_S} s are allowed")
    return text


def _signed_at_s(header: str) -> int:
    """Return the first `t` of a header that was verified, which is the one the SDK went by."""
    return next(int(item[2:]) for item in header.split(",") if item.startswith("t="))
