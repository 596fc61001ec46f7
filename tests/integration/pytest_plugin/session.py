"""pytest as a person uses it: a process in a folder of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 120
_OUTCOMES = {"PASSED", "FAILED", "ERROR"}
OURS = ("PYTEST_", "TOXIPROXY_URL", "COV_")  # what this suite's own session was told

LOST = """\
version: 1
name: lost
why: The answer of one charge never comes back.
stack: {time_scale: 0.5}
load: {checkouts: 3}
faults:
  - name: swallow
    link: payment_to_gateway
    toxic: timeout
    stream: downstream
    attributes: {timeout: 0ms}
    from: {before_checkout: 2}
    until: {before_checkout: 3}
expect:
  naive: valid
  hardened: {verdict: valid, confirmed: 3}
"""
CALM = """\
version: 1
name: calm
why: Nothing fails.
load: {checkouts: 2}
expect: {hardened: valid}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A session that ended; `out` is both of its streams."""

    code: int
    out: str

    @property
    def outcomes(self) -> set[tuple[str, str]]:
        """Return what became of each node, as `-rA` sums it up."""
        words = [line.split(" - ")[0].split() for line in self.out.splitlines()]
        return {(line[1], line[0]) for line in words if len(line) == 2 and line[0] in _OUTCOMES}


def pytest_in(folder: Path, *arguments: str, installed: bool = False, **environment: str) -> Ended:
    """Run pytest in a folder, warnings being errors, and wait for its end.

    `installed` leaves it to pytest to find its plugins; else there is ours alone, as fast as it is.
    """
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    if not installed:
        arguments = ("-p", "checkout_sim.pytest_plugin", *arguments)
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    told = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--strict-markers", "-rA"),
            *("--checkout-engine=embedded", f"--basetemp={folder / 'kept'}", *arguments),
        ],
        cwd=folder,
        env={**told, "NO_COLOR": "1", "COLUMNS": "100", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    return Ended(code=ended.returncode, out=ended.stdout)
