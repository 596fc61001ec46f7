"""Which RabbitMQ would be started: where it is installed, which version, and what it needs.

Takes the machine as it is; gives a program, or the sentence that says how to get one. Costs no
process: the version is read from where Debian and the generic archive unpack the server.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from checkout_sim.model.errors import StackDidNotStart

LEAST_VERSION = (3, 8)
HOW_TO_INSTALL = (
    "install it (Debian, Ubuntu: apt-get install rabbitmq-server; macOS: brew install rabbitmq); "
    "its system service may stay stopped, checkout-sim starts a private one"
)
# The wrapper in /usr/sbin changes to the user of the system service; these scripts do not.
_USUAL = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/homebrew/sbin/rabbitmq-server",
    "/usr/local/sbin/rabbitmq-server",
)
_VERSION = re.compile(r"rabbitmq(?:_server)?[-/](\d+(?:\.\d+)*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitProgram:
    """An installed RabbitMQ; `version` is empty where its path does not tell."""

    server: Path
    epmd: Path
    version: str

    @property
    def installed(self) -> Path:
        """Return the folder of the server, which holds its `sbin` and its `plugins`."""
        return self.server.resolve().parent.parent


def find_rabbitmq() -> RabbitProgram:
    """Return the RabbitMQ to start; StackDidNotStart says what is missing and how to get it."""
    server, epmd = _server(), shutil.which("epmd")
    if server is None or epmd is None or shutil.which("erl") is None:
        missing = "rabbitmq-server" if server is None else "Erlang (erl, epmd)"
        raise StackDidNotStart(
            f"broker: {missing} is not installed, which the choreographed strategy needs; "
            f"{HOW_TO_INSTALL}"
        )
    found = _VERSION.search(str(server.resolve()))
    program = RabbitProgram(
        server=server, epmd=Path(epmd), version="" if found is None else found.group(1)
    )
    if program.version:
        require_version(program.version)
    return program


def require_version(version: str) -> None:
    """Raise StackDidNotStart for a RabbitMQ that is too old."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < LEAST_VERSION:
        least = ".".join(str(part) for part in LEAST_VERSION)
        raise StackDidNotStart(
            f"broker: RabbitMQ {version} is installed, expected {least} or later; upgrade it"
        )


def _server() -> Path | None:
    for usual in _USUAL:
        if Path(usual).exists():
            return Path(usual)
    on_path = shutil.which("rabbitmq-server")
    if on_path is None or Path(on_path).resolve().name == "rabbitmq-script-wrapper":
        return None
    return Path(on_path)
