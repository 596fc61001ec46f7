"""The gateway's names are those the tool knows (`checkout_sim/model/wire.py`)."""

from typing import get_args

from checkout_sim.model import wire
from services.gateway import cards, controls, journal


def test_controls_are_those_the_tool_plans_with() -> None:
    ours = {
        name: (kind.operations, (*kind.required, *kind.optional))
        for name, kind in controls.KINDS.items()
    }

    assert ours == {
        name: (control.operations, control.parameters) for name, control in wire.CONTROLS.items()
    }


def test_cards_are_those_the_tool_plans_with() -> None:
    assert set(wire.CARDS) == cards.NAMES


def test_every_journal_kind_is_an_event_the_tool_knows() -> None:
    assert {f"gateway.{kind}" for kind in get_args(journal.Kind)} == {
        name for name in wire.EVENTS if name.startswith("gateway.")
    }
