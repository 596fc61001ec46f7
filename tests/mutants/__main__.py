"""`make mutants`: hunt every mutant, two at a time, and print the detection score.

First each scenario of the table runs against the services as they are: where that is not as
expected, what its mutants did would show nothing, and they count as not hunted. Then the mutants.
Then the false alarms: sound strategies over a thousand orders each under mixed faults. Writes
docs/mutants.md with `--write`; ends with 1 when a mutant survived or an alarm was false.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.hunt import CommandFailed, Hunt, hunt, runs_of, surprises_of
from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.score import Alarm, Score, page, plain
from tests.mutants.table import MUTANTS

ALARMS = Path(__file__).parent / "false-alarms.yaml"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only these mutants, or those of these strategies")
    parser.add_argument("--jobs", type=int, default=2, help="hunts at a time")
    parser.add_argument("--write", action="store_true", help="write docs/mutants.md")
    parser.add_argument("--no-alarms", action="store_true", help="leave the false alarms out")
    asked = parser.parse_args()
    os.chdir(ROOT)
    wanted = [m for m in MUTANTS if not asked.names or {m.name, m.strategy} & set(asked.names)]
    refused = dict(unsound(wanted, asked.jobs))
    sound = [m for m in wanted if (m.scenario, m.strategy) not in refused]
    hunts, failed = [], dict[str, str]()
    with ThreadPoolExecutor(asked.jobs) as pool:
        for mutant, found in zip(sound, pool.map(hunted, sound), strict=True):
            if isinstance(found, Hunt):
                hunts.append(found)
                print(plain(found), flush=True)
            else:
                failed[mutant.name] = found
                print(f"{mutant.name}: not hunted: {found}", file=sys.stderr)
    for (scenario, strategy), why in refused.items():
        print(f"{scenario} with {strategy} fails without a mutant: {why}", file=sys.stderr)
    alarms = [] if asked.no_alarms else list(false_alarms(wanted))
    score = Score(hunts=tuple(hunts), alarms=tuple(alarms), unhunted=len(wanted) - len(hunts))
    print(score.summary)
    if asked.write:
        (ROOT / "docs" / "mutants.md").write_text(page(score), encoding="utf-8")
    return 0 if score.is_clean else 1


def hunted(mutant: Mutant) -> Hunt | str:
    """Return the hunt, or why there was none."""
    try:
        return hunt(mutant)
    except CommandFailed as failed:
        return str(failed)


def unsound(mutants: Sequence[Mutant], jobs: int) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield each (scenario, strategy) that is not as expected without a mutant, and why."""
    for strategy in dict.fromkeys(mutant.strategy for mutant in mutants):
        names = list(dict.fromkeys(m.scenario for m in mutants if m.strategy == strategy))
        print(f"{strategy}: {len(names)} scenarios without a mutant …", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="unmutated-") as folder:
            for run in runs_of(names, strategy, folder=Path(folder), jobs=jobs):
                if found := surprises_of(run):
                    yield (str(run["scenario"]), strategy), ", ".join(found)


def false_alarms(mutants: Sequence[Mutant]) -> Iterator[Alarm]:
    """Yield, for each strategy, how many sound orders were judged and what broke nevertheless."""
    for strategy in dict.fromkeys(mutant.strategy for mutant in mutants):
        print(f"{strategy}: false alarms …", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="alarms-") as folder:
            (run,) = runs_of([str(ALARMS)], strategy, folder=Path(folder))
        yield Alarm(
            strategy=strategy, orders=int(run["orders"]["total"]), surprises=surprises_of(run)
        )


if __name__ == "__main__":
    sys.exit(main())
