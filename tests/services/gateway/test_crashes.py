"""SIGKILL at the worst moments: a key left behind is free, an effect is kept."""

import threading
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.services.gateway.gateway_process import GatewayProcess, intent


def charge(order: str) -> dict[str, str]:
    return intent(order, confirm="true", payment_method="pm_card_visa")


def doomed(gateway: GatewayProcess, order: str) -> Callable[[], None]:
    """Begin a charge that will get no answer; the result waits for its client's error."""
    errors: list[httpx.TransportError] = []

    def post() -> None:
        try:
            gateway.post("payment_intents", charge(order), key=order)
        except httpx.TransportError as error:
            errors.append(error)

    thread = threading.Thread(target=post)
    thread.start()

    def failed() -> None:
        thread.join(20)
        assert len(errors) == 1

    return failed


def test_killed_after_the_reservation_the_key_is_free_and_executes_once(
    own_gateway: GatewayProcess, order: str
) -> None:
    own_gateway.arm(
        "slow_execution", "hold", operation="charge", order_id=order, parameters={"ms": 600_000}
    )
    failed = doomed(own_gateway, order)
    own_gateway.event("gateway.fault_used", order=order)
    own_gateway.kill()
    failed()
    own_gateway.start()
    released = own_gateway.event("gateway.released", order=order)
    before = own_gateway.kinds(order)
    first = own_gateway.post("payment_intents", charge(order), key=order)
    second = own_gateway.post("payment_intents", charge(order), key=order)

    assert released["key"] == order
    assert before == ["fault_used", "released"]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert own_gateway.kinds(order).count("captured") == 1


def test_killed_after_the_commit_the_answer_is_kept(
    own_gateway: GatewayProcess, order: str
) -> None:
    own_gateway.arm(
        "delay_after_commit", "hold", operation="charge", order_id=order, parameters={"ms": 600_000}
    )
    failed = doomed(own_gateway, order)
    own_gateway.event("gateway.captured", order=order)
    own_gateway.kill()
    failed()
    own_gateway.start()
    repeat = own_gateway.post("payment_intents", charge(order), key=order)

    assert repeat.headers["idempotent-replayed"] == "true"
    assert repeat.json()["status"] == "succeeded"
    assert own_gateway.kinds(order).count("captured") == 1


def test_controls_their_counts_and_refunds_to_come_survive_a_restart(
    own_gateway: GatewayProcess, order: str
) -> None:
    own_gateway.arm("unavailable", "twice", operation="create", order_id=order, times=2)
    first = own_gateway.post("payment_intents", intent(order)).status_code
    other = f"other {order}"
    paid = own_gateway.paid(other)
    own_gateway.arm("refund_pending", "later", order_id=other, parameters={"ms": 1500})
    refund = own_gateway.post("refunds", {"payment_intent": paid["id"]}).json()
    own_gateway.kill()
    own_gateway.start()
    after = [own_gateway.post("payment_intents", intent(order)).status_code for _ in range(2)]
    own_gateway.event("gateway.refunded", refund=refund["id"])

    assert [first, *after] == [503, 503, 200]
    assert refund["status"] == "pending"
    assert own_gateway.get(f"refunds/{refund['id']}").json()["status"] == "succeeded"


def test_sigterm_ends_a_held_request_within_bounds_and_the_next_start_frees_its_key(
    tmp_path: Path, order: str
) -> None:
    gateway = GatewayProcess(tmp_path / "gateway.db").start()
    gateway.arm(
        "slow_execution", "hold", operation="charge", order_id=order, parameters={"ms": 600_000}
    )
    failed = doomed(gateway, order)
    gateway.event("gateway.fault_used", order=order)
    code = gateway.stop()
    failed()
    again = GatewayProcess(tmp_path / "gateway.db").start()
    again.event("gateway.released", order=order)
    again.stop()

    assert code == 0
