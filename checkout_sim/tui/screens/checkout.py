"""The checkout form: a cart, a card by what it does, a shopper's manners, one purchase or many.

Its fields are those of `load` and `shoppers` in a scenario file, and the line a file would hold is
shown as they are typed. Enter buys; what cannot be sent is said below and nothing leaves.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label

from checkout_sim.board.crossing import crossing, outlook
from checkout_sim.board.fault_lines import rule, told_lines
from checkout_sim.board.tokens import Line
from checkout_sim.model.command import Buy
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.tui.forms.budgets import Budgets
from checkout_sim.tui.forms.cards import card_named
from checkout_sim.tui.forms.cart import Cart, line_of, said_line
from checkout_sim.tui.forms.fields import FormField
from checkout_sim.tui.forms.purchase import Purchase, burst, single, yaml_of
from checkout_sim.tui.forms.shopper import BEHAVIOURS, FIGURE_OF, purchase_of
from checkout_sim.tui.screens.view import View
from checkout_sim.tui.widgets.choice import Choice
from checkout_sim.tui.widgets.faults_source import visible_faults
from checkout_sim.tui.widgets.field import Field
from checkout_sim.tui.widgets.form import Form
from checkout_sim.tui.widgets.form_sources import ADD, CardsSource, CartSource
from checkout_sim.tui.widgets.line import Block
from checkout_sim.tui.widgets.stream_table import StreamTable

_LAST_SHOWN = 5


class CheckoutView(View):
    """Screen 3."""

    scope: ClassVar[str] = "checkout"
    number: ClassVar[str] = "3"
    heading: ClassVar[str] = "Checkout"
    tells_whole: ClassVar[bool] = True
    AUTO_FOCUS: ClassVar[str] = "#buy"

    DEFAULT_CSS: ClassVar[str] = """
    CheckoutView #lists { height: 1fr; min-height: 5; }
    CheckoutView #cart { width: 1fr; }
    CheckoutView #cards { width: 1fr; }
    CheckoutView .fields { height: 1; width: 100%; }
    CheckoutView Label { width: auto; padding: 0 1; }
    CheckoutView Input { height: 1; border: none; padding: 0; background: $panel; }
    CheckoutView Input:focus { border: none; text-style: bold; }
    CheckoutView Button { height: 1; min-width: 8; border: none; margin: 0 1; }
    CheckoutView #said { height: 6; }
    CheckoutView.-tall #said { height: 9; }
    CheckoutView.-tiny-height #said { display: none; }
    CheckoutView.-tiny-width #cards { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.purchase = Purchase()
        self._instead = False  # the open form writes the marked line anew
        self._behaviour = "once"

    def body(self) -> ComposeResult:
        """Yield cart and cards, the shopper, the burst, and what will be sent."""
        with Horizontal(id="lists"):
            yield StreamTable(CartSource(lambda: self.purchase.cart), id="cart")
            yield StreamTable(CardsSource(lambda: self.purchase.card), id="cards")
        yield Form(id="form")
        with Horizontal(classes="fields"):
            yield Choice(BEHAVIOURS, "once", id="do", label=" shopper")
        with Horizontal(classes="fields"):
            yield Label("patience")
            yield _input("6s", "patience", 8)
            yield Label("", id="figure-label")
            yield _input("", "figure", 26)
            yield Choice((("same", "same key"), ("new", "new key")), "same", id="key")
        with Horizontal(classes="fields"):
            yield Label("burst: checkouts")
            yield _input("10", "count", 7)
            yield Label("rate/s")
            yield _input("4", "per-second", 6)
            yield Label("seed")
            yield _input("1", "seed", 10)
            yield Choice((("above", "this cart"), ("drawn", "drawn")), "above", id="drawn")
        with Horizontal(classes="fields"):
            yield Button("Buy", id="buy", compact=True, variant="primary")
            yield Button("Burst", id="burst", compact=True)
            yield Button("Stop", id="stop", compact=True)
        yield Block(self._said, id="said")

    def on_mount(self) -> None:
        """Show the fields of the behaviour that is picked."""
        self._show_figure()

    # ---- what is typed -----------------------------------------------------------------------

    @property
    def cart(self) -> StreamTable:
        """Return the table of the cart."""
        return self.query_one("#cart", StreamTable)

    @property
    def form(self) -> Form:
        """Return the form in which a line is typed."""
        return self.query_one("#form", Form)

    def written(self) -> Purchase:
        """Return the purchase as the fields stand. Raises NotAValue naming the field."""
        return purchase_of(
            self.purchase,
            {
                "patience": self._text("patience"),
                "do": self.query_one("#do", Choice).value,
                "figure": self._text("figure"),
                "key": self.query_one("#key", Choice).value,
                "count": self._text("count"),
                "rate": self._text("per-second"),
                "seed": self._text("seed"),
                "cart": self.query_one("#drawn", Choice).value,
            },
        )

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value

    def _show_figure(self) -> None:
        kind = self.query_one("#do", Choice).value
        label, usual = FIGURE_OF[kind]
        self.query_one("#figure-label", Label).update(label or "posts once and believes the answer")
        figure = self.query_one("#figure", Input)
        if kind != self._behaviour:
            self._behaviour, figure.value = kind, usual
        figure.display = bool(label)
        self.query_one("#key", Choice).display = kind in {"retry", "twice"}

    @on(Choice.Changed)
    def _picked(self, event: Choice.Changed) -> None:
        event.stop()
        self._show_figure()
        self._redraw()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._redraw()

    def _redraw(self) -> None:
        self.query_one("#said", Block).refresh_rows()
        for table in self.query(StreamTable):
            table.refresh_rows()

    # ---- buying ------------------------------------------------------------------------------

    async def do_checkout_buy(self) -> None:
        """Send one shopper."""
        await self._send_as(single)

    async def do_checkout_burst(self) -> None:
        """Send as many as the form says."""
        await self._send_as(burst)

    async def _send_as(self, command_of: Callable[[Purchase], Buy]) -> None:
        try:
            command = command_of(self.written())
        except NotAValue as error:
            self.tell(str(error), wrong=True)
            return
        if await self.send(command) is not None and self.checkout_app.told.wrong:
            self.tell("")  # what was wrong before is not any more

    @on(Input.Submitted)
    async def _enter(self, event: Input.Submitted) -> None:
        event.stop()
        await self.checkout_app.perform("checkout.buy")

    @on(Button.Pressed)
    async def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        await self.checkout_app.perform(f"checkout.{event.button.id}")

    # ---- the cart ----------------------------------------------------------------------------

    def _marked(self) -> None:
        """Let the cart know which of its lines the table marks."""
        key, cart = self.cart.cursor, self.purchase.cart
        last = max(0, len(cart.lines) - 1)
        at = last if key is None or key == ADD else min(int(key), last)
        self.purchase = replace(self.purchase, cart=replace(cart, at=at))

    async def do_checkout_less(self) -> None:
        """Take one of the marked line away."""
        self._more(-1)

    async def do_checkout_more(self) -> None:
        """Add one of the marked line."""
        self._more(1)

    def _more(self, by: int) -> None:
        if self.cart.cursor == ADD:
            self.tell("mark a line of the cart first; a adds one", wrong=True)
            return
        self._marked()
        self._change_cart(self.purchase.cart.more(by))

    async def do_cart_add(self, *words: str) -> None:
        """Type another line, or add the one given."""
        await self._write_line(words, instead=False)

    async def do_cart_edit(self, *words: str) -> None:
        """Write the marked line anew."""
        await self._write_line(words, instead=self.cart.cursor != ADD)

    async def do_cart_remove(self) -> None:
        """Drop the marked line."""
        if self.cart.cursor == ADD:
            self.tell("mark a line of the cart first", wrong=True)
            return
        self._marked()
        self._change_cart(self.purchase.cart.without_marked())

    async def _write_line(self, words: tuple[str, ...], *, instead: bool) -> None:
        self._instead = instead
        self._marked()
        if words:
            self._add(" ".join(words))
            return
        marked = self.purchase.cart.marked
        value = said_line(marked) if instead and marked is not None else ""
        field = FormField(name="line", label="product quantity price", value=value, width=40)
        await self.form.open("cart line: mug 2 12.50" if not instead else "the line anew", (field,))

    def _add(self, text: str) -> bool:
        try:
            cart = self.purchase.cart.with_line(line_of(text), instead=self._instead)
        except NotAValue as error:
            self.form.say(str(error), wrong=True)
            self.tell(str(error), wrong=True)
            return False
        self._change_cart(cart)
        self.cart.go_to(str(cart.at))
        return True

    def _change_cart(self, cart: Cart) -> None:
        self.purchase = replace(self.purchase, cart=cart)
        self._redraw()

    @on(Form.Submitted)
    async def _form_typed(self, event: Form.Submitted) -> None:
        event.stop()
        typed = self.form.values
        done = self._add(typed["line"]) if "line" in typed else self._take_card(typed["card"])
        if done:
            self.form.close()

    @on(StreamTable.Opened, "#cart")
    async def _open_line(self, event: StreamTable.Opened) -> None:
        event.stop()
        await self.checkout_app.perform("cart.add" if event.key == ADD else "checkout.buy")

    # ---- the card ----------------------------------------------------------------------------

    async def do_card_pick(self, *words: str) -> None:
        """Go to the cards, or take the one named."""
        if not words:
            self.query_one("#cards", StreamTable).focus()
            return
        self._take_card(" ".join(words))

    async def do_card_other(self) -> None:
        """Type a card that is not in the list, by name or test number."""
        field = FormField(name="card", label="name or test number", width=40)
        await self.form.open("another test card", (field,))

    def _take_card(self, text: str) -> bool:
        try:
            card = card_named(text)
        except NotAValue as error:
            self.form.say(str(error), wrong=True)
            self.tell(str(error), wrong=True)
            return False
        self.purchase = replace(self.purchase, card=card)
        self._redraw()
        return True

    @on(StreamTable.Opened, "#cards")
    def _pick_card(self, event: StreamTable.Opened) -> None:
        event.stop()
        self.purchase = replace(self.purchase, card=event.key)
        self._redraw()

    # ---- what stands below -------------------------------------------------------------------

    def _said(self, width: int, height: int) -> list[Line]:
        told = self.checkout_app.told
        lines = [rule(width, ascii_only=self.ascii_only)]
        if told.wrong and len(told.text) >= width:
            lines += told_lines([("REFUSED", told.text)], width, look="wrong")
        try:
            buy = single(self.written())
        except NotAValue as error:
            return [*lines, *told_lines([("WRONG", str(error))], width, look="wrong")][:height]
        parts = [("CROSSES", self._way()), *_yaml_parts(yaml_of(buy))]
        parts.append(("LAST", self._last()))
        return [*lines, *told_lines(parts, width)][:height]

    def _way(self) -> str:
        links, faults = self.board.session.links, visible_faults(self.board)
        run = self.board.session.run
        budgets = Budgets(
            time_scale=float(run.get("time_scale") or 1.0),
            settings=run.get("settings") or {},
            patience_ms=None,
        )
        tries = {link: found.try_ms for link in links if (found := budgets.on(link))}
        return f"{crossing(links, faults)}: {outlook(links, faults, tries)}"

    def _last(self) -> str:
        rows = list(self.board.checkouts.rows.values())[-_LAST_SHOWN:]
        return "   ".join(f"#{row.key} {row.standing}" for row in reversed(rows)) or "none yet"


def _yaml_parts(lines: tuple[str, ...]) -> list[tuple[str, str]]:
    return [("IN YAML" if at == 0 else "", line) for at, line in enumerate(lines)]


def _input(value: str, name: str, width: int) -> Input:
    typed = Field(value, id=name, compact=True)
    typed.styles.width = width
    return typed
