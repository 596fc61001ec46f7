"""Test cards by what they do, for people who know no card by heart.

Source: docs.stripe.com/testing, as the gateway has them (services/gateway/cards.py); a contract
test holds this table against that one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from checkout_sim.model.wire import CARDS
from checkout_sim.scenario_files.names import suggestion
from checkout_sim.scenario_files.units import NotAValue

PREFIX = "pm_card_"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChoice:
    """A card under its meaning; `number` is Stripe's test number."""

    name: str
    meaning: str
    number: str

    @property
    def last4(self) -> str:
        """Return the digits a receipt shows."""
        return self.number[-4:]


def _choice(name: str, meaning: str, number: str) -> CardChoice:
    return CardChoice(name=f"{PREFIX}{name}", meaning=meaning, number=number)


CHOICES: tuple[CardChoice, ...] = (
    _choice("visa", "visa: pays", "4242424242424242"),
    _choice("visa_chargeDeclined", "declined", "4000000000000002"),
    _choice("visa_chargeDeclinedInsufficientFunds", "insufficient funds", "4000000000009995"),
    _choice("chargeDeclinedExpiredCard", "expired", "4000000000000069"),
    _choice("chargeDeclinedIncorrectCvc", "wrong CVC", "4000000000000127"),
    _choice("chargeDeclinedProcessingError", "processing error", "4000000000000119"),
    _choice("authenticationRequired", "3DS wanted", "4000002760003184"),
    _choice("refundFail", "refund fails later", "4000000000005126"),
    _choice("pendingRefund", "refund pending first", "4000000000007726"),
    _choice("visa_chargeDeclinedLostCard", "lost card", "4000000000009987"),
    _choice("visa_chargeDeclinedStolenCard", "stolen card", "4000000000009979"),
    _choice("visa_chargeDeclinedVelocityLimitExceeded", "too many tries", "4000000000006975"),
    _choice("chargeCustomerFail", "attaches, declines", "4000000000000341"),
    _choice("radarBlock", "blocked by Radar", "4100000000000019"),
    _choice("mastercard", "mastercard: pays", "5555555555554444"),
    _choice("amex", "amex: pays", "378282246310005"),
    _choice("visa_debit", "visa debit: pays", "4000056655665556"),
)

# Older spellings without `visa_`, which the gateway takes as well.
_ALIASES: Mapping[str, str] = {
    choice.name.replace("visa_charge", "charge"): choice.name
    for choice in CHOICES
    if "visa_charge" in choice.name
}
_BY_NAME: Mapping[str, CardChoice] = {choice.name: choice for choice in CHOICES}
_BY_NUMBER: Mapping[str, CardChoice] = {choice.number: choice for choice in CHOICES}


def choice_of(name: str) -> CardChoice | None:
    """Return the choice behind a `pm_card_…` name, older spellings included."""
    return _BY_NAME.get(_ALIASES.get(name, name))


def card_named(text: str) -> str:
    """Return the `pm_card_…` name of a name, with or without prefix, or of a test number.

    Raises NotAValue for anything else, without repeating a number that is no test number: it may
    be somebody's card.
    """
    bare = text.strip()
    digits = bare.replace(" ", "").replace("-", "")
    if digits.isascii() and digits.isdigit():
        known = _BY_NUMBER.get(digits)
        if known is None:
            raise NotAValue("that is no test number; real cards are refused here, pick a test card")
        return known.name
    name = bare if bare.startswith(PREFIX) else f"{PREFIX}{bare}"
    if name not in CARDS:
        raise NotAValue(f'"{bare}" is no test card of the gateway{suggestion(name, CARDS)}')
    return name
