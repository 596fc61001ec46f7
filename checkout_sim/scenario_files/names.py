"""Names a scenario may use, and what to say of one that does not exist.

Takes the vocabulary of `model/wire.py` and `model/claims.py`; gives checks that return the name or
raise `NotAValue` with the nearest one. Links come through pydantic's context.
"""

import difflib
from collections.abc import Iterable, Sequence

from pydantic import ValidationInfo

from checkout_sim.model import wire
from checkout_sim.model.broker import CONSUMED_QUEUES
from checkout_sim.model.claims import CORE, EXTENDED
from checkout_sim.scenario_files.units import NotAValue

CLAIMS = CORE + EXTENDED
BREAKABLE = ("order", "payment", "orchestrator", "broker", "database")  # and never the gateway
_LISTED = 12  # names that still fit a line


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like this one, if any is like it at all."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def suggestion(name: str, known: Sequence[str]) -> str:
    """Return "; did you mean …?" or, where nothing is near, what there is to choose from."""
    near = nearest(name, known)
    if near is not None:
        return f'; did you mean "{near}"?'
    listed = ", ".join(known[:_LISTED])
    return f"; known: {listed}{', …' if len(known) > _LISTED else ''}" if known else ""


def event(name: str) -> str:
    """Return the name of an observation that can be waited for."""
    return _known(name, sorted(wire.EVENTS), f'no service logs "{name}"')


def card(name: str) -> str:
    """Return the name of a test card."""
    return _known(name, wire.CARDS, f'"{name}" is no test card of the gateway')


def claim(name: str) -> str:
    """Return the name of one claim."""
    return _known(name, CLAIMS, f'no claim is called "{name}"')


def claims(name: str) -> str:
    """Return the name of one claim or of a whole set."""
    return _known(name, ("core", "extended", *CLAIMS), f'no claim is called "{name}"')


def control(name: str) -> str:
    """Return the name of a control of the gateway."""
    return _known(name, tuple(wire.CONTROLS), f'the gateway has no control "{name}"')


def link(name: str, info: ValidationInfo) -> str:
    """Return the name of a link that the map of links has."""
    links: Sequence[str] = (info.context or {}).get("links", ())
    return _known(name, links, f'"{name}" is not in toxiproxy.json')


def process(name: str) -> str:
    """Return the name of a process that may be broken."""
    if name == "gateway":
        raise NotAValue('"gateway" may not be harmed: its journal is the evidence')
    return _known(name, BREAKABLE, f'"{name}" is no process')


def queue(name: str) -> str:
    """Return the name of a queue whose messages may be meddled with."""
    return _known(name, CONSUMED_QUEUES, f'the broker has no queue "{name}"')


def strategy(name: str) -> str:
    """Return the name of a strategy."""
    return _known(name, wire.STRATEGIES, f'"{name}" is no strategy')


def database(name: str) -> str:
    """Return the name of a database."""
    return _known(name, ("sqlite", "postgres"), f'"{name}" is no database')


def _known(name: str, names: Sequence[str], told: str) -> str:
    if name not in names:
        raise NotAValue(told + suggestion(name, names))
    return name
