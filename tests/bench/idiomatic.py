"""The checkout most teams would write: FastAPI, SQLModel sessions in the thread pool, plain httpx.

The baseline of `make bench`: three services in the reference design's shape, one try, no keys, no
logs, SQLite under synchronous=FULL. `python -m tests.bench.idiomatic order --port … --next URL`.
"""

import argparse
from collections.abc import Iterator
from typing import Annotated
from uuid import uuid4

import httpx
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import Engine, event
from sqlmodel import Field, Session, SQLModel, create_engine, select


class CartLine(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(index=True)
    product_id: str
    quantity: int
    price_minor: int


class Order(SQLModel, table=True):
    id: str = Field(default_factory=lambda: uuid4().hex, primary_key=True)
    user_id: str
    total_minor: int
    status: str = "pending"


class Payment(SQLModel, table=True):
    id: str = Field(default_factory=lambda: uuid4().hex, primary_key=True)
    order_id: str
    amount_minor: int
    status: str = "pending"
    transaction_id: str | None = None


class Intent(SQLModel, table=True):
    id: str = Field(default_factory=lambda: f"pi_{uuid4().hex}", primary_key=True)
    amount: int
    status: str = "requires_payment_method"


class AddToCart(BaseModel):
    userId: str  # noqa: N815 - the reference design's wire names
    productId: str  # noqa: N815
    quantity: int
    price: float


class Place(BaseModel):
    userId: str  # noqa: N815


class Process(BaseModel):
    orderId: str  # noqa: N815
    userId: str  # noqa: N815
    amount: float


class Charge(BaseModel):
    amount: int
    currency: str
    confirm: bool


def open_engine(path: str) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def durable(connection: object, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[attr-defined]
        connection.execute("PRAGMA synchronous=FULL")  # type: ignore[attr-defined]
        connection.execute("PRAGMA busy_timeout=5000")  # type: ignore[attr-defined]

    SQLModel.metadata.create_all(engine)
    return engine


def order_app(engine: Engine, payment_url: str) -> FastAPI:
    app = FastAPI()
    client = httpx.Client(base_url=payment_url, timeout=10)

    def session() -> Iterator[Session]:
        with Session(engine) as opened:
            yield opened

    Opened = Annotated[Session, Depends(session)]  # noqa: N806 - a type, as FastAPI's docs spell it

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/cart/add")
    def add(line: AddToCart, db: Opened) -> dict[str, str]:
        price_minor = round(line.price * 100)
        db.add(
            CartLine(
                user_id=line.userId,
                product_id=line.productId,
                quantity=line.quantity,
                price_minor=price_minor,
            )
        )
        db.commit()
        return {"userId": line.userId}

    @app.post("/order/place")
    def place(body: Place, db: Opened) -> dict[str, object]:
        lines = db.exec(select(CartLine).where(CartLine.user_id == body.userId)).all()
        if not lines:
            raise HTTPException(400, "Cart is empty")
        total = sum(line.quantity * line.price_minor for line in lines)
        order = Order(user_id=body.userId, total_minor=total)
        db.add(order)
        db.commit()
        db.refresh(order)
        answer = client.post(
            "/payment/process",
            json={"orderId": order.id, "userId": body.userId, "amount": total / 100},
        )
        order.status = "confirmed" if answer.json()["status"] == "completed" else "failed"
        db.add(order)
        db.commit()
        for line in lines:
            db.delete(line)
        db.commit()
        db.refresh(order)
        return {"order": order.model_dump(), "message": "Order placed successfully"}

    return app


def payment_app(engine: Engine, gateway_url: str) -> FastAPI:
    app = FastAPI()
    client = httpx.Client(base_url=gateway_url, timeout=10)

    def session() -> Iterator[Session]:
        with Session(engine) as opened:
            yield opened

    Opened = Annotated[Session, Depends(session)]  # noqa: N806

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/payment/process")
    def process(body: Process, db: Opened) -> dict[str, object]:
        payment = Payment(order_id=body.orderId, amount_minor=round(body.amount * 100))
        db.add(payment)
        db.commit()
        db.refresh(payment)
        answer = client.post(
            "/v1/payment_intents",
            json={"amount": payment.amount_minor, "currency": "usd", "confirm": True},
        )
        payment.status = "completed" if answer.is_success else "failed"
        payment.transaction_id = answer.json()["id"]
        db.add(payment)
        db.commit()
        db.refresh(payment)
        return {"status": payment.status, "payment": payment.model_dump()}

    return app


def gateway_app(engine: Engine) -> FastAPI:
    app = FastAPI()

    def session() -> Iterator[Session]:
        with Session(engine) as opened:
            yield opened

    Opened = Annotated[Session, Depends(session)]  # noqa: N806

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/v1/payment_intents")
    def create(body: Charge, db: Opened) -> dict[str, object]:
        intent = Intent(amount=body.amount)
        db.add(intent)
        db.commit()
        intent.status = "succeeded"
        db.add(intent)
        db.commit()
        db.refresh(intent)
        return intent.model_dump()

    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("service", choices=("order", "payment", "gateway"))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--next", default="")
    asked = parser.parse_args()
    engine = open_engine(asked.database)
    if asked.service == "order":
        app = order_app(engine, asked.next)
    elif asked.service == "payment":
        app = payment_app(engine, asked.next)
    else:
        app = gateway_app(engine)
    uvicorn.run(app, host="127.0.0.1", port=asked.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
