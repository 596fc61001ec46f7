"""Finds the real toxiproxy-server, or fetches it: the release's file, else a build from source.

A fetched copy lives in the cache folder under its sha256; the record beside it is replaced in one
step, so two installs at once do no harm. A copy whose sum is not the recorded one is not started.
Sources: github.com/Shopify/toxiproxy releases and `.goreleaser.yml` (names of the files).
"""

import asyncio
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.request import urlopen

from platformdirs import user_cache_dir

from checkout_sim.model.errors import StackDidNotStart

PINNED_VERSION = "2.12.0"
RELEASE = f"https://github.com/Shopify/toxiproxy/releases/download/v{PINNED_VERSION}"
MODULE = "github.com/Shopify/toxiproxy/v2"
PROGRAM = "toxiproxy-server"
DOWNLOAD_LIMIT_S = 60.0
BUILD_LIMIT_S = 300.0
SOCKET_LIMIT_S = 15.0
GO_HOME = Path("/usr/local/go/bin/go")  # where go.dev/doc/install puts it, often not on PATH
NEXT_ACTION = (
    f"put {PROGRAM} {PINNED_VERSION} on PATH, pass --toxiproxy-url, "
    "or run: checkout-sim toxiproxy install"
)

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundToxiproxy:
    """Where a real server is, and what would be there to build one; found without side effects."""

    on_path: Path | None
    cached: Path | None
    cache_problem: str  # why there is no cached copy, "" if there is one
    go: Path | None

    @property
    def program(self) -> Path | None:
        """The one to start: on PATH before cached."""
        return self.on_path or self.cached

    def explained(self) -> str:
        """Say in one line what was found where."""
        return "; ".join(
            [
                f"on PATH: {self.on_path}" if self.on_path else "not on PATH",
                f"cached: {self.cached}" if self.cached else self.cache_problem,
                f"go: {self.go}" if self.go else "go: not found",
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledToxiproxy:
    """A real server that can be started, and how it came to be there."""

    path: Path
    how: Literal["on PATH", "cached", "downloaded", "built"]
    sha256: str
    note: str


def cache_folder() -> Path:
    """Give the folder for fetched programs; CHECKOUT_SIM_CACHE names another."""
    return Path(os.environ.get("CHECKOUT_SIM_CACHE") or user_cache_dir("checkout-sim"))


def find_toxiproxy() -> FoundToxiproxy:
    """Look for a real server on PATH and in the cache, verifying the cached copy's sha256."""
    on_path = shutil.which(PROGRAM)
    go = shutil.which("go") or (str(GO_HOME) if os.access(GO_HOME, os.X_OK) else None)
    cached, problem = _cached()
    return FoundToxiproxy(
        on_path=Path(on_path) if on_path else None,
        cached=cached,
        cache_problem=problem,
        go=Path(go) if go else None,
    )


def _record_path() -> Path:
    return cache_folder() / "toxiproxy" / f"{PINNED_VERSION}.json"


def _cached() -> tuple[Path | None, str]:
    record = _record_path()
    try:
        recorded = str(json.loads(record.read_text(encoding="utf-8"))["sha256"])
    except FileNotFoundError:
        return None, "no cached copy"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return None, f"cached copy ignored: {record} cannot be read ({error})"
    program = record.parent / recorded / PROGRAM
    try:
        found = sha256_of(program)
    except OSError as error:
        return None, f"cached copy ignored: {program} cannot be read ({error})"
    if found != recorded:
        return None, f"cached copy ignored: {program} has sha256 {found}, recorded was {recorded}"
    return program, ""


def sha256_of(path: Path) -> str:
    """Give a file's sha256 in hexadecimal; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def install_toxiproxy(*, progress: Progress) -> InstalledToxiproxy:
    """Make a real server available: nothing if there is one, else download it, else build it.

    Takes up to 60 s to download and 5 min to build; raises StackDidNotStart saying what failed.
    """
    found = find_toxiproxy()
    if found.program is not None:
        progress(f"{PROGRAM}: {found.explained()}; nothing to do")
        return InstalledToxiproxy(
            path=found.program,
            how="on PATH" if found.on_path else "cached",
            sha256=sha256_of(found.program),
            note="was there already",
        )
    if found.cache_problem != "no cached copy":
        progress(found.cache_problem)
    folder = cache_folder() / "toxiproxy"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="install-") as temporary:
        try:
            built = await _download(Path(temporary), progress)
            how, note = "downloaded", "sha256 checked against the release's own list"
        except (OSError, ValueError) as error:
            progress(f"download failed: {error}")
            built = await _build(found.go, Path(temporary), progress, because=str(error))
            how, note = "built", f"built from {MODULE}@v{PINNED_VERSION} by go"
        path, checksum = _keep(built, folder=folder, source=note)
    progress(f"{PROGRAM} {PINNED_VERSION} {how}: {path} (sha256 {checksum}; {note})")
    return InstalledToxiproxy(
        path=path, how="downloaded" if how == "downloaded" else "built", sha256=checksum, note=note
    )


def asset_name() -> str:
    """Give the release's name for this system's server, as `.goreleaser.yml` forms it."""
    system = "solaris" if sys.platform == "sunos5" else platform.system().lower()
    machine = platform.machine().lower()
    architecture = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armv7", "armv6l": "armv6"}
    suffix = ".exe" if system == "windows" else ""
    return f"{PROGRAM}-{system}-{architecture.get(machine, machine)}{suffix}"


async def _download(folder: Path, progress: Progress) -> Path:
    """Fetch the release's file and compare its sha256 with the release's list."""
    asset = asset_name()
    progress(f"downloading {RELEASE}/{asset}")
    try:
        async with asyncio.timeout(DOWNLOAD_LIMIT_S):
            sums = (await asyncio.to_thread(_fetch, "checksums.txt")).decode()
            content = await asyncio.to_thread(_fetch, asset)
    except TimeoutError:
        raise OSError(f"not done within {DOWNLOAD_LIMIT_S:.0f} s") from None
    listed = {name: checksum for checksum, name in (line.split() for line in sums.splitlines())}
    found = hashlib.sha256(content).hexdigest()
    if listed.get(asset) != found:
        raise ValueError(f"{asset} has sha256 {found}, the release lists {listed.get(asset)}")
    path = folder / PROGRAM
    path.write_bytes(content)
    return path


def _fetch(name: str) -> bytes:
    with urlopen(f"{RELEASE}/{name}", timeout=SOCKET_LIMIT_S) as response:  # noqa: S310 constant https address
        content: bytes = response.read()
    return content


async def _build(go: Path | None, folder: Path, progress: Progress, *, because: str) -> Path:
    """Build the pinned version; Go checks the module's sum against its public log."""
    if go is None:
        raise StackDidNotStart(
            f"{PROGRAM} cannot be had: download failed: {because}; go: not found. "
            f"To go on: {NEXT_ACTION}, or use --engine embedded"
        )
    progress(f"building {MODULE}/cmd/server@v{PINNED_VERSION} with {go}")
    version = f"-s -w -X {MODULE}.Version={PINNED_VERSION}"  # as the release does
    process = await asyncio.create_subprocess_exec(
        *(str(go), "install", "-trimpath", "-ldflags", version),
        f"{MODULE}/cmd/server@v{PINNED_VERSION}",
        env={**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(BUILD_LIMIT_S):
            _, said = await process.communicate()
    except TimeoutError:
        said = f"not done within {BUILD_LIMIT_S:.0f} s".encode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise StackDidNotStart(
            f"{PROGRAM} cannot be had: download failed: {because}; "
            f"go install failed: {said.decode(errors='replace').strip()[-500:]}. "
            f"To go on: {NEXT_ACTION}, or use --engine embedded"
        )
    return (folder / "server").rename(folder / PROGRAM)


def _keep(built: Path, *, folder: Path, source: str) -> tuple[Path, str]:
    """Move the program to where its sum says, then record it; each step is one rename."""
    built.chmod(0o755)
    checksum = sha256_of(built)
    path = folder / checksum / PROGRAM
    path.parent.mkdir(exist_ok=True)
    built.replace(path)
    record = _record_path()
    draft = built.with_name("record.json")
    draft.write_text(
        json.dumps({"version": PINNED_VERSION, "sha256": checksum, "source": source}),
        encoding="utf-8",
    )
    draft.replace(record)
    return path, checksum
