"""The stack's own services under the supervisor: what topology tells them, they understand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from checkout_sim.clients.ledgers import Ledgers
from checkout_sim.clients.transport import http_client
from checkout_sim.model.scenario import StackSpec
from checkout_sim.stack.fork_client import ForkServer
from checkout_sim.stack.ports import PortReservation
from checkout_sim.stack.supervisor import Supervisor
from checkout_sim.stack.topology import MODULES, Service, instances, topology
from tests.integration.stack.world import Seen, supervise

SPEC = StackSpec(
    time_scale=0.5,
    replicas={"payment": 2},
    settings={"order": {"lease_ms": "900"}, "payment": {"gateway_tries": "2"}},
)


class Stack:
    def __init__(self, services: tuple[Service, ...], supervisor: Supervisor) -> None:
        self.services = services
        self.supervisor = supervisor
        self.urls: dict[str, list[str]] = {}
        for service in services:
            self.urls.setdefault(service.name, []).append(service.url)


@pytest.fixture
async def stack(tmp_path: Path, seen: Seen) -> AsyncIterator[Stack]:
    fork_server = ForkServer()
    await fork_server.start(MODULES)
    reserved = {who: PortReservation() for who in instances("hardened", SPEC)}
    ports = {who: reservation.port for who, reservation in reserved.items()}
    services = topology(
        strategy="hardened",
        spec=SPEC,
        folder=tmp_path,
        ports=ports,
        link_urls={
            "order_to_payment": f"http://127.0.0.1:{ports['payment', 1]}",
            "payment_to_gateway": f"http://127.0.0.1:{ports['gateway', 1]}",
            "gateway_to_payment": f"http://127.0.0.1:{ports['payment', 1]}",
        },
        seed=None,
        instance_token="test",
    )
    supervisor = supervise(list(services), fork_server=fork_server, folder=tmp_path, seen=seen)
    await supervisor.start()
    yield Stack(services, supervisor)
    await supervisor.stop()
    await fork_server.close()
    for reservation in reserved.values():
        reservation.close()


async def test_every_service_says_who_it_is_and_has_nothing_undecided(
    stack: Stack, seen: Seen
) -> None:
    async with http_client(timeout_s=5) as client:
        ledgers = Ledgers(stack.urls, client)
        healths = [await ledgers.health(each.name, each.instance) for each in stack.services]
        undecided = await ledgers.undecided()
        orders = [row async for row in ledgers.read("orders")]
    assert [(health.service, health.replica) for health in healths] == [
        (each.name, each.instance) for each in stack.services
    ]
    assert {health.pid for health in healths} == {note.pid for note in seen.notes}
    assert {
        name: (found.count, found.in_flight) for name, found in undecided.items()
    } == dict.fromkeys(("order", "payment", "gateway"), (0, 0))
    assert orders == []
    assert stack.supervisor.gaps == ()


async def test_each_service_ends_in_order_on_sigterm_and_comes_back(
    stack: Stack, seen: Seen
) -> None:
    for name in ("order", "payment", "gateway"):
        await stack.supervisor.restart(name)
    exits = [note for note in seen.notes if note.kind == "process.exited"]
    assert [(note.process, note.exit_status, note.asked) for note in exits] == [
        ("order", 0, True),
        ("payment", 0, True),
        ("gateway", 0, True),
    ]


async def test_each_service_survives_a_kill_and_a_pause(stack: Stack) -> None:
    for name in ("order", "payment", "gateway"):
        await stack.supervisor.pause(name)
        await stack.supervisor.resume(name)
        await stack.supervisor.kill(name)
    await stack.supervisor.start_all_again()
    assert all(stack.supervisor.is_running(name) for name in ("order", "payment", "gateway"))
