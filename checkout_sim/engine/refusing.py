"""Why a command cannot be carried out, said before anything is changed.

Takes a command and the session it is meant for, gives a Refusal or nothing: what there is no such
thing of, what this strategy lacks, what is out of the question.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from checkout_sim.model.answer import NackCode
from checkout_sim.model.command import Inject
from checkout_sim.model.fault import GatewayFault, LinkFault
from checkout_sim.model.wire import CARDS, CONTROLS

_MOST_AT_ONCE = 100_000
_FASTEST_PER_S = 500.0
_LONGEST_NAME = 50  # `_hold` is added to it, and a scenario's fault may be called by 60 characters


class Refusal(Exception):
    """A command that is not carried out."""

    def __init__(self, code: NackCode, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a session has: links and processes of its strategy, and the links there are at all."""

    strategy: str
    links: Sequence[str]
    all_links: Sequence[str]
    processes: Sequence[tuple[str, int]]


def refuse_fault(asked: Inject, reach: Reach, *, in_force: Sequence[str]) -> None:
    """Raise Refusal where this fault cannot be asked for."""
    if not _is_name(asked.name):
        raise Refusal(
            "invalid",
            f'"{asked.name}" is no name of a fault: small letters, digits and _, '
            f"{_LONGEST_NAME} at most",
        )
    if asked.name in in_force:
        raise Refusal("invalid", f"{asked.name} is in force already", "adjust it, or lift it first")
    match asked.kind:
        case LinkFault(links=links):
            refuse_links(links, reach)
            if not asked.kind.down and not asked.kind.toxics:
                raise Refusal("invalid", f"{asked.name} has no toxic, and does not take it down")
        case GatewayFault() as kind:
            _refuse_control(kind)


def refuse_links(links: Sequence[str], reach: Reach) -> None:
    """Raise Refusal unless one of the alternatives carries this strategy."""
    if any(link in reach.links for link in links):
        return
    named = " or ".join(links)
    if any(link in reach.all_links for link in links):
        raise Refusal(
            "not_in_this_strategy",
            f"{named} carries nothing under {reach.strategy}",
            f"links of {reach.strategy}: {', '.join(reach.links)}",
        )
    raise Refusal("unknown_target", f"no link is called {named}", f"links: {_listed(reach)}")


def refuse_process(process: str, instance: int, reach: Reach) -> None:
    """Raise Refusal where there is no such process, or it is the gateway."""
    if process == "gateway":
        raise Refusal(
            "invalid",
            "the gateway is never harmed: its journal is the evidence",
            "break the link payment_to_gateway, or use a control of the gateway",
        )
    if (process, instance) not in reach.processes:
        running = ", ".join(f"{name} {number}" for name, number in reach.processes)
        code: NackCode = "not_in_this_strategy" if instance == 1 else "unknown_target"
        raise Refusal(code, f"{process} {instance} does not run here", f"running: {running}")


def refuse_load(*, count: int, rate_per_s: float | None, card: str, patience_ms: int) -> None:
    """Raise Refusal for a load that could not be sent, or would never end."""
    if card not in CARDS:
        raise Refusal("invalid", f"{card} is no test card", "the picker lists all of them")
    if patience_ms < 1:
        raise Refusal("invalid", f"a patience of {patience_ms} ms ends before it begins")
    if count < 0 or count > _MOST_AT_ONCE:
        raise Refusal("invalid", f"{count} checkouts; 1 to {_MOST_AT_ONCE} can be sent")
    if rate_per_s is not None and not 0 < rate_per_s <= _FASTEST_PER_S:
        raise Refusal("invalid", f"{rate_per_s:g} a second; up to {_FASTEST_PER_S:g} can be sent")
    if count == 0 and rate_per_s is None:
        raise Refusal("invalid", "a load without end needs a rate", "give it a rate, or a count")


def _refuse_control(kind: GatewayFault) -> None:
    control = CONTROLS.get(kind.control)
    if control is None:
        raise Refusal(
            "unknown_target",
            f"the gateway has no control {kind.control}",
            f"it has {', '.join(CONTROLS)}",
        )
    if kind.operation is not None and kind.operation not in control.operations:
        raise Refusal(
            "invalid",
            f"{kind.control} does not strike {kind.operation}",
            f"it strikes {', '.join(control.operations)}",
        )


def _is_name(name: str) -> bool:
    fits = 0 < len(name) <= _LONGEST_NAME and name.isascii()
    return fits and all(one.islower() or one.isdigit() or one == "_" for one in name)


def _listed(reach: Reach) -> str:
    return ", ".join(reach.all_links)
