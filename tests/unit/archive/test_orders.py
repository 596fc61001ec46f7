from pathlib import Path

from checkout_sim.archive.orders import (
    first_worth_a_look,
    ladder_of,
    orders_called,
    violations_in,
)
from checkout_sim.archive.runs import read_verdict
from checkout_sim.checks.ladder import ladder
from checkout_sim.ndjson import mentioning, read_history
from tests.archived import a_tale, answered, archive, lifted, lost, swallowing


def a_run(root: Path) -> Path:
    tale = a_tale()
    answered(tale, 1)
    swallowing(tale)
    lost(tale, 12)
    lifted(tale)
    answered(tale, 13)
    return archive(tale, root)


def test_a_ladder_from_few_lines_is_the_ladder_from_all(tmp_path: Path) -> None:
    folder = a_run(tmp_path)
    whole = ladder(read_history(folder / "history.ndjson"), "ord_12")

    assert ladder_of(folder, "ord_12") == whole
    assert ladder_of(folder, "ord_12", checkout=12) == whole


def test_the_first_violated_order_is_worth_a_look(tmp_path: Path) -> None:
    folder = a_run(tmp_path)
    violations = violations_in(read_verdict(folder) or {})

    assert {one.order_id for one in violations} == {"ord_12"}
    assert first_worth_a_look(folder, violations) == "ord_12"


def test_without_violations_the_first_order_under_a_fault_is(tmp_path: Path) -> None:
    assert first_worth_a_look(a_run(tmp_path), ()) == "ord_12"


def test_without_a_fault_the_first_order_is(tmp_path: Path) -> None:
    tale = a_tale(faults=[])
    answered(tale, 5)

    assert first_worth_a_look(archive(tale, tmp_path), ()) == "ord_5"


def test_a_run_without_orders_has_none_to_look_at(tmp_path: Path) -> None:
    assert first_worth_a_look(archive(a_tale(), tmp_path), ()) is None


def test_an_order_goes_by_its_id_its_beginning_and_its_checkout(tmp_path: Path) -> None:
    folder = a_run(tmp_path)

    assert orders_called(folder, "ord_12") == ("ord_12",)
    assert orders_called(folder, "ord_1") == ("ord_1", "ord_12", "ord_13")
    assert orders_called(folder, "12") == ("ord_12",)
    assert orders_called(folder, "#13") == ("ord_13",)
    assert orders_called(folder, "nothing") == ()


def test_a_checkout_of_one_digit_is_not_one_of_two(tmp_path: Path) -> None:
    assert orders_called(a_run(tmp_path), "1") == ("ord_1",)


def test_of_several_orders_the_violated_come_first(tmp_path: Path) -> None:
    folder = a_run(tmp_path)
    violations = violations_in(read_verdict(folder) or {})

    assert orders_called(folder, "ord_1", violations)[0] == "ord_12"


def test_lines_mentioning_nothing_asked_for_are_passed_over(tmp_path: Path) -> None:
    path = a_run(tmp_path) / "history.ndjson"
    every = list(read_history(path))

    by_kind = list(read_history(path, wanted=mentioning(kinds=("fault.", "client.ended"))))
    by_order = list(read_history(path, wanted=mentioning(orders=["ord_13"])))

    assert by_kind == [one for one in every if one.kind.startswith(("fault.", "client.ended"))]
    assert by_order == [one for one in every if one.order == "ord_13"]


def test_a_line_that_nobody_asks_for_may_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "history.ndjson"
    path.write_bytes(b"no json at all\n")

    assert list(read_history(path, wanted=mentioning(words=("ord_1",)))) == []


def test_a_tale_without_a_verdict_lists_no_violations() -> None:
    assert violations_in({}) == ()
