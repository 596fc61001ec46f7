"""From what a person types to scenario files: a file, a folder, a name, a number."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from checkout_sim.model.errors import CheckoutSimError

_SUFFIX = ".yaml"
_MOST_NEAR = 3
_SLIP_OF_THE_PEN = 0.9  # so like one name that no other need be offered


def find_scenarios(targets: Sequence[str], *, roots: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files meant, each once, in the order given; without targets all of the roots'.

    A target is a file, a folder (its `*.yaml`, sorted), the name or number of a scenario in one of
    the roots. Raises CheckoutSimError naming the nearest name.
    """
    known = [path for root in roots for path in sorted(root.glob(f"*{_SUFFIX}"))]
    found: list[Path] = []
    for target in targets:
        found += _of(target, known)
    if not targets:
        found = known
    return tuple(dict.fromkeys(found))


def _of(target: str, known: Sequence[Path]) -> list[Path]:
    path = Path(target)
    if path.is_file():
        return [path]
    if path.is_dir():
        inside = sorted(path.glob(f"*{_SUFFIX}"))
        if not inside:
            raise CheckoutSimError(f"{target}: no *{_SUFFIX} in this folder")
        return inside
    if target.endswith((_SUFFIX, ".yml")) or "/" in target:
        raise CheckoutSimError(f"{target}: no such file{_nearest(path.stem, known)}")
    named = [path for path in known if target in _names(path)]
    if not named:
        raise CheckoutSimError(f'no scenario is called "{target}"{_nearest(target, known)}')
    return named


def _nearest(name: str, known: Sequence[Path]) -> str:
    """Return "; did you mean …?" with three names at most, or nothing where none is like it."""
    meant, names = _unnumbered(name), [_unnumbered(path.stem) for path in known]
    slip = difflib.get_close_matches(meant, names, n=1, cutoff=_SLIP_OF_THE_PEN)
    near = slip or difflib.get_close_matches(meant, names, n=_MOST_NEAR)
    quoted = [f'"{one}"' for one in near]
    return f"; did you mean {' or '.join(quoted)}?" if near else ""


def _unnumbered(stem: str) -> str:
    number, _, name = stem.partition("-")
    return name if number.isdigit() and name else stem


def _names(path: Path) -> Iterator[str]:
    """Yield what `07-lost-response-silent.yaml` answers to: stem, name, `07` and `7`."""
    yield path.stem
    number, _, name = path.stem.partition("-")
    if number.isdigit() and name:
        yield from (name, number, str(int(number)))
