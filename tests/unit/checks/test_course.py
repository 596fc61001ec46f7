from checkout_sim.checks.course import course
from tests.archived import a_tale, answered, lifted, swallowing
from tests.histories import Tale


def test_an_attempt_is_where_and_as_long_as_its_shopper_waited() -> None:
    tale = Tale()
    tale.order(1).placed().hears("confirmed", after_ms=40, duration_ms=40.0)

    (attempt,) = course(tale.seen).attempts

    assert attempt.duration_ms == 40
    assert attempt.claim == "confirmed"


def test_proof_checkouts_are_no_part_of_the_course() -> None:
    tale = Tale()
    tale.order(1).placed(proof=True).hears("confirmed", proof=True)

    assert course(tale.seen).attempts == ()


def test_an_attempt_that_outlasts_its_fault_lies_during_it() -> None:
    tale = a_tale()
    swallowing(tale)
    order = tale.order(1).placed()
    lifted(tale)
    order.hears("confirmed", after_ms=500, duration_ms=501.0)

    assert [one.count for one in course(tale.seen).latencies] == [0, 1, 0]


def test_a_long_fault_still_counts_after_a_shorter_one_has_come_and_gone() -> None:
    tale = a_tale()
    swallowing(tale, 1)
    swallowing(tale, 2)
    lifted(tale, 2)
    answered(tale, 1)
    lifted(tale, 1)
    answered(tale, 2)

    assert [one.count for one in course(tale.seen).latencies] == [0, 1, 1]


def test_percentiles_are_nearest_ranks_and_absent_where_nothing_was_sent() -> None:
    tale = Tale()
    for checkout, took in enumerate((10.0, 20.0, 30.0, 40.0), start=1):
        tale.order(checkout).placed().hears("confirmed", duration_ms=took, after_ms=took)

    before, during, _ = course(tale.seen).latencies

    assert (before.p50_ms, before.p95_ms, before.most_ms) == (20.0, 40.0, 40.0)
    assert (during.p50_ms, during.most_ms) == (None, None)


def test_an_empty_history_has_an_empty_course() -> None:
    assert course([]).attempts == ()
