"""Two thousand keys at random, over every screen and size: no exception, no harm unseen."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.events import Key
from textual.keys import _character_to_key

from checkout_sim.model.command import Close, Command, DraftScenario, LiftAll, Subscribe
from checkout_sim.tui.actions import ALL
from checkout_sim.tui.options import Options
from checkout_sim.tui.screens import VIEWS
from tests.tui.canned import Canned, drawn, running, told_by
from tests.tui.stories import busy

ROUNDS, KEYS_A_ROUND, SEEDS = 40, 25, (1, 2)  # 2,000 keys
SIZES = ((80, 24), (120, 40), (160, 48), (60, 18), (59, 24), (80, 17), (40, 12), (20, 5))
TINY = {(59, 24), (80, 17), (40, 12), (20, 5)}
# Every key of the table, and some that are in none; no editor is opened, and nobody quits.
KEYS = sorted(
    ({key for row in ALL for key in row.keys} | set("0123456789abcz .@") | {"f5", "backspace"})
    - {"E", "ctrl+q"}
)
SCOPES = [scope for scope, _, _ in VIEWS.values()]
HARMLESS = (Subscribe, DraftScenario, LiftAll)
WATCHING = (Subscribe, DraftScenario, Close)


def beyond(commands: Sequence[Command], allowed: tuple[type[Command], ...]) -> list[Command]:
    """Return which commands are none of those allowed."""
    return [command for command in commands if not isinstance(command, allowed)]


def pressed(key: str) -> Key:
    """Return a key as a terminal gives it."""
    return Key(_character_to_key(key), key) if len(key) == 1 else Key(key, None)


@pytest.mark.parametrize("read_only", [False, True], ids=["acting", "read-only"])
@pytest.mark.parametrize("seed", SEEDS)
async def test_random_keys_on_every_screen_at_every_size_break_nothing(
    seed: int, *, read_only: bool, tmp_path: Path
) -> None:
    told, asked = told_by(busy(orders=30).seen), list[Command]()
    monkey = random.Random(seed)  # a monkey, not a secret
    options = Options(
        read_only=read_only, clip=tmp_path / "clip", exports=tmp_path / "exports", fps=1
    )
    numbers = list(range(ROUNDS // 2))
    while numbers:  # help lists quit too, and enter performs it: who has left comes again
        canned = Canned(*told)
        async with running(canned, options, size=SIZES[0]) as (app, pilot):
            while numbers and app.is_running:
                number = numbers.pop(0)
                size = SIZES[number % len(SIZES)]
                await pilot.resize_terminal(*size)
                await drawn(app, pilot, canned)
                before = len(canned.asked)
                await app.show(SCOPES[number % len(SCOPES)])
                # posted, not pressed by Pilot, which lets everything come to rest after each
                for at, key in enumerate(monkey.choices(KEYS, k=KEYS_A_ROUND)):
                    app.post_message(pressed(key))
                    if at % 6 == 5:
                        await pilot.pause()
                await pilot.pause()
                app.draw_now()
                if size in TINY:
                    assert beyond(canned.asked[before:], HARMLESS) == [], f"at {size}"
        asked += canned.asked
    if read_only:
        assert beyond(asked, WATCHING) == []
    else:
        assert beyond(asked, (Subscribe,)), "no key did anything"
