"""`checkout-sim doctor`: what this machine has and lacks, one line and one next action each.

Looks only; starts nothing that stays, writes nothing that stays.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import typer

from checkout_sim.cli.exits import Exit
from checkout_sim.cli.options import DEFAULT_RUNS_DIR, RunsDir
from checkout_sim.cli.streams import tell

EXAMPLES = """\
  checkout-sim doctor
"""

_OLDEST_PYTHON = (3, 11)
_DESCRIPTORS_WANTED = 1024
_STOLEN_TO_NOTE = 0.01  # one that lost 6 % stood still for up to 1.4 s at a time (measured)
_PACKAGES = (
    "fastapi",
    "faststream",
    "httpx",
    "psycopg",
    "pydantic",
    "rich",
    "ruamel.yaml",
    "sqlmodel",
    "stripe",
    "uvicorn",
)


class Level(StrEnum):
    """How bad a finding is: a fail keeps every run from working, a warn only some."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at; `action` is what to do about it, empty where all is well."""

    level: Level
    what: str
    found: str
    action: str = ""

    def __str__(self) -> str:
        """Return the line a person reads, the action on a line of its own."""
        line = f"{self.level:<4}  {self.what:<15} {self.found}"
        return f"{line}\n{'':<22}→ {self.action}" if self.action else line


def doctor(*, runs_dir: RunsDir = DEFAULT_RUNS_DIR) -> None:
    """Look at this machine and say what is missing.

    Each line begins with ok, warn or fail. Exits 4 if anything fails: no stack could start.
    """
    findings: list[Finding] = []
    for finding in look(runs_dir):
        findings.append(finding)
        tell(str(finding))
    failed = sum(one.level is Level.FAIL for one in findings)
    warned = sum(one.level is Level.WARN for one in findings)
    tell(f"\n{failed} failed, {warned} to note, {len(findings) - failed - warned} ok")
    if failed:
        raise typer.Exit(Exit.NO_STACK)


def look(runs_dir: Path) -> Iterator[Finding]:
    """Yield every finding, in the order in which one would mend them."""
    import tempfile  # noqa: PLC0415 - --help does without

    yield python_version(sys.version_info[:3])
    yield packages(_PACKAGES)
    yield from proxy_servers()
    yield broker()
    yield database()
    yield from ports_of_up()
    yield descriptors()
    yield from (
        writable("runs folder", runs_dir, "choose another with --runs-dir"),
        writable("temp folder", Path(tempfile.gettempdir()), "set TMPDIR to one that can be"),
    )
    yield fork_server()
    yield processors()


def python_version(found: tuple[int, ...]) -> Finding:
    """Judge the interpreter's version."""
    said = f"{'.'.join(map(str, found))} at {sys.executable}"
    if found >= _OLDEST_PYTHON:
        return Finding(level=Level.OK, what="Python", found=said)
    action = "install Python 3.11 or newer and checkout-sim into it"
    return Finding(level=Level.FAIL, what="Python", found=said, action=action)


