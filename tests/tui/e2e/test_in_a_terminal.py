"""The dashboard as an operator has it: a real terminal, real services, a real proxy server."""

import json
from pathlib import Path

import httpx
import psutil

from tests.e2e.command import checkout_sim, survivors
from tests.tui.e2e.terminal import Terminal


def test_an_operator_breaks_a_checkout_sees_why_and_keeps_it_as_a_scenario(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.open("tui", "--strategy", "naive")
    terminal.wait_for(r"LIVE storm  naive .* FAULTS 0")
    family = terminal.family()[1:]
    api = proxy_api(family)

    terminal.press("R")
    terminal.wait_for(r"REC 00:\d\d")
    terminal.press("c")
    terminal.wait_for(r"#1 +\+ confirmed")
    terminal.press("f", "6", "r")
    terminal.wait_for(r"reply lost═>gateway")
    terminal.wait_for(r"FAULTS 1 ")
    assert toxics_on(api) == ["reply_lost_6"]
    terminal.press("c")
    terminal.wait_for(r"#2 +! violated .*42\.00 6r")

    terminal.press("Enter")
    terminal.wait_for(r"DIFFERS: PAYMENT saw a ti")
    terminal.wait_for(r"GATEWAY captured 42\.00")
    terminal.press("q", "H")
    terminal.wait_for(r"LIVE storm .* FAULTS 0 .* REC 00:")
    assert toxics_on(api) == []

    terminal.press("R")
    terminal.wait_for(r"no verdict yet: v judges this session")
    terminal.press("v")
    terminal.wait_for(r"CHECKS   \+ validates")
    terminal.press("w")
    terminal.wait_for(r"wrote scenarios/recorded-")
    terminal.press("C-q")
    terminal.wait_for(r"q quit without a verdict")
    family = list({*family, *terminal.family()[1:]})
    terminal.press("q")
    terminal.wait_for("THE PROGRAM HAS LEFT")

    assert survivors(family) == []
    assert_restored(terminal)
    assert_same_verdict_headless(tmp_path)


def assert_restored(terminal: Terminal) -> None:
    """The terminal is as it was: its settings, its screen, its cursor, its mouse."""
    assert terminal.noted("code") == "0"
    assert terminal.noted("after") == terminal.noted("before")
    assert terminal.asked("alternate_on") == "0"
    assert terminal.asked("cursor_flag") == "1"
    assert terminal.asked("mouse_any_flag") == "0"


def assert_same_verdict_headless(folder: Path) -> None:
    """What was kept is a sound scenario, and says of naive what the session said."""
    [kept] = (folder / "scenarios").glob("recorded-*.yaml")
    [judged] = folder.glob(".checkout-sim/runs/*-session-naive-*/verdict.json")
    assert checkout_sim("validate", str(kept), cwd=folder).code == 0

    ended = checkout_sim("run", str(kept), "--json", "again.json", cwd=folder)

    assert ended.code == 0, ended.out + ended.err
    [again] = json.loads((folder / "again.json").read_text())["runs"]
    live = json.loads(judged.read_text())
    assert (again["verdict"], broken(again)) == (live["verdict"], broken(live))
    assert live["verdict"] == "invalid"


def broken(report: dict[str, list[dict[str, object]]]) -> set[tuple[object, object]]:
    """Return which claims are broken, for which checkout."""
    return {(one["invariant"], one["checkout"]) for one in report["violations"]}


def test_a_killed_dashboard_takes_everything_with_it(terminal: Terminal) -> None:
    terminal.open("tui", "--strategy", "naive")
    terminal.wait_for(r"LIVE storm")
    terminal.press("f", "6", "r")
    terminal.wait_for(r"FAULTS 1 ")
    terminal.press("c")
    terminal.wait_for(r"#1 +[~?!]")
    dashboard, *others = terminal.family()[1:]
    assert len(others) >= 5  # engine, fork server, three services, and a proxy server or none

    dashboard.kill()

    terminal.wait_for("THE PROGRAM HAS LEFT")
    assert survivors(others, limit_s=60) == []


def test_a_terminal_made_small_stays_alive_shows_where_things_stand_and_sends_no_harm(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.open("tui", "--strategy", "naive", "--engine", "embedded")
    terminal.wait_for(r"LIVE storm")
    terminal.press("c")
    terminal.wait_for(r"#1 +\+ confirmed")

    terminal.resize(40, 12)
    terminal.wait_for(r"too small to act")
    small = terminal.wait_for(r"#1 +\+ confirmed")
    assert "LIVE" in small
    assert "FAULTS 0" in small
    assert max(map(len, small.splitlines())) <= 40
    terminal.press("c", "f", "R", "2")
    terminal.wait_for(r"^ ?(2 )?Faults|payment > gateway")
    terminal.press("r", "1")
    terminal.wait_for(r"#1 +\+ confirmed")
    terminal.resize(80, 24)
    terminal.wait_for(r"heal all .* cmds$")
    terminal.press("c")
    terminal.wait_for(r"#2 +\+ confirmed")

    terminal.press("C-q")
    terminal.wait_for(r"q quit without a verdict")
    terminal.press("q")
    terminal.wait_for("THE PROGRAM HAS LEFT")
    assert_restored(terminal)
    [history] = tmp_path.glob(".checkout-sim/runs/*/history.ndjson")
    seen = [json.loads(line) for line in history.read_text().splitlines()]
    assert len({one["checkout"] for one in seen if one["kind"] == "client.sent"}) == 2
    assert [one for one in seen if one["kind"] == "fault.injected"] == []


def proxy_api(family: list[psutil.Process]) -> str:
    """Return where the proxy server that was started listens for instructions."""
    for process in family:
        words = process.cmdline()
        if "-port" in words and any("toxiproxy" in word or "proxy" in word for word in words):
            return f"http://127.0.0.1:{words[words.index('-port') + 1]}"
    msg = f"no proxy server among {[one.cmdline() for one in family]}"
    raise AssertionError(msg)


def toxics_on(api: str) -> list[str]:
    """Return what is in force on the proxy server, by its own account."""
    proxies = httpx.get(f"{api}/proxies").json()
    return [toxic["name"] for proxy in proxies.values() for toxic in proxy["toxics"]]
