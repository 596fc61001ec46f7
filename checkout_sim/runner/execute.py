"""Execute: steps in, observations out, through the phases storm → calm → settle → read.

    storm    steps happen at their moments; shoppers shop
    calm     every fault is lifted, every process resumed or restarted
    settle   a bounded wait until nothing moves; then proof checkouts, if any, and once more
    read     every ledger is read, on direct ports

Judging earlier would convict a saga that is still compensating. The runner consumes an
`AsyncIterable[Step]`: a plan is one source, an operator's keyboard another.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from typing import assert_never

from checkout_sim.model.errors import CheckoutSimError, FaultNotApplied
from checkout_sim.model.plan import Checkout, Inject, InTurn, Lift, Shopper, Step
from checkout_sim.model.scenario import BeforeCheckout, Settle
from checkout_sim.runner.moments import Moments
from checkout_sim.runner.pace import Pace
from checkout_sim.runner.ports import World
from checkout_sim.runner.read import find_indefinite, read_ledgers
from checkout_sim.runner.recording import Recording
from checkout_sim.runner.settle import OpenCalls, settle
from checkout_sim.runner.shoppers import Shoppers

_CART_FILLERS = 8


async def planned(steps: Iterable[Step]) -> AsyncIterator[Step]:
    """Yield the steps of a plan: the source that is known beforehand."""
    for step in steps:
        yield step


class Execution:
    """One run in progress: the storm's tasks and what the later phases must know of it."""

    def __init__(
        self,
        world: World,
        recording: Recording,
        *,
        concurrency: int | None,
        checkout_ended: Callable[[int], None] = lambda _: None,
        pace: Pace | None = None,
    ) -> None:
        self._world = world
        self._pace = pace
        self._checkout_ended = checkout_ended
        self._recording = recording
        self._moments = Moments(pace or world.clock)
        self._calls = OpenCalls()
        recording.add_sink(self._moments.observe)
        recording.add_sink(self._calls.observe)
        self._shoppers = Shoppers(world.shop, world.clock, recording, self._moments)
        self._slots = asyncio.Semaphore(concurrency) if concurrency else None
        self._in_turn: asyncio.Queue[Shopper | None] = asyncio.Queue()
        self._before: defaultdict[int, list[asyncio.Task[None]]] = defaultdict(list)
        self._open_checkouts = 0
        self._deeds: set[asyncio.Task[None]] = set()
        self._begun: set[asyncio.Task[None]] = set()  # deeds whose moment has come
        self._striking: dict[tuple[str, int], asyncio.Future[None]] = {}
        self._purchases = asyncio.TaskGroup()

    async def storm(self, steps: AsyncIterable[Step]) -> None:
        """Carry out the steps, each at its moment; return when every purchase has ended."""
        self.enter("storm")
        self._moments.begin()
        try:
            async with self._purchases as purchases:
                purchases.create_task(self._serve_in_turn())
                async for step in steps:
                    self._schedule(step)
                self._in_turn.put_nowait(None)
        finally:
            # What waits for its moment is dropped; what has begun is finished, since a kill that
            # is not recorded leaves a death that nobody can explain.
            await _drop(self._deeds - self._begun)
            await asyncio.gather(*self._begun, return_exceptions=True)

    async def calm(self) -> bool:
        """Lift everything, restart what is down; return whether all of it could be mended.

        What could not be is recorded: it makes the run unknown and spoils no other run.
        """
        self.enter("calm")
        try:
            await self._world.faults.calm()
        except FaultNotApplied as failed:
            self._recording("runner", "evidence.gap", data={"message": f"no calm: {failed}"})
            return False
        self._moments.calm()
        return True

    async def settle(self, settings: Settle, proof: Sequence[Shopper]) -> None:
        """Wait for quiescence, bounded; then send the proof checkouts and wait again.

        Proof comes after quiet, not before: it shows that nothing of the storm is left (a retry
        storm that feeds itself), not how long the storm's own backlog takes.
        """
        self.enter("settle")
        await self._quiet(settings)
        if proof:
            for shopper in proof:
                await self._shoppers.check_out(shopper, proof=True)
            await self._quiet(settings)

    async def _quiet(self, settings: Settle) -> None:
        await settle(
            settings,
            ledgers=self._world.ledgers,
            recording=self._recording,
            clock=self._world.clock,
            calls=self._calls,
        )

    async def read(self) -> None:
        """Record what the shoppers who know nothing would find, then every ledger."""
        self.enter("read")
        self._recording.flush()
        await find_indefinite(self._world.shop, self._shoppers.indefinite, self._recording)
        await read_ledgers(self._world.ledgers, self._recording)

    def enter(self, phase: str) -> None:
        """Record that a phase begins."""
        self._recording("runner", "phase.entered", data={"phase": phase})

    def _schedule(self, step: Step) -> None:
        match step.action:
            case Checkout(shopper=shopper):
                if isinstance(step.when, InTurn):
                    self._in_turn.put_nowait(shopper)
                else:
                    self._purchases.create_task(self._shop_at(step, shopper))
            case Inject() | Lift():
                deed = asyncio.create_task(self._deed(step))
                self._deeds.add(deed)
                deed.add_done_callback(self._deeds.discard)
                deed.add_done_callback(self._begun.discard)
                # Lifts as well: mending a link cuts its connections, and the checkout that comes
                # next must not lose its own call to that.
                if isinstance(step.when, BeforeCheckout):
                    self._before[step.when.checkout].append(deed)
            case _ as unreachable:
                assert_never(unreachable)

    async def _serve_in_turn(self) -> None:
        """Start shoppers in order, each as soon as a slot is free and its faults are in force."""
        while (shopper := await self._in_turn.get()) is not None:
            if self._slots is not None:
                await self._slots.acquire()
            await self._ready(shopper)
            self._purchases.create_task(self._purchase(shopper, slot=self._slots))

    async def _shop_at(self, step: Step, shopper: Shopper) -> None:
        if not isinstance(step.when, InTurn):
            await self._moments.wait(step.when, fault=f"checkout-{shopper.checkout}", window=1)
        await self._ready(shopper)
        await self._purchase(shopper, slot=None)

    async def _ready(self, shopper: Shopper) -> None:
        self._moments.about_to_start(shopper.checkout)
        waiting = self._before.pop(shopper.checkout, None)
        if waiting:
            await asyncio.gather(*waiting)
        await self._turn()

    async def _turn(self) -> None:
        if self._pace is not None:
            await self._pace.turn()

    async def _purchase(self, shopper: Shopper, *, slot: asyncio.Semaphore | None) -> None:
        self._open_checkouts += 1
        try:
            await self._shoppers.check_out(shopper)
        finally:
            self._open_checkouts -= 1
            self._checkout_ended(shopper.checkout)
            if slot is not None:
                slot.release()

    async def _deed(self, step: Step) -> None:
        action = step.action
        if isinstance(step.when, InTurn) or isinstance(action, Checkout):
            return
        await self._moments.wait(step.when, fault=action.fault, window=action.window)
        await self._turn()
        deed = asyncio.current_task()
        assert deed is not None
        self._begun.add(deed)
        try:
            if isinstance(action, Inject):
                await self._inject(action)
            else:
                await self._after_strike(action)
                await self._lift(action)
        except FaultNotApplied as failed:
            data = {"window": action.window, "message": str(failed)}
            self._recording("runner", "fault.failed", fault=action.fault, data=data)

    async def _after_strike(self, action: Lift) -> None:
        """Wait for an injection under way, since a lift ahead of it would find nothing to undo.

        The shopper hears of a kill before the kernel has reported it.
        """
        striking = self._striking.get((action.fault, action.window))
        if striking is not None:
            await asyncio.wait({striking})

    async def _inject(self, action: Inject) -> None:
        open_ = self._open_checkouts > 0
        window = (action.fault, action.window)
        struck = self._striking[window] = asyncio.get_running_loop().create_future()
        try:
            done = await self._world.faults.inject(action, checkouts_open=open_)
        finally:
            del self._striking[window]
            struck.set_result(None)
        data = {"window": action.window, "target": done.target, **done.data}
        self._recording("runner", "fault.injected", fault=action.fault, data=data)
        if done.seen is not None:
            self._recording("broker", done.seen, fault=action.fault, data=data)
        self._moments.injected(action.fault, action.window)

    async def _lift(self, action: Lift) -> None:
        done = await self._world.faults.lift(action)
        if done is not None:
            data = {"window": action.window, "target": done.target, **done.data}
            self._recording("runner", "fault.lifted", fault=action.fault, data=data)


