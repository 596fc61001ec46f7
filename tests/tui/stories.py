"""Stories for screens: a naive session under a slow link and a lost reply, told as it was seen."""

from typing import Any

from tests.histories import Tale

SLOW, LOST = "slow_3", "reply_lost_6"


def opened(strategy: str = "naive") -> Tale:
    """A run that has begun."""
    links = ["shopper_to_order", "order_to_payment", "payment_to_gateway"]
    if strategy == "orchestrated":
        links = [
            "shopper_to_orchestrator",
            "orchestrator_to_order",
            "orchestrator_to_payment",
            "payment_to_gateway",
        ]
    tale = Tale(
        strategy=strategy,
        seed=4711,
        links=links,
        engine={"name": "toxiproxy", "version": "2.12.0"},
    )
    data = {**tale.seen[0].data, **tale._extra}
    tale.seen.clear()
    tale.see("run.opened", source="runner", **data)
    tale.see("phase.entered", source="runner", phase="storm")
    for number, name in enumerate(("order", "payment", "gateway"), start=1):
        tale.see("process.started", process=name, instance=1, pid=4100 + number, port=3000)
    return tale


def broken(tale: Tale, name: str, link: str, type_: str, **attributes: int) -> None:
    """A fault is armed on a link, its replies struck."""
    toxic = {
        "name": f"{name}_downstream",
        "type": type_,
        "stream": "downstream",
        "attributes": attributes,
    }
    tale.see(
        "fault.injected",
        source="runner",
        fault=name,
        window=1,
        target=link,
        type=type_,
        toxics=[toxic],
        bounce=False,
        armed_ms=3.0,
    )


def sound(tale: Tale, checkout: int) -> None:
    """An order that goes as it should."""
    order = tale.order(checkout).placed().created()
    tale.see(
        "call.started",
        source="order",
        checkout=checkout,
        order=order.id,
        link="order_to_payment",
        call_id=f"c{checkout}",
        attempt=1,
        operation="process",
    )
    order.recorded().calls("payment_to_gateway", operation="charge", lasting_ms=11.0)
    order.charged().log("payment.charge_succeeded")
    tale.see(
        "call.ended",
        source="order",
        checkout=checkout,
        order=order.id,
        link="order_to_payment",
        call_id=f"c{checkout}",
        attempt=1,
        operation="process",
        http_status=200,
        error=None,
        duration_ms=31.0,
    )
    order.logged("confirmed").hears("confirmed", duration_ms=44.0)


def swallowed(tale: Tale, checkout: int) -> None:
    """An order whose payment hears nothing and books it failed, though it was captured."""
    order = tale.order(checkout).placed().created().recorded()
    about: dict[str, Any] = {
        "link": "payment_to_gateway",
        "call_id": f"c{checkout}",
        "attempt": 1,
        "operation": "charge",
    }
    tale.see("call.started", source="payment", checkout=checkout, order=order.id, **about)
    order.log("payment.charge_requested").charged()
    tale.see(
        "call.ended",
        source="payment",
        checkout=checkout,
        order=order.id,
        after_ms=800.0,
        **about,
        http_status=None,
        error="timeout",
        duration_ms=800.0,
    )
    order.log("payment.charge_declined", error="timeout").logged("failed")
    order.hears("refused", duration_ms=1316.0)


def busy(orders: int = 12, strategy: str = "naive") -> Tale:
    """A session with sound orders, then faults, some orders they struck, and some still open."""
    tale = opened(strategy)
    for checkout in range(1, orders - 6):
        sound(tale, checkout)
        tale.see("phase.entered", source="runner", phase="storm", after_ms=220.0)
    broken(tale, SLOW, "order_to_payment", "latency", latency=500, jitter=0)
    broken(tale, LOST, "payment_to_gateway", "timeout", timeout=0)
    for checkout in range(orders - 6, orders - 2):
        swallowed(tale, checkout)
    for checkout in range(orders - 2, orders + 1):
        tale.order(checkout).placed().created()
    return tale
