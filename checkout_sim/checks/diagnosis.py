"""Diagnosis: one sentence on what went wrong with an order, one on which rule that breaks.

Takes a ladder and the violations of its order; gives a `Diagnosis`. Every story is a question to
the order's own events; a rule is named only where they show it broken, or where the broken claim is
that rule's very purpose. Where neither is so the second sentence says that no rule is seen broken.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from checkout_sim.checks.phrases import amount
from checkout_sim.checks.rules import RULE_OF_CLAIM, RULES
from checkout_sim.model.ladder import Diagnosis, Ladder, Rung
from checkout_sim.model.verdict import Violation

_ENDS = {"order.confirmed", "order.failed", "order.canceled"}
_ROLLED_BACK = {"order.failed", "order.canceled"}
_DECIDED = {"payment.charge_succeeded", "payment.charge_declined", "payment.canceled"}
_MONEY_CLAIMS = {
    "unconfirmed_means_not_paid",
    "payment_agrees_with_gateway",
    "replies_are_true",
    "charged_at_most_once",
    "no_charge_without_an_order",
    "every_order_ends",
    "one_confirmed_order_per_checkout",
    "nothing_lands_after_rollback",
    "confirmed_means_paid_in_full",
}


_SAME_ORDER = "a repeated request, or another for the same cart, gets the same order"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """What the events show: a sentence, and the rules it breaks, each with how (None: its line)."""

    happened: str
    rules: Mapping[str, str | None]


def diagnose(ladder: Ladder, violations: Sequence[Violation]) -> Diagnosis:
    """Return two sentences about an order; without a violation they say why it held."""
    own = [one for one in violations if _about(one, ladder)]
    if not own:
        return _held(_without_siblings(ladder))
    alone = _without_siblings(ladder)
    claims = tuple(dict.fromkeys(one.invariant for one in own))
    for claim_set, tell in _STORIES:
        if claim_set.intersection(claims):
            story = tell(ladder if tell is _bought_twice else alone)
            if story is not None:
                return _diagnosis(story.happened, story.rules)
    happened = f"{claims[0]} is broken: {own[0].detail}."
    rule = next((RULE_OF_CLAIM[one] for one in claims if one in RULE_OF_CLAIM), None)
    if rule is not None:
        return _diagnosis(happened, {rule: None})
    return Diagnosis(
        happened=happened,
        judged="No rule of R1 to R11 is seen broken in this order's own events, only the claim.",
    )


def _without_siblings(ladder: Ladder) -> Ladder:
    """Return the ladder without what befell other orders of the same purchase."""
    own = (rung for rung in ladder.rungs if rung.order in {None, ladder.order_id})
    return replace(ladder, rungs=tuple(own))


def _about(one: Violation, ladder: Ladder) -> bool:
    if one.order_id is not None:
        return one.order_id == ladder.order_id
    return one.checkout is not None and one.checkout == ladder.checkout


def _diagnosis(happened: str, rules: Mapping[str, str | None]) -> Diagnosis:
    said = "; and ".join(f"{rule}: {how or RULES[rule]}" for rule, how in rules.items())
    return Diagnosis(happened=happened, judged=f"Breaks {said}.", rules=tuple(rules))


# ---- the stories -----------------------------------------------------------------------------


def _twice(ladder: Ladder) -> _Story | None:
    """Tell of two captures of one order, and of the key that should have been one."""
    captures = [rung for rung in ladder.rungs if rung.kind == "gateway.captured"]
    if len(captures) < 2:  # noqa: PLR2004 - twice is the story
        return None
    first, second = captures[:2]
    if first.key == second.key:
        return None  # the gateway's doing: this rule was kept
    between = second.at_ms - first.at_ms
    happened = f"The gateway captured {_sum(first)} twice, {between:.0f} ms apart, under two keys."
    return _Story(happened=happened, rules={"R2": None})


def _timeout_told_as_failure(ladder: Ladder) -> _Story | None:
    """Tell of a caller that heard nothing definite and booked a failure nevertheless."""
    for lost in _indefinite(ladder):
        booked = _booked_failed(ladder, lost)
        if booked is None:
            continue
        captured = _captured(ladder)
        outcome = ""
        rules: dict[str, str | None] = {"R3": f"{_cause(lost)} is unknown, never a failure"}
        if captured is not None and captured.at_ms <= booked.at_ms:
            before = booked.at_ms - captured.at_ms
            outcome = f"; the gateway had captured {_sum(captured)} {before:.0f} ms before"
        elif captured is not None:
            after = captured.at_ms - booked.at_ms
            outcome = f"; the gateway captured {_sum(captured)} {after:.0f} ms later, unfenced"
            rules["R4"] = "nothing may be rolled back before a fence (a cancel) is accepted"
        told = f"{_name(lost.lane)} asked {lost.other}, {_saw(lost)}"
        happened = f"{told} and booked a failure ({booked.text}){outcome}."
        return _Story(happened=happened, rules=rules)
    return None


def _nobody_recovered(ladder: Ladder) -> _Story | None:
    """Tell of an order that nothing brought to an end after a death, or an answer that was lost."""
    if any(rung.kind in _ENDS for rung in ladder.rungs) or "pending" not in ladder.believed.order:
        return None
    killed = [rung for rung in ladder.rungs if rung.kind in {"process.killed", "process.exited"}]
    dead = f"{killed[0].lane} was killed" if killed else ""
    asked = [rung for rung in ladder.rungs if rung.kind == "payment.charge_requested"]
    resolved = any(rung.kind in _DECIDED for rung in ladder.rungs)
    captured = _captured(ladder)
    where = f", and the gateway captured {_sum(captured)}" if captured else ""
    if asked and not resolved:
        cause = dead or "the answer was lost"
        happened = f"The charge was asked for, {cause}{where}, and nobody ever resolved it."
        return _Story(happened=happened, rules={"R4": None})
    if killed:
        happened = f"{_capital(dead)} before the order had ended{where}, and nobody took it up."
        return _Story(happened=happened, rules={"R4": None})
    return None


def _landed_after_rollback(ladder: Ladder) -> _Story | None:
    """Tell of money that moved after the order was given up, with no fence before."""
    rolled = next((rung for rung in ladder.rungs if rung.kind in _ROLLED_BACK), None)
    if rolled is None:
        return None
    late = [r for r in ladder.rungs if r.kind == "gateway.captured" and r.at_ms > rolled.at_ms]
    if not late:
        return None
    fenced = any(
        rung.kind in {"payment.fenced", "gateway.canceled"} and rung.at_ms <= rolled.at_ms
        for rung in ladder.rungs
    )
    after = late[0].at_ms - rolled.at_ms
    happened = f"The gateway captured {_sum(late[0])} {after:.0f} ms after {rolled.kind}"
    fence = ", although a fence had been accepted" if fenced else ", and no fence had been set"
    return _Story(happened=f"{happened}{fence}.", rules={"R4": None})


def _compensation_missing(ladder: Ladder) -> _Story | None:
    """Tell of a rollback whose refund never took effect."""
    rolled = next((rung for rung in ladder.rungs if rung.kind in _ROLLED_BACK), None)
    captured = _captured(ladder)
    if rolled is None or captured is None or captured.at_ms > rolled.at_ms:
        return None
    if any(rung.kind == "gateway.refunded" for rung in ladder.rungs):
        failed = any(rung.kind == "gateway.refund_failed" for rung in ladder.rungs)
        if not failed:
            return None
        happened = f"{rolled.kind} stands, but the refund of {_sum(captured)} failed later."
        return _Story(happened=happened, rules={"R5": None})
    if any(rung.kind == "payment.refund_requested" for rung in ladder.rungs):
        happened = f"A refund of {_sum(captured)} was asked for and never took effect."
        return _Story(happened=happened, rules={"R5": None})
    if not any(rung.kind == "payment.charge_succeeded" for rung in ladder.rungs):
        return None
    happened = (
        f"The gateway captured {_sum(captured)}, payment knew it, yet {rolled.kind} followed."
    )
    return _Story(happened=happened, rules={"R10": None})


def _bought_twice(ladder: Ladder) -> _Story | None:
    """Tell of one purchase sent again and taken for another."""
    sent = [rung for rung in ladder.rungs if rung.kind == "client.sent"]
    if len(sent) < 2:  # noqa: PLR2004 - twice is the story
        return None
    same = sent[0].key == sent[1].key
    keys = "with the same key" if same else "with a new key"
    happened = (
        f"The shopper sent the purchase {len(sent)} times, {keys}, and more than one counted."
    )
    return _Story(happened=happened, rules={"R7": _SAME_ORDER})


def _unpaid(ladder: Ladder) -> _Story | None:
    """Tell of a confirmation that no money, or other money, stands behind."""
    confirmed = next((rung for rung in ladder.rungs if rung.kind == "order.confirmed"), None)
    if confirmed is None:
        return None
    captured = _captured(ladder)
    paid = "nothing was captured" if captured is None else f"{_sum(captured)} was captured"
    return _Story(happened=f"The order was confirmed although {paid}.", rules={"R8": None})


_Teller = Callable[[Ladder], _Story | None]

# Asked in this order, each only where one of its claims is broken; the first that fits is told.
_STORIES: tuple[tuple[frozenset[str], _Teller], ...] = (
    (frozenset({"charged_at_most_once"}), _twice),
    (frozenset({"one_confirmed_order_per_checkout"}), _bought_twice),
    (frozenset(_MONEY_CLAIMS), _timeout_told_as_failure),
    (frozenset({"every_order_ends", "payment_agrees_with_gateway"}), _nobody_recovered),
    (
        frozenset({"unconfirmed_means_not_paid", "nothing_lands_after_rollback"}),
        _landed_after_rollback,
    ),
    (
        frozenset({"unconfirmed_means_not_paid", "payment_agrees_with_gateway"}),
        _compensation_missing,
    ),
    (frozenset({"confirmed_means_paid_in_full"}), _unpaid),
    (frozenset({"no_charge_without_an_order", "same_key_same_answer"}), _bought_twice),
)


# ---- an order that held ----------------------------------------------------------------------


def _held(ladder: Ladder) -> Diagnosis:
    """Return what struck an order that kept every claim, and what it did about it."""
    believed = ladder.believed
    ends = f"every claim holds: order {believed.order}, gateway {believed.gateway}"
    lost = next(_indefinite(ladder), None)
    struck = f"{_capital(lost.text)}; " if lost else ""
    happened = _capital(f"{struck}{ends}.")
    if lost is None:
        return Diagnosis(happened=happened, judged="No rule is seen broken.")
    kinds = {rung.kind for rung in ladder.rungs if rung.at_ms >= lost.at_ms}
    again = any(rung.text.endswith("again, same key") for rung in ladder.rungs)
    if again:
        how = ", and the gateway replayed its answer" if "gateway.replayed" in kinds else ""
        judged = f"Kept R3 and R2: taken for unknown, then repeated with the same key{how}."
        return Diagnosis(happened=happened, judged=judged)
    if kinds & {"payment.fenced", "gateway.canceled"}:
        return Diagnosis(
            happened=happened, judged="Kept R3 and R4: taken for unknown, then fenced by a cancel."
        )
    return Diagnosis(happened=happened, judged="No rule is seen broken.")


# ---- words and questions ---------------------------------------------------------------------


def _indefinite(ladder: Ladder) -> Iterator[Rung]:
    """Yield every end of a call after which its caller cannot know what was done."""
    for rung in ladder.rungs:
        if rung.kind != "call.ended" or rung.shape == "unsent":
            continue
        status = rung.data.get("http_status")
        if rung.shape == "lost" or (isinstance(status, int) and status >= 500):  # noqa: PLR2004
            yield rung


def _booked_failed(ladder: Ladder, lost: Rung) -> Rung | None:
    """Return the failure that the caller committed with nothing definite heard in between."""
    for rung in ladder.rungs:
        if rung.at_ms < lost.at_ms or rung.event == lost.event or rung.lane != lost.lane:
            continue
        if rung.kind == "call.started" and rung.link == lost.link:
            return None  # it asked again, which is what R4 wants
        written = rung.kind == "payment.result_written" and rung.data.get("status") == "failed"
        if written or rung.kind in _ROLLED_BACK or rung.kind == "saga.turned_back":
            return rung
    return None


def _captured(ladder: Ladder) -> Rung | None:
    return next((rung for rung in ladder.rungs if rung.kind == "gateway.captured"), None)


def _sum(rung: Rung) -> str:
    return amount(rung.data.get("amount_minor"), rung.data.get("currency"))


def _saw(lost: Rung) -> str:
    """Return what a caller had of a call it can conclude nothing from."""
    if lost.shape == "reply":
        return f"was {lost.text}"
    return lost.text.removeprefix(f"{lost.lane.upper()} ")


def _cause(lost: Rung) -> str:
    """Return why nothing can be concluded, as the rule has it: `a timeout`, `a 500`."""
    if lost.shape == "reply":
        return f"a {lost.data.get('http_status')}"
    return _saw(lost).removeprefix("saw ").partition(" after ")[0]


def _name(lane: str) -> str:
    return lane.capitalize()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
