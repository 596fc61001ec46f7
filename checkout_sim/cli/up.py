"""`checkout-sim up`: the stack by itself, on its documented ports, to be played with by hand."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from checkout_sim.cli.exits import Exit
from checkout_sim.cli.options import (
    DEFAULT_RUNS_DIR,
    Database,
    DatabaseUrl,
    EngineOption,
    RunsDir,
    ToxiproxyUrl,
    database_for,
)
from checkout_sim.cli.streams import complain, tell

if TYPE_CHECKING:  # loading the nouns would cost --help 40 ms
    from checkout_sim.model.run import Engine

EXAMPLES = """\
  checkout-sim up                           hardened services
  checkout-sim up --strategy naive          the reference design, with its faults
  checkout-sim up --strategy orchestrated   a saga; orders are placed on port 3002
  checkout-sim up --strategy choreographed  a saga by events, on a private RabbitMQ
  checkout-sim up --database postgres       rows in a private PostgreSQL, not in files
"""

_SHOPPING = """\
Fill a cart and buy it:
  curl -X POST {order}/cart/add -H 'Content-Type: application/json' \\
       -d '{{"userId": "user123", "productId": "prod1", "quantity": 2, "price": 19.99}}'
  curl {order}/cart/user123
  curl -X POST {edge}{place} -H 'Content-Type: application/json' \\
       -H 'Idempotency-Key: first-try' -d '{{"userId": "user123"}}'
  curl '{order}/order?userId=user123'"""

_BREAKING = """\
Break a link, and mend it:
  curl -X POST {toxiproxy}/proxies/{link}/toxics \\
       -d '{{"name": "slow", "type": "latency", "attributes": {{"latency": 2000}}}}'
  curl -X DELETE {toxiproxy}/proxies/{link}/toxics/slow"""

_WORTH_BREAKING = ("order_to_payment", "orchestrator_to_payment", "payment_to_gateway")


class Standing(Protocol):
    """A stack that is up; `urls` name what can be called."""

    @property
    def urls(self) -> Mapping[str, str]:
        """Return base URLs by name."""

    @property
    def engine(self) -> "Engine":
        """Return the proxy server."""

    async def stop(self) -> None:
        """Bring everything down."""


def up(
    *,
    strategy: Annotated[
        str,
        typer.Option(
            "--strategy",
            "-s",
            metavar="NAME",
            help="What the services do: naive, hardened, orchestrated or choreographed.",
        ),
    ] = "hardened",
    engine: EngineOption = "auto",
    database: Database = None,
    database_url: DatabaseUrl = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
    toxiproxy_url: ToxiproxyUrl = None,
) -> None:
    """Bring the stack up, for hands and curl, until Ctrl-C.

    Services listen on fixed ports, on 127.0.0.1 only: order 3000, payment 3001, orchestrator
    3002, gateway 3003, Toxiproxy's API 8474. Prints the URLs and curl lines to try, and says
    so when a service dies. Ctrl-C or SIGTERM takes everything down and exits 0; before the
    stack is up they exit 130.
    """
    import asyncio  # noqa: PLC0415 - 40 ms that --help does without

    from checkout_sim.cli import targets as words  # noqa: PLC0415 - beside its use

    rows_in = database_for(database, database_url) or "sqlite"
    words.known_strategies([strategy])

    from checkout_sim.scenario_files.shipped import links_path  # noqa: PLC0415 - beside its use
    from checkout_sim.simulation import Options, bring_up  # noqa: PLC0415 - 300 ms

    options = Options(
        engine=engine,
        toxiproxy_url=toxiproxy_url,
        runs_folder=runs_dir,
        jobs=1,
        fail_fast=False,
        links_path=links_path(),
        database_url=database_url,
    )
    was_up = asyncio.run(
        stay(
            lambda: bring_up(strategy, options=options, on_note=complain, database=rows_in),
            strategy,
        )
    )
    raise typer.Exit(Exit.AS_EXPECTED if was_up else Exit.INTERRUPTED)


async def stay(bring: Callable[[], Awaitable[Standing]], strategy: str) -> bool:
    """Bring the stack up, say how to use it, and hold it until SIGINT, SIGTERM or SIGHUP.

    Returns once the stack is down again whether it ever was up; an interrupted start is waited
    for as well.
    """
    import asyncio  # noqa: PLC0415 - 40 ms that --help does without
    import signal  # noqa: PLC0415 - beside it

    asked_to_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, asked_to_end.set)
    bringing = asyncio.ensure_future(bring())
    ending = asyncio.ensure_future(asked_to_end.wait())
    try:
        await asyncio.wait({bringing, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not bringing.done():
            bringing.cancel()
            await asyncio.wait({bringing})
            return False
        stack = await bringing
        try:
            tell(instructions(stack.urls, stack.engine, strategy))
            await ending
            complain("stopping")
        finally:
            await stack.stop()
    finally:
        ending.cancel()
    return True


def instructions(urls: Mapping[str, str], engine: "Engine", strategy: str) -> str:
    """Return what a person needs to use the stack: where everything is, and lines to copy."""
    from checkout_sim.model import wire  # noqa: PLC0415 - --help does without

    widest = max(map(len, urls), default=0)
    lines = [f"The {strategy} stack is up, through {engine.name} {engine.version}.", ""]
    lines += [f"  {name:<{widest}}  {url}" for name, url in urls.items()]
    if "order" in urls:
        edge = urls[wire.EDGE_OF[strategy].removeprefix("shopper_to_")]
        place = wire.PLACE_PATH_OF[strategy]
        lines += ["", _SHOPPING.format(order=urls["order"], edge=edge, place=place)]
    if "toxiproxy" in urls:
        carrying = (name for name in _WORTH_BREAKING if name in wire.LINKS_OF[strategy])
        lines += ["", _BREAKING.format(toxiproxy=urls["toxiproxy"], link=next(carrying))]
    return "\n".join([*lines, "", "Ctrl-C stops it."])
