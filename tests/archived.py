"""Archived runs made from tales, for tests and benchmarks of what reads the archive."""

import json
from pathlib import Path
from typing import Any

from checkout_sim.archive.runs import new_run_folder, write_verdict
from checkout_sim.ndjson import encode
from checkout_sim.reports.summary import run_json
from checkout_sim.simulation.judging import judge_run
from tests.histories import OrderTale, Tale

SWALLOW: dict[str, Any] = {
    "name": "swallow",
    "type": "timeout",
    "links": ["payment_to_gateway"],
    "streams": ["downstream"],
}
TOXIC = {"name": "swallow_downstream", "type": "timeout", "stream": "downstream"}
GATEWAY_TRY_MS = 404.0


def a_tale(*, scenario: str = "lost-answer", strategy: str = "naive", **opened: Any) -> Tale:
    """Return a tale that says of itself what an archived run says."""
    return Tale(
        scenario=scenario,
        path=f"scenarios/{scenario}.yaml",
        strategy=strategy,
        seed=7,
        engine={"name": "toxiproxy", "version": "2.12.0"},
        links=["shopper_to_order", "order_to_payment", "payment_to_gateway"],
        expect={
            "verdict": "invalid",
            "trips": ["unconfirmed_means_not_paid", "replies_are_true"],
            "may_trip": ["payment_agrees_with_gateway"],
            "confirmed": None,
            "sees": [],
        },
        **{"faults": [SWALLOW], **opened},
    )


def swallowing(tale: Tale, window: int = 1) -> None:
    """Let the gateway's answers be swallowed from here on."""
    tale.see(
        "fault.injected",
        fault="swallow",
        source="runner",
        window=window,
        target="payment_to_gateway",
        type="timeout",
        toxics=[{**TOXIC, "attributes": {"timeout": 0}}],
        bounce=False,
        armed_ms=0.5,
    )


def lifted(tale: Tale, window: int = 1) -> None:
    """Let them through again."""
    tale.see(
        "fault.lifted",
        fault="swallow",
        source="runner",
        window=window,
        target="payment_to_gateway",
        how="release",
    )


def answered(tale: Tale, checkout: int) -> OrderTale:
    """Tell a sound order with every call between the services."""
    order = tale.order(checkout).placed().created()
    to_payment = _call(tale, order, "order_to_payment", "process")
    order.recorded()
    to_gateway = _call(tale, order, "payment_to_gateway", "charge")
    order.log("payment.charge_requested").charged()
    _ends(tale, order, to_gateway, http_status=200)
    order.log("payment.charge_succeeded", payment_intent=order.intent)
    order.log("payment.result_written", status="completed")
    _ends(tale, order, to_payment, http_status=200)
    order.logged("confirmed").hears("confirmed").rests_as("confirmed")
    return order.believed("completed", intent=order.intent)


def lost(tale: Tale, checkout: int) -> OrderTale:
    """Tell naive's story: charged, the answer lost, the timeout booked and told as a failure."""
    order = tale.order(checkout).placed().created()
    to_payment = _call(tale, order, "order_to_payment", "process")
    order.recorded()
    to_gateway = _call(tale, order, "payment_to_gateway", "charge")
    order.log("payment.charge_requested").charged()
    _ends(tale, order, to_gateway, error="timeout", after_ms=GATEWAY_TRY_MS)
    order.log("payment.charge_unknown", error="timeout")
    order.log("payment.result_written", status="failed")
    _ends(tale, order, to_payment, http_status=400)
    order.logged("failed").hears("failed", http_status=500, duration_ms=420.0)
    return order.rests_as("failed").believed("failed", intent=None)


def archive(tale: Tale, root: Path, *, judged: bool = True) -> Path:
    """Write a tale as an archived run and return its folder."""
    opened = tale.ended().seen[0].data
    folder = new_run_folder(
        root, scenario=opened["scenario"], strategy=opened["strategy"], seed=opened["seed"]
    )
    with (folder / "history.ndjson").open("wb") as file:
        file.writelines(encode(one) for one in tale.seen)
    if judged:
        write_verdict(folder, json.loads(json.dumps(run_json(judge_run(folder)))))
    return folder


def _call(tale: Tale, order: OrderTale, link: str, operation: str) -> dict[str, Any]:
    about: dict[str, Any] = {
        "link": link,
        "call_id": f"call-{len(tale.seen)}",
        "attempt": 1,
        "operation": operation,
    }
    source = link.partition("_to_")[0]
    tale.see("call.started", source=source, checkout=order.checkout, order=order.id, **about)
    return about


def _ends(
    tale: Tale,
    order: OrderTale,
    about: dict[str, Any],
    *,
    http_status: int | None = None,
    error: str | None = None,
    after_ms: float = 1.0,
) -> None:
    tale.see(
        "call.ended",
        source=about["link"].partition("_to_")[0],
        checkout=order.checkout,
        order=order.id,
        after_ms=after_ms,
        **about,
        http_status=http_status,
        error=error,
        duration_ms=after_ms,
    )
