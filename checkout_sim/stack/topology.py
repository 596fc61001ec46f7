"""Which processes a stack has and what each is told: pure, so that it can be read in a test.

Takes the strategy, the scenario's stack section, the ports reserved and the URLs of the links;
gives one Service per process, its environment as services/README.md names the settings. No
service is imported here: a module is a name to the fork server, and a contract to everyone else.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.model.scenario import StackSpec
from checkout_sim.model.wire import DATABASE_LINKS, LINKS_OF, SERVICES_OF
from checkout_sim.stack.launch import MODULES

__all__ = [
    "FIXED_PORTS",
    "HOST",
    "MODULES",
    "LinkMap",
    "Service",
    "instances",
    "load_link_map",
    "topology",
]

HOST = "127.0.0.1"

# The ports of `up` and of the upstreams in toxiproxy.json; a private stack takes free ones.
FIXED_PORTS: Mapping[str, int] = {
    "order": 3000,
    "payment": 3001,
    "orchestrator": 3002,
    "gateway": 3003,
    "broker": 3004,
    "database": 3005,
}

# Which setting of which service holds the URL of a link, and so makes its calls pass there. A
# service is told of those links only that carry its strategy.
_LINK_SETTINGS: Mapping[str, Mapping[str, str]] = {
    "order": {"PAYMENT_URL": "order_to_payment", "BROKER_URL": "order_to_broker"},
    "payment": {"GATEWAY_URL": "payment_to_gateway", "BROKER_URL": "payment_to_broker"},
    "orchestrator": {
        "ORDER_URL": "orchestrator_to_order",
        "PAYMENT_URL": "orchestrator_to_payment",
    },
    "gateway": {"WEBHOOK_URL": "gateway_to_payment"},
}
_TOLD_THE_STRATEGY = frozenset({"orchestrator", "order", "payment"})
_BROKERED = frozenset({"order", "payment"})
# What nobody else's start should pay: FastStream is a third of a second, the orchestrator a tenth.
_LATE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("choreographed", name): (f"services.{name}.strategies.choreographed",) for name in _BROKERED
} | {("orchestrated", "orchestrator"): ("services.orchestrator.__main__",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One process to be: `instance` counts the replicas of `name` from 1.

    `environment` holds only what the service is told, not what it inherits. `late` are modules it
    will import that other strategies do without: worth preloading once one of it is started.
    """

    name: str
    module: str
    instance: int
    port: int
    environment: Mapping[str, str]
    late: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """Return what every setting of this service begins with."""
        return f"{self.name.upper()}_"

    @property
    def token(self) -> str:
        """Return what /health must echo, the proof that our own child answers."""
        return self.environment[f"{self.prefix}INSTANCE"]

    def in_life(self, number: int) -> "Service":
        """Return the service as its `number`th process is told: a token of its own.

        So an earlier life never passes for this one, and ids drawn from a seed, which services
        salt with the token, never repeat those already stored.
        """
        told = {**self.environment, f"{self.prefix}INSTANCE": f"{self.token}.{number}"}
        return replace(self, environment=told)

    @property
    def url(self) -> str:
        """Return the direct URL, past every proxy."""
        return f"http://{HOST}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMap:
    """One entry of toxiproxy.json; `listen` and `upstream` are `host:port`."""

    name: str
    listen: str
    upstream: str

    @property
    def service(self) -> str:
        """Return the name of the service behind this link, told by its fixed port."""
        port = self.upstream.rpartition(":")[2]
        for name, fixed in FIXED_PORTS.items():
            if port == str(fixed):
                return name
        raise StackDidNotStart(
            f'link "{self.name}": upstream {self.upstream} is no service of this stack; '
            f"expected one of the ports {', '.join(f'{p} ({n})' for n, p in FIXED_PORTS.items())}"
        )


def load_link_map(path: Path) -> tuple[LinkMap, ...]:
    """Return the links of toxiproxy.json in its order (Toxiproxy's own `-config` format)."""
    try:
        entries = json.loads(path.read_bytes())
    except OSError as error:
        raise StackDidNotStart(
            f"{path}: cannot be read ({error.strerror}); expected the map of links"
        ) from error
    except ValueError as error:
        raise StackDidNotStart(
            f"{path}: is not JSON ({error}); expected the map of links"
        ) from error
    if not isinstance(entries, list) or not entries:
        raise StackDidNotStart(f"{path}: holds no links; expected a list of name, listen, upstream")
    return tuple(_link(path, number, entry) for number, entry in enumerate(entries))


