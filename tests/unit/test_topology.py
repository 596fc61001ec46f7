from pathlib import Path

import pytest

from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.model.scenario import StackSpec
from checkout_sim.model.wire import LINKS_OF, SERVICES_OF, STRATEGIES
from checkout_sim.stack.topology import MODULES, Service, instances, load_link_map, topology

FOLDER = Path("/run")
PORTS = {("order", 1): 41000, ("payment", 1): 41001, ("gateway", 1): 41003}
LINK_URLS = {
    "shopper_to_order": "http://127.0.0.1:51000",
    "order_to_payment": "http://127.0.0.1:51001",
    "payment_to_gateway": "http://127.0.0.1:51003",
    "gateway_to_payment": "http://127.0.0.1:51006",
}


def stack(
    spec: StackSpec | None = None, seed: int | None = None, strategy: str = "hardened"
) -> dict[tuple[str, int], Service]:
    spec = spec or StackSpec()
    ports = PORTS | {("payment", 2): 41002, ("orchestrator", 1): 41005}
    services = topology(
        strategy=strategy,
        spec=spec,
        folder=FOLDER,
        ports=ports,
        link_urls=dict.fromkeys(LINKS_OF[strategy], "http://127.0.0.1:51009") | LINK_URLS,
        seed=seed,
        instance_token="tok",
    )
    return {(service.name, service.instance): service for service in services}


def test_order_is_told_to_call_payment_through_its_link() -> None:
    assert stack()["order", 1].environment == {
        "ORDER_HOST": "127.0.0.1",
        "ORDER_PORT": "41000",
        "ORDER_DATABASE": "/run/order.db",
        "ORDER_INSTANCE": "tok-order-1",
        "ORDER_REPLICA": "1",
        "ORDER_TIME_SCALE": "1.0",
        "ORDER_SEED": "",
        "ORDER_EVENTS": "stdout",
        "ORDER_STRATEGY": "hardened",
        "ORDER_PAYMENT_URL": "http://127.0.0.1:51001",
    }


def test_payment_is_told_to_call_the_gateway_through_its_link() -> None:
    told = stack()["payment", 1].environment
    assert told["PAYMENT_GATEWAY_URL"] == "http://127.0.0.1:51003"
    assert told["PAYMENT_STRATEGY"] == "hardened"


def test_the_gateway_has_no_strategy_and_tells_payment_through_its_link() -> None:
    told = stack()["gateway", 1].environment
    assert told["GATEWAY_WEBHOOK_URL"] == "http://127.0.0.1:51006"
    assert "GATEWAY_STRATEGY" not in told


def test_without_webhooks_the_gateway_knows_nobody_to_tell() -> None:
    told = stack(StackSpec(webhooks=False))["gateway", 1].environment
    assert "GATEWAY_WEBHOOK_URL" not in told


def test_a_service_reaches_health_directly_never_over_its_link() -> None:
    assert stack()["order", 1].url == "http://127.0.0.1:41000"


def test_replicas_share_a_database_and_nothing_else() -> None:
    both = stack(StackSpec(replicas={"payment": 2}))
    first, second = both["payment", 1].environment, both["payment", 2].environment
    differing = {name for name in first if first[name] != second[name]}
    assert differing == {"PAYMENT_PORT", "PAYMENT_INSTANCE", "PAYMENT_REPLICA"}


def test_what_needs_a_port_is_every_instance() -> None:
    wanted = instances("hardened", StackSpec(replicas={"payment": 2}))
    assert wanted == (("order", 1), ("payment", 1), ("payment", 2), ("gateway", 1))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_service_of_a_strategy_is_preloaded_at_once_or_with_who_needs_it(
    strategy: str,
) -> None:
    for service in stack(strategy=strategy).values():
        assert service.module in MODULES or f"{service.module}.__main__" in service.late


def test_a_cold_start_preloads_what_every_strategy_runs_and_nothing_else() -> None:
    shared = set.intersection(*(set(names) for names in SERVICES_OF.values()))
    assert {f"services.{name}" for name in shared} == set(MODULES)


def test_settings_of_the_scenario_override_by_name() -> None:
    spec = StackSpec(settings={"payment": {"lease_ms": "750"}}, time_scale=0.5)
    told = stack(spec, seed=7)["payment", 1].environment
    assert told["PAYMENT_LEASE_MS"] == "750"
    assert told["PAYMENT_TIME_SCALE"] == "0.5"
    assert told["PAYMENT_SEED"] == "7"


def test_each_life_of_a_process_has_a_token_of_its_own() -> None:
    order = stack()["order", 1]
    assert [order.in_life(number).token for number in (1, 2)] == ["tok-order-1.1", "tok-order-1.2"]
    assert order.in_life(2).environment["ORDER_PORT"] == order.environment["ORDER_PORT"]


def test_a_link_without_url_is_named() -> None:
    with pytest.raises(StackDidNotStart, match='no URL for link "payment_to_gateway"'):
        topology(
            strategy="naive",
            spec=StackSpec(),
            folder=FOLDER,
            ports=PORTS,
            link_urls={"order_to_payment": "http://127.0.0.1:51001"},
            seed=None,
            instance_token="tok",
        )


def test_the_map_of_links_in_the_repository_leads_to_each_service() -> None:
    links = load_link_map(Path(__file__).parents[2] / "toxiproxy.json")
    assert {link.name: link.service for link in links} == {
        "shopper_to_order": "order",
        "shopper_to_orchestrator": "orchestrator",
        "order_to_payment": "payment",
        "orchestrator_to_order": "order",
        "orchestrator_to_payment": "payment",
        "payment_to_gateway": "gateway",
        "gateway_to_payment": "payment",
        "order_to_broker": "broker",
        "payment_to_broker": "broker",
        "order_to_database": "database",
        "payment_to_database": "database",
        "orchestrator_to_database": "database",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no links"),
        ('{"name": "a"}', "holds no links"),
        ('[{"name": "a", "listen": "x:1"}]', "entry 0 is"),
        ('[{"name": "a", "listen": "x:1", "upstream": 3000}]', "entry 0 is"),
    ],
)
def test_a_map_that_is_none_is_named_with_what_is_wrong(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "toxiproxy.json"
    path.write_text(text)
    with pytest.raises(StackDidNotStart) as stopped:
        load_link_map(path)
    assert str(stopped.value).startswith(f"{path}: ")
    assert said in str(stopped.value)


def test_a_map_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackDidNotStart, match="No such file"):
        load_link_map(tmp_path / "none.json")


def test_an_upstream_that_is_no_service_is_named(tmp_path: Path) -> None:
    path = tmp_path / "toxiproxy.json"
    path.write_text('[{"name": "a", "listen": "127.0.0.1:1", "upstream": "127.0.0.1:9999"}]')
    with pytest.raises(StackDidNotStart, match=r'link "a": upstream .*:9999'):
        _ = load_link_map(path)[0].service
