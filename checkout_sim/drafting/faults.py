"""The faults of a stretch as entries of `faults:`.

Pure: takes what was injected, as it was read back, and what was asked for; gives entries with
their proposed moments. What nobody could notice is left out, and said so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkout_sim.drafting.proposals import CALM, Proposal, begins, ends
from checkout_sim.drafting.rhythm import Rhythm
from checkout_sim.drafting.stretch import Stretch, Struck

_PROCESS = ("kill", "pause", "restart")
_LONGEST_NAME = 60
_DURATIONS = {"latency": "ms", "timeout": "ms", "delay": "us"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """One fault of the scenario to be: what it does, and the moments it could begin at."""

    id: str
    what: str
    target: str
    body: Mapping[str, Any]
    begins: tuple[Proposal, ...]
    ends: Proposal
    ends_as: str  # the key of the end: until, for, restart, or nothing
    latency_ms: int = 0
    unnoticed: str = ""

    def by_clock(self, chosen: int) -> bool:
        """Return whether it begins or ends at a time of the storm."""
        begin = self.begins[chosen % len(self.begins)]
        until = self.ends_as in ("until", "restart") and self.ends is not CALM
        return isinstance(begin.written, str) or (until and isinstance(self.ends.written, str))

    def entry(self, chosen: int) -> dict[str, Any]:
        """Return the entry of `faults:`, beginning at the chosen moment."""
        begin = self.begins[chosen % len(self.begins)]
        at = "at" if "process" in self.body else "from"
        entry = {**self.body, at: begin.written}
        if self.ends_as and self.ends is not CALM:
            entry[self.ends_as] = self.ends.written
        return entry


def drafted_faults(stretch: Stretch, rhythm: Rhythm) -> list[Drafted]:
    """Return every fault of the stretch, in order of injection."""
    return [_drafted(stretch, rhythm, one) for one in stretch.struck]


def _drafted(stretch: Stretch, rhythm: Rhythm, one: Struck) -> Drafted:
    data = one.injected.data
    type_, target = str(data["type"]), str(data["target"])
    asked = _asked_for(stretch, one)
    window = asked.get("window") or {}
    name = one.key[:_LONGEST_NAME]
    proposals = begins(stretch, rhythm, one.injected.t_ms, awaited=_awaited(window))
    end, ends_as = _end(stretch, rhythm, one, window, type_)
    return Drafted(
        id=name,
        what=f"{name}: {_said(type_, data)} on {target}",
        target=target,
        body={"name": name, **_body(type_, target, data, asked.get("kind") or {})},
        begins=tuple(proposals),
        ends=end,
        ends_as=ends_as,
        latency_ms=_latency_ms(data),
        unnoticed=_unnoticed(stretch, one),
    )


def _asked_for(stretch: Stretch, one: Struck) -> Mapping[str, Any]:
    """Return the command that asked for this window: the last before its injection."""
    earlier = [
        command
        for command in stretch.asked.get(one.fault, ())
        if command["asked_ms"] <= one.injected.t_ms
    ]
    return earlier[-1] if earlier else {}


def _awaited(window: Mapping[str, Any]) -> str | None:
    return str(window["event"]) if window.get("is") == "OnNextEvent" else None


# ---- what it does --------------------------------------------------------------------------------


def _body(
    type_: str, target: str, data: Mapping[str, Any], kind: Mapping[str, Any]
) -> dict[str, Any]:
    if type_ in _PROCESS:
        instance = int(data.get("instance", 1))
        return {
            "process": target,
            **({"instance": instance} if instance > 1 else {}),
            "do": type_,
        }
    if type_ == "down":
        return {"link": target, "down": True}
    toxics = data.get("toxics")
    if toxics:
        return _toxic(target, toxics, kind)
    return _control(type_, kind)


def _toxic(target: str, toxics: Any, kind: Mapping[str, Any]) -> dict[str, Any]:
    first = toxics[0]
    streams = {str(toxic["stream"]) for toxic in toxics}
    body: dict[str, Any] = {
        "link": target,
        "toxic": first["type"],
        "stream": "both" if len(streams) > 1 else first["stream"],
    }
    attributes = {
        name: _figure(str(first["type"]), name, int(value))
        for name, value in first["attributes"].items()
        if name != "jitter"
    }
    body["attributes"] = attributes
    if kind.get("bounce") is not None:
        body["bounce"] = bool(kind["bounce"])
    if kind.get("lift") == "cut":
        body["lift"] = "cut"
    return body


def _figure(type_: str, name: str, value: int) -> str:
    if name in _DURATIONS:
        return f"{value}{_DURATIONS[name]}"
    return f"{value}KB/s" if type_ == "bandwidth" else f"{value}B"


def _control(control: str, kind: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"gateway": control}
    if kind.get("operation"):
        body["operation"] = kind["operation"]
    for name in ("nth", "times"):
        if int(kind.get(name, 1)) != 1:
            body[name] = int(kind[name])
    parameters = kind.get("parameters") or {}
    if "ms" in parameters:
        body["delay"] = f"{int(parameters['ms'])}ms"
    if "reveal_after_ms" in parameters:
        body["reveal_after"] = f"{int(parameters['reveal_after_ms'])}ms"
    return body


def _said(type_: str, data: Mapping[str, Any]) -> str:
    toxics = data.get("toxics") or ()
    ways = " and ".join(sorted({str(toxic["stream"]) for toxic in toxics}))
    return f"{type_}, {ways}" if ways else type_


def _latency_ms(data: Mapping[str, Any]) -> int:
    return max(
        (int(toxic["attributes"].get("latency", 0)) for toxic in data.get("toxics") or ()),
        default=0,
    )


# ---- when it ends --------------------------------------------------------------------------------


def _end(
    stretch: Stretch, rhythm: Rhythm, one: Struck, window: Mapping[str, Any], type_: str
) -> tuple[Proposal, str]:
    """Return when it ends, and under which key a scenario file says so."""
    lifted_ms = None if one.lifted is None else one.lifted.t_ms
    if type_ == "restart":
        return CALM, ""
    if type_ == "pause":
        until_ms = stretch.seen[-1].t_ms if lifted_ms is None else lifted_ms
        ms = max(1, rhythm.ms(until_ms) - rhythm.ms(one.injected.t_ms))
        return Proposal(written=f"{ms}ms", said=f"for {ms} ms"), "for"
    if type_ == "kill":
        return ends(stretch, rhythm, lifted_ms), "restart"
    if window.get("is") == "ForTime" and one.lifted is not None:
        ms = int(window["ms"])
        return Proposal(written=f"{ms}ms", said=f"for {ms} ms"), "for"
    if one.fault.endswith("_hold"):  # it must hold until its strike is over, not until it struck
        lifted_ms = _strike_lifted_ms(stretch, one)
    return ends(stretch, rhythm, lifted_ms), "until"


def _strike_lifted_ms(stretch: Stretch, hold: Struck) -> float | None:
    name = hold.fault.removesuffix("_hold")
    strikes = [
        one
        for one in stretch.struck
        if one.fault == name and one.injected.id > hold.injected.id and one.lifted is not None
    ]
    return strikes[0].lifted.t_ms if strikes and strikes[0].lifted is not None else None


def _unnoticed(stretch: Stretch, one: Struck) -> str:
    """Return why a fault could not be noticed by any checkout, or nothing."""
    begin = one.injected.t_ms
    end = float("inf") if one.lifted is None else one.lifted.t_ms
    if any(shop.began_ms <= end and begin <= shop.last_ms for shop in stretch.purchases):
        return ""
    return "nothing was under way while it was in force"
