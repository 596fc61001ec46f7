"""The processes of a run: which are up, since when, and what befell the others."""

from typing import Literal, NamedTuple, Self

from checkout_sim.model.history import Observation

State = Literal["up", "killed", "paused", "exited"]

_STATES: dict[str, State] = {
    "process.started": "up",
    "process.resumed": "up",
    "process.killed": "killed",
    "process.paused": "paused",
    "process.exited": "exited",
}


class ProcessSeen(NamedTuple):
    """One process of one service; `since_ms` is when it came into its state."""

    name: str
    instance: int
    state: State
    pid: int
    since_ms: float
    started_ms: float
    before: str = ""  # what befell it last, "killed 30.1s"
    exit_code: int | None = None
    asked: bool = True
    last_line: str = ""

    @property
    def trouble(self) -> bool:
        """Return whether it ended without having been asked to."""
        return self.state == "exited" and not self.asked


class Processes:
    """Every process by name and instance, in the order they were started."""

    def __init__(self) -> None:
        self.by_name: dict[tuple[str, int], ProcessSeen] = {}

    def snapshot(self) -> Self:
        """Return a copy that later events do not touch."""
        copy = type(self)()
        copy.by_name = dict(self.by_name)
        return copy

    def of(self, name: str) -> tuple[ProcessSeen, ...]:
        """Return the instances of a process."""
        return tuple(one for (named, _), one in self.by_name.items() if named == name)

    def seen(self, one: Observation) -> None:
        """Change a process's state; a kill's own exit is no second event."""
        state = _STATES.get(one.kind)
        data = one.data
        name = str(data.get("process", ""))
        if state is None or not name:
            return
        instance = int(data.get("instance", 1))
        known = self.by_name.get((name, instance))
        if known is not None and known.state == "killed" and state == "exited":
            return
        lines = data.get("last_lines") or ()
        before = "" if known is None else known.before
        if one.kind in {"process.killed", "process.paused"}:
            before = f"{state} {one.t_ms / 1000:.1f}s"
        fresh = one.kind == "process.started" or known is None
        self.by_name[name, instance] = ProcessSeen(
            name=name,
            instance=instance,
            state=state,
            pid=int(data.get("pid", 0)),
            since_ms=one.t_ms,
            started_ms=one.t_ms if fresh or known is None else known.started_ms,
            before=before,
            exit_code=data.get("exit_code", data.get("exit_status")),
            asked=bool(data.get("asked", True)),
            last_line=str(lines[-1]) if lines else "",
        )
