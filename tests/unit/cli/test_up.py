"""The lines `up` prints to be copied lead to whoever takes orders in that strategy."""

import pytest

from checkout_sim.cli.boundary import guarded
from checkout_sim.cli.up import instructions
from checkout_sim.model.run import Engine
from checkout_sim.model.scenario import StackSpec
from checkout_sim.model.wire import STRATEGIES
from checkout_sim.stack.topology import FIXED_PORTS, instances

URLS = {
    "order": "http://127.0.0.1:3000",
    "orchestrator": "http://127.0.0.1:3002",
    "toxiproxy": "http://127.0.0.1:8474",
}


@pytest.mark.parametrize(
    ("strategy", "place", "link"),
    [
        ("hardened", "http://127.0.0.1:3000/order/place ", "/proxies/order_to_payment/"),
        (
            "orchestrated",
            "http://127.0.0.1:3002/saga/place-order ",
            "/proxies/orchestrator_to_payment/",
        ),
        ("choreographed", "http://127.0.0.1:3000/order/place ", "/proxies/payment_to_gateway/"),
    ],
)
def test_orders_are_placed_where_the_strategy_takes_them(
    strategy: str, place: str, link: str
) -> None:
    told = instructions(URLS, Engine(name="embedded", version="2.12.0"), strategy)
    assert place in told
    assert link in told


def test_help_names_every_strategy_and_the_port_of_every_service(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert guarded(["up", "--help"]) == 0

    told = " ".join(capsys.readouterr().out.split())
    assert [name for name in STRATEGIES if name not in told] == []
    services = {name for strategy in STRATEGIES for name, _ in instances(strategy, StackSpec())}
    assert [name for name in services if f"{name} {FIXED_PORTS[name]}" not in told] == []