def packages(names: Iterable[str]) -> Finding:
    """Judge whether what the services import is installed."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - lazy

    present, missing = [], []
    for name in names:
        try:
            present.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding(
            level=Level.FAIL,
            what="packages",
            found=f"missing: {', '.join(missing)}",
            action="install checkout-sim again, with its dependencies",
        )
    return Finding(level=Level.OK, what="packages", found=", ".join(present))


def proxy_servers() -> Iterator[Finding]:
    """Judge which proxy servers there are; the embedded one always is."""
    from checkout_sim.stack.proxy_install import PINNED_VERSION, find_toxiproxy  # noqa: PLC0415

    found = find_toxiproxy()
    if found.program is not None:
        where = f"{found.program} (made for {PINNED_VERSION})"
        yield Finding(level=Level.OK, what="Toxiproxy", found=where)
    else:
        yield Finding(
            level=Level.WARN,
            what="Toxiproxy",
            found=found.explained(),
            action="run `checkout-sim toxiproxy install`; until then the embedded one is used",
        )
    embedded = f"{sys.executable} -m checkout_sim.proxy"
    yield Finding(level=Level.OK, what="embedded proxy", found=embedded)


def broker() -> Finding:
    """Judge which RabbitMQ would be started; only the choreographed strategy needs one."""
    from checkout_sim.model.errors import StackDidNotStart  # noqa: PLC0415 - --help does without
    from checkout_sim.stack.rabbitmq_program import find_rabbitmq  # noqa: PLC0415 - likewise

    try:
        program = find_rabbitmq()
    except StackDidNotStart as missing:
        return _lacking("broker", str(missing))
    version = f"RabbitMQ {program.version}".strip()
    return Finding(level=Level.OK, what="broker", found=f"{version} at {program.server}")


def database() -> Finding:
    """Judge which PostgreSQL would be started; only `--database postgres` needs one."""
    from checkout_sim.model.errors import StackDidNotStart  # noqa: PLC0415 - as above
    from checkout_sim.stack.postgresql_program import (  # noqa: PLC0415 - as above
        find_postgresql,
        require_version,
    )

    try:
        program = find_postgresql()
        version = program.version()
        require_version(version)
    except StackDidNotStart as missing:
        return _lacking("database", str(missing))
    said = f"PostgreSQL {version}".strip()
    return Finding(level=Level.OK, what="database", found=f"{said} at {program.postgres}")


def _lacking(server: str, said: str) -> Finding:
    """Return what keeps some runs from being made, in the words they would be refused with."""
    found, _, action = said.removeprefix(f"{server}: ").partition("; ")
    return Finding(level=Level.WARN, what=server, found=found, action=action)


def ports_of_up() -> Iterator[Finding]:
    """Judge the ports that `up` takes: services and servers one by one, all links in one line."""
    from checkout_sim.scenario_files.shipped import links_path  # noqa: PLC0415 - as above
    from checkout_sim.stack.proxy_api import DEFAULT_PORT  # noqa: PLC0415 - as above
    from checkout_sim.stack.topology import FIXED_PORTS, load_link_map  # noqa: PLC0415 - as above

    for owner, port in [*FIXED_PORTS.items(), ("Toxiproxy", DEFAULT_PORT)]:
        yield fixed_port(port, owner)
    yield from link_ports(
        {int(link.listen.rpartition(":")[2]): link.name for link in load_link_map(links_path())}
    )


def link_ports(links: Mapping[int, str]) -> Iterator[Finding]:
    """Judge the ports links listen on; only those are named that are taken."""
    looked = [fixed_port(port, f"the link {name}") for port, name in links.items()]
    taken = [one for one in looked if one.level is not Level.OK]
    if not taken:
        found = f"{min(links)}-{max(links)} free for the links"
        yield Finding(level=Level.OK, what="link ports", found=found)
    yield from taken


def fixed_port(port: int, owner: str) -> Finding:
    """Judge whether a port of `up` is free, and name its holder where that can be known."""
    import socket  # noqa: PLC0415 - --help does without

    what = f"port {port}"
    with socket.socket() as probe:
        # As servers bind: a connection lingering in TIME_WAIT is no holder.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding(
                level=Level.WARN,
                what=what,
                found=f"{error.strerror}: held by {_holder(port)}",
                action=f"only `up` needs it, for {owner}; `run` takes free ports",
            )
    return Finding(level=Level.OK, what=what, found=f"free for {owner}")


def _holder(port: int) -> str:
    import psutil  # noqa: PLC0415 - only a port that is taken needs it

    try:
        for connection in psutil.net_connections(kind="inet"):
            if connection.status != psutil.CONN_LISTEN or not connection.pid:
                continue
            if tuple(connection.laddr)[1:2] == (port,):
                process = psutil.Process(connection.pid)
                return f"{process.name()} (pid {process.pid})"
    except psutil.Error:
        pass  # another user's process does not tell
    return "a process of another user, or of another container"


def descriptors() -> Finding:
    """Judge how many files and sockets one process may hold open."""
    import resource  # noqa: PLC0415 - POSIX only, and only needed here

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    said = f"{'unlimited' if soft == endless else soft} (RLIMIT_NOFILE)"
    if soft == endless or soft >= _DESCRIPTORS_WANTED:
        return Finding(level=Level.OK, what="open files", found=said)
    most = "more" if hard == endless else min(hard, 4096)
    return Finding(
        level=Level.WARN,
        what="open files",
        found=f"{said}; scenarios of many shoppers want {_DESCRIPTORS_WANTED}",
        action=f"run `ulimit -n {most if isinstance(most, int) else 4096}` before checkout-sim",
    )


def writable(what: str, folder: Path, action: str) -> Finding:
    """Judge whether files can be made in a folder, or where it would be made."""
    import tempfile  # noqa: PLC0415 - --help does without

    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return Finding(
            level=Level.FAIL, what=what, found=f"{folder}: {error.strerror}", action=action
        )
    made = "" if place == folder else " (made by the first run)"
    return Finding(level=Level.OK, what=what, found=f"{folder}: can be written{made}")


def fork_server() -> Finding:
    """Judge whether services can be forked from a warm process, as every run does."""
    from checkout_sim.stack.fork_client import can_fork  # noqa: PLC0415 - --help does without

    if can_fork():
        return Finding(level=Level.OK, what="fork server", found="possible: services start fast")
    return Finding(
        level=Level.WARN,
        what="fork server",
        found=f"not on this {sys.platform}: services start as whole processes, a second slower",
        action="run checkout-sim on Linux 5.3 or newer, which has pidfds",
    )


def processors() -> Finding:
    """Judge how much of the time it asked for this machine was refused by its host since boot."""
    import psutil  # noqa: PLC0415 - --help does without

    times = psutil.cpu_times()
    stolen: float = getattr(times, "steal", 0.0)  # Linux alone counts it (proc(5), "steal")
    return stolen_time(
        psutil.cpu_count() or 1, stolen / max(times.user + times.system + stolen, 1.0)
    )


def stolen_time(count: int, share: float) -> Finding:
    """Judge a share of stolen time, 0 to 1."""
    said = f"{count}, of whose time the host took {share:.1%} since boot"
    if share < _STOLEN_TO_NOTE:
        return Finding(level=Level.OK, what="processors", found=said)
    return Finding(
        level=Level.WARN,
        what="processors",
        found=said,
        action="expect runs to be made again because the machine stood still; see docs/ci.md",
    )
