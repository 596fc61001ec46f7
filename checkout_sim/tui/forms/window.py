"""How long a fault is to be in force: four kinds of window, as they are picked and said.

Takes the kind picked and the text beside it, gives a `Window` of the contract with the engine.
"""

from collections.abc import Sequence
from typing import Literal, assert_never

from checkout_sim.model.command import ForTime, OnNextEvent, UntilEvent, UntilLifted, Window
from checkout_sim.scenario_files import names
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.tui.forms.figures import said_ms, typed_ms

WindowKind = Literal["until_lifted", "for_time", "until_event", "on_event"]

# In the order `w` goes through them, each with what people call it.
KINDS: tuple[tuple[WindowKind, str], ...] = (
    ("until_lifted", "until lifted"),
    ("for_time", "for a time"),
    ("until_event", "until an event"),
    ("on_event", "on an event"),
)

# What each kind begins with, so that picking it is enough.
USUAL: dict[WindowKind, str] = {
    "until_lifted": "",
    "for_time": "10s",
    "until_event": "client.ended",
    "on_event": "payment.charge_requested",
}


def window_of(kind: WindowKind, text: str = "") -> Window:
    """Return the window picked, with the usual figure where none is typed. Raises NotAValue."""
    said = text.strip() or USUAL[kind]
    match kind:
        case "until_lifted":
            return UntilLifted()
        case "for_time":
            ms = typed_ms(said)
            if ms == 0:
                raise NotAValue("a window of 0ms strikes nothing; write how long, say 10s")
            return ForTime(ms=ms)
        case "until_event":
            return UntilEvent(event=names.event(said))
        case "on_event":
            return OnNextEvent(event=names.event(said))
        case _:
            assert_never(kind)


def kind_of(window: Window) -> WindowKind:
    """Return which of the four it is."""
    match window:
        case UntilLifted():
            return "until_lifted"
        case ForTime():
            return "for_time"
        case UntilEvent():
            return "until_event"
        case OnNextEvent():
            return "on_event"
        case _:
            assert_never(window)


def detail_of(window: Window) -> str:
    """Return what stands in the field beside the kind."""
    match window:
        case UntilLifted():
            return ""
        case ForTime():
            return said_ms(window.ms)
        case UntilEvent() | OnNextEvent():
            return window.event
        case _:
            assert_never(window)


def said_window(window: Window) -> str:
    """Return the window in words, as the console and the status line show it."""
    match window:
        case UntilLifted():
            return "until lifted"
        case ForTime():
            return f"for {said_ms(window.ms)}"
        case UntilEvent():
            return f"until {window.event}"
        case OnNextEvent():
            return f"armed by {window.event}; the link is held until then"
        case _:
            assert_never(window)


def window_named(words: Sequence[str]) -> Window:
    """Return the window of `until lifted`, `for 10s`, `until EVENT` or `on EVENT`.

    Raises NotAValue for anything else.
    """
    match tuple(words):
        case ("until", "lifted"):
            return UntilLifted()
        case ("for", time):
            return window_of("for_time", time)
        case ("until", event):
            return window_of("until_event", event)
        case ("on", event):
            return window_of("on_event", event)
        case _:
            raise NotAValue(
                f'"{" ".join(words)}" is no window; write until lifted, for 10s, '
                "until client.ended or on gateway.captured"
            )
