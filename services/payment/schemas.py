"""The wire shapes of the payment service, the only place where its amounts are decimals."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from .payment import Charge, Payment, wire_status

MAX_AMOUNT_MINOR = 10**13  # 100 lines of 1,000 pieces at 1,000,000.00: what an order can total

Name = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Card = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_]+$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[a-z]{3}$")]


class ProcessRequest(BaseModel):
    """What to charge; `amountMinor` is exact and must agree with `amount`."""

    model_config = ConfigDict(frozen=True)

    orderId: Name  # noqa: N815 - the wire is camelCase
    userId: Name  # noqa: N815
    amount: Annotated[Decimal, Field(ge=0, le=MAX_AMOUNT_MINOR // 100, decimal_places=2)]
    amountMinor: Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT_MINOR)] | None = None  # noqa: N815
    currency: Currency = "usd"
    paymentMethod: Card = "pm_card_visa"  # noqa: N815

    @model_validator(mode="after")
    def _amounts_agree(self) -> Self:
        if self.amountMinor is not None and self.amountMinor != self.amount * 100:
            raise ValueError(
                f"amountMinor {self.amountMinor} is not 100 times amount {self.amount}"
            )
        return self

    def charge(self) -> Charge:
        """Return the request in the service's own terms."""
        return Charge(
            order_id=self.orderId,
            user_id=self.userId,
            amount_minor=int(self.amount * 100),
            currency=self.currency,
            card=self.paymentMethod,
        )


class OrderRequest(BaseModel):
    """Names an order, for /payment/cancel and /payment/refund."""

    model_config = ConfigDict(frozen=True)

    orderId: Name  # noqa: N815


class PaymentDocument(BaseModel):
    """PAY, for the OpenAPI document; answers are built by `document`."""

    id: str = Field(alias="_id")
    orderId: str  # noqa: N815
    userId: str  # noqa: N815
    amount: float
    amountMinor: int  # noqa: N815
    currency: str
    status: Literal["pending", "completed", "failed", "canceled", "refunded"]
    phase: str
    transactionId: str | None  # noqa: N815
    createdAt: str  # noqa: N815


class PaymentAnswer(BaseModel):
    """An answer about a payment; a failed one also says why."""

    status: Literal["pending", "completed", "failed", "canceled", "refunded"]
    payment: PaymentDocument
    error: str | None = None
    code: str | None = None
    definite: bool | None = None


class ErrorAnswer(BaseModel):
    """What is answered when there is nothing to say about a payment."""

    error: str
    code: str
    definite: bool
    details: list[dict[str, str]] | None = None


def document(payment: Payment) -> dict[str, Any]:
    """Return PAY, the payment as the wire shows it."""
    created = datetime.fromtimestamp(payment.created_at_ms / 1000, UTC)
    return {
        "_id": payment.id,
        "orderId": payment.order_id,
        "userId": payment.user_id,
        "amount": payment.amount_minor / 100,
        "amountMinor": payment.amount_minor,
        "currency": payment.currency,
        "status": wire_status(payment.phase),
        "phase": payment.phase.value,
        "transactionId": payment.payment_intent,
        "createdAt": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
