"""The fault console's rows: links with what they carry and what strikes them, processes, presets.

Takes parts of a board and the moment it is looked at; gives rows of text, each column ready for its
place. What is wanted, what was read back and what has struck are told apart: `slow..` is wanted,
`slow` armed, `hit 4` fired, `STUCK` neither applied nor gone.
"""

from collections.abc import Container, Mapping, Sequence
from typing import Literal, NamedTuple

from checkout_sim.board.faults import FaultSeen
from checkout_sim.board.links import Stream
from checkout_sim.board.places import LINKS, Link, Process
from checkout_sim.board.presets import PRESETS, Preset
from checkout_sim.board.processes import ProcessSeen
from checkout_sim.board.tokens import age, latency, sparkline

Look = Literal["plain", "struck", "stuck", "idle", "down"]


class LinkRow(NamedTuple):
    """One link: figures over the last minute, a sparkline of its p95 by second."""

    label: str
    name: str
    title: str
    p50: str
    p95: str
    per_s: str
    errors: str
    spark: str
    faults: str
    look: Look


class ProcessRow(NamedTuple):
    """One process of one service."""

    label: str
    name: str
    instance: int
    title: str
    state: str
    detail: str
    look: Look


class PresetRow(NamedTuple):
    """One preset as it stands on the marked link: its letter, what it does, whether it is on."""

    letter: str
    title: str
    way: str
    wire: str
    state: str  # "", "..", "ON", "STUCK"
    sees: str


def link_rows(
    links: Mapping[str, Stream],
    now_ms: float,
    faults: Sequence[FaultSeen],
    *,
    carried: Container[str],
    seconds: int,
    ascii_only: bool = False,
) -> tuple[LinkRow, ...]:
    """Return a row for every link there is a label for, in their order.

    `carried` names the links this strategy uses; the others are idle, dimmed and never renumbered.
    """
    struck: dict[str, list[FaultSeen]] = {}
    for fault in faults:
        struck.setdefault(fault.target, []).append(fault)
    return tuple(
        _link_row(
            link,
            links.get(link.name),
            now_ms,
            struck.get(link.name, ()),
            used=link.name in carried,
            seconds=seconds,
            ascii_only=ascii_only,
        )
        for link in LINKS
    )


def process_rows(
    shown: Sequence[Process], seen: Sequence[ProcessSeen], now_ms: float
) -> tuple[ProcessRow, ...]:
    """Return a row for every instance of every process that is part of this stack."""
    return tuple(
        _process_row(process, one, now_ms, several=_several(seen, process.name))
        for process in shown
        for one in seen
        if one.name == process.name
    )


def preset_rows(target: str, faults: Sequence[FaultSeen]) -> tuple[PresetRow, ...]:
    """Return the presets as they stand on a link."""
    mine = {fault.letter: fault for fault in faults if fault.target == target}
    return tuple(_preset_row(preset, mine.get(preset.letter)) for preset in PRESETS)


def said_fault(fault: FaultSeen) -> str:
    """Return a fault as a link's row shows it: `slow 300ms < hit 11`, `down..`, `down STUCK`."""
    words = [fault.title or fault.type or fault.name]
    figure = said_figures(fault)
    if figure:
        words.append(figure)
    if fault.stage == "wanted":
        words[-1] += ".."
    if fault.ways:
        words.append(fault.ways)
    if fault.stage == "stuck":
        words.append("STUCK")
    elif fault.hits:
        words.append(f"hit {fault.hits}")
    return " ".join(words)


def said_figures(fault: FaultSeen) -> str:
    """Return the figure of a fault that has one worth a column: a latency, a rate, bytes."""
    attributes = dict(fault.toxics[0].get("attributes") or {}) if fault.toxics else {}
    match fault.type:
        case "latency":
            return f"{attributes.get('latency', 0)}ms"
        case "bandwidth":
            return f"{attributes.get('rate', 0)}KB/s"
        case "limit_data":
            return f"{attributes.get('bytes', 0)}B"
        case "slicer":
            return f"{attributes.get('average_size', 0)}B"
        case "timeout" | "reset_peer":
            ms = attributes.get("timeout", 0)
            return f"{ms}ms" if ms else ""
        case _:
            return ""


