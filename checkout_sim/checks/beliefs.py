"""Beliefs: who believes what of one order at the end, for the reports."""

from checkout_sim.checks.history import History
from checkout_sim.checks.phrases import gateway_phrase, order_phrase, payment_phrase, told_phrase
from checkout_sim.checks.windows import windows_of
from checkout_sim.model.belief import Believed
from checkout_sim.model.verdict import Verdict

_NOTHING = Believed(
    told="nothing", order="absent", payment="absent", gateway="no charge", faults=()
)


def believed(history: History, order_id: str) -> Believed:
    """Return what shopper, order, payment and gateway hold of an order, and what was broken then.

    The faults are those in force at some time between the order's first and last event.
    """
    n = history.number(order_id)
    if n is None:
        return _NOTHING
    return Believed(
        told=told_phrase(history, n).removeprefix("told "),
        order=order_phrase(history, n),
        payment=payment_phrase(history, n),
        gateway=gateway_phrase(history, n),
        faults=_faults_during(history, n),
    )


def beliefs_of(history: History, verdict: Verdict) -> dict[str, Believed]:
    """Return the beliefs about every order that a listed violation names."""
    named = dict.fromkeys(found.order_id for found in verdict.violations if found.order_id)
    return {order_id: believed(history, order_id) for order_id in named}


def _faults_during(history: History, n: int) -> tuple[str, ...]:
    span = history.row(
        "SELECT MIN(id), MAX(id) FROM (SELECT id FROM transition WHERE n = ?1 UNION ALL "
        "SELECT id FROM event WHERE n = ?1 UNION ALL SELECT id FROM call WHERE n = ?1)",
        n,
    )
    if span is None or span[0] is None:
        return ()
    first, last = span
    during = (one.fault for one in windows_of(history) if one.begin < last and one.end > first)
    return tuple(dict.fromkeys(during))
