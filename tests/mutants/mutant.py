"""A mutant: one line of a service made wrong, and the shipped scenario that must notice.

Takes the services' folder and gives a copy of it with that one line changed. The copy stands first
on PYTHONPATH, so that the ordinary command runs it; nothing of the tool is changed.
"""

import difflib
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"


class NotApplied(Exception):
    """The line a mutant changes is not there exactly once; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One wrong line. `wrong` says what it does, `file` is below services/.

    `old` stands exactly once in the file and is replaced by `new`. `by` is what must give it away
    when `strategy` runs `scenario`: a claim that breaks, or a surprise as reports key it
    (`confirmed`, `unknown`, `unseen:gateway.replayed`).
    """

    name: str
    wrong: str
    file: str
    old: str
    new: str
    strategy: str
    scenario: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalent:
    """A change that no scenario can tell from the original, and why that is so."""

    name: str
    wrong: str
    file: str
    old: str
    new: str
    because: str


def changed(mutant: Mutant | Equivalent, services: Path = SERVICES) -> str:
    """Return the mutant's file as it then reads. Raises NotApplied."""
    path = services / mutant.file
    if not path.is_file():
        raise NotApplied(f"{mutant.name}: there is no services/{mutant.file}")
    text = path.read_text(encoding="utf-8")
    times = text.count(mutant.old)
    if times != 1:
        raise NotApplied(
            f"{mutant.name}: services/{mutant.file} holds {mutant.old!r} {times} times, expected "
            "exactly once; adapt the mutant to the code as it now stands"
        )
    return text.replace(mutant.old, mutant.new)


def lines_changed(mutant: Mutant | Equivalent) -> int:
    """Return how many lines of the file differ: 1, where a mutant is what it says it is."""
    before = (SERVICES / mutant.file).read_text(encoding="utf-8").splitlines()
    marks = [line[:1] for line in difflib.ndiff(before, changed(mutant).splitlines())]
    return max(marks.count("-"), marks.count("+"))


def mutated(mutant: Mutant, folder: Path) -> Path:
    """Copy the services into `folder`, this one line wrong; return what to put on PYTHONPATH."""
    wrong = changed(mutant)
    ignored = shutil.ignore_patterns("__pycache__")
    copy = Path(shutil.copytree(SERVICES, folder / "services", ignore=ignored))
    (copy / mutant.file).write_text(wrong, encoding="utf-8")
    return folder
