"""Every screen of the dashboard, standing still: what snapshots compare and the pages show.

Takes a name of `SCENES`; gives the screen as SVG and as text. Stories, ids and clock are fixed, so
that the same program draws the same cells on every machine. An SVG names no font that would have to
be fetched, and carries no id drawn at random.

    async with scene("faults", folder, size=WIDE) as app:
        svg_of(app), text_of(app)

`python -m tests.tui.gallery` writes docs/images/tui-*.svg.
"""

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, chdir, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

from checkout_sim.model.answer import Draft, DraftItem, Judged, Streamed
from checkout_sim.model.claims import CORE
from checkout_sim.model.verdict import Violation
from checkout_sim.tui.app import CheckoutSimApp
from checkout_sim.tui.link import EngineLink
from checkout_sim.tui.options import Options
from checkout_sim.tui.screens.scenarios import ScenariosView
from checkout_sim.tui.widgets.stream_table import StreamTable
from tests.tui.canned import Canned, drawn, shown, told_by
from tests.tui.standing import SMALL, WIDE, Standing
from tests.tui.stories import busy

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PICTURED = ("dashboard", "faults", "order", "violations", "review")

_SCENARIO = """\
version: 1
name: {name}
why: {why}
load: {{checkouts: 3}}
faults:
  - name: reply_lost_6
    link: payment_to_gateway
    toxic: timeout
    stream: downstream
    attributes: {{timeout: 0ms}}
    from: {{before_checkout: 2}}
expect:
  naive: {{verdict: invalid, trips: [replies_are_true]}}
  hardened: valid
"""
_ITEMS = (
    DraftItem(
        id="checkout_1",
        kept=True,
        what="checkout 1: mug 1, pm_card_visa",
        begins="0.0 s",
        ends="0.3 s",
    ),
    DraftItem(
        id="reply_lost_6",
        kept=True,
        what="reply_lost_6: timeout, downstream on 6",
        begins="before checkout 2",
        ends="calm",
        moments=("before checkout 2", "0.9 s"),
    ),
    DraftItem(id="heal", kept=False, what="heal all", begins="", ends="each fault says it"),
)


class _StandingStill(EngineLink):
    """A link whose clock stands 300 ms after the last observation, however slow the machine is."""

    @property
    def now_ms(self) -> float:
        return self.board.last_ms + 300.0


async def _none(_: Standing) -> None:
    """Do nothing more."""


async def _marks_the_struck_link(at: Standing) -> None:
    assert at.view.query_one("#console", StreamTable).go_to("link:payment_to_gateway")


async def _waits_for_files(at: Standing) -> None:
    view = at.view
    assert isinstance(view, ScenariosView)
    async with asyncio.timeout(60):
        while not view.read:
            await at.draw()


async def _opens_a_violated_order(at: Standing) -> None:
    assert at.view.query_one("#orders", StreamTable).go_to("18")
    await at.press("enter")


async def _marks_the_broken_claim(at: Standing) -> None:
    at.view.query_one("#claims", StreamTable).go_to("unconfirmed_means_not_paid")


