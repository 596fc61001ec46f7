"""Whatever is pressed: no exception, and no harm from a screen too small to see it."""

import random
from pathlib import Path

import pytest

from checkout_sim.model.command import LiftAll
from checkout_sim.tui.options import Options
from tests.tui.canned import Canned, running, told_by
from tests.tui.stories import busy

KEYS = [
    *"1567jkgGnNHuUcRfmyes/vhil+_[]? ",
    *("enter", "escape", "tab", "shift+tab", "colon", "question_mark", "up", "down", "space"),
    *("6", "r", "P", "K", "ctrl+d", "ctrl+u", "pagedown", "home", "end", "q", "backspace"),
]


@pytest.mark.parametrize("seed", [1, 2])
async def test_hundreds_of_random_keys_break_nothing(seed: int, tmp_path: Path) -> None:
    canned = Canned(*told_by(busy(orders=30).seen))
    drawn = random.Random(seed)  # a monkey, not a secret
    options = Options(clip=tmp_path / "clip", exports=tmp_path / "exports")
    async with running(canned, options, size=(100, 30)) as (app, pilot):
        for _ in range(30):
            await pilot.press(*drawn.choices(KEYS, k=10))
            app.draw_now()
        assert app.is_running


async def test_random_keys_on_a_tiny_screen_send_nothing_but_healing(tmp_path: Path) -> None:
    canned = Canned(*told_by(busy().seen))
    drawn = random.Random(3)
    options = Options(clip=tmp_path / "clip", exports=tmp_path / "exports")
    async with running(canned, options, size=(50, 12)) as (_, pilot):
        for _number in range(20):
            await pilot.press(*drawn.choices(KEYS, k=10))
    assert {type(command) for command in canned.sent} <= {LiftAll}
