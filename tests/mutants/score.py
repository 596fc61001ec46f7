"""The detection score: how many mutants were caught and by what, as a line, a table and a page."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.mutants.equivalent import EQUIVALENT
from tests.mutants.hunt import Hunt


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A sound strategy under mixed faults: `surprises` are false alarms, and should be none."""

    strategy: str
    orders: int
    surprises: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What came of hunting. `unhunted` mutants could not be run, or their scenario is unsound."""

    hunts: tuple[Hunt, ...]
    alarms: tuple[Alarm, ...]
    unhunted: int

    @property
    def survivors(self) -> tuple[Hunt, ...]:
        """Return the mutants that nothing caught."""
        return tuple(found for found in self.hunts if not found.caught)

    @property
    def is_clean(self) -> bool:
        """Return whether every mutant was hunted and caught, and no alarm was false."""
        return not (self.survivors or self.unhunted or any(one.surprises for one in self.alarms))

    @property
    def summary(self) -> str:
        """Return the score in one line."""
        total = len(self.hunts) + self.unhunted
        said = f"{total - self.unhunted - len(self.survivors)} of {total} mutants caught"
        if self.unhunted:
            said += f", {self.unhunted} not hunted"
        said += f", {len(EQUIVALENT)} argued to be equivalent"
        if self.alarms:
            false = sum(bool(one.surprises) for one in self.alarms)
            orders = sum(one.orders for one in self.alarms)
            said += f"; {false} false alarms over {orders:,} sound orders"
        if self.survivors:
            said += f"; survived: {', '.join(found.mutant.name for found in self.survivors)}"
        return said


def plain(found: Hunt) -> str:
    """Return one line for a terminal."""
    mutant = found.mutant
    became = "caught" if found.caught else "SURVIVED"
    by = ", ".join(_by(found)) or f"expected {mutant.by}"
    return f"{became:<9} {mutant.name:<14} {mutant.strategy} {mutant.scenario} ({by}) "


def page(score: Score) -> str:
    """Return docs/mutants.md."""
    return "\n".join([*_opening(score), *_table(score), *_false_alarms(score), *_equivalents()])


def _opening(score: Score) -> Iterator[str]:
    yield from (
        "# Mutants: is the judge awake?",
        "",
        f"**{score.summary}.**",
        "",
        "A mutant is one line of a service made wrong, in a copy. The ordinary command runs one",
        "shipped scenario against it, and the mutant is caught when that scenario's own `expect:`",
        "is not met. The same scenarios are as expected without a mutant: `make mutants` looks",
        "first. What catches it is a broken claim or, in `code`, a surprise: too few confirmed, an",
        "event that was promised and not seen, a run that could not be decided.",
        "",
        "`make mutants` makes this page; the table is in `tests/mutants/`.",
        "",
    )


def _table(score: Score) -> Iterator[str]:
    for strategy in dict.fromkeys(found.mutant.strategy for found in score.hunts):
        own = [found for found in score.hunts if found.mutant.strategy == strategy]
        caught = sum(found.caught for found in own)
        yield from (
            f"## {strategy}: {caught} of {len(own)}",
            "",
            "| mutant | what is wrong | in | scenario | caught by |",
            "|---|---|---|---|---|",
        )
        for found in own:
            mutant = found.mutant
            by = ", ".join(_by(found)) if found.caught else "**survived**"
            where = f"`{mutant.file}`"
            yield f"| {mutant.name} | {mutant.wrong} | {where} | {mutant.scenario} | {by} |"
        yield ""


def _by(found: Hunt) -> list[str]:
    """Return what gave a mutant away: claims first, surprises of other kinds where there is none.

    What the table names comes first.
    """
    claims = [key for key in found.surprises if key.isidentifier() and "_" in key]
    shown = claims or [f"`{key}`" for key in found.surprises]
    return sorted(shown, key=lambda key: key.strip("`") != found.mutant.by)


def _false_alarms(score: Score) -> Iterator[str]:
    if not score.alarms:
        return
    yield from ("## False alarms", "", "| strategy | orders | false alarms |", "|---|---|---|")
    for one in score.alarms:
        yield f"| {one.strategy} | {one.orders:,} | {', '.join(one.surprises) or 'none'} |"
    yield from (
        "",
        "One run each of `tests/mutants/false-alarms.yaml`: every fault the swarm has, at random,",
        "and every claim judged that speaks of the end.",
        "",
    )


def _equivalents() -> Iterator[str]:
    yield from ("## Equivalent, and why", "")
    for one in EQUIVALENT:
        yield f"- **{one.name}** (`{one.file}`): {one.wrong}. {one.because}"
    yield ""
