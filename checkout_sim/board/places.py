"""The labels of links and processes: one key each, for ever, whatever the strategy.

Takes the names of toxiproxy.json and of the processes; gives the letter an operator presses and
the words a screen shows. Links a strategy leaves idle are dimmed by screens, never renumbered.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link: its label, its name in toxiproxy.json, its two ends, and what it carries."""

    label: str
    name: str
    caller: str
    callee: str
    carries: str = ""

    @property
    def title(self) -> str:
        """Return both ends, as "payment > gateway"."""
        carried = f" {self.carries}" if self.carries else ""
        return f"{self.caller} > {self.callee}{carried}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process: its label, its name, and whether a fault may ever kill or pause it."""

    label: str
    name: str
    breakable: bool = True


def _link(label: str, caller: str, callee: str, carries: str = "") -> Link:
    return Link(
        label=label, name=f"{caller}_to_{callee}", caller=caller, callee=callee, carries=carries
    )


LINKS: tuple[Link, ...] = (
    _link("1", "shopper", "order"),
    _link("2", "shopper", "orchestrator"),
    _link("3", "order", "payment"),
    _link("4", "orchestrator", "order"),
    _link("5", "orchestrator", "payment"),
    _link("6", "payment", "gateway"),
    _link("7", "gateway", "payment", "webhook"),
    _link("8", "order", "broker"),
    _link("9", "payment", "broker"),
    _link("a", "order", "database"),
    _link("b", "payment", "database"),
    _link("c", "orchestrator", "database"),
)

# The gateway is never struck: its journal is the evidence.
PROCESSES: tuple[Process, ...] = (
    Process(label="O", name="order"),
    Process(label="P", name="payment"),
    Process(label="S", name="orchestrator"),
    Process(label="G", name="gateway", breakable=False),
    Process(label="B", name="broker"),
    Process(label="D", name="database"),
)

LINK_OF_LABEL: Mapping[str, Link] = {link.label: link for link in LINKS}
LINK_OF_NAME: Mapping[str, Link] = {link.name: link for link in LINKS}
PROCESS_OF_LABEL: Mapping[str, Process] = {process.label: process for process in PROCESSES}
PROCESS_OF_NAME: Mapping[str, Process] = {process.name: process for process in PROCESSES}


def label_of(target: str) -> str:
    """Return the label of a link or process by its name; "*" for what has none, a control say."""
    if target in LINK_OF_NAME:
        return LINK_OF_NAME[target].label
    process = target.partition("-")[0]
    return PROCESS_OF_NAME[process].label if process in PROCESS_OF_NAME else "*"
