"""The form of one fault: its figures, way and window, or those of a gateway control.

Takes a draft or a control's name; while it is typed, says what will be asked for and points out a
value beyond the caller's budget. Enter posts `Ready` with the command; the screen sends it.
"""

from dataclasses import dataclass

from textual import on
from textual.message import Message

from checkout_sim.model.command import Adjust, Inject, UntilLifted, Window
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.tui.forms.budgets import Budget
from checkout_sim.tui.forms.control import CHOICES
from checkout_sim.tui.forms.fault_draft import (
    FaultDraft,
    control_command,
    control_fields,
    said_reading,
    typed_window,
    usual_detail,
)
from checkout_sim.tui.forms.link_fault import beyond
from checkout_sim.tui.forms.window import kind_of
from checkout_sim.tui.widgets.form import Form


class FaultForm(Form):
    """A form that knows what its fields mean."""

    @dataclass
    class Ready(Message):
        """A command was typed whole; `window` is what the next fault is to have as well."""

        form: "FaultForm"
        command: Inject | Adjust
        window: Window | None

        @property
        def control(self) -> "FaultForm":
            """Return the form, so that handlers can select by it."""
            return self.form

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._draft: FaultDraft | None = None  # what it is about; None: a control
        self._budget: Budget | None = None
        self._control = ""
        self._window_kind = ""

    async def edit(self, draft: FaultDraft, budget: Budget | None) -> None:
        """Open it for a preset on a link, new or in force."""
        self._draft, self._budget, self._control = draft, budget, ""
        self._window_kind = kind_of(draft.window)
        await self.open(draft.title, draft.fields())

    async def arm(self, control: str, window: Window) -> None:
        """Open it for a control of the gateway."""
        self._draft, self._budget, self._control = None, None, control
        self._window_kind = kind_of(window)
        does = next(one.does for one in CHOICES if one.name == control)
        await self.open(f"gateway {control}: {does}", control_fields(control, window))

    @on(Form.Changed)
    def _follow_typing(self, event: Form.Changed) -> None:
        event.stop()
        self._follow_window_kind()
        typed = self.values
        try:
            self.say(self._reading(self._command(typed), typed))
        except NotAValue as error:
            self.say(str(error), wrong=True)

    @on(Form.Submitted)
    def _make_ready(self, event: Form.Submitted) -> None:
        event.stop()
        typed = self.values
        try:
            command = self._command(typed)
            window = typed_window(typed) if "window" in typed else None
        except NotAValue as error:
            self.say(str(error), wrong=True)
            return
        self.post_message(self.Ready(self, command, window))

    def _follow_window_kind(self) -> None:
        """Another kind of window begins with its own usual figure."""
        kind = self.values.get("window")
        if kind is not None and kind != self._window_kind:
            self._window_kind = kind
            self.put("window_detail", usual_detail(kind))

    def _reading(self, command: Inject | Adjust, typed: dict[str, str]) -> str:
        if self._draft is None:
            return "enter arms it, esc leaves"
        fault = self._draft.typed_fault(typed)
        window = command.window if isinstance(command, Inject) else UntilLifted()
        warning = beyond(fault, self._budget)
        if isinstance(command, Adjust):
            return warning or "enter changes it, its window stays; esc leaves"
        return warning or f"enter arms {said_reading(fault, window)}"

    def _command(self, typed: dict[str, str]) -> Inject | Adjust:
        if self._draft is not None:
            return self._draft.command(typed)
        return control_command(self._control, typed)
