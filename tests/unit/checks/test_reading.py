"""Questions to a history are answered alike wherever its index is kept."""

from operator import methodcaller
from pathlib import Path

import pytest

from checkout_sim.checks.evidence import Evidence
from checkout_sim.checks.history import History
from checkout_sim.checks.reading import reading
from tests.histories import Tale


@pytest.fixture(params=["in memory", "in a file"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> History:
    tale = Tale()
    for checkout in range(1, 4):
        tale.bought(checkout, told="confirmed")
    kept_in_file = request.param == "in a file"
    evidence = Evidence.at(tmp_path / "evidence.db") if kept_in_file else Evidence.in_memory()
    return evidence.extend(tale.ended().seen).finish()


def test_every_question_gets_its_own_answer(history: History) -> None:
    with reading(history) as ask:
        asked = [ask(methodcaller("order_id", n)) for n in (3, 1, 2)]

    assert [answer.result() for answer in asked] == ["ord_3", "ord_1", "ord_2"]
    history.close()


def test_a_question_that_raises_does_so_where_its_answer_is_wanted(history: History) -> None:
    def blunder(_: History) -> int:
        return 1 // 0

    with reading(history) as ask:
        wrong, right = ask(blunder), ask(lambda mine: mine.size("order_row"))

    assert right.result() == 3
    with pytest.raises(ZeroDivisionError):
        wrong.result()
    history.close()


def test_a_history_outlives_the_reading_of_it(history: History) -> None:
    with reading(history) as ask:
        ask(lambda mine: mine.size("order_row"))

    assert history.size("order_row") == 3
    history.close()
