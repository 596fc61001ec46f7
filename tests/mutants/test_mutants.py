"""Is the judge awake? Every mutant is what its table says, and a sample of them is caught.

All of them are hunted by `make mutants`, which takes some minutes.
"""

from pathlib import Path

import pytest

from checkout_sim.model.claims import CORE, EXTENDED
from checkout_sim.scenario_files.load import find_scenarios, link_names, load_scenarios
from tests.mutants.equivalent import EQUIVALENT
from tests.mutants.hunt import hunt
from tests.mutants.mutant import ROOT, Equivalent, Mutant, NotApplied, changed, lines_changed
from tests.mutants.table import MUTANTS, SAMPLE

_PATHS = find_scenarios([str(ROOT / "scenarios")], roots=[])
_LOADED, _ = load_scenarios(_PATHS, links=link_names(ROOT / "toxiproxy.json"))
SHIPPED = {scenario.name: scenario for scenario in _LOADED}
SURPRISES = ("unknown", "confirmed", "verdict:", "held:", "unseen:")
ALL: tuple[Mutant | Equivalent, ...] = (*MUTANTS, *EQUIVALENT)
every = pytest.mark.parametrize("mutant", MUTANTS, ids=[one.name for one in MUTANTS])


def test_there_are_forty_at_least_and_each_has_a_name_of_its_own() -> None:
    names = [mutant.name for mutant in ALL]

    assert len(MUTANTS) >= 40
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("mutant", ALL, ids=[one.name for one in ALL])
def test_a_mutant_is_one_line_that_still_compiles(mutant: Mutant | Equivalent) -> None:
    assert lines_changed(mutant) == 1
    compile(changed(mutant), mutant.file, "exec")


@every
def test_a_mutant_names_a_shipped_scenario_that_its_strategy_must_pass(mutant: Mutant) -> None:
    expected = SHIPPED[mutant.scenario].expect[mutant.strategy]

    assert expected.verdict == "valid"
    assert mutant.by in (*CORE, *EXTENDED) or mutant.by.startswith(SURPRISES)


def test_a_line_that_is_not_there_exactly_once_is_told(tmp_path: Path) -> None:
    (tmp_path / "order").mkdir()
    (tmp_path / "order" / "order.py").write_text("same\nsame\n")
    told = {"file": "order/order.py", "new": "other", "wrong": "", "because": ""}
    twice, absent = Equivalent(name="A", old="same", **told), Equivalent(name="B", old="no", **told)

    with pytest.raises(NotApplied, match=r"A: services/order/order.py holds 'same' 2 times"):
        changed(twice, tmp_path)
    with pytest.raises(NotApplied, match=r"B: .* 0 times, expected exactly once"):
        changed(absent, tmp_path)


@pytest.mark.parametrize(
    "mutant", [one for one in MUTANTS if one.name in SAMPLE], ids=lambda mutant: mutant.name
)
def test_a_mutant_of_the_sample_is_caught_by_what_its_table_names(mutant: Mutant) -> None:
    assert mutant.by in hunt(mutant).surprises
