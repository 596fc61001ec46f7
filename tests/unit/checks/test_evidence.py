"""The index forgets nothing, wherever it is kept and whatever the order of the story."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkout_sim.checks.evidence import Evidence, OrderNumbers
from checkout_sim.checks.history import History
from checkout_sim.checks.judge import judge, judge_observations
from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.model.verdict import Broken, Verdict
from checkout_sim.ndjson import encode, read_lines
from tests.histories import Tale

# Ways in which one purchase can go, sound or not; each checkout is told one of them.
_WAYS = st.fixed_dictionaries(
    {
        "ends": st.sampled_from(["confirmed", "failed", "canceled", "pending"]),
        "payment": st.sampled_from(["completed", "failed", "refunded", "pending"]),
        "charged_minor": st.sampled_from([None, 4100, 4200]),
        "row": st.booleans(),
        "told": st.sampled_from(["confirmed", "failed", "refused", "unknown"]),
    }
)


def found(verdict: Verdict) -> set[tuple[str, str | None, int | None]]:
    return {
        (violation.invariant, violation.order_id, violation.checkout)
        for finding in verdict.findings.values()
        if isinstance(finding, Broken)
        for violation in finding.violations
    }


@settings(max_examples=40, deadline=None)
@given(ways=st.lists(_WAYS, min_size=1, max_size=6), shuffled=st.randoms(use_true_random=False))
def test_the_order_of_independent_purchases_does_not_matter(
    ways: list[dict[str, Any]], shuffled: Random
) -> None:
    numbered = list(enumerate(ways, start=1))
    straight, other = Tale(), Tale()
    for checkout, way in numbered:
        straight.bought(checkout, **way)
    shuffled.shuffle(numbered)
    for checkout, way in numbered:
        other.bought(checkout, **way)

    assert found(straight.verdict()) == found(other.verdict())


@settings(max_examples=40, deadline=None)
@given(ways=st.lists(_WAYS, min_size=1, max_size=5), place=st.integers(0, 5))
def test_a_sound_purchase_more_changes_no_finding(ways: list[dict[str, Any]], place: int) -> None:
    alone, joined = Tale(), Tale()
    for checkout, way in enumerate(ways, start=1):
        alone.bought(checkout, **way)
        if checkout == place:
            joined.bought(99, told="confirmed")
        joined.bought(checkout, **way)
    if place not in range(1, len(ways) + 1):
        joined.bought(99, told="confirmed")

    assert found(alone.verdict()) == found(joined.verdict())


def story() -> Tale:
    tale = Tale()
    tale.bought(1, told="confirmed")
    tale.bought(2, ends="failed", payment="failed", told="failed")
    return tale.ended()


def test_a_history_on_disk_is_judged_like_one_in_memory(tmp_path: Path) -> None:
    tale, path = story(), tmp_path / "evidence.db"
    Evidence.at(path).extend(tale.seen).finish().close()
    history = History.open(path)

    assert judge(history) == judge_observations(tale.seen)
    history.close()


def test_a_history_read_back_from_its_lines_earns_the_same_verdict() -> None:
    tale = story()
    lines = [encode(seen) for seen in tale.seen]

    again = judge_observations(read_lines(lines, named="history.ndjson"))
    assert again == judge_observations(tale.seen)


def test_evidence_at_a_path_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "evidence.db"
    for _ in range(2):
        Evidence.at(path).extend(story().seen).finish().close()
    history = History.open(path)

    assert history.size("order_row") == 2
    history.close()


def test_an_index_of_another_version_is_refused_with_the_next_step(tmp_path: Path) -> None:
    path = tmp_path / "evidence.db"
    path.write_bytes(b"")

    with pytest.raises(HistoryUnreadable, match="delete the file and judge the run again"):
        History.open(path)


def test_a_missing_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(HistoryUnreadable, match=r"absent\.db: not an index of a history"):
        History.open(tmp_path / "absent.db")


def test_orders_keep_their_numbers_when_memory_forgets_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tale = story()
    for checkout in range(3, 30):
        tale.bought(checkout, told="confirmed")
    tale.ended()
    remembered = judge_observations(tale.seen)
    monkeypatch.setattr(OrderNumbers, "_MOST_REMEMBERED", 3)

    assert judge_observations(tale.seen) == remembered
