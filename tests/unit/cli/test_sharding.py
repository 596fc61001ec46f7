"""Shards are a partition: every scenario runs in exactly one part, whatever the order of files."""

import random

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from checkout_sim.cli.targets import Shard, shard_of, sharded
from checkout_sim.model.scenario import Scenario


def story(name: str) -> Scenario:
    return Scenario(name=name, why="", path=f"{name}.yaml", digest="", invariants=(), expect={})


@given(st.sets(st.text("abc", max_size=4), max_size=30), st.integers(1, 9), st.randoms())
def test_every_scenario_is_in_exactly_one_part(
    names: set[str], parts: int, chance: random.Random
) -> None:
    stories = [story(name) for name in sorted(names)]
    dealt = []
    for place in range(1, parts + 1):
        chance.shuffle(stories)
        dealt.append(sharded(stories, Shard(place=place, parts=parts)))

    assert sorted(one.name for part in dealt for one in part) == sorted(names)
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1


@pytest.mark.parametrize("said", ["0/5", "6/5", "2", "2/", "/5", "a/b", "-1/5", "2/5/7", "02/5"])
def test_what_is_no_part_of_a_whole_is_refused(said: str) -> None:
    with pytest.raises(typer.BadParameter, match="write K/N"):
        shard_of(said)


def test_a_part_is_read_as_it_is_written() -> None:
    assert shard_of("2/5") == Shard(place=2, parts=5)
