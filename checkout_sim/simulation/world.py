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
from checkout_sim.faults.broker import BrokerDesk
from checkout_sim.faults.injector import Injector
from checkout_sim.faults.toxics import Toxiproxy
from checkout_sim.model.ledger import ledgers_of
from checkout_sim.model.run import Engine
from checkout_sim.model.scenario import StackSpec
from checkout_sim.model.seen import ProcessNote, ServiceLine
from checkout_sim.model.wire import EDGE_OF, PLACE_PATH_OF, links_of
from checkout_sim.runner.clock import MonotonicClock
from checkout_sim.runner.ports import World
from checkout_sim.simulation.means import Means
from checkout_sim.stack.ports import PortReservation
from checkout_sim.stack.proxy_server import ProxiedLink, RunningProxyServer, start_proxy_server
from checkout_sim.stack.servers import Processes, Server, ServerName, borrowed, needed
from checkout_sim.stack.supervisor import Supervisor
from checkout_sim.stack.topology import (
    FIXED_PORTS,
    HOST,
    LinkMap,
    Service,
    instances,
    load_link_map,
    topology,
)

_SIDE_CALL_LIMIT_S = 10.0
_READERS_LIMIT_S = 30.0
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
    means: Means,
    listeners: Listeners,
    struck: frozenset[str] = frozenset(),
    fixed_ports: bool = False,
) -> AsyncIterator[LiveWorld]:
    """Yield a world with every service healthy; on leaving nothing of it is left.

    `struck` names the processes that faults may harm: a server among them is this world's own.
    `fixed_ports` takes the ports of toxiproxy.json, for `up`. Raises StackDidNotStart.
    """
    async with AsyncExitStack() as closing:
        ports = _reserve(closing, strategy, spec, fixed_ports=fixed_ports)
        scope = f"run-{secrets.token_hex(4)}"
        lent = await closing.enter_async_context(
            borrowed(means.servers, needed(strategy, spec), struck=struck, scope=scope)
        )
        mapped = load_link_map(means.options.links_path)
        carrying = links_of(strategy, spec.database)
        upstreams = {name: f"127.0.0.1:{ports[name, 1]}" for name, _ in ports}
        upstreams |= {server.name: f"{server.host}:{server.port}" for server in lent.values()}
        proxy_server = await start_proxy_server(
            engine=means.options.engine,
            folder=folder,
            api_port=_TOXIPROXY_PORT if fixed_ports else None,
            links=_proxied(mapped, carrying, upstreams, fixed_ports=fixed_ports),
            toxiproxy_url=means.options.toxiproxy_url,
        )
        closing.push_async_callback(proxy_server.stop)
        link_urls = _urls(mapped, proxy_server.listening, lent, scope)
        services = topology(
            strategy=strategy,
            spec=spec,
            folder=folder,
            ports=ports,
            link_urls=link_urls,
            seed=None,  # a restarted process or a replica would mint the same ids again
            instance_token=secrets.token_hex(8),
            scope=scope if "broker" in lent else "",
        )
        desk = _desk(closing, lent, scope)
        supervisor = Supervisor(
            services,
            fork_server=means.spawner,
            folder=folder,
            on_event=listeners.on_event if desk is None else desk.before(listeners.on_event),
            on_process=listeners.on_process,
        )
        closing.push_async_callback(supervisor.stop)
        await supervisor.start()
        if desk is not None:
            await desk.ready(_READERS_LIMIT_S)
        direct = {service.name: service.url for service in services if service.instance == 1}
        toxiproxy = Toxiproxy(proxy_server.server.url)
        closing.push_async_callback(toxiproxy.close)
        shop = _shop(strategy, link_urls, direct["order"])
        closing.push_async_callback(shop.close)
        gateway = http_client(timeout_s=_SIDE_CALL_LIMIT_S, base_url=direct["gateway"])
        closing.push_async_callback(gateway.aclose)
        processes = Processes(supervisor, lent, listeners.on_process)
        processes.announce()
        faults = Injector(
            toxiproxy=toxiproxy,
            processes=processes,
            gateway=gateway,
            links=carrying,
            instances=(*ports, *((name, 1) for name in lent)),
            broker=desk,
        )
        world = World(
            shop=shop,
            faults=faults,
            ledgers=_ledgers(closing, strategy, services, desk),
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


def _reserve(
    closing: AsyncExitStack, strategy: str, spec: StackSpec, *, fixed_ports: bool
) -> dict[tuple[str, int], int]:
    """Return a port for every instance of every service, held until `closing` closes."""
    ports: dict[tuple[str, int], int] = {}
    for name, instance in instances(strategy, spec):
        wanted = FIXED_PORTS[name] if fixed_ports and instance == 1 else None
        reserved = closing.enter_context(PortReservation(wanted, wanted_by=f"service {name}"))
        ports[name, instance] = reserved.port
    return ports


def _desk(
    closing: AsyncExitStack, lent: Mapping[ServerName, Server], scope: str
) -> BrokerDesk | None:
    """Return the tool's own way to this run's messages, where there is a broker."""
    broker = lent.get("broker")
    if broker is None:
        return None
    desk = BrokerDesk(broker.url_at(HOST, broker.port, scope=scope), scope)
    closing.push_async_callback(desk.close)
    return desk


def _ledgers(
    closing: AsyncExitStack,
    strategy: str,
    services: tuple[Service, ...],
    desk: BrokerDesk | None,
) -> Ledgers:
    """Return the reader of every service's ledgers, past every proxy."""
    side = http_client(timeout_s=_SIDE_CALL_LIMIT_S)
    closing.push_async_callback(side.aclose)
    urls: dict[str, list[str]] = {}
    for service in services:
        urls.setdefault(service.name, []).append(service.url)
    return Ledgers(urls, side, ledgers_of(strategy), desk)


def _shop(strategy: str, link_urls: Mapping[str, str], order_url: str) -> ShopClient:
    """Return the shop as this strategy's shoppers reach it."""
    return ShopClient(
        posting=Poster(link_urls[EDGE_OF[strategy]]),
        linked=http_client(timeout_s=_SHOPPER_LIMIT_S, base_url=link_urls["shopper_to_order"]),
        direct=http_client(timeout_s=_SIDE_CALL_LIMIT_S, base_url=order_url),
        place_path=PLACE_PATH_OF[strategy],
    )


def _proxied(
    mapped: tuple[LinkMap, ...],
    carrying: tuple[str, ...],
    upstreams: Mapping[str, str],
    *,
    fixed_ports: bool,
) -> list[ProxiedLink]:
    return [
        ProxiedLink(
            name=link.name,
            listen=link.listen if fixed_ports else "127.0.0.1:0",
            upstream=upstreams[link.service],
        )
        for link in mapped
        if link.name in carrying
    ]


def _urls(
    mapped: tuple[LinkMap, ...],
    listening: Mapping[str, tuple[str, int]],
    lent: Mapping[ServerName, Server],
    scope: str,
) -> dict[str, str]:
    """Return what a caller is told of each link: HTTP, or what the server behind it speaks."""
    by_name = {str(name): server for name, server in lent.items()}
    urls: dict[str, str] = {}
    for link in mapped:
        if link.name not in listening:
            continue
        host, port = listening[link.name]
        server = by_name.get(link.service)
        urls[link.name] = (
            f"http://{host}:{port}"
            if server is None
            else server.url_at(host, port, scope=_scope_on(link, scope))
        )
    return urls


def _scope_on(link: LinkMap, scope: str) -> str:
    """Return a run's scope, or on the database the part of it that is one service's."""
    return f"{scope}-{link.name.partition('_')[0]}" if link.service == "database" else scope
