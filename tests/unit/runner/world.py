"""A small world by hand: a jumping clock, a shop that answers as told, faults that take notes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkout_sim.model.errors import FaultNotApplied
from checkout_sim.model.history import Observation
from checkout_sim.model.ledger import OF_EVERY_STRATEGY
from checkout_sim.model.plan import Inject, Lift, Shopper
from checkout_sim.model.scenario import Behaviour, Line, PostOnce
from checkout_sim.model.seen import Answered, Document, Done, Ended, Undecided
from checkout_sim.runner.ports import World
from checkout_sim.runner.recording import Recording

UNKNOWN = Ended(claim="unknown", http_status=None, error="timeout", document=None)
QUIET = Undecided(count=0, ids=(), in_flight=0, last_seq=None)


class JumpingClock:
    """Time passes only by waiting: a wait jumps ahead and lets everyone else run first."""

    def __init__(self) -> None:
        self.ms = 0.0

    def now_ms(self) -> float:
        return self.ms

    async def sleep_ms(self, duration_ms: float) -> None:
        until_ms = self.ms + max(0.0, duration_ms)
        for _ in range(20):
            await asyncio.sleep(0)
        self.ms = max(self.ms, until_ms)


def confirmed(shopper: Shopper) -> Ended:
    document = Document(
        order_id=f"ord_{shopper.checkout}", status="confirmed", total_minor=4200, currency="usd"
    )
    return Ended(claim="confirmed", http_status=200, error=None, document=document)


@dataclass
class ScriptedShop:
    """Answers the n-th post of a checkout with the n-th of its answers, else confirms."""

    answers: dict[int, list[Ended]] = field(default_factory=dict)
    posts: list[tuple[int, str, str]] = field(default_factory=list)
    carts: list[str] = field(default_factory=list)
    cancels: list[str] = field(default_factory=list)
    turns: int = 3  # of the loop that an answer takes
    open_now: int = 0
    most_open: int = 0
    while_placing: Callable[[Shopper], Any] = lambda _: None

    async def fill_cart(self, shopper: Shopper) -> None:
        self.carts.append(shopper.user)

    async def place(self, shopper: Shopper, *, key: str, card: str) -> Ended:
        self.posts.append((shopper.checkout, key, card))
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        self.while_placing(shopper)
        for _ in range(self.turns):
            await asyncio.sleep(0)
        self.open_now -= 1
        left = self.answers.get(shopper.checkout)
        return left.pop(0) if left else confirmed(shopper)

    async def cancel(self, order_id: str) -> Answered:
        self.cancels.append(order_id)
        return Answered(http_status=202)

    async def find(self, order_id: str) -> Answered:
        return Answered(http_status=200, status=f"of {order_id}")


@dataclass
class NotedFaults:
    """Takes notes of what was injected and lifted, in order."""

    deeds: list[str] = field(default_factory=list)
    refuse: bool = False
    calm_refused: str = ""
    turns: int = 0  # of the loop that an injection takes
    turns_to_inject: int = 0
    turns_to_lift: int = 0

    async def inject(self, step: Inject, *, checkouts_open: bool) -> Done:
        for _ in range(self.turns_to_inject):
            await asyncio.sleep(0)
        if self.refuse:
            raise FaultNotApplied("the link is not there")
        for _ in range(self.turns):
            await asyncio.sleep(0)
        while_open = " while open" if checkouts_open else ""
        self.deeds.append(f"inject {step.fault}#{step.window}{while_open}")
        return Done(target="payment_to_gateway", data={"type": "latency"})

    async def lift(self, step: Lift) -> Done | None:
        for _ in range(self.turns_to_lift):
            await asyncio.sleep(0)  # a turn of the loop, in which others may get ahead
        self.deeds.append(f"lift {step.fault}#{step.window}")
        return Done(target="payment_to_gateway", data={"how": "release"})

    async def calm(self) -> None:
        self.deeds.append("calm")
        if self.calm_refused:
            raise FaultNotApplied(self.calm_refused)


@dataclass
class ScriptedLedgers:
    """Says what is undecided, one answer after another (the last repeats), and keeps rows."""

    looks: list[dict[str, Undecided]] = field(default_factory=lambda: [{"order": QUIET}])
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    names: Sequence[str] = OF_EVERY_STRATEGY

    async def undecided(self) -> Mapping[str, Undecided]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    async def read(
        self, name: str, *, after: int | None = None
    ) -> AsyncIterator[Mapping[str, Any]]:
        for row in self.rows.get(name, [])[after or 0 :]:
            yield row


@dataclass
class Story:
    """A world and everything recorded in it."""

    clock: JumpingClock = field(default_factory=JumpingClock)
    shop: ScriptedShop = field(default_factory=ScriptedShop)
    faults: NotedFaults = field(default_factory=NotedFaults)
    ledgers: ScriptedLedgers = field(default_factory=ScriptedLedgers)
    seen: list[Observation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recording = Recording(self.clock, [self.seen.append])

    @property
    def world(self) -> World:
        return World(shop=self.shop, faults=self.faults, ledgers=self.ledgers, clock=self.clock)

    def kinds(self) -> list[str]:
        return [seen.kind for seen in self.seen]

    def of(self, kind: str) -> list[Observation]:
        return [seen for seen in self.seen if seen.kind == kind]


def shopper(
    checkout: int, behaviour: Behaviour | None = None, keys: Sequence[str] = ("key-1", "key-2")
) -> Shopper:
    return Shopper(
        checkout=checkout,
        user=f"shopper-{checkout}",
        cart=(Line(product="mug", quantity=1, price_minor=4200),),
        card="pm_card_visa",
        patience_ms=3000,
        keys=tuple(keys),
        behaviour=behaviour or PostOnce(),
    )
