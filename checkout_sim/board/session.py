"""The session: which run this is, what the engine says of itself, and what the judge said.

Everything row 1 of every screen shows, apart from counts; and the commands on their way, so that an
answer finds what it answers.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from checkout_sim.board.claim_rows import Claims
from checkout_sim.board.faults import Faults
from checkout_sim.board.run_results import Results
from checkout_sim.model.answer import Ack, Draft, EngineState, Judged, Nack, Saved, Stretch
from checkout_sim.model.command import Asked, Command, Inject, LiftAll, LiftFault
from checkout_sim.model.wire import LINKS_OF

_EDGE = "shopper_to_order"
_MOST_PENDING = 200


class Told(NamedTuple):
    """A sentence for the operator, and whether something went wrong."""

    text: str
    wrong: bool = False


class Session:
    """One run's frame. `state` is the engine's own word; it survives from run to run."""

    def __init__(self) -> None:
        self.stretch: Stretch | None = None
        self.state = EngineState(phase="starting", strategy="")
        self.run: Mapping[str, Any] = {}  # the data of run.opened
        self._edge: tuple[Mapping[str, Any], str] | None = None
        self.phase = "start"
        self.moving: tuple[str, ...] = ()  # what still moves while settling
        self.provisional: Judged | None = None
        self.ever_violated = 0  # orders that stood violated at some time
        self.verdict: Judged | None = None
        self.claims = Claims()  # what the judge said of this run, claim by claim
        self.results = Results()  # scenarios judged on this stream; survives from run to run
        self.draft: Draft | None = None
        self.saved: Saved | None = None
        self.last_told = Told(text="")
        self.told_count = 0  # grows with every sentence, so that a screen notices the same twice
        self.pending: dict[str, Command] = {}
        self.behind = False
        self.recording_since_ms: float | None = None

    def snapshot(self) -> Self:
        """Return a copy that later answers do not touch."""
        copy = type(self)()
        for name, value in vars(self).items():
            setattr(copy, name, dict(value) if name == "pending" else value)
        return copy

    def for_next_run(self, stretch: Stretch) -> Self:
        """Return what remains when another run begins."""
        fresh = type(self)()
        fresh.stretch = stretch
        for name in ("state", "draft", "saved", "last_told", "told_count", "pending", "results"):
            setattr(fresh, name, getattr(self, name))
        if stretch.scenario:  # no longer "is next"
            fresh.tell(f"{stretch.scenario} on {stretch.strategy} has begun")
        return fresh

    # ---- questions ---------------------------------------------------------------------------

    @property
    def strategy(self) -> str:
        """Return the strategy of this run."""
        opened = self.run.get("strategy")
        told = self.stretch.strategy if self.stretch is not None else ""
        return str(opened or told or self.state.strategy)

    @property
    def links(self) -> tuple[str, ...]:
        """Return the links that carry this strategy's checkouts."""
        return tuple(self.run.get("links") or LINKS_OF.get(self.strategy, ()))

    @property
    def edge(self) -> str:
        """Return the link a shopper's request crosses first."""
        if self._edge is None or self._edge[0] is not self.run:  # asked for twice a checkout
            found = (name for name in self.links if name.startswith("shopper_to_"))
            self._edge = (self.run, next(found, _EDGE))
        return self._edge[1]

    @property
    def proxy_server(self) -> str:
        """Return which proxy server carries the bytes: "real toxiproxy 2.12.0"."""
        engine = self.run.get("engine") or {}
        name, version = str(engine.get("name", "")), str(engine.get("version", ""))
        if not name:
            return ""
        kind = "embedded proxy" if name == "embedded" else f"real {name}"
        return f"{kind} {version}".strip()

    @property
    def open_violations(self) -> int | None:
        """Return how many orders stand violated; None where nothing has been judged."""
        judged = self.verdict or self.provisional
        if judged is None:
            return None
        orders = {one.order_id or f"#{one.checkout}" for one in judged.violations}
        return max(len(orders), 1 if judged.broken and not orders else 0)

    @property
    def claims_by_order(self) -> dict[str, tuple[str, ...]]:
        """Return the claims each order breaks; an order without an id goes by "#412"."""
        judged = self.verdict or self.provisional
        claims: dict[str, tuple[str, ...]] = {}
        for one in judged.violations if judged is not None else ():
            about = one.order_id or (f"#{one.checkout}" if one.checkout is not None else "")
            if about:
                claims[about] = tuple(dict.fromkeys((*claims.get(about, ()), one.invariant)))
        return claims

    # ---- events ------------------------------------------------------------------------------

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """Put a sentence before the operator."""
        self.last_told = Told(text=text, wrong=wrong)
        self.told_count += 1

    def became(self, state: EngineState, now_ms: float) -> None:
        """Take what the engine says of itself."""
        if state.recording and not self.state.recording:
            self.recording_since_ms = now_ms
        if state.message and state.message != self.state.message:
            again = "; v on screen 6 tries again" if state.phase == "starting" else ""
            self.tell(f"{state.message}{again}", wrong=True)
        self.state = state

    def opened(self, data: Mapping[str, Any]) -> None:
        """Take what the run says it is."""
        self.run = data

    def entered(self, data: Mapping[str, Any]) -> None:
        """Go into another phase."""
        self.phase = str(data.get("phase", self.phase))

    def settling(self, data: Mapping[str, Any]) -> None:
        """Take that quiet is reached, or given up with what still moves."""
        self.moving = tuple(str(name) for name in data.get("moving") or ())

    def asked(self, asked: Asked) -> None:
        """Remember a command this subscriber sent: its answer will name it."""
        self.pending[asked.command_id] = asked.command
        while len(self.pending) > _MOST_PENDING:
            del self.pending[next(iter(self.pending))]

    def accepted(self, ack: Ack, faults: Faults, now_ms: float) -> None:
        """Note that the engine took a command."""
        command = self.pending.pop(ack.command_id, None)
        self.behind = False
        if isinstance(command, Inject):
            faults.wanted(command, now_ms)
        if ack.message:
            self.tell(ack.message)

    def refused(self, nack: Nack, faults: Faults) -> None:
        """Tell why the engine refused a command; nothing was changed."""
        command = self.pending.pop(nack.command_id, None)
        if nack.code == "engine_stuck" and isinstance(command, Inject | LiftFault):
            faults.failed(command.name, nack.message)
        hint = f"; {nack.hint}" if nack.hint else ""
        healing = "heal all: " if isinstance(command, LiftAll) else ""
        self.tell(f"{healing}{nack.message}{hint}", wrong=True)

    def judged(self, judged: Judged) -> None:
        """Take what the judge says, of the run so far or of the whole run."""
        self.claims = self.claims.heard(judged)
        self.results = self.results.heard(self.stretch, judged)
        self.ever_violated = max(self.ever_violated, judged.ever)
        if judged.provisional:
            self.provisional = judged
        else:
            self.verdict = judged
            if self.stretch is not None and self.stretch.scenario:
                as_expected = {True: ", as expected", False: ", not as expected", None: ""}
                ran = f"{self.stretch.scenario} on {self.stretch.strategy}"
                disturbed = judged.as_expected is None and judged.surprises
                found = f"; {judged.surprises[0]}" if disturbed else as_expected[judged.as_expected]
                self.tell(f"{ran}: {judged.status}{found}")