def said_attributes(fault: FaultSeen) -> str:
    """Return what is on the wire: `timeout 0, downstream`, `link disabled`."""
    if fault.type == "down":
        return "link disabled"
    if not fault.toxics:
        return fault.type or fault.name
    toxic = fault.toxics[0]
    figures = " ".join(
        f"{name} {value}"
        for name, value in dict(toxic.get("attributes") or {}).items()
        if value or name != "jitter"
    )
    return f"{toxic.get('type')}: {figures}, {' and '.join(fault.streams)}"


def state_lines(fault: FaultSeen, *, window: str, on_lifting: str) -> tuple[tuple[str, str], ...]:
    """Return how a fault stands, step by step: what was wanted, read back, seen to strike."""
    wanted = said_attributes(fault)
    lines = [("WANTED", f"{wanted}; {window}" if window else wanted)]
    if fault.stage == "stuck":
        lines.append(("STUCK", fault.message or "the proxy server did not answer"))
        lines.append(("", "lift it, or heal all (H); the engine restarts a stuck proxy server"))
        return tuple(lines)
    lines.append(("ARMED", _armed(fault)))
    lines.append(("FIRED", _fired(fault)))
    lifting = "lifted" if fault.stage == "lifted" else on_lifting
    lines.append(("LIFTING", lifting))
    return tuple(lines)


def _link_row(
    link: Link,
    stream: Stream | None,
    now_ms: float,
    faults: Sequence[FaultSeen],
    *,
    used: bool,
    seconds: int,
    ascii_only: bool,
) -> LinkRow:
    said = ", ".join(said_fault(fault) for fault in faults)
    look: Look = "idle"
    if any(fault.stage == "stuck" for fault in faults):
        look = "stuck"
    elif faults:
        look = "struck"
    elif used:
        look = "plain"
    if stream is None:
        blank = " " * seconds
        unused = said or ("-" if used else "unused")
        return LinkRow(link.label, link.name, link.title, "-", "-", "-", "-", blank, unused, look)
    flow = stream.flow(now_ms)
    _, p95s = stream.by_second(now_ms, seconds)
    share = flow.error_share
    return LinkRow(
        label=link.label,
        name=link.name,
        title=link.title,
        p50=latency(flow.p50_ms),
        p95=latency(flow.p95_ms),
        per_s=f"{flow.per_s:.0f}" if flow.per_s >= 1 or not flow.calls else f"{flow.per_s:.1f}",
        errors="-" if share is None else f"{share * 100:.0f}%",
        spark=sparkline(p95s, ascii_only=ascii_only),
        faults=said or ("-" if used or flow.calls else "unused"),
        look=look,
    )


def _process_row(
    process: Process, seen: ProcessSeen, now_ms: float, *, several: bool
) -> ProcessRow:
    title = f"{process.name} {seen.instance}" if several else process.name
    since = age(now_ms - seen.since_ms)
    state = f"{seen.state} {since}"
    detail = seen.before
    if seen.state == "exited":
        detail = f"exit status {seen.exit_code}" + ("" if seen.asked else ", nobody asked")
        if seen.last_line:
            detail += f": {seen.last_line}"
    return ProcessRow(
        label=process.label,
        name=process.name,
        instance=seen.instance,
        title=title,
        state=state,
        detail=f"pid {seen.pid}" + (f"  {detail}" if detail else ""),
        look="plain" if seen.state == "up" else "down",
    )


def _preset_row(preset: Preset, fault: FaultSeen | None) -> PresetRow:
    way = {"upstream": ">", "downstream": "<"}[preset.stream] if preset.turns else ""
    state, figure = "", ""
    if fault is not None:
        state = {"wanted": "..", "armed": "ON", "stuck": "STUCK", "lifted": ""}[fault.stage]
        way = fault.ways or way
        figure = said_figures(fault)
    wire = f"{preset.wire}{f' (now {figure})' if figure else ''}"
    return PresetRow(
        letter=preset.letter,
        title=preset.title,
        way=way,
        wire=wire,
        state=state,
        sees=f"{preset.caller}; {preset.callee}",
    )


def _armed(fault: FaultSeen) -> str:
    if fault.stage == "wanted":
        return "not yet"
    return f"read back after {fault.read_back_ms:.0f} ms"


def _fired(fault: FaultSeen) -> str:
    if not fault.hits:
        return "not seen to strike yet"
    times = "once" if fault.hits == 1 else f"{fault.hits} times"
    where = f", first #{fault.first}, last #{fault.last}" if fault.first is not None else ""
    return f"{times}{where} (the judge decides)"


def _several(seen: Sequence[ProcessSeen], name: str) -> bool:
    return sum(1 for one in seen if one.name == name) > 1
