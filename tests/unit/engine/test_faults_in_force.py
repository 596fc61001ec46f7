"""Windows of faults: what is asked of the run, and when, by what was observed."""

import asyncio

from checkout_sim.engine.asking import Asking
from checkout_sim.engine.faults_in_force import FaultsInForce
from checkout_sim.model.command import ForTime, OnNextEvent, UntilEvent
from checkout_sim.model.fault import LinkFault, PlacedToxic
from checkout_sim.model.history import Observation
from checkout_sim.model.plan import Inject, Lift

TOXIC = PlacedToxic(name="any", type="timeout", stream="downstream", attributes={"timeout": 0})
SWALLOW = LinkFault(links=("payment_to_gateway",), toxics=(TOXIC,))


class Host:
    """Takes notes of what is asked of the run, and carries it out when told to."""

    def __init__(self) -> None:
        self.deeds: list[str] = []
        self.stuck_with: list[str] = []
        self.lifted = asyncio.Event()

    def submit(self, action: Inject | Lift) -> None:
        word = "inject" if isinstance(action, Inject) else "lift"
        self.deeds.append(f"{word} {action.fault}#{action.window}")
        if isinstance(action, Lift):
            self.lifted.set()

    def stuck(self, message: str, asking: Asking | None) -> None:  # noqa: ARG002 - the protocol
        self.stuck_with.append(message)

    def changed(self) -> None:
        """Nobody is told."""


def seen(kind: str, fault: str | None = None, window: int = 1, **data: object) -> Observation:
    said = {**data, "window": window} if fault else dict(data)
    return Observation(id=1, t_ms=0, source="runner", kind=kind, fault=fault, data=said)


async def test_a_fault_is_wanted_at_once_and_in_force_when_it_was_read_back() -> None:
    host = Host()
    faults = FaultsInForce(host)
    faults.inject("lost", SWALLOW)
    assert host.deeds == ["inject lost#1"]
    assert faults.names == ("lost",)
    faults.observe(seen("fault.injected", "lost"))
    wanted = faults.get("lost")
    assert wanted is not None
    assert wanted.standing == "in_force"

    faults.lift("lost")
    assert not faults.none_left.is_set(), "it is being lifted"
    faults.observe(seen("fault.lifted", "lost"))
    assert faults.none_left.is_set()
    assert host.deeds == ["inject lost#1", "lift lost#1"]


async def test_a_window_until_an_event_closes_on_it() -> None:
    host = Host()
    faults = FaultsInForce(host)
    faults.inject("lost", SWALLOW, until=UntilEvent(event="order.failed"))
    faults.observe(seen("fault.injected", "lost"))
    faults.observe(seen("order.confirmed"))
    assert host.deeds == ["inject lost#1"]
    faults.observe(seen("order.failed"))

    assert host.deeds == ["inject lost#1", "lift lost#1"]


async def test_a_window_for_a_time_closes_by_itself() -> None:
    host = Host()
    faults = FaultsInForce(host)
    faults.inject("lost", SWALLOW, until=ForTime(ms=1))
    assert not host.lifted.is_set(), "time counts from the read-back"
    faults.observe(seen("fault.injected", "lost"))
    async with asyncio.timeout(10):
        await host.lifted.wait()

    assert host.deeds == ["inject lost#1", "lift lost#1"]


async def test_one_that_waits_for_an_event_holds_the_link_the_other_way_until_it_struck() -> None:
    host = Host()
    faults = FaultsInForce(host)
    faults.inject("lost", SWALLOW, until=OnNextEvent(event="payment.recorded"))
    hold = faults.get("lost_hold")
    assert hold is not None
    assert isinstance(hold.kind, LinkFault)
    assert hold.kind.toxics[0].stream == "upstream"
    faults.observe(seen("fault.injected", "lost_hold"))
    faults.observe(seen("payment.recorded"))
    faults.observe(seen("payment.recorded"))
    faults.observe(seen("fault.injected", "lost"))

    assert host.deeds == ["inject lost_hold#1", "inject lost#1", "lift lost_hold#1"]


async def test_one_that_still_waits_is_dropped_by_lifting_and_so_is_its_hold() -> None:
    host = Host()
    faults = FaultsInForce(host)
    faults.inject("lost", SWALLOW, until=OnNextEvent(event="payment.recorded"))
    faults.observe(seen("fault.injected", "lost_hold"))
    faults.lift("lost")
    faults.observe(seen("payment.recorded"))

    assert host.deeds == ["inject lost_hold#1", "lift lost_hold#1"]


async def test_what_takes_its_place_is_injected_once_it_is_lifted() -> None:
    host = Host()
    faults = FaultsInForce(host)
    faults.inject("lost", SWALLOW)
    faults.observe(seen("fault.injected", "lost"))
    faults.lift("lost", then=SWALLOW)
    assert host.deeds[-1] == "lift lost#1"
    faults.observe(seen("fault.lifted", "lost"))

    assert host.deeds[-1] == "inject lost#2"


async def test_a_fault_that_could_not_be_applied_is_told_and_wanted_no_more() -> None:
    host = Host()
    faults = FaultsInForce(host)
    faults.inject("lost", SWALLOW)
    faults.observe(seen("fault.failed", "lost", message="no answer"))

    assert host.stuck_with == ["no answer"]
    assert faults.names == ()


async def test_one_that_could_not_be_lifted_is_told_and_still_there() -> None:
    host = Host()
    faults = FaultsInForce(host)
    faults.inject("lost", SWALLOW)
    faults.observe(seen("fault.injected", "lost"))
    faults.lift("lost")
    faults.observe(seen("fault.failed", "lost", message="no answer"))

    assert host.stuck_with == ["no answer"]
    assert faults.names == ("lost",)


async def test_calm_lifts_everything_so_nothing_is_wanted_after_it() -> None:
    host = Host()
    faults = FaultsInForce(host)
    faults.inject("lost", SWALLOW, until=OnNextEvent(event="payment.recorded"))
    faults.observe(seen("phase.entered", phase="calm"))
    faults.observe(seen("payment.recorded"))

    assert faults.names == ()
    assert host.deeds == ["inject lost_hold#1"]
