"""Wire shapes of the order service: the only file in which money has decimals.

Takes parsed JSON (numbers as `Decimal`, see `parse_json`) and gives validated commands with
integer minor units; takes orders and carts and gives JSON-ready documents.
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NoReturn, NotRequired, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict  # pydantic wants this one below Python 3.12

from .cart import Cart, Line
from .order import Order

MAX_QUANTITY = 1000
MAX_PRICE = 1_000_000
DEFAULT_CARD = "pm_card_visa"

_PRICE_TEXT = re.compile(r"[0-9]{1,7}(\.[0-9]{1,2})?")
_DECIMALS = 2


def parse_json(body: bytes) -> Any:
    """Return the document in `body`, its fractions as `Decimal`; ValueError if it is not JSON."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")  # Python's parser takes NaN and Infinity; RFC 8259 not


def minor_of(price: object) -> int:
    """Return a wire price in minor units, exactly; ValueError says what would have been right.

    Works on the digits: Decimal arithmetic rounds beyond its context's 28 places, which would let
    a crumb pass, and a float has lost the crumb before anybody looks.
    """
    if isinstance(price, str) and _PRICE_TEXT.fullmatch(price):
        price = Decimal(price)
    if isinstance(price, bool) or not isinstance(price, int | Decimal):
        raise ValueError(  # noqa: TRY004 - pydantic reports ValueError, and lets TypeError through
            "expected a number or a numeric string with at most two decimals"
        )
    if (isinstance(price, Decimal) and not price.is_finite()) or not 0 <= price <= MAX_PRICE:
        raise ValueError(f"expected a price from 0 to {MAX_PRICE}")
    if isinstance(price, int) or not price:
        return int(price) * 100 if price else 0
    _, digits, exponent = price.as_tuple()
    assert isinstance(exponent, int)  # it is finite
    beyond = -_DECIMALS - exponent
    if beyond > 0 and any(digits[-beyond:]):
        raise ValueError("expected at most two decimals")
    return int(price.scaleb(_DECIMALS))


def _integral(quantity: object) -> object:
    """Read 2.0 as 2, as JSON Schema does."""
    if isinstance(quantity, Decimal) and 1 <= quantity <= MAX_QUANTITY and quantity % 1 == 0:
        return int(quantity)
    return quantity


def amount_of(minor: int) -> int | float:
    """Return minor units as a JSON number: 4200 as 42, 1999 as 19.99.

    The quotient is the double nearest to the two-decimal amount, and Python prints the shortest
    text that reads back as that double, so the text is exact up to 15 digits.
    """
    return minor // 100 if minor % 100 == 0 else minor / 100


# Printable: no C0 or C1 controls, line or paragraph separators, surrogates or non-characters.
_NAME_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]{1,128}$"
_NAME = re.compile(_NAME_PATTERN.replace("$", r"\Z"))


def _printable(name: object) -> str:
    if isinstance(name, str) and _NAME.match(name):
        return name
    raise ValueError("expected 1 to 128 printable characters")


Name = Annotated[
    str,
    BeforeValidator(_printable),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 128, "pattern": _NAME_PATTERN}),
]
Price = Annotated[
    int,
    BeforeValidator(minor_of),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": MAX_PRICE, "multipleOf": 0.01},
                {"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,2})?$"},
            ]
        }
    ),
]
Quantity = Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY), BeforeValidator(_integral)]
Card = Annotated[str, Field(strict=True, pattern=r"^pm_[A-Za-z0-9_]{1,100}$")]


class _Command(BaseModel):
    """A request body; an unknown field is an error, since a misspelt card must not pass as none."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, validate_by_alias=True
    )


class CartAdd(_Command):
    """Put so many pieces of a product into a shopper's cart."""

    user_id: Name
    product_id: Name
    quantity: Quantity
    price_minor: Annotated[Price, Field(alias="price")]


class Place(_Command):
    """Order what is in the shopper's cart and pay for it."""

    user_id: Name
    payment_method: Card = DEFAULT_CARD


class Cancel(_Command):
    """Take an order back."""

    order_id: Name


class Step(BaseModel):
    """A step of a saga; all bodies name the order, and their key is `{order}:{step}`."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    order_id: Name


class CreateStep(Step):
    """Take what is in the shopper's cart for this order."""

    user_id: Name
    payment_method: Card = DEFAULT_CARD


class ConfirmStep(Step):
    """Confirm this order, for which so much was paid."""

    amount_minor: Annotated[int, Field(strict=True, ge=0)]
    currency: Annotated[str, Field(strict=True, pattern=r"^[a-z]{3}$")]


class CancelStep(Step):
    """Undo the creation of this order; the shopper and the card are for one never created."""

    user_id: Name
    payment_method: Card = DEFAULT_CARD
    status: Literal["failed", "canceled"]
    reason: Annotated[str, Field(max_length=255)] | None = None


class ItemDoc(TypedDict):
    """A line on the wire."""

    productId: str
    quantity: int
    price: int | float


class CartDoc(TypedDict):
    """A cart on the wire."""

    userId: str
    items: list[ItemDoc]
    updatedAt: str | None


WireStatus = Literal["pending", "confirmed", "failed", "canceled"]


class OrderDoc(TypedDict):
    """An order on the wire; `_id` is the reference design's name for it, as MongoDB gave it."""

    _id: str
    orderId: str
    userId: str
    items: list[ItemDoc]
    totalAmount: int | float
    totalMinor: int
    currency: str
    status: WireStatus
    createdAt: str


class OrderReply(TypedDict):
    """An answer that is no failure."""

    order: OrderDoc
    message: str


class StepReply(TypedDict):
    """An answer to a step of a saga."""

    order: OrderDoc


class OrdersReply(TypedDict):
    """A shopper's orders, newest first."""

    orders: list[OrderDoc]


class ErrorReply(TypedDict):
    """A failure; `order` is there whenever the order exists, because a promise is explicit."""

    error: str
    code: str
    definite: bool
    details: NotRequired[list[dict[str, str]]]
    order: NotRequired[OrderDoc]


def cart_doc(cart: Cart) -> CartDoc:
    """Return a cart as the wire shows it."""
    updated_at_ms = cart.updated_at_ms
    return {
        "userId": cart.user_id,
        "items": _items(cart.lines),
        "updatedAt": None if updated_at_ms is None else _instant(updated_at_ms),
    }


def order_doc(order: Order) -> OrderDoc:
    """Return an order as the wire shows it."""
    return {
        "_id": order.id,
        "orderId": order.id,
        "userId": order.user_id,
        "items": _items(order.lines),
        "totalAmount": amount_of(order.total_minor),
        "totalMinor": order.total_minor,
        "currency": order.currency,
        "status": cast(WireStatus, order.status.value),
        "createdAt": _instant(order.created_at_ms),
    }


def _items(lines: Iterable[Line]) -> list[ItemDoc]:
    return [
        {
            "productId": line.product_id,
            "quantity": line.quantity,
            "price": amount_of(line.price_minor),
        }
        for line in lines
    ]


def _instant(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
