"""Settling: wait until nothing moves, and say what still did when waiting ends.

Quiet means, for `quiet_for`: nothing undecided, no call open, nothing in flight, the journal's last
number standing still and nothing observed. The last three guard against ghosts: a request held in
the proxy still arrives after its caller gave up. Waiting also ends when nothing at all was observed
for `stalled_for`: what is undecided then will stay so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from checkout_sim.model.errors import LedgerUnreadable
from checkout_sim.model.history import Observation
from checkout_sim.model.scenario import Settle
from checkout_sim.model.seen import Undecided
from checkout_sim.runner.ports import Clock, Ledgers
from checkout_sim.runner.recording import Recording

_POLL_MS = 25.0


@dataclass(slots=True)
class OpenCalls:
    """Calls and attempts that began and have not ended, unless their process died."""

    _open: dict[tuple[str, str], str] = field(default_factory=dict)

    def observe(self, seen: Observation) -> None:
        """Follow one observation."""
        match seen.kind:
            case "call.started":
                self._open[seen.source, str(seen.data.get("call_id"))] = str(seen.data.get("link"))
            case "call.ended":
                self._open.pop((seen.source, str(seen.data.get("call_id"))), None)
            case "process.killed" | "process.exited":
                died = seen.data.get("process")
                self._open = {key: link for key, link in self._open.items() if key[0] != died}
            case _:
                pass

    @property
    def links(self) -> tuple[str, ...]:
        """Return the links on which a call is open."""
        return tuple(sorted(set(self._open.values())))


async def settle(
    settings: Settle, *, ledgers: Ledgers, recording: Recording, clock: Clock, calls: OpenCalls
) -> bool:
    """Wait for quiescence and record how it ended; return whether quiet was reached."""
    began_ms = clock.now_ms()
    quiet_since_ms: float | None = None
    before: Mapping[str, Undecided] | None = None
    stalled_for_ms = settings.stalled_for_ms or 6_000
    while True:
        now = await _look(ledgers)
        still = now is not None and before is not None and _same(before, now) and not calls.links
        resolved = now is not None and all(open_.count == 0 for open_ in now.values())
        now_ms = clock.now_ms()
        unseen_ms = now_ms - recording.last_seen_ms
        if not (still and resolved):
            quiet_since_ms = None
        elif quiet_since_ms is None:
            quiet_since_ms = now_ms
        if quiet_since_ms is not None:
            quiet_ms = min(now_ms - quiet_since_ms, unseen_ms)
            if quiet_ms >= settings.quiet_for_ms:
                data = {"waited_ms": round(now_ms - began_ms, 3)}
                recording("runner", "quiet.reached", data=data)
                return True
        # Who does not answer will not begin to, after so long a time in which nothing happened.
        stalled = (still or now is None) and unseen_ms >= stalled_for_ms
        if stalled or now_ms - began_ms >= settings.within_ms:
            _give_up("stalled" if stalled else "spent", now, before, calls, recording)
            return False
        before = now
        await clock.sleep_ms(_POLL_MS)


async def _look(ledgers: Ledgers) -> Mapping[str, Undecided] | None:
    try:
        return await ledgers.undecided()
    except LedgerUnreadable:
        return None


def _same(before: Mapping[str, Undecided], now: Mapping[str, Undecided]) -> bool:
    return all(
        now[name].last_seq == before[name].last_seq and now[name].in_flight == 0
        for name in now
        if name in before
    )


def _give_up(
    reason: str,
    now: Mapping[str, Undecided] | None,
    before: Mapping[str, Undecided] | None,
    calls: OpenCalls,
    recording: Recording,
) -> None:
    moving = [f"call on {link}" for link in calls.links]
    if now is None:
        moving.append("a service that does not answer /undecided")
    else:
        moving += [f"{name}: requests in flight" for name, open_ in now.items() if open_.in_flight]
        moving += [
            f"{name}: journal grows"
            for name, open_ in now.items()
            if before and name in before and before[name].last_seq != open_.last_seq
        ]
    undecided = {name: list(open_.ids) for name, open_ in (now or {}).items() if open_.count}
    recording(
        "runner",
        "quiet.given_up",
        data={"reason": reason, "undecided": undecided, "moving": moving},
    )