def _link(path: Path, number: int, entry: object) -> LinkMap:
    fields = ("name", "listen", "upstream")
    if not isinstance(entry, dict) or not all(isinstance(entry.get(f), str) for f in fields):
        raise StackDidNotStart(
            f"{path}: entry {number} is {entry!r}; expected the strings {', '.join(fields)}"
        )
    return LinkMap(name=entry["name"], listen=entry["listen"], upstream=entry["upstream"])


def topology(
    *,
    strategy: str,
    spec: StackSpec,
    folder: Path,
    ports: Mapping[tuple[str, int], int],
    link_urls: Mapping[str, str],
    seed: int | None,
    instance_token: str,
    scope: str = "",
) -> tuple[Service, ...]:
    """Return every process of the stack: gateway first, so that nobody calls into a void.

    `ports` maps (service, instance) to a port and so says how many replicas there are, which
    must agree with `spec`; `link_urls` maps a link to the URL a caller must use, and with it the
    database a service keeps there. Replicas share one database, a file in `folder` otherwise.
    `scope` sets this run's queues apart on a shared broker. A port or link that is missing raises
    StackDidNotStart.
    """
    return tuple(
        _service(
            name,
            instance,
            told=_told(name, strategy=strategy, spec=spec, folder=folder, link_urls=link_urls)
            | ({"BROKER_PREFIX": scope} if name in _BROKERED and scope else {}),
            port=_port(ports, name, instance),
            seed=seed,
            token=instance_token,
            late=_LATE.get((strategy, name), ()),
        )
        for name in reversed(SERVICES_OF[strategy])
        for instance in range(1, spec.replicas.get(name, 1) + 1)
    )


def instances(strategy: str, spec: StackSpec) -> tuple[tuple[str, int], ...]:
    """Return every (service, instance) of a strategy's stack: what needs a port."""
    return tuple(
        (name, instance)
        for name in SERVICES_OF[strategy]
        for instance in range(1, spec.replicas.get(name, 1) + 1)
    )


def _service(
    name: str,
    instance: int,
    *,
    told: Mapping[str, str],
    port: int,
    seed: int | None,
    token: str,
    late: tuple[str, ...],
) -> Service:
    own = {
        "PORT": str(port),
        "INSTANCE": f"{token}-{name}-{instance}",
        "REPLICA": str(instance),
        "SEED": "" if seed is None else str(seed),
    }
    environment = {f"{name.upper()}_{key}": value for key, value in {**told, **own}.items()}
    return Service(
        name=name,
        module=f"services.{name}",
        instance=instance,
        port=port,
        environment=environment,
        late=late,
    )


def _told(
    name: str, *, strategy: str, spec: StackSpec, folder: Path, link_urls: Mapping[str, str]
) -> dict[str, str]:
    """Return what all replicas of a service are told, without its prefix."""
    told = {
        "HOST": HOST,
        "DATABASE": str(folder / f"{name}.db"),
        "TIME_SCALE": str(spec.time_scale),
        "EVENTS": "stdout",
    }
    if name in _TOLD_THE_STRATEGY:
        told["STRATEGY"] = strategy
    links = {
        setting: link
        for setting, link in _LINK_SETTINGS[name].items()
        if link in LINKS_OF[strategy] and (spec.webhooks or setting != "WEBHOOK_URL")
    }
    if spec.database == "postgres" and name in DATABASE_LINKS:
        links["DATABASE_URL"] = DATABASE_LINKS[name]
    for setting, link in links.items():
        if link not in link_urls:
            raise StackDidNotStart(
                f'no URL for link "{link}", which {name} calls through; have '
                f"{', '.join(sorted(link_urls)) or 'none'}: is it missing in toxiproxy.json?"
            )
        told[setting] = link_urls[link]
    overrides = spec.settings.get(name, {})
    return told | {setting.upper(): value for setting, value in overrides.items()}


def _port(ports: Mapping[tuple[str, int], int], name: str, instance: int) -> int:
    try:
        return ports[name, instance]
    except KeyError:
        raise StackDidNotStart(
            f"no port was reserved for {name} instance {instance}; have {sorted(ports)}"
        ) from None
