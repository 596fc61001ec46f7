"""A fault has fired when its witness was seen; one that did not makes the run unknown."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from checkout_sim.model.verdict import FaultOutcome
from tests.histories import OrderTale, Tale

LINK = "payment_to_gateway"


def declared(type_: str, **fault: Any) -> dict[str, Any]:
    return {"name": "strike", "type": type_, "links": [LINK], "streams": [], **fault}


def toxics(type_: str, stream: str = "downstream", **attributes: int) -> list[dict[str, Any]]:
    return [{"name": "t", "type": type_, "stream": stream, "attributes": attributes}]


class Struck:
    """A run with one fault; calls made inside `begin` and `lift` meet it."""

    def __init__(self, fault: Mapping[str, Any]) -> None:
        self.fault = fault
        self.tale = Tale(faults=[fault])
        self.tale.bought(1)
        self.order: OrderTale = self.tale.order(2).placed().created()

    def begin(self, target: str = LINK, toxics: Sequence[Mapping[str, Any]] = ()) -> None:
        # Far from what came before, so that only what follows can be a witness.
        self.tale.see(
            "fault.injected",
            source="runner",
            fault="strike",
            after_ms=1_000.0,
            window=1,
            target=target,
            type=self.fault["type"],
            toxics=list(toxics),
            bounce=False,
        )

    def lift(self) -> None:
        self.tale.see("fault.lifted", source="runner", fault="strike", window=1, how="release")

    def outcome(self) -> FaultOutcome:
        self.order.hears("unknown").rests_as("failed")
        (outcome,) = self.tale.verdict().faults
        return outcome


@pytest.mark.parametrize(
    ("type_", "stream", "error", "meanwhile"),
    [
        ("timeout", "downstream", "timeout", ["gateway.captured"]),
        ("timeout", "upstream", "timeout", []),
        ("reset_peer", "downstream", "reset", ["gateway.captured"]),
        ("reset_peer", "upstream", "reset", []),
        ("limit_data", "downstream", "disconnected", ["gateway.captured"]),
        ("limit_data", "downstream", "unreadable", ["gateway.captured"]),
        ("down", "", "refused", []),
        ("down", "", "disconnected", []),
        ("bandwidth", "upstream", None, []),
        ("slicer", "both", None, []),
    ],
)
def test_a_link_fault_fired_when_a_call_on_the_link_met_it(
    type_: str, stream: str, error: str | None, meanwhile: list[str]
) -> None:
    struck = Struck(declared(type_))
    struck.begin(toxics=toxics(type_, stream) if stream else [])
    struck.order.calls(LINK, error=error, meanwhile=meanwhile)
    struck.lift()
    outcome = struck.outcome()

    witness = next(seen.id for seen in struck.tale.seen if seen.kind == "call.ended")
    assert outcome.fired
    assert outcome.witnesses == (witness,)


@pytest.mark.parametrize(
    ("type_", "stream", "error", "meanwhile"),
    [
        ("timeout", "downstream", "timeout", []),  # the callee never saw the request
        ("timeout", "upstream", "timeout", ["gateway.captured"]),  # the callee did the work
        ("timeout", "upstream", "refused", []),
        ("reset_peer", "upstream", "timeout", []),
        ("limit_data", "downstream", None, ["gateway.captured"]),
        ("down", "", None, []),
        ("down", "", "breaker_open", []),
        ("bandwidth", "upstream", "breaker_open", []),
    ],
)
def test_a_call_that_ended_otherwise_is_no_witness(
    type_: str, stream: str, error: str | None, meanwhile: list[str]
) -> None:
    struck = Struck(declared(type_))
    struck.begin(toxics=toxics(type_, stream) if stream else [])
    struck.order.calls(LINK, error=error, meanwhile=meanwhile)
    struck.lift()
    outcome = struck.outcome()

    assert not outcome.fired
    assert outcome.reason == f"in force on {LINK}, but nothing shows that it struck"


@pytest.mark.parametrize(
    ("lasting_ms", "error", "fired"),
    [(135.0, None, True), (134.0, None, False), (60.0, "timeout", True), (60.0, "reset", False)],
)
def test_a_latency_fired_when_a_call_took_nine_tenths_of_it_or_gave_up(
    lasting_ms: float, error: str | None, *, fired: bool
) -> None:
    struck = Struck(declared("latency", least_delay_ms=150))
    struck.begin(toxics=toxics("latency", latency=150, jitter=0))
    struck.order.calls(LINK, lasting_ms=lasting_ms, error=error)
    struck.lift()

    assert struck.outcome().fired is fired


def test_a_call_outside_the_window_or_on_another_link_is_no_witness() -> None:
    struck = Struck(declared("down"))
    struck.order.calls(LINK, error="reset")
    struck.begin()
    struck.order.calls("order_to_payment", error="reset")
    struck.lift()
    struck.order.calls(LINK, error="reset")

    assert not struck.outcome().fired


def test_a_call_begun_before_the_strike_and_cut_by_it_is_a_witness() -> None:
    struck = Struck(declared("down"))
    struck.order.calls(LINK, ends=False)
    struck.begin()
    started = next(seen for seen in struck.tale.seen if seen.kind == "call.started")
    ended = {**started.data, "error": "disconnected", "duration_ms": 1_005.0}
    struck.tale.see("call.ended", source="payment", order=struck.order.id, **ended)

    assert struck.outcome().fired


def test_the_link_of_the_shopper_is_witnessed_by_what_the_shopper_met() -> None:
    fault = declared("reset_peer", links=["shopper_to_order"])
    struck = Struck(fault)
    struck.begin("shopper_to_order", toxics("reset_peer"))
    order = struck.tale.order(3).placed().created().hears("unknown", error="reset")
    order.rests_as("failed")

    assert struck.outcome().fired


def test_a_call_that_waited_until_its_process_was_killed_is_a_witness_of_holding() -> None:
    struck = Struck(declared("latency", least_delay_ms=250))
    struck.begin(toxics=toxics("latency", latency=250))
    struck.order.calls(LINK, ends=False)
    assert not struck.outcome().fired

    again = Struck(declared("latency", least_delay_ms=250))
    again.begin(toxics=toxics("latency", latency=250))
    again.order.calls(LINK, ends=False)
    again.tale.see("process.killed", process="payment", instance=1, pid=7, port=1)
    assert again.outcome().fired


@pytest.mark.parametrize(("do", "kind"), [("kill", "process.killed"), ("pause", "process.paused")])
def test_a_process_fault_is_witnessed_by_the_kernel(do: str, kind: str) -> None:
    struck = Struck(declared(do, links=[], processes=["payment"]))
    witness = struck.tale.see(kind, process="payment", instance=1, pid=7, port=1)
    struck.tale.see(
        "fault.injected", fault="strike", window=1, target="payment", type=do, source="runner"
    )
    outcome = struck.outcome()

    assert (outcome.fired, outcome.witnesses) == (True, (witness,))


def test_a_kill_of_which_the_kernel_says_nothing_did_not_fire() -> None:
    struck = Struck(declared("kill", links=[], processes=["payment"]))
    struck.begin("payment")

    assert not struck.outcome().fired


def test_a_gateway_control_is_witnessed_by_its_label_in_the_journal() -> None:
    struck = Struck(declared("error_500_after_effect", links=[]))
    struck.begin("error_500_after_effect")
    struck.order.gateway("fault_used", label="another")
    assert not struck.outcome().fired

    again = Struck(declared("error_500_after_effect", links=[]))
    again.begin("error_500_after_effect")
    again.order.gateway("fault_used", label="strike")
    assert again.outcome().fired


def killed_ahead_of(*before: str, after: Sequence[str] = ()) -> FaultOutcome:
    fault = declared("kill", links=[], processes=["payment"], ahead_of="payment.charge_succeeded")
    struck = Struck(fault)
    for kind in before:
        struck.order.log(kind)
    struck.tale.see("process.killed", process="payment", instance=1, pid=7, port=1)
    struck.begin("payment")
    for kind in after:
        struck.order.log(kind)
    return struck.outcome()


def test_a_kill_that_came_before_what_it_had_to_precede_fired() -> None:
    assert killed_ahead_of("payment.charge_requested").fired


def test_a_kill_that_came_too_late_is_missed() -> None:
    outcome = killed_ahead_of("payment.charge_requested", "payment.charge_succeeded")

    assert not outcome.fired
    assert outcome.reason == "missed: payment.charge_succeeded came before it took hold"


def test_a_line_of_the_dead_that_is_read_late_was_written_before_the_kill() -> None:
    late = killed_ahead_of("payment.charge_requested", after=["payment.charge_succeeded"])

    assert not late.fired


def test_a_fault_that_was_never_injected_makes_the_run_unknown() -> None:
    tale = Tale(faults=[declared("down")])
    tale.bought(1)
    verdict = tale.verdict()

    assert verdict.status == "unknown"
    assert verdict.unknowns == {
        "faults_fired": "strike: was never injected: its moment did not come"
    }


def test_a_fault_that_could_not_be_injected_says_why() -> None:
    tale = Tale(faults=[declared("down")])
    tale.bought(1)
    tale.see("fault.failed", fault="strike", window=1, message="no link of this strategy")

    (outcome,) = tale.verdict().faults
    assert outcome.reason == "could not be injected: no link of this strategy"


def test_an_optional_fault_need_not_fire() -> None:
    tale = Tale(faults=[declared("down", optional=True)])
    tale.bought(1)
    verdict = tale.verdict()

    assert verdict.status == "valid"
    assert [outcome.fired for outcome in verdict.faults] == [False]


def test_one_window_that_struck_is_enough() -> None:
    struck = Struck(declared("down", windows=2))
    struck.begin()
    struck.lift()
    struck.begin()
    struck.order.calls(LINK, error="refused")
    struck.lift()

    assert struck.outcome().fired
