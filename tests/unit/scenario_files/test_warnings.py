"""Doubts: what is sound as a file and yet unlikely to tell what its author wants."""

from pathlib import Path

import pytest

from tests.unit.scenario_files.stories import complaints, loaded

KILL = "{name: crash, process: payment, do: kill, at: {event: gateway.captured, checkout: 3}}"


def held_by(fault: str) -> str:
    return f"faults:\n  - {fault}\n  - {KILL}\n"


def test_a_kill_on_an_event_that_nothing_holds_may_come_too_late(tmp_path: Path) -> None:
    assert complaints(tmp_path, f"faults:\n  - {KILL}\n") == [
        (
            "6:5: warning: kill on gateway.captured, but nothing holds payment_to_gateway; "
            "the answer may win"
        )
    ]


@pytest.mark.parametrize(
    "hold",
    [
        (
            "{name: hold, link: payment_to_gateway, toxic: latency, stream: downstream, "
            "attributes: {latency: 250ms}}"
        ),
        (
            "{name: hold, link: payment_to_gateway, toxic: bandwidth, stream: downstream, "
            "attributes: {rate: 0KB/s}}"
        ),
        "{name: hold, gateway: delay_after_commit, operation: charge, delay: 300ms}",
    ],
)
def test_a_kill_inside_a_hold_is_no_cause_for_doubt(tmp_path: Path, hold: str) -> None:
    assert complaints(tmp_path, held_by(hold)) == []


def test_a_hold_too_short_for_its_strike_is_doubtful(tmp_path: Path) -> None:
    hold = (
        "{name: hold, link: payment_to_gateway, toxic: latency, stream: downstream, "
        "attributes: {latency: 60ms}}"
    )
    assert complaints(tmp_path, held_by(hold)) == [
        (
            '7:5: warning: kill comes 0ms after gateway.captured, but "hold" holds only 60ms; '
            "hold 100ms longer"
        )
    ]


def test_a_strike_on_the_chain_that_holds_would_release_what_is_held(tmp_path: Path) -> None:
    body = """\
    faults:
      - {name: hold, link: payment_to_gateway, toxic: latency, stream: upstream,
         attributes: {latency: 150ms}}
      - {name: swallow, link: payment_to_gateway, toxic: timeout, stream: upstream,
         attributes: {timeout: 0ms}, from: {event: payment.charge_requested}}
    """
    assert complaints(tmp_path, body) == [
        (
            '8:5: warning: "swallow" joins the upstream chain where "hold" holds and releases '
            "what is held; strike the other direction"
        )
    ]


def test_aiming_at_one_checkout_among_many_is_doubtful(tmp_path: Path) -> None:
    body = """\
    load: {concurrency: 2}
    faults:
      - {name: cut, link: payment_to_gateway, down: true, from: {before_checkout: 3}}
    """
    assert complaints(tmp_path, body) == [
        '7:5: warning: "cut" waits for one checkout, but a link carries them all; use concurrency 1'
    ]


def test_a_fault_left_to_chance_should_be_optional(tmp_path: Path) -> None:
    body = """\
    faults:
      - {name: cut, link: payment_to_gateway, down: true, chance: 30%}
    """
    assert complaints(tmp_path, body) == [
        (
            '6:5: warning: "cut" strikes with a chance of 30% and may never do so, which leaves '
            "the run unknown; add `optional: true`"
        )
    ]


def test_a_caller_less_patient_than_its_callee_is_doubtful(tmp_path: Path) -> None:
    body = "stack: {time_scale: 0.5, settings: {order: {payment_try: 200ms}}}\n"
    assert complaints(tmp_path, body) == [
        (
            "5:37: warning: order waits 200ms (order.payment_try) for what may take 1.3s "
            "(payment.gateway_total)"
        )
    ]


def test_an_orchestrator_less_patient_than_payment_is_doubtful(tmp_path: Path) -> None:
    settings = "{orchestrator: {payment_try: 200ms}}"
    body = f"stack: {{time_scale: 0.5, settings: {settings}}}\n"
    assert complaints(tmp_path, body, strategy="orchestrated") == [
        (
            "5:37: warning: orchestrator waits 200ms (orchestrator.payment_try) for what may take "
            "1.3s (payment.gateway_total)"
        )
    ]


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        ("hardened", "3.5s (order.payment_total)"),
        ("orchestrated", "4.5s (orchestrator.answer)"),
        ("choreographed", "3s (order.answer)"),
    ],
)
def test_a_shopper_less_patient_than_the_coordinator_is_doubtful(
    tmp_path: Path, strategy: str, told: str
) -> None:
    body = "shoppers: [{checkouts: 1, patience: 2s}]\n"
    assert complaints(tmp_path, body, strategy=strategy) == [
        f"5:37: warning: shopper waits 2s (patience) for what may take {told}"
    ]


def test_a_doubt_stops_nothing(tmp_path: Path) -> None:
    assert loaded(tmp_path, f"faults:\n  - {KILL}\n").name == "story"
