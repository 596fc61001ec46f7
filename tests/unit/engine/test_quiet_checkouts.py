"""When a checkout may be judged: nothing of it is open, and it has been quiet long enough."""

from checkout_sim.engine.quiet_checkouts import QuietCheckouts, quiet_ms
from checkout_sim.model.history import Observation


def seen(kind: str, ms: float, *, checkout: int | None = 1, **data: object) -> Observation:
    source = "client" if kind.startswith("client.") else "payment"
    return Observation(id=int(ms), t_ms=ms, source=source, kind=kind, checkout=checkout, data=data)


def due(checkouts: QuietCheckouts, now_ms: float) -> list[int]:
    return [one.number for one in checkouts.due(now_ms, most=10)]


def test_it_waits_for_the_answer_and_then_for_quiet() -> None:
    checkouts = QuietCheckouts(quiet_ms=1000)
    checkouts.observe(seen("client.sent", 100))
    assert due(checkouts, 9_000) == [], "its shopper still waits"
    checkouts.observe(seen("client.ended", 9_000))
    assert due(checkouts, 9_500) == []
    assert due(checkouts, 10_000) == [1]


def test_a_call_that_is_open_may_still_change_everything() -> None:
    checkouts = QuietCheckouts(quiet_ms=1000)
    for kind in ("client.sent", "client.ended"):
        checkouts.observe(seen(kind, 100))
    checkouts.observe(seen("call.started", 110, call_id="a"))
    assert due(checkouts, 9_000) == []
    checkouts.observe(seen("call.ended", 200, call_id="a"))
    assert due(checkouts, 9_000) == [1]


def test_a_call_dies_with_its_process() -> None:
    checkouts = QuietCheckouts(quiet_ms=1000)
    checkouts.observe(seen("call.started", 110, call_id="a"))
    checkouts.observe(seen("process.killed", 120, checkout=None, process="payment"))

    assert due(checkouts, 9_000) == [1]


def test_judged_it_is_due_again_only_when_something_new_is_seen() -> None:
    checkouts = QuietCheckouts(quiet_ms=1000)
    checkouts.observe(seen("order.failed", 100))
    checkouts.judged(checkouts.due(2_000, most=10), sound=frozenset())
    assert due(checkouts, 9_000) == []
    checkouts.observe(seen("order.confirmed", 9_000))

    assert due(checkouts, 10_000) == [1]


def test_strategies_that_recover_are_given_the_time_their_recovery_takes() -> None:
    assert quiet_ms("naive", time_scale=1.0) < quiet_ms("hardened", time_scale=0.5)
    assert quiet_ms("hardened", time_scale=1.0) == 2 * quiet_ms("hardened", time_scale=0.5)