async def fill_carts(world: World, shoppers: Iterable[Shopper]) -> None:
    """Fill every cart around the proxy, a few at a time, before the storm.

    Raises the first CheckoutSimError: what refuses one cart refuses them all.
    """
    queue = iter(list(shoppers))

    async def fill() -> None:
        for shopper in queue:
            await world.shop.fill_cart(shopper)

    refusals: list[Exception] = []
    try:
        async with asyncio.TaskGroup() as fillers:
            for _ in range(_CART_FILLERS):
                fillers.create_task(fill())
    except* CheckoutSimError as refused:
        refusals += refused.exceptions
    if refusals:
        raise refusals[0]


async def execute(
    steps: AsyncIterable[Step],
    world: World,
    recording: Recording,
    *,
    concurrency: int | None,
    settle_as: Settle,
    proof: Sequence[Shopper] = (),
    checkout_ended: Callable[[int], None] = lambda _: None,
    pace: Pace | None = None,
) -> None:
    """Run all phases. However the storm ends, the world is calmed before this returns.

    `checkout_ended` hears of each purchase of the storm when its last attempt has ended; `pace` is
    the steps' own time, where somebody may hold it.

    A fault that cannot be applied or lifted is recorded and judged; a world that cannot be calmed
    never comes to rest, so it is read as it stands.
    """
    execution = Execution(
        world, recording, concurrency=concurrency, checkout_ended=checkout_ended, pace=pace
    )
    try:
        await execution.storm(steps)
        calm = await execution.calm()
    except BaseException:
        with suppress(CheckoutSimError):
            await world.faults.calm()
        raise
    if calm:
        await execution.settle(settle_as, proof)
    await execution.read()
    execution.enter("judged")


async def _drop(tasks: set[asyncio.Task[None]]) -> None:
    dropped = list(tasks)
    for task in dropped:
        task.cancel()
    await asyncio.gather(*dropped, return_exceptions=True)
