"""Shoppers by command: one, a burst, or a load that goes on until it is stopped.

Takes Buy commands; gives shoppers, numbered on from the session's first, each with its cart filled
around the proxy just before it is sent. What was sent is said for each, so that a session can be
cut into a scenario.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from checkout_sim.engine.asking import Asking
from checkout_sim.model.command import Buy
from checkout_sim.model.errors import CheckoutSimError
from checkout_sim.model.plan import Shopper
from checkout_sim.model.scenario import (
    Behaviour,
    CancelAt,
    Line,
    OnEvent,
    Retry,
    SubmitTwice,
)
from checkout_sim.planning.draw import Dice

_GOODS = (
    Line(product="mug", quantity=1, price_minor=1250),
    Line(product="cap", quantity=1, price_minor=2900),
    Line(product="sticker", quantity=1, price_minor=200),
    Line(product="poster", quantity=1, price_minor=1990),
)
_MOST_LINES = 3
_MOST_OF_ONE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """What a session does for its shoppers."""

    fill_cart: Callable[[Shopper], Awaitable[None]]
    send: Callable[[Shopper], None]
    failed: Callable[[Asking, str], None]  # why nobody could be sent


class Buying:
    """All loads of one session."""

    def __init__(self, till: Till) -> None:
        self._till = till
        self._last = 0
        self._loads: set[asyncio.Task[None]] = set()
        self._under_way: dict[int, asyncio.Future[None]] = {}

    def begin(self, buy: Buy, asking: Asking) -> None:
        """Begin to send shoppers; returns at once."""
        load = asyncio.create_task(self._send_all(buy, asking))
        self._loads.add(load)
        load.add_done_callback(self._loads.discard)

    def stop(self) -> None:
        """Send no more; who is under way finishes."""
        for load in self._loads:
            load.cancel()

    async def stopped(self) -> None:
        """Stop, and return when nobody more can be sent."""
        self.stop()
        await asyncio.gather(*self._loads, return_exceptions=True)

    def ended(self, checkout: int) -> None:
        """Hear that a purchase has ended."""
        waiting = self._under_way.pop(checkout, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def _send_all(self, buy: Buy, asking: Asking) -> None:
        loop = asyncio.get_running_loop()
        dice = Dice(seed=buy.seed, scenario="session")
        began = loop.time()
        number = 0
        while buy.count == 0 or number < buy.count:
            number += 1
            between_s = 0.0 if buy.rate_per_s is None else 1 / buy.rate_per_s
            due = began + (number - 1) * between_s
            # Carts are filled between two purchases, where they keep neither waiting.
            await asyncio.sleep(max(0.0, due - between_s / 2 - loop.time()))
            self._last += 1
            shopper = shopper_of(buy, checkout=self._last, number=number, dice=dice)
            try:
                await self._till.fill_cart(shopper)
            except CheckoutSimError as failed:
                self._till.failed(asking, str(failed))
                return
            await asyncio.sleep(max(0.0, due - loop.time()))
            ended = self._under_way[shopper.checkout] = loop.create_future()
            self._till.send(shopper)
            if buy.rate_per_s is None:
                await ended


def shopper_of(buy: Buy, *, checkout: int, number: int, dice: Dice) -> Shopper:
    """Return the shopper that is the `number`-th of a Buy; keys are fresh, carts may be drawn."""
    cart = _drawn(buy, number, dice) if buy.drawn_cart else buy.lines
    attempts, fresh = _attempts(buy.behaviour)
    keys = [f"shop-{secrets.token_hex(16)}"]
    keys += [f"shop-{secrets.token_hex(16)}" if fresh else keys[0] for _ in range(attempts - 1)]
    return Shopper(
        checkout=checkout,
        user=f"shopper-{checkout}",
        cart=cart,
        card=buy.card,
        patience_ms=buy.patience_ms,
        keys=tuple(keys),
        behaviour=_own(buy.behaviour, checkout),
    )


def _drawn(buy: Buy, number: int, dice: Dice) -> tuple[Line, ...]:
    goods = buy.lines or _GOODS
    lines = dice.between(1, min(_MOST_LINES, len(goods)), f"{number}/lines")
    first = dice.between(0, len(goods) - 1, f"{number}/first")
    return tuple(
        replace(
            goods[(first + line) % len(goods)],
            quantity=dice.between(1, _MOST_OF_ONE, f"{number}/{line}/quantity"),
        )
        for line in range(lines)
    )


def _attempts(behaviour: Behaviour) -> tuple[int, bool]:
    match behaviour:
        case Retry(times=times, key=key):
            return 1 + times, key == "new"
        case SubmitTwice(key=key):
            return 2, key == "new"
        case _:
            return 1, False


def _own(behaviour: Behaviour, checkout: int) -> Behaviour:
    """Return the behaviour with a cancel's moment about this very checkout.

    The form cannot know which number the next shopper gets.
    """
    match behaviour:
        case CancelAt(at=OnEvent() as at):
            return CancelAt(at=replace(at, checkout=checkout))
        case _:
            return behaviour
