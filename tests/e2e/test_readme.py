"""Every command of README, run as it stands in a folder like a fresh clone; its curl lines too."""

import json
import re
import shlex
import shutil
import signal
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.command import ROOT, checkout_sim, start, survivors

README = (ROOT / "README.md").read_text(encoding="utf-8")
QUICK = (
    "list",
    "validate",
    "run",
    "runs",
    "explain",
    "replay",
    "report",
    "judge",
    "doctor",
    "schema",
)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scenarios, README's own among them, and one archived run."""
    folder = tmp_path_factory.mktemp("clone")
    shutil.copytree(ROOT / "scenarios", folder / "scenarios")
    shutil.copy(ROOT / "toxiproxy.json", folder)
    (folder / "my-slow-payment.yaml").write_text(scenario_of_readme())
    ended = checkout_sim("run", "my-slow-payment.yaml", "--engine", "embedded", cwd=folder)
    assert ended.code == 0, ended.out + ended.err
    return folder


def scenario_of_readme() -> str:
    (text,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    return str(text)


def quick_commands() -> list[str]:
    shown = re.findall(r"(?:\.venv/bin/|`)checkout-sim ([^`\n]+)", README)
    return sorted({words for words in shown if words.split()[0] in QUICK})


@pytest.mark.parametrize("command", quick_commands())
def test_a_quick_command_of_readme_does_what_it_says(clone: Path, command: str) -> None:
    ended = checkout_sim(*shlex.split(command), cwd=clone)

    assert ended.code == 0, ended.out + ended.err
    assert ended.out or ended.err


def test_readme_shows_every_quick_command() -> None:
    assert {words.split()[0] for words in quick_commands()} == set(QUICK)


def sent_as(line: str) -> Any:
    """Make the request of one curl line and return the answer's JSON."""
    words = iter(shlex.split(line)[1:])
    method, body, headers, url = "GET", None, {}, ""
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-d":
                body = next(words).encode()
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case _:
                url = word
    asked = urllib.request.Request(url, data=body, headers=headers, method=method)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.xdist_group("fixed_ports")
def test_readmes_curl_lines_fill_a_cart_and_place_an_order_and_ctrl_c_ends_up_with_0(
    tmp_path: Path,
) -> None:
    lines = re.findall(r"^curl .*$", README, re.MULTILINE)
    process = start("up", "--engine", "embedded", cwd=tmp_path)
    assert process.stdout is not None
    while (said := process.stdout.readline()) and "Ctrl-C stops it" not in said:
        pass
    assert said, process.communicate()
    cart, placed = [sent_as(line) for line in lines]
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert cart["items"] == [{"productId": "prod1", "quantity": 2, "price": 50}]
    assert placed["order"]["status"] == "confirmed"
    assert placed["order"]["totalAmount"] == 100
    assert process.returncode == 0
    assert survivors(children) == []
