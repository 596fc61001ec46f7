"""The review: a session about to become a scenario file, item by item, with the file beside it.

The engine cuts the scenario and writes its text; here one chooses what is kept, at which moment a
fault begins and whether idle time is left out. Only a session that was judged can be cut, because
its verdict is what the file will expect. What was written is replayed three times: below three
equal verdicts nothing is called reproducible.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from checkout_sim.board.board import Board
from checkout_sim.board.draft_rows import DraftRow, Review, moments_of, rows
from checkout_sim.board.fault_lines import rule, told_lines
from checkout_sim.board.run_results import flakes
from checkout_sim.board.tokens import Line, Token, counted, fitted
from checkout_sim.model.answer import Draft, Stretch
from checkout_sim.model.command import RunScenario, SaveScenario
from checkout_sim.tui.dialogs.prompt import Prompt
from checkout_sim.tui.editor import edit
from checkout_sim.tui.library import read_entry
from checkout_sim.tui.outbox import Offer
from checkout_sim.tui.screens.view import View
from checkout_sim.tui.widgets.line import Block
from checkout_sim.tui.widgets.stream_table import StreamTable

_REPLAYS = 3


class ItemsSource:
    """A `Source` of the draft's items."""

    def __init__(self, view: "ReviewView") -> None:
        self._view = view
        self._rows: dict[str, DraftRow] = {}

    def keys(self) -> Sequence[str]:
        """Return the items' ids."""
        review = self._view.review
        self._rows = {item.id: row for item, row in zip(review.items, rows(review), strict=True)}
        return list(self._rows)

    def identity(self, key: str) -> object:
        """Return the row itself."""
        return self._rows.get(key)

    def line(self, key: str, width: int) -> Line:
        """Return an item's line: kept or not, what, from when, until when."""
        row = self._rows.get(key)
        if row is None:
            return ()
        what, begins = _columns(width)
        look = "plain" if row.kept else "quiet"
        return (
            Token(f"   {row.mark}  ", "title" if row.kept else "quiet"),
            Token(fitted(row.what, what), look),
            Token(f" {fitted(row.begins, begins)}", look),
            Token(f" {row.ends}", look),
        )

    def heading(self, width: int) -> Line:
        """Return the heading."""
        what, begins = _columns(width)
        text = f"   KEEP {fitted('WHAT', what)} {fitted('FROM', begins)} UNTIL"
        return (Token(text, "title"),)


class TextSource:
    """A `Source` of the file's lines, so that it is scrolled like everything else."""

    def __init__(self, view: "ReviewView") -> None:
        self._view = view

    def keys(self) -> Sequence[str]:
        """Return the lines' numbers."""
        return [str(at) for at in range(len(self._lines))]

    def identity(self, key: str) -> object:
        """Return the line itself."""
        return self._lines[int(key)] if int(key) < len(self._lines) else ""

    def line(self, key: str, _width: int) -> Line:
        """Return a line of the file."""
        return (Token(f" {self._lines[int(key)]}" if int(key) < len(self._lines) else ""),)

    def heading(self, width: int) -> Line:
        """Return which file it will be."""
        draft = self._view.review.draft
        name = f"{draft.name}.yaml" if draft else "no draft yet"
        return rule(width, f"YAML  {name}", ascii_only=self._view.ascii_only)

    @property
    def _lines(self) -> list[str]:
        draft = self._view.review.draft
        return draft.text.splitlines() if draft else []


