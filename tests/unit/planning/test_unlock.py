"""A lock read back is the plan that was run, and gives the same bytes when it is written again."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.model.scenario import Scenario
from checkout_sim.planning.expand import expand
from checkout_sim.planning.lock import lock_text
from checkout_sim.planning.lock_syntax import NotALock, read, write
from checkout_sim.planning.unlock import unlock
from checkout_sim.scenario_files.load import link_names, load_scenario
from tests.unit.planning.scenarios import scenario

ROOT = Path(__file__).parents[3]
LINKS = link_names(ROOT / "toxiproxy.json")
CATALOGUE = sorted(ROOT.glob("scenarios/*.yaml"))
VERSIONS = {"tool": "0.1.0", "python": "3.11"}


def locked(story: Scenario) -> str:
    return lock_text(expand(story, seed=7), story, strategy="naive", versions=VERSIONS)


@pytest.mark.parametrize("path", CATALOGUE, ids=lambda path: path.stem)
def test_every_shipped_scenario_comes_back_as_plan_and_as_bytes(path: Path) -> None:
    story = load_scenario(path, links=LINKS)
    text = locked(story)
    back = unlock(text, named="scenario.lock")

    assert (back.plan, back.scenario, back.strategy) == (expand(story, seed=7), story, "naive")
    again = lock_text(back.plan, back.scenario, strategy=back.strategy, versions=back.versions)
    assert again == text


def test_a_whole_figure_of_a_fraction_comes_back_as_a_fraction() -> None:
    back = unlock(locked(scenario()), named="x")

    assert type(back.plan.stack.time_scale) is float


scalars = st.none() | st.booleans() | st.integers() | st.text() | st.floats(-1e6, 1e6)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), values, min_size=1, max_size=4))
def test_whatever_is_written_is_read_back(value: dict[str, object]) -> None:
    assert read("\n".join(write(value)) + "\n") == value


@given(st.dictionaries(st.sampled_from("abc"), values, min_size=1, max_size=3))
def test_what_is_written_is_yaml_to_others_as_well(value: dict[str, object]) -> None:
    text = "\n".join(write(value)) + "\n"
    if text.isprintable() or text.replace("\n", "").isprintable():  # YAML bars control characters
        assert YAML(typ="safe", pure=True).load(text) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("a: 1\na: 2\n", "line 2: a is said twice"),
        ("a:\n", "a value was expected"),
        ("a: [1, 2\n", "line 1: .*does not end"),
        ("a: [1] 2\n", "line 1: .*list"),
        ('a: "x\n', "line 1: neither"),
        ("a: {b: 1}\n", "line 1: neither"),
        ("a: b c\n", "line 1: neither"),
        ("a: 1\n    b: 2\n", "line 2: indented deeper"),
        ("a\n", "line 1"),
        ("- 1\n", "a list where keys"),
    ],
)
def test_what_the_writer_never_writes_is_refused_by_line(text: str, told: str) -> None:
    with pytest.raises(NotALock, match=told):
        read(text)


def test_a_comment_on_its_own_line_is_no_part_of_a_lock() -> None:
    assert read("# one\na: 1\n# two\nb: [x]\n") == {"a": 1, "b": ["x"]}


@pytest.mark.parametrize("version", [0, 2, None])
def test_a_lock_of_another_version_is_refused_naming_who_wrote_it(version: int | None) -> None:
    text = locked(scenario()).replace("lock_version: 1", f"lock_version: {version or 'null'}")

    with pytest.raises(HistoryUnreadable, match=r"x/scenario.lock: lock_version is .*0\.1\.0"):
        unlock(text, named="x/scenario.lock")


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("is: Checkout\n", "is: Chequeout\n"),
        ("patience_ms:", "patience:"),
        ("asked:", "wanted:"),
        ("digest:", "digested:"),
        ("seed: 7\n", "seed: 7 8\n"),
    ],
)
def test_a_damaged_lock_says_where_and_what_to_do_instead(was: str, becomes: str) -> None:
    text = locked(scenario())
    assert was in text

    with pytest.raises(HistoryUnreadable, match=r"scenario.lock: .*checkout-sim run NAME"):
        unlock(text.replace(was, becomes), named="scenario.lock")


def test_a_lock_cut_short_is_refused() -> None:
    text = locked(scenario())

    with pytest.raises(HistoryUnreadable):
        unlock(text[: len(text) // 2], named="scenario.lock")
