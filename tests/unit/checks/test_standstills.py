"""Standstills of the machine on the axes of a run and of one order."""

from checkout_sim.checks.course import course
from checkout_sim.checks.ladder import ladder
from checkout_sim.checks.standstills import longest, standstills
from checkout_sim.model.ladder import Band
from tests.histories import Tale


def standing_still(*lasted_ms: float) -> Tale:
    """A machine that goes on for a second before each standstill."""
    tale = Tale()
    for ms in lasted_ms:
        tale.see("machine.hiccup", source="machine", cpu=0, ms=ms, after_ms=1000 + ms)
    return tale


def spans(bands: list[Band]) -> list[tuple[float, float | None]]:
    return [(round(band.begin_ms), band.end_ms and round(band.end_ms)) for band in bands]


def test_a_standstill_ends_when_it_is_seen_and_began_its_length_before() -> None:
    tale = standing_still(200.0)
    [band] = standstills(tale.seen, 0, 10_000)

    assert spans([band]) == [(1002, 1202)]
    assert band.said == "machine: stood still for 200 ms"


def test_processors_that_stand_still_together_are_one_standstill() -> None:
    tale = standing_still(200.0)
    tale.see("machine.hiccup", source="machine", cpu=1, ms=150.0, after_ms=50)

    [band] = standstills(tale.seen, 0, 10_000)
    assert band.detail == "stood still for 250 ms"


def test_what_lies_outside_is_left_out_and_times_count_from_the_beginning_asked_for() -> None:
    tale = standing_still(200.0, 300.0, 400.0)

    assert spans(list(standstills(tale.seen, 1500, 3000))) == [(702, 1002)]


def test_the_longest_are_kept_in_order_of_time() -> None:
    tale = standing_still(400.0, 100.0, 300.0)

    kept = longest(standstills(tale.seen, 0, 10_000), 2)
    assert [band.detail for band in kept] == ["stood still for 400 ms", "stood still for 300 ms"]


def test_an_order_s_ladder_shows_the_three_longest_of_its_time_and_the_course_all() -> None:
    tale = Tale()
    order = tale.order(checkout=1).placed().created()
    for ms in (110.0, 400.0, 120.0, 130.0):
        tale.see("machine.hiccup", source="machine", cpu=0, ms=ms, after_ms=500)
    order.hears("confirmed")
    tale.see("machine.hiccup", source="machine", cpu=0, ms=900.0, after_ms=5000)

    drawn = ladder(tale.seen, order.id)
    assert [band.detail for band in drawn.bands] == [
        "stood still for 400 ms",
        "stood still for 120 ms",
        "stood still for 130 ms",
    ]
    assert len(course(tale.seen).bands) == 4
