"""The scenario files an operator may run, read off the screen's thread.

Takes folders, gives an entry for every file in them, sound or not: what is wrong with a file is
shown in its row and stops no other. Slow (pydantic, 30 files): call it from a worker thread.
"""

from collections.abc import Iterable
from pathlib import Path

from checkout_sim.board.scenario_rows import Entry
from checkout_sim.model.errors import CheckoutSimError, Problem


def read_library(folders: Iterable[Path]) -> tuple[Entry, ...]:
    """Return every `*.yaml` of the folders, each once, by folder and name. Raises nothing."""
    files: dict[Path, Path] = {}
    for folder in folders:
        for path in _files_in(folder):
            files.setdefault(path.resolve(), path)
    links, trouble = _links()
    return tuple(_entry(path, links, trouble) for path in files.values())


def read_entry(path: Path) -> Entry:
    """Return one file's entry, as after it was edited. Raises nothing."""
    links, trouble = _links()
    return _entry(path, links, trouble)


def _files_in(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.yaml"))
    except OSError:
        return []  # a folder that cannot be listed offers nothing


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
