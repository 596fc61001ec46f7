"""The phases, in order, whatever happens in them."""

import pytest

from checkout_sim.model.fault import LinkFault
from checkout_sim.model.plan import Checkout, Inject, InTurn, Lift, Step
from checkout_sim.model.scenario import (
    AfterCheckouts,
    AtTime,
    BeforeCheckout,
    Moment,
    OnEvent,
    Settle,
)
from checkout_sim.runner.execute import execute, fill_carts, planned
from tests.unit.runner.world import Story, shopper

SETTLE = Settle(quiet_for_ms=50, stalled_for_ms=100)


def checkouts(count: int) -> list[Step]:
    return [
        Step(number=n, when=InTurn(), action=Checkout(shopper=shopper(n)))
        for n in range(1, count + 1)
    ]


def inject(when: Moment, fault: str = "slow") -> Step:
    kind = LinkFault(links=("payment_to_gateway",), down=True)
    return Step(number=90, when=when, action=Inject(fault=fault, window=1, kind=kind))


def lift(when: Moment, fault: str = "slow") -> Step:
    return Step(number=91, when=when, action=Lift(fault=fault, window=1))


async def carried_out(story: Story, steps: list[Step], concurrency: int | None = 1) -> None:
    await execute(
        planned(steps),
        story.world,
        story.recording,
        concurrency=concurrency,
        settle_as=SETTLE,
        proof=[],
    )


async def test_phases_follow_one_another_and_ledgers_are_read_last() -> None:
    story = Story()
    story.ledgers.rows = {"orders": [{"order_id": "ord_1", "status": "confirmed"}]}
    await carried_out(story, checkouts(2))

    phases = [seen.data["phase"] for seen in story.of("phase.entered")]
    assert phases == ["storm", "calm", "settle", "read", "judged"]
    assert [seen.data["name"] for seen in story.of("ledger.ended")] == [
        "orders",
        "payments",
        "journal",
        "carts",
    ]
    assert story.of("ledger.read")[0].order == "ord_1"


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_shoppers_are_in_the_shop_than_there_are_slots(concurrency: int) -> None:
    story = Story()
    await carried_out(story, checkouts(12), concurrency)

    assert concurrency == story.shop.most_open
    assert list(range(1, 13)) == [checkout for checkout, _, _ in story.shop.posts]


async def test_a_checkout_is_held_until_its_fault_is_in_force() -> None:
    story = Story()
    await carried_out(story, [*checkouts(4), inject(BeforeCheckout(checkout=3))])

    kinds = [(seen.kind, seen.checkout) for seen in story.seen]
    injected = kinds.index(("fault.injected", None))
    assert kinds.index(("client.ended", 2)) < injected < kinds.index(("client.sent", 3))


async def test_a_checkout_is_held_until_the_fault_before_it_is_lifted() -> None:
    story = Story()
    story.faults.turns_to_lift = 20
    window = [inject(BeforeCheckout(checkout=2)), lift(BeforeCheckout(checkout=3))]
    await carried_out(story, [*checkouts(4), *window])

    kinds = [(seen.kind, seen.checkout) for seen in story.seen]
    lifted = kinds.index(("fault.lifted", None))
    assert kinds.index(("client.ended", 2)) < lifted < kinds.index(("client.sent", 3))


async def test_a_fault_is_lifted_at_its_moment() -> None:
    story = Story()
    until = OnEvent(event="client.ended", checkout=2)
    steps = [*checkouts(5), inject(BeforeCheckout(checkout=2)), lift(until)]
    await carried_out(story, steps)

    assert story.faults.deeds == ["inject slow#1", "lift slow#1", "calm"]


async def test_a_lift_waits_for_an_injection_under_way() -> None:
    story = Story()
    story.faults.turns_to_inject = 50
    strike = inject(OnEvent(event="client.sent", checkout=2))
    await carried_out(story, [*checkouts(4), strike, lift(BeforeCheckout(checkout=3))])

    assert story.faults.deeds == ["inject slow#1 while open", "lift slow#1", "calm"]


async def test_a_deed_whose_moment_never_comes_is_dropped_with_the_storm() -> None:
    story = Story()
    await carried_out(story, [*checkouts(1), inject(AfterCheckouts(count=9))])

    assert story.faults.deeds == ["calm"]


async def test_a_strike_under_way_when_the_storm_ends_is_finished_and_recorded() -> None:
    story = Story()
    story.faults.turns = 200
    struck = inject(OnEvent(event="client.ended", checkout=1))
    await carried_out(story, [*checkouts(1), struck])

    assert story.faults.deeds == ["inject slow#1", "calm"]
    assert len(story.of("fault.injected")) == 1


async def test_a_fault_that_cannot_be_applied_is_recorded_and_the_run_goes_on() -> None:
    story = Story()
    story.faults.refuse = True
    await carried_out(story, [*checkouts(2), inject(BeforeCheckout(checkout=1))])

    assert story.of("fault.failed")[0].data["message"] == "the link is not there"
    assert len(story.of("client.ended")) == 2


async def test_an_open_loop_starts_shoppers_at_their_own_times() -> None:
    story = Story()
    steps = [
        Step(number=n, when=AtTime(ms=n * 100), action=Checkout(shopper=shopper(n)))
        for n in (1, 2, 3)
    ]
    await carried_out(story, steps, concurrency=None)

    assert [seen.t_ms for seen in story.of("client.sent")] == [100, 200, 300]


async def test_the_world_is_calmed_when_the_storm_breaks_off() -> None:
    story = Story()

    def explode(_: object) -> None:
        raise RuntimeError("a bug of ours")

    story.shop.while_placing = explode
    with pytest.raises(ExceptionGroup):
        await carried_out(story, checkouts(1))

    assert story.faults.deeds == ["calm"]


async def test_a_world_that_cannot_be_calmed_is_recorded_and_read_as_it_stands() -> None:
    story = Story()
    story.faults.calm_refused = "the proxy server is silent"
    await carried_out(story, checkouts(2))

    assert [seen.data for seen in story.of("evidence.gap")] == [
        {"message": "no calm: the proxy server is silent"}
    ]
    phases = [seen.data["phase"] for seen in story.of("phase.entered")]
    assert phases == ["storm", "calm", "read", "judged"]
    assert len(story.of("ledger.ended")) == 4


async def test_proof_checkouts_come_after_quiet_and_are_settled_too() -> None:
    story = Story()
    await execute(
        planned(checkouts(1)),
        story.world,
        story.recording,
        concurrency=1,
        settle_as=SETTLE,
        proof=[shopper(2)],
    )

    told = [kind for kind in story.kinds() if kind in {"quiet.reached", "client.sent"}]
    assert told == ["client.sent", "quiet.reached", "client.sent", "quiet.reached"]
    assert [seen.data["proof"] for seen in story.of("client.sent")] == [False, True]


async def test_every_cart_is_filled_once_before_the_storm() -> None:
    story = Story()
    await fill_carts(story.world, [shopper(n) for n in range(1, 21)])

    assert sorted(story.shop.carts) == sorted(f"shopper-{n}" for n in range(1, 21))
