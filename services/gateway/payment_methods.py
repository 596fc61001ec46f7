"""The PaymentMethod and what else is shown of a card, pure."""

from collections.abc import Mapping

from .cards import Card
from .errors import JsonObject

_NOWHERE = {
    "city": None,
    "country": None,
    "line1": None,
    "line2": None,
    "postal_code": None,
    "state": None,
}


def card_details(card: Card) -> JsonObject:
    """Return the card as payment methods and charges show it; never its number."""
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "fail" if card.code == "incorrect_cvc" else "pass",
        },
        "country": "US",
        "exp_month": 12,
        "exp_year": 2040,
        "fingerprint": f"fp{card.last4}{card.brand}",
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def wire(
    payment_method: str, card: Card, *, created: int, metadata: Mapping[str, str]
) -> JsonObject:
    """Return Stripe's PaymentMethod object."""
    return {
        "id": payment_method,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": _NOWHERE,
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "card": card_details(card),
        "created": created,
        "customer": None,
        "livemode": False,
        "metadata": dict(metadata),
        "type": "card",
    }
