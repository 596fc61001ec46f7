"""The card picker's table against the gateway's: same names, same numbers, every card there is."""

import pytest

from checkout_sim.tui.forms.cards import CHOICES, CardChoice, choice_of
from services.gateway.cards import NAMES, Outcome, named


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.name)
def test_a_choice_has_the_gateways_number_and_says_whether_it_pays(choice: CardChoice) -> None:
    card = named(choice.name)

    assert choice.number == card.number
    assert ("pays" in choice.meaning) == (card.outcome is Outcome.SUCCEEDS)


def test_every_card_of_the_gateway_can_be_picked() -> None:
    assert {name for name in NAMES if choice_of(name) is None} == set()
