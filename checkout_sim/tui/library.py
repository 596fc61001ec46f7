"""The scenario files an operator may run, read off the screen's thread.

Takes folders, gives an entry for every file in them, sound or not: what is wrong with a file is
shown in its row and stops no other. Reading is slow (pydantic, dozens of files), so names come at
once, contents as they are read, and what has not changed on the disk is not read again.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from checkout_sim.board.scenario_rows import Entry
from checkout_sim.model.errors import CheckoutSimError, Problem

_AT_ONCE = 4  # files read between two looks at the list

_Stamp = tuple[int, int]  # when it was written last, and its size


class Library:
    """What was read so far, by file."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Stamp, Entry]] = {}

    def entries(self, folders: Iterable[Path]) -> Iterator[tuple[Entry, ...]]:
        """Yield every `*.yaml` of the folders, each once, again and again until all are read.

        Call it from a worker thread. Raises nothing.
        """
        found = {path: _stamp(path) for path in _files_in(folders)}
        yield self._list(found)
        wanted = [path for path, stamp in found.items() if self._fresh(path, stamp) is None]
        links, trouble = _links() if wanted else ((), "")
        for number, path in enumerate(wanted, start=1):
            self._known[path] = (found[path], _entry(path, links, trouble))
            if number % _AT_ONCE == 0 or number == len(wanted):
                yield self._list(found)

    def _fresh(self, path: Path, stamp: _Stamp) -> Entry | None:
        known = self._known.get(path)
        return known[1] if known is not None and known[0] == stamp else None

    def _list(self, found: dict[Path, _Stamp]) -> tuple[Entry, ...]:
        return tuple(
            self._fresh(path, stamp) or Entry(str(path), path.stem, None, pending=True)
            for path, stamp in found.items()
        )


def read_entry(path: Path) -> Entry:
    """Return one file's entry, as after it was edited. Raises nothing."""
    links, trouble = _links()
    return _entry(path, links, trouble)


def _files_in(folders: Iterable[Path]) -> list[Path]:
    files: dict[Path, Path] = {}
    for folder in folders:
        try:
            found = sorted(folder.glob("*.yaml"))
        except OSError:
            continue  # a folder that cannot be listed offers nothing
        for path in found:
            files.setdefault(path.resolve(), path)
    return list(files.values())


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _links() -> tuple[tuple[str, ...], str]:
    """Return the links there are, or why the map of links cannot be read."""
    # Imported here: pydantic takes 100 ms, which the first paint does without.
    from checkout_sim.scenario_files.load import link_names  # noqa: PLC0415
    from checkout_sim.scenario_files.shipped import links_path  # noqa: PLC0415

    try:
        return tuple(link_names(links_path())), ""
    except (CheckoutSimError, OSError) as error:
        return (), str(error)


def _entry(path: Path, links: tuple[str, ...], trouble: str) -> Entry:
    from checkout_sim.scenario_files.load import load_scenarios  # noqa: PLC0415 - as above

    if trouble:
        return Entry(str(path), path.stem, None, (_problem(path, trouble),))
    try:
        scenarios, problems = load_scenarios((path,), links=links)
    except (CheckoutSimError, OSError, ValueError) as error:
        return Entry(str(path), path.stem, None, (_problem(path, str(error)),))
    return Entry(str(path), path.stem, scenarios[0] if scenarios else None, problems)


def _problem(path: Path, message: str) -> Problem:
    return Problem(path=str(path), line=1, column=1, message=message)
