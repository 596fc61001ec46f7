"""The fault console's rows: wanted, armed, fired and stuck are told apart."""

from typing import Any

from checkout_sim.board.fault_rows import (
    link_rows,
    preset_rows,
    process_rows,
    said_fault,
    state_lines,
)
from checkout_sim.board.faults import Faults, FaultSeen
from checkout_sim.board.links import Sample, Stream
from checkout_sim.board.places import LINK_OF_LABEL, LINKS, PROCESSES
from checkout_sim.board.presets import PRESET_OF_LETTER, inject
from checkout_sim.board.processes import ProcessSeen
from checkout_sim.model.history import Observation

SIX = LINK_OF_LABEL["6"]
NAIVE = ("shopper_to_order", "order_to_payment", "payment_to_gateway")


def slow(*, armed: bool = False, hits: int = 0) -> FaultSeen:
    faults = Faults()
    command = inject(PRESET_OF_LETTER["s"], SIX)
    faults.wanted(command, 10.0)
    if armed:
        toxic = {"name": "slow_6_downstream", "type": "latency", "stream": "downstream"}
        data = {
            "target": SIX.name,
            "type": "latency",
            "toxics": [{**toxic, "attributes": {"latency": 500, "jitter": 0}}],
            "armed_ms": 3.0,
        }
        faults.injected(
            Observation(
                id=1, t_ms=13.0, source="runner", kind="fault.injected", fault="slow_6", data=data
            )
        )
    for checkout in range(hits):
        faults.call_ended(SIX.name, "", 501.0, checkout + 1)
    return faults.by_name["slow_6"]


def test_a_fault_is_wanted_then_armed_then_seen_to_strike() -> None:
    assert said_fault(slow()) == "slow 500ms.. <"
    assert said_fault(slow(armed=True)) == "slow 500ms <"
    assert said_fault(slow(armed=True, hits=2)) == "slow 500ms < hit 2"


def test_the_steps_of_a_fault_are_told_one_by_one() -> None:
    lines = dict(state_lines(slow(armed=True, hits=2), window="until lifted", on_lifting="frees"))

    assert lines == {
        "WANTED": "latency: latency 500, downstream; until lifted",
        "ARMED": "read back after 3 ms",
        "FIRED": "2 times, first #1, last #2 (the judge decides)",
        "LIFTING": "frees",
    }


def test_a_stuck_fault_says_so_with_the_reason_and_what_to_do() -> None:
    faults = Faults()
    faults.failed("slow_6", "read-back says otherwise")
    stuck = faults.by_name["slow_6"]._replace(target=SIX.name, title="slow")

    assert said_fault(stuck).endswith("STUCK")
    lines = state_lines(stuck, window="until lifted", on_lifting="")
    assert ("STUCK", "read-back says otherwise") in lines
    assert "heal all (H)" in lines[-1][1]


def test_every_link_keeps_its_row_and_those_not_used_are_idle() -> None:
    rows = link_rows({}, 0.0, (), carried=NAIVE, seconds=10)

    assert [row.label for row in rows] == [link.label for link in LINKS]
    assert [row.label for row in rows if row.look != "idle"] == ["1", "3", "6"]
    assert rows[1].faults == "unused"


def test_a_link_shows_its_last_minute_and_what_strikes_it() -> None:
    stream = Stream()
    for second in range(10):
        error = "timeout" if second == 9 else ""
        duration_ms = 800.0 if error else 12.0
        stream.ended(Sample(t_ms=second * 1000.0, duration_ms=duration_ms, error=error))

    row = link_rows({SIX.name: stream}, 9_500.0, (slow(armed=True),), carried=NAIVE, seconds=10)[5]

    assert (row.p50, row.p95, row.errors, row.look) == ("12ms", "800ms", "10%", "struck")
    assert row.faults == "slow 500ms <"
    assert row.spark == "▁▁▁▁▁▁▁▁▁█"


def test_the_presets_say_which_are_on_and_how_strong() -> None:
    on = {row.letter: row.state for row in preset_rows(SIX.name, (slow(armed=True),)) if row.state}

    assert on == {"s": "ON"}
    assert {row.state for row in preset_rows("order_to_payment", (slow(armed=True),))} == {""}


def test_processes_tell_instances_apart_and_what_befell_them() -> None:
    def seen(name: str, instance: int, **about: Any) -> ProcessSeen:
        one = ProcessSeen(
            name=name, instance=instance, state="up", pid=41, since_ms=0.0, started_ms=0.0
        )
        return one._replace(**about)

    rows = process_rows(
        PROCESSES,
        (
            seen("order", 1),
            seen("payment", 1, state="exited", exit_code=1, asked=False, last_line="no port"),
            seen("payment", 2),
        ),
        103_000.0,
    )

    assert [(row.label, row.title, row.state, row.look) for row in rows] == [
        ("O", "order", "up 1m43", "plain"),
        ("P", "payment 1", "exited 1m43", "down"),
        ("P", "payment 2", "up 1m43", "plain"),
    ]
    assert rows[1].detail == "pid 41  exit status 1, nobody asked: no port"
