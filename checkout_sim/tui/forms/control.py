"""The gateway's labelled controls as a menu: what each does, and the fault it makes.

Takes the control picked and the figures typed, gives a `GatewayFault`. Operations and figures are
those of `model/wire.py`; the wording is the gateway's (services/README.md, fault controls).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast, get_args

from checkout_sim.model.fault import GatewayFault, GatewayOperation
from checkout_sim.model.wire import CONTROLS
from checkout_sim.scenario_files.names import suggestion
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.tui.forms.figures import said_ms, typed_count, typed_ms

_MOST_TIMES = 1000
_USUAL_MS: Mapping[str, int] = {
    "delay_after_commit": 300,
    "slow_execution": 700,
    "refund_pending": 300,
    "refund_fails_later": 300,
    "event_delay": 700,
    "event_swap": 2000,
    "event_forged": 100,
}

WHAT_IT_DOES: Mapping[str, str] = {
    "rate_limited": "429 before the look-up, nothing done",
    "lock_timeout": "429 lock_timeout, nothing done",
    "unavailable": "503 before the look-up, nothing done",
    "error_500_no_effect": "500 saved, nothing done",
    "error_500_after_effect": "charged, 500 saved",
    "error_500_then_back": "500, reads processing, never charged",
    "drop_after_commit": "committed, connection closed unanswered",
    "delay_after_commit": "committed, answer held",
    "slow_execution": "execution held; duplicates get 409",
    "refund_pending": "refund pending first, then done",
    "refund_fails_later": "refund done, then fails",
    "event_drop": "webhook never sent",
    "event_duplicate": "webhook sent twice",
    "event_delay": "webhook sent later",
    "event_swap": "webhook held until the next one of its payment",
    "event_forged": "a stranger's webhook: paid, wrongly signed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlChoice:
    """One row of the menu; `operations` it may match, `figures` it takes."""

    name: str
    does: str
    operations: tuple[str, ...]
    figures: tuple[str, ...]


CHOICES: tuple[ControlChoice, ...] = tuple(
    ControlChoice(
        name=name,
        does=WHAT_IT_DOES.get(name, ""),
        operations=control.operations,
        figures=control.parameters,
    )
    for name, control in CONTROLS.items()
)


def usual(name: str) -> dict[str, str]:
    """Return what the form's fields hold for this control until something is typed."""
    choice = _choice(name)
    operation = "charge" if "charge" in choice.operations else choice.operations[0]
    figures = {
        figure: said_ms(_USUAL_MS[name]) if figure == "ms" and name in _USUAL_MS else ""
        for figure in choice.figures
    }
    return {"operation": operation, "nth": "1", "times": "1", **figures}


def control_fault(name: str, typed: Mapping[str, str]) -> GatewayFault:
    """Return the fault of a control with the figures typed. Raises NotAValue naming the field."""
    choice = _choice(name)
    operation = typed.get("operation", "").strip()
    if operation not in choice.operations:
        raise NotAValue(f'operation: {name} does not strike "{operation}"; {_allowed(choice)}')
    assert operation in get_args(GatewayOperation), operation
    return GatewayFault(
        control=name,
        operation=cast("GatewayOperation", operation),
        nth=typed_count(typed.get("nth", "1"), least=1, most=_MOST_TIMES, what="which match"),
        times=typed_count(typed.get("times", "1"), least=1, most=_MOST_TIMES, what="a count"),
        parameters=_parameters(choice, typed),
    )


def said_control(fault: GatewayFault) -> str:
    """Return the fault in one line: `slow_execution 700ms on charge, match 1, once`."""
    figures = "".join(f" {said_ms(ms)}" for ms in fault.parameters.values())
    times = "once" if fault.times == 1 else f"{fault.times} times"
    return f"{fault.control}{figures} on {fault.operation or 'any'}, match {fault.nth}, {times}"


def _parameters(choice: ControlChoice, typed: Mapping[str, str]) -> dict[str, int]:
    figures = {}
    for figure in choice.figures:
        text = typed.get(figure, "").strip()
        if not text and figure == "ms":
            raise NotAValue(f"{choice.name} needs to know how long; write 300ms")
        if text:
            figures[figure] = typed_ms(text)
    return figures


def _choice(name: str) -> ControlChoice:
    for choice in CHOICES:
        if choice.name == name:
            return choice
    raise NotAValue(f'the gateway has no control "{name}"{suggestion(name, tuple(CONTROLS))}')


def _allowed(choice: ControlChoice) -> str:
    return f"write {' or '.join(choice.operations)}"
