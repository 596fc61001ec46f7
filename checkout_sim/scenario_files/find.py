"""From what a person types to scenario files: a file, a folder, a name, a number."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from checkout_sim.model.errors import CheckoutSimError
from checkout_sim.scenario_files.names import suggestion

_SUFFIX = ".yaml"


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
        raise CheckoutSimError(f"{target}: no such file{suggestion(target, _texts(known))}")
    named = [path for path in known if target in _names(path)]
    if not named:
        names = sorted({name for path in known for name in _names(path) if not name.isdigit()})
        short = [name for name in names if not name[:1].isdigit()]
        near = suggestion(target, short or names)
        raise CheckoutSimError(f'no scenario is called "{target}"{near}')
    return named


def _texts(known: Sequence[Path]) -> list[str]:
    return [str(path) for path in known]


def _names(path: Path) -> Iterator[str]:
    """Yield what `07-lost-response-silent.yaml` answers to: stem, name, `07` and `7`."""
    yield path.stem
    number, _, name = path.stem.partition("-")
    if number.isdigit() and name:
        yield from (name, number, str(int(number)))