class ReviewView(View):
    """Opens on top."""

    scope: ClassVar[str] = "review"
    heading: ClassVar[str] = "Review"
    on_top: ClassVar[bool] = True
    opens: ClassVar[bool] = False
    tells_whole: ClassVar[bool] = True

    DEFAULT_CSS: ClassVar[str] = """
    ReviewView #summary { height: 1; }
    ReviewView #halves { height: 1fr; layout: vertical; }
    ReviewView #items { height: 1fr; min-height: 4; }
    ReviewView #text { height: 1fr; min-height: 4; }
    ReviewView #verdicts { height: 6; }
    ReviewView.-wide #halves, ReviewView.-extra #halves { layout: horizontal; }
    ReviewView.-tall #verdicts { height: 10; }
    ReviewView.-tiny-height #text { display: none; }
    """

    def __init__(self, run: str = "") -> None:
        super().__init__()
        self.review = Review(run=run)
        self._asked = False  # a draft was asked for
        self._taken: Draft | None = None
        self._saving: tuple[str, SaveScenario] | None = None  # the answer awaited
        self._saved_name = ""
        self._saved_path = ""
        self._replayed: tuple[str, str, int] | None = None  # scenario, strategy, verdicts before
        self._edited: tuple[str, ...] = ()

    def body(self) -> ComposeResult:
        """Yield the run in a line, items and file, and what is known of the file."""
        yield Block(self._summary, id="summary")
        with Container(id="halves"):
            yield StreamTable(ItemsSource(self), id="items")
            yield StreamTable(TextSource(self), id="text", marks=False)
        yield Block(self._verdicts, id="verdicts")

    def refresh_rows(self) -> None:
        """Take over what the engine answered, and ask for a draft once there is a verdict."""
        self._take_answers()
        super().refresh_rows()
        if not self._asked and self._source_of_draft() is not None:
            self._asked = True
            self.run_worker(self._ask(), group="draft")

    # ---- what the engine says ----------------------------------------------------------------

    def _source_of_draft(self) -> Stretch | None:
        """Return the run to be cut: the one asked for, or the newest that has a verdict."""
        return next((one for one in _judged(self.checkout_app.live) if self._wanted(one)), None)

    def _wanted(self, stretch: Stretch) -> bool:
        return not self.review.run or self.review.run == stretch.folder

    async def _ask(self) -> None:
        stretch = self._source_of_draft()
        if stretch is not None and not self.review.run:
            self.review = replace(self.review, run=stretch.folder)
        await self.send(self.review.command)

    def _take_answers(self) -> None:
        session = self.checkout_app.live.session
        draft = session.draft
        if draft is not None and draft is not self._taken and self._asked:
            self._taken = draft
            self.review = self.review.answered(draft)
        saved = session.saved
        if self._saving and saved is not None and saved.command_id == self._saving[0]:
            self._saved_name, self._saved_path = self._saving[1].name, saved.path
            self._saving, self._edited = None, ()
            self.tell(f"wrote {saved.path}; r replays it {_REPLAYS} times")

    # ---- keys --------------------------------------------------------------------------------

    async def do_review_drop(self) -> None:
        """Leave the marked item out, or take it back."""
        await self._changed(self._marked().toggled())

    async def do_review_moment(self) -> None:
        """Give the marked item the next of its moments."""
        before = self._marked()
        after = before.next_moment()
        if after == before:
            self.tell("this item has one moment only")
            return
        await self._changed(after)

    async def do_review_trim(self) -> None:
        """Leave idle time out, or in."""
        trimmed = self.review.trimmed()
        self.tell("idle time is left out" if trimmed.trim_idle else "idle time stays as it was")
        await self._changed(trimmed)

    async def do_review_name(self, *words: str) -> None:
        """Call the scenario something else."""
        if words:
            await self._call("-".join(words))
            return
        self.app.push_screen(Prompt("name", self.review.name, placeholder="lost-reply"), self._call)

    async def _call(self, name: str | None) -> None:
        if name and name.strip():
            await self._changed(replace(self.review, name=name.strip()))

    async def _changed(self, review: Review) -> None:
        if review.draft is None:
            self.tell(self._no_draft(), wrong=True)
            return
        self.review = review
        await self.send(review.command)

    def _marked(self) -> Review:
        key = self.query_one("#items", StreamTable).cursor
        ids = [item.id for item in self.review.items]
        return replace(self.review, at=ids.index(key) if key in ids else 0)

    async def do_review_write(self) -> None:
        """Write the file; where one of that name is there, a second time replaces it."""
        draft = self.review.draft
        command = self.review.save(replace_file=self._refused_as_there())
        if draft is None or command is None:
            self.tell(self._no_draft(), wrong=True)
        elif draft.problems:
            self.tell(f"not written: {draft.problems[0]}", wrong=True)
        else:
            command_id = await self.send(command)
            self._saving = (command_id, command) if command_id else None

    def _refused_as_there(self) -> bool:
        """Return whether the last write of this very name was refused because it exists."""
        told = self.checkout_app.live.session.last_told
        if self._saved_name and self._saved_name == self.review.name:
            return True  # written by this review before
        return bool(
            self._saving
            and self._saving[0] not in self.checkout_app.live.session.pending
            and self._saving[1].name == self.review.name
            and told.wrong
            and "exists" in told.text
        )

    async def do_review_replay(self) -> None:
        """Run the written file three times."""
        if not self._saved_path:
            self.tell("write it first: w, then r", wrong=True)
            return
        strategy = self._strategy()
        results = self.checkout_app.live.session.results
        replayed = (self._saved_name, strategy, results.count(self._saved_name, strategy))
        command = RunScenario(path=self._saved_path, strategies=(strategy,), repeat=_REPLAYS)
        if await self.send(command):
            self._replayed = replayed

    async def do_review_edit(self) -> None:
        """Open the written file in the editor, then check it."""
        if not self._saved_path:
            self.tell("write it first: w, then E", wrong=True)
            return
        problem = edit(self.app, Path(self._saved_path))
        self._edited = tuple(str(one) for one in read_entry(Path(self._saved_path)).problems)
        told = problem or (self._edited[0] if self._edited else f"{self._saved_path} is sound")
        self.tell(told, wrong=bool(problem or self._edited))

    def copies(self) -> Sequence[Offer]:
        """Return the file's text, to be copied."""
        draft = self.review.draft
        return [] if draft is None else [Offer("y", "the YAML", draft.text, f"{draft.name}.yaml")]

    @on(StreamTable.Opened)
    async def _open(self, event: StreamTable.Opened) -> None:
        event.stop()
        if event.table.id == "items":
            await self.checkout_app.perform("review.drop")

    @on(StreamTable.Moved)
    def _moved(self, event: StreamTable.Moved) -> None:
        event.stop()
        self.query_one("#verdicts", Block).refresh_rows()

    # ---- drawing -----------------------------------------------------------------------------

    def _strategy(self) -> str:
        judged = [one for one in _judged(self.checkout_app.live) if one.folder == self.review.run]
        return judged[0].strategy if judged else self.board.session.strategy

    def _no_draft(self) -> str:
        if self._source_of_draft() is None:
            return "no verdict yet: v judges this session, then it can be cut"
        return "the engine has not answered yet"

    def _summary(self, _width: int, _height: int) -> list[Line]:
        draft = self.review.draft
        if draft is None:
            return [(Token(f" {self._no_draft()}", "suspect"),)]
        kept = sum(1 for item in draft.items if item.kept)
        trimmed = "idle time left out" if self.review.trim_idle else "idle time kept"
        return [
            (
                Token(
                    f" run {draft.run_id}: {kept} of {counted(len(draft.items), 'item')}, {trimmed}"
                ),
            )
        ]

    def _verdicts(self, width: int, height: int) -> list[Line]:
        told = self.checkout_app.told
        head = rule(width, ascii_only=self.ascii_only)
        if told.wrong and len(told.text) >= width:
            return [head, *told_lines([("REFUSED", told.text)], width, look="wrong")][:height]
        draft = self.review.draft
        if draft is None:
            return [head, *told_lines([("", _WHY_JUDGED)], width)][:height]
        item = self._marked().marked
        parts = [("ITEM", item.what)] if item else []
        parts.append(("MOMENT", f"a: {moments_of(item)}"))
        problems = draft.problems or self._edited
        checks = "; ".join(problems) if problems else "+ validates"
        parts += [("CHECKS", checks), ("REPLAY", self._said_replay())]
        parts += [("NOTE", note) for note in draft.notes]
        return [head, *told_lines(parts, width)][:height]

    def _said_replay(self) -> str:
        if not self._saved_path:
            return "not written yet: w writes it, r replays it three times"
        if self._replayed is None:
            return f"{self._saved_path}: r replays it three times"
        name, strategy, before = self._replayed
        results = self.checkout_app.live.session.results
        found = flakes(results.since(name, strategy, after=before))
        if found is None:
            return f"replaying {_REPLAYS} times on {strategy}"
        said = f"{found.equal} of {found.runs} equal verdicts: {found.verdict}"
        if found.runs < _REPLAYS:
            return f"{said}; {_REPLAYS - found.runs} to come"
        return f"{said}; {'reproducible' if found.steady else 'NOT reproducible'} on {strategy}"


_WHY_JUDGED = (
    "A scenario states the verdict its strategy must earn, so the session is judged first: v asks "
    "for calm, settle, read and judge. Then a new session opens, and this one is cut."
)


def _judged(board: Board) -> list[Stretch]:
    """Return the runs of this stream that have a verdict and are still known, newest first."""
    boards = [one for one in (board, board.previous) if one is not None]
    return [
        one.session.stretch
        for one in boards
        if one.session.verdict is not None and one.session.stretch is not None
    ]


def _columns(width: int) -> tuple[int, int]:
    what = max(16, min(44, width * 2 // 5))
    return what, max(12, min(26, width // 4))
