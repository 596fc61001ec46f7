"""The table of actions, and the operator's own keys."""

from pathlib import Path

import pytest

from checkout_sim.tui.actions import ALL, EVERYWHERE, LISTS, Action, refused
from checkout_sim.tui.everywhere import Everywhere
from checkout_sim.tui.keymap import ActionsContradict, own_actions
from checkout_sim.tui.screens import VIEWS


def test_the_table_does_not_contradict_itself() -> None:
    assert refused(ALL) == []


def test_every_action_that_works_everywhere_is_answered() -> None:
    unanswered = [
        row.id
        for row in ALL
        if row.scope == EVERYWHERE
        and row.command is None
        and not hasattr(Everywhere, row.method)
        and row.id.partition(".")[0] != "screen"
    ]
    assert unanswered == []


@pytest.mark.parametrize("number", VIEWS)
def test_every_action_of_a_view_is_answered_by_it(number: str) -> None:
    scope, _, make = VIEWS[number]
    view = make()
    rows = [row for row in ALL if row.scope == scope and row.command is None]
    assert [row.id for row in rows if not hasattr(view, row.method)] == []


def test_no_harmful_action_has_a_ctrl_key() -> None:
    assert [row.id for row in ALL if row.harmful and any("ctrl" in key for key in row.keys)] == []


def test_double_ids_double_keys_and_shadowed_keys_are_each_refused() -> None:
    wrong = (
        Action(id="a.b", title="", keys=("x",), scope="orders"),
        Action(id="a.b", title="", keys=("x",), scope="orders"),
        Action(id="c.d", title="", keys=("H",), scope="orders"),
        Action(id="e.f", title="", keys=("H",)),
        Action(id="row.open", title="", keys=("enter",), scope=LISTS),
        Action(id="scenario.run", title="", keys=("enter",), scope="scenarios"),
    )
    assert refused(wrong) == [
        "a.b: stands twice in scope orders; give one of them another id",
        "x: means a.b and a.b in scope orders; choose one",
        "H: c.d on orders would hide e.f, which works everywhere; choose another key",
    ]


def test_the_operators_keys_take_the_place_of_the_tables(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text('"view.freeze" = ["f12", "Z"]\n"fault.undo" = "W"\n', encoding="utf-8")
    own = {row.id: row.keys for row in own_actions(keys)}
    assert (own["view.freeze"], own["fault.undo"]) == (("f12", "Z"), ("W",))
    assert own["fault.heal_all"] == ("H",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('"view.freeze" = "H"', "H: means"),
        ('"view.frieze" = "H"', '"view.frieze" is no action; docs/tui.md lists them'),
        ('"view.freeze" = 3', '"view.freeze" is 3; expected a key'),
        ("view.freeze = ", "keys.toml:"),
    ],
)
def test_keys_that_do_not_add_up_are_refused_with_the_reason(
    tmp_path: Path, text: str, told: str
) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(text, encoding="utf-8")
    with pytest.raises(ActionsContradict) as refusal:
        own_actions(keys)
    assert told in str(refusal.value)
