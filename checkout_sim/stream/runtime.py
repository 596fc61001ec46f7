"""Where engines listen: sockets and their registrations in the user's runtime folder.

Takes nothing but the environment; gives paths. A registration is a small JSON file beside the
socket, `engine-<pid>.json`; it is there from the moment the engine listens until it ends. One whose
process is gone was left by a SIGKILL, and is removed by whoever finds it.
"""

import json
import os
import socket
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from platformdirs import user_runtime_path

from checkout_sim.model.errors import EngineGone

_MOST_BYTES = 107  # of a socket's path on Linux, and a closing NUL (unix(7): sun_path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One engine that runs: where it listens, and what it runs."""

    pid: int
    socket: Path
    strategy: str
    began: str  # UTC, for people
    runs_folder: Path


def runtime_folder() -> Path:
    """Return the folder for sockets, made with mode 0700.

    `XDG_RUNTIME_DIR/checkout-sim`, or a folder of our own in /tmp where that path is too long or
    cannot be had. Raises EngineGone where somebody else owns it.
    """
    with warnings.catch_warnings():  # platformdirs warns that XDG_RUNTIME_DIR is not set
        warnings.simplefilter("ignore")
        preferred = user_runtime_path("checkout-sim")
    fallback = Path("/tmp") / f"checkout-sim-{os.getuid()}"  # noqa: S108 - checked below
    for folder in (preferred, fallback):
        if len(os.fsencode(_socket_in(folder, 2**22))) > _MOST_BYTES:
            continue
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _ours(folder)
    raise EngineGone(
        f"no folder for the engine's socket: neither {preferred} nor {fallback} can be used; set "
        "XDG_RUNTIME_DIR to a folder of your own with a short path"
    )


def socket_path() -> Path:
    """Return where an engine of this process listens."""
    return _socket_in(runtime_folder(), os.getpid())


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Yield a socket that listens at a path, its mode 0600: who may connect may break things.

    Who connects before anybody serves it waits. Raises OSError where there can be no socket.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        path.unlink(missing_ok=True)  # left by a dead process that had our number
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        try:
            listener.listen()
            yield listener
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def registered(engine: Registered) -> Iterator[None]:
    """Let `--attach` find this engine while the block goes on."""
    path = engine.socket.with_suffix(".json")
    said = {**asdict(engine), "socket": str(engine.socket), "runs_folder": str(engine.runs_folder)}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(said) + "\n", encoding="utf-8")
    fresh.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def engines() -> list[Registered]:
    """Return the engines that run, the newest last; what dead ones left is removed."""
    found: list[Registered] = []
    for path in runtime_folder().glob("engine-*.json"):
        engine = _read(path)
        if engine is None or not _lives(engine.pid):
            path.unlink(missing_ok=True)
            path.with_suffix(".sock").unlink(missing_ok=True)
        else:
            found.append(engine)
    return sorted(found, key=lambda engine: engine.began)


def newest() -> Registered:
    """Return the engine that was started last. Raises EngineGone where there is none."""
    running = engines()
    if not running:
        raise EngineGone("no engine runs; start one with `checkout-sim tui`")
    return running[-1]


def _socket_in(folder: Path, pid: int) -> Path:
    return folder / f"engine-{pid}.sock"


def _ours(folder: Path) -> Path:
    """Return the folder if it is ours alone; raises PermissionError."""
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    folder.chmod(0o700)
    return folder


def _read(path: Path) -> Registered | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Registered(
            pid=int(said["pid"]),
            socket=Path(said["socket"]),
            strategy=str(said["strategy"]),
            began=str(said["began"]),
            runs_folder=Path(said["runs_folder"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