async def _is_answered_with_a_draft(at: Standing) -> None:
    await at.press("w")
    text = _SCENARIO.format(name="lost-reply", why="What an operator did in a live session.")
    await at.tell(
        Draft(
            command_id=at.canned.last_id,
            run_id="7c1e",
            name="lost-reply",
            items=_ITEMS,
            text=text,
            problems=(),
            notes=("expected of naive alone: other strategies were not seen",),
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Keys that lead to a screen, and what is done there; `judged` says the session has ended."""

    keys: tuple[str, ...]
    then: Callable[[Standing], Awaitable[None]] = _none
    judged: bool = False


SCENES: Mapping[str, Scene] = {
    "dashboard": Scene(keys=("1",)),
    "leader": Scene(keys=("1", "f", "6")),
    "faults": Scene(keys=("2",), then=_marks_the_struck_link),
    "fault-form": Scene(keys=("2", "p", "s")),
    "gateway-menu": Scene(keys=("2", "a")),
    "checkout": Scene(keys=("3",)),
    "scenarios": Scene(keys=("4",), then=_waits_for_files),
    "orders": Scene(keys=("5",)),
    "order": Scene(keys=("5",), then=_opens_a_violated_order),
    "violations": Scene(keys=("6",), then=_marks_the_broken_claim),
    "log": Scene(keys=("7",)),
    "review": Scene(keys=("6",), then=_is_answered_with_a_draft, judged=True),
    "help": Scene(keys=("2", "question_mark")),
}


def story(*, judged: bool) -> tuple[Streamed, ...]:
    """Return a session in which replies were lost, and what was found of it so far."""
    tale = busy(orders=22)
    struck = [one for one in tale.seen if one.kind == "order.failed"]
    captured = {one.order: one.id for one in tale.seen if one.kind == "gateway.captured"}
    violations = tuple(
        Violation(
            invariant=claim,
            order_id=one.order,
            checkout=one.checkout,
            detail=f"captured 42.00 usd (seq {one.checkout}), but the order is failed",
            events=(captured[one.order], one.id),
        )
        for claim in (
            "unconfirmed_means_not_paid",
            "payment_agrees_with_gateway",
            "replies_are_true",
        )
        for one in struck
    )
    live = Judged(
        run_id="7c1e",
        provisional=True,
        status=None,
        violations=violations,
        judged=dict.fromkeys(CORE, 19) | {"unconfirmed_means_not_paid": 4},
        ever=len(struck),
    )
    final = replace(live, provisional=False, status="invalid")
    return (*told_by(tale.seen), *((live, final) if judged else (live,)))


@asynccontextmanager
async def scene(
    name: str, folder: Path, *, size: tuple[int, int] = SMALL, options: Options | None = None
) -> AsyncIterator[CheckoutSimApp]:
    """Show a scene; its files are written below the folder, which nothing on the screen names."""
    described = SCENES[name]
    for number, (which, why) in enumerate(_FILES, start=1):
        text = _SCENARIO.format(name=which, why=why)
        (folder / "scenarios").mkdir(exist_ok=True)
        (folder / "scenarios" / f"{number:02}-{which}.yaml").write_text(text, encoding="utf-8")
    canned = Canned(*story(judged=described.judged))
    chosen = replace(options or Options(), scenarios_folders=(Path("scenarios"),), fps=1)
    with _the_same_everywhere(), chdir(folder):
        app = CheckoutSimApp(canned, chosen)
        app.link = _StandingStill(canned, app.live)
        async with app.run_test(size=size) as pilot:
            await drawn(app, pilot, canned)
            at = Standing(app=app, pilot=pilot, canned=canned)
            await at.press(*described.keys)
            await described.then(at)
            await at.draw()
            yield app


@contextmanager
def _the_same_everywhere() -> Iterator[None]:
    """Take away what a person's environment says of colours and of their own keys."""
    with patch.dict(os.environ, {"CHECKOUT_SIM_KEYS": "keys.toml", "COLORTERM": "truecolor"}):
        os.environ.pop("NO_COLOR", None)
        yield


_BROKEN = ("unconfirmed_means_not_paid", "payment_agrees_with_gateway", "replies_are_true")
_FILES = (
    ("lost-response", "The reply is lost, and the card was charged."),
    ("late-response", "The reply comes after its caller has given up."),
)


def svg_of(app: CheckoutSimApp) -> str:
    """Return what is shown as SVG, without fonts from elsewhere and ids drawn at random."""
    drawing = app.export_screenshot(title="checkout-sim tui")
    drawing = re.sub(r"\s*@font-face \{.*?\}", "", drawing, flags=re.DOTALL)
    drawing = drawing.replace("font-family: Fira Code, monospace", "font-family: monospace")
    drawing = re.sub(r"\bterminal-\d+-", "terminal-", drawing)
    return "\n".join(line.rstrip() for line in drawing.splitlines()) + "\n"


def text_of(app: CheckoutSimApp) -> str:
    """Return what is shown as text, dialogs included."""
    return shown(app)


async def _drawing_of(name: str, folder: Path) -> str:
    async with scene(name, folder, size=WIDE) as app:
        return svg_of(app)


def main() -> None:
    """Write the pictures of the pages."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name in PICTURED:
        path = IMAGES / f"tui-{name}.svg"
        with tempfile.TemporaryDirectory() as made:
            path.write_text(asyncio.run(_drawing_of(name, Path(made))), encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
