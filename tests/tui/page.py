"""docs/tui.md, made from the program: its actions, presets, filter, options and marks.

`python -m tests.tui.page` writes the page; a test compares it with what is there.
"""

import inspect
import sys
from pathlib import Path

import typer.main
from typer.core import TyperGroup, TyperOption

from checkout_sim.board import filters
from checkout_sim.board.presets import PRESETS, WAY_SIGN
from checkout_sim.board.rows import MARKS
from checkout_sim.cli.app import app
from checkout_sim.tui.actions import ALL
from checkout_sim.tui.actions.page import keys_part
from checkout_sim.tui.permission import LEAST_COLUMNS, LEAST_ROWS
from checkout_sim.tui.screens import VIEWS

PAGE = Path(__file__).parents[2] / "docs" / "tui.md"

_SHOWS = {
    "dashboard": "the links of the strategy with their p95 and what strikes them; how checkouts "
    "stand; one row for each, with what its shopper was told beside what order, payment and "
    "gateway hold; the latest events",
    "faults": "links and processes with their figures; for the marked one every preset, what was "
    "asked for, what was read back from the proxy server, and how often it was seen to strike",
    "checkout": "cart, test card, shopper and burst; what a checkout would cross now, and the "
    "same in YAML",
    "scenarios": "every scenario file, its verdict by strategy, and the running one step by step",
    "orders": "the whole list, filtered and sorted; enter opens an order as a ladder of what each "
    "party sent, saw and did, with the faults on the same axis",
    "violations": "every claim: how many orders were judged, suspect, broken; the evidence of the "
    "marked one. Only the judge writes into BROKEN",
    "log": "every event of the run, by level and filter",
}

_HEAD = """\
# The dashboard

<!-- Made by `make docs` from the program; edit tests/tui/page.py or what it reads. -->

    checkout-sim tui                          naive services, yours to break
    checkout-sim tui --strategy hardened      those that hold

![orders, links and faults](images/tui-dashboard.svg)

The stack comes up beneath the screen and goes with it. `c` sends a checkout, `f 6 r` loses the
gateway's replies, `enter` on an order shows who saw what, `H` heals everything. Row 1 says at every
size whether the display is live, which faults are in force, how many orders are suspect (`?`) or
violated (`!`), and whether a recording runs. Quit with `ctrl+q`; quit, crash or kill it, and every
fault is lifted and every process stopped.
"""

_RECORDING = """\
## Keeping what was done

`R` begins a stretch and ends it; the review opens. `v` asks for a verdict, because a scenario
states what its strategy must earn. Then `x` keeps or drops an item, `a` gives a fault another
moment, `t` leaves idle time out, `p` names it, `w` checks and writes `scenarios/NAME.yaml`, `r`
runs it three times: below three equal verdicts nothing is called reproducible. `checkout-sim run`
takes the file as it is.

![a session about to become a scenario](images/tui-review.svg)
"""

_SERVING = """\
## In a browser

`checkout-sim tui --serve` prints an address on 127.0.0.1 with a random token in it. Every page is a
dashboard of its own on the same engine, to look at; `--serve-control` lets pages press keys as
well. A foreign Host or Origin is answered 403, so that no other page in the same browser can press
keys here.
"""


def page() -> str:
    """Return the page."""
    parts = [
        *(_HEAD, _screens(), _marks(), _presets(), _words(), _RECORDING, _options(), _sizes()),
        *(_SERVING, _keys()),
    ]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _screens() -> str:
    rows = [f"| `{key}` | {scope} | {_SHOWS[scope]} |" for key, (scope, _, _) in VIEWS.items()]
    pictures = (
        "![links, processes and presets](images/tui-faults.svg)\n\n"
        "![an order as a ladder](images/tui-order.svg)\n\n"
        "![claims and their evidence](images/tui-violations.svg)"
    )
    return "\n".join(
        ["## Screens", "", "| Key | Screen | Shows |", "|---|---|---|", *rows, "", pictures]
    )


def _marks() -> str:
    marks = "  ".join(f"`{mark}` {standing}" for standing, mark in MARKS.items())
    return (
        f"## Marks\n\n{marks}. `═` is a link with a fault, `6r` a fault by link and letter; on a "
        "ladder `X` is where a reply was lost, `$` where money moved, `*` a commit.\n"
        "Suspect is what the stream suggests; violated is what the judge has proved."
    )


def _presets() -> str:
    rows = [
        f"| `{one.letter}` | {one.title} | {WAY_SIGN[one.stream] if one.turns else '-'} "
        f"| {one.wire} | {one.caller} | {one.callee} |"
        for one in PRESETS
    ]
    return "\n".join(
        [
            "## Faults",
            "",
            "`f`, a link's label, a letter: from any screen. On the fault console the letter",
            "alone, for the marked link. The same letter lifts it. `<` is the reply's way, `>` the",
            "request's.",
            "",
            "| Letter | Fault | Way | On the wire | Caller | Callee |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            "A process takes `K` (SIGKILL, then start), `P` (SIGSTOP, then SIGCONT), `T`",
            "(restart).",
        ]
    )


def _words() -> str:
    example, _, said = (inspect.getdoc(filters) or "").partition("\n")[2].strip().partition("\n")
    rules = said.strip().partition("`Filter`. ")[2]
    fields = filters.parsed("?:").problem.partition("there are ")[2]
    return "\n".join(
        [
            "## Filter, command line, palette",
            "",
            f"`/` filters orders and log: `{example}`.",
            rules,
            "",
            f"Fields: `{fields}`.",
            "",
            "`:` takes an action's id and what it needs, `:fault.leader 6 r`; the end of an id is",
            "enough where it is unambiguous: `:buy`. `ctrl+p` searches the same actions by word.",
        ]
    )


def _options() -> str:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    rows = []
    for one in group.commands["tui"].params:
        if isinstance(one, TyperOption) and not one.hidden:
            names = ", ".join(f"`{name}`" for name in one.opts)
            takes = f" {one.metavar}" if one.metavar else ""
            rows.append(f"| {names}{takes} | {(one.help or '').replace('|', chr(92) + '|')} |")
    return "\n".join(["## Options", "", "| Option | Does |", "|---|---|", *rows])


def _sizes() -> str:
    return (
        "## Terminals\n\nEvery size is drawn. Side panels appear from 110 columns. Below "
        f"{LEAST_COLUMNS}x{LEAST_ROWS} whatever changes the world is off, healing apart. `NO_COLOR`"
        " or `--no-color` leaves bold and reverse, `--ascii` draws boxes and bars with ASCII; every"
        " state has a mark and a word. `y` copies to the terminal and to `.checkout-sim/clip.txt`."
        " Without a terminal, `checkout-sim run SCENARIO --watch` says line by line what happens."
    )


def _keys() -> str:
    return f"## Keys\n\n{keys_part(ALL)}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
