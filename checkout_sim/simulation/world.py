"""Brings one private world up: ports, proxy server, services, and the clients that reach them.

Nothing is shared between two worlds but the warm fork server, so two runs side by side never meet.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from checkout_sim.clients.checkout import ShopClient
from checkout_sim.clients.ledgers import Ledgers
from checkout_sim.clients.poster import Poster
from checkout_sim.clients.transport import http_client
from checkout_sim.faults.injector import Injector
from checkout_sim.faults.toxics import Toxiproxy
from checkout_sim.model.run import Engine
from checkout_sim.model.scenario import StackSpec
from checkout_sim.model.seen import ProcessNote, ServiceLine
from checkout_sim.model.wire import LINKS_OF
from checkout_sim.runner.clock import MonotonicClock
from checkout_sim.runner.ports import World
from checkout_sim.simulation.options import Options
from checkout_sim.stack.fork_client import Spawner
from checkout_sim.stack.ports import PortReservation
from checkout_sim.stack.proxy_server import ProxiedLink, RunningProxyServer, start_proxy_server
from checkout_sim.stack.supervisor import Supervisor
from checkout_sim.stack.topology import (
    FIXED_PORTS,
    LinkMap,
    instances,
    load_link_map,
    topology,
)

_SIDE_CALL_LIMIT_S = 10.0
_SHOPPER_LIMIT_S = 600.0  # patience is the plan's; this only keeps a wait from being endless
_TOXIPROXY_PORT = 8474


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Who hears what the children say and what becomes of them."""

    on_event: Callable[[ServiceLine], None]
    on_process: Callable[[ProcessNote], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWorld:
    """A world that is up: the runner's collaborators, and what a person may want to know."""

    world: World
    engine: Engine
    note: str  # why this proxy server
    urls: Mapping[str, str]  # links and services by name
    supervisor: Supervisor
    proxy_server: RunningProxyServer


@asynccontextmanager
async def live_world(
    *,
    strategy: str,
    spec: StackSpec,
    folder: Path,
    options: Options,
    spawner: Spawner,
    listeners: Listeners,
    fixed_ports: bool = False,
) -> AsyncIterator[LiveWorld]:
    """Yield a world with every service healthy; on leaving nothing of it is left.

    `fixed_ports` takes the ports of toxiproxy.json, for `up`. Raises StackDidNotStart.
    """
    async with AsyncExitStack() as closing:
        ports: dict[tuple[str, int], int] = {}
        for name, instance in instances(spec):
            wanted = FIXED_PORTS[name] if fixed_ports and instance == 1 else None
            reserved = closing.enter_context(PortReservation(wanted, wanted_by=f"service {name}"))
            ports[name, instance] = reserved.port
        mapped = load_link_map(options.links_path)
        proxy_server = await start_proxy_server(
            engine=options.engine,
            folder=folder,
            api_port=_TOXIPROXY_PORT if fixed_ports else None,
            links=_proxied(mapped, strategy, ports, fixed_ports=fixed_ports),
            toxiproxy_url=options.toxiproxy_url,
        )
        closing.push_async_callback(proxy_server.stop)
        link_urls = {
            name: f"http://{host}:{port}" for name, (host, port) in proxy_server.listening.items()
        }
        services = topology(
            strategy=strategy,
            spec=spec,
            folder=folder,
            ports=ports,
            link_urls=link_urls,
            seed=None,  # a restarted process or a replica would mint the same ids again
            instance_token=secrets.token_hex(8),
        )
        supervisor = Supervisor(
            services,
            fork_server=spawner,
            folder=folder,
            on_event=listeners.on_event,
            on_process=listeners.on_process,
        )
        closing.push_async_callback(supervisor.stop)
        await supervisor.start()
        direct = {service.name: service.url for service in services if service.instance == 1}
        toxiproxy = Toxiproxy(proxy_server.server.url)
        closing.push_async_callback(toxiproxy.close)
        shop = ShopClient(
            posting=Poster(link_urls["shopper_to_order"]),
            linked=http_client(timeout_s=_SHOPPER_LIMIT_S, base_url=link_urls["shopper_to_order"]),
            direct=http_client(timeout_s=_SIDE_CALL_LIMIT_S, base_url=direct["order"]),
        )
        closing.push_async_callback(shop.close)
        side = http_client(timeout_s=_SIDE_CALL_LIMIT_S)
        closing.push_async_callback(side.aclose)
        gateway = http_client(timeout_s=_SIDE_CALL_LIMIT_S, base_url=direct["gateway"])
        closing.push_async_callback(gateway.aclose)
        urls: dict[str, list[str]] = {}
        for service in services:
            urls.setdefault(service.name, []).append(service.url)
        world = World(
            shop=shop,
            faults=Injector(
                toxiproxy=toxiproxy,
                processes=supervisor,
                gateway=gateway,
                links=LINKS_OF[strategy],
                instances=tuple(ports),
            ),
            ledgers=Ledgers(urls, side),
            clock=MonotonicClock(),
        )
        server = proxy_server.server
        yield LiveWorld(
            world=world,
            engine=Engine(name=server.kind, version=server.version),
            note=server.note,
            urls={**link_urls, **direct},
            supervisor=supervisor,
            proxy_server=proxy_server,
        )


def _proxied(
    mapped: tuple[LinkMap, ...],
    strategy: str,
    ports: Mapping[tuple[str, int], int],
    *,
    fixed_ports: bool,
) -> list[ProxiedLink]:
    return [
        ProxiedLink(
            name=link.name,
            listen=link.listen if fixed_ports else "127.0.0.1:0",
            upstream=f"127.0.0.1:{ports[link.service, 1]}",
        )
        for link in mapped
        if link.name in LINKS_OF[strategy]
    ]
