"""The cart and the test cards as rows of tables on the checkout form.

Takes what the form holds now; gives lines. The marked line of the cart is the table's cursor, the
card that will be used is marked by `(*)`.
"""

from collections.abc import Callable, Sequence

from checkout_sim.board.tokens import Line, Token, fitted, money
from checkout_sim.tui.forms.cards import CHOICES, choice_of
from checkout_sim.tui.forms.cart import Cart

ADD = "add"


class CartSource:
    """A `Source` of the cart's lines, the last of which adds one."""

    def __init__(self, cart: Callable[[], Cart]) -> None:
        self._cart = cart

    def keys(self) -> Sequence[str]:
        """Return the places of the lines, then the one that adds."""
        return [*(str(at) for at in range(len(self._cart().lines))), ADD]

    def identity(self, key: str) -> object:
        """Return what the line depends on."""
        lines = self._cart().lines
        return None if key == ADD or int(key) >= len(lines) else lines[int(key)]

    def line(self, key: str, width: int) -> Line:
        """Return a line of the cart."""
        lines = self._cart().lines
        if key == ADD or int(key) >= len(lines):
            return (Token("   "), Token("[add line]", "key"))
        line = lines[int(key)]
        name = max(6, width - 30)
        total = money(line.quantity * line.price_minor) if line.quantity else "-"
        look = "plain" if line.quantity else "quiet"
        return (
            Token("   "),
            Token(fitted(line.product, name), look),
            Token(fitted(str(line.quantity), 4, right=True), look),
            Token(f" x{fitted(money(line.price_minor), 9, right=True)}", look),
            Token(fitted(total, 11, right=True), look),
        )

    def heading(self, width: int) -> Line:
        """Return the total above the lines."""
        return (
            Token(f"   {fitted('CART', max(6, width - 30))}", "title"),
            Token(fitted(f"total {money(self._cart().total_minor)}", 26, right=True), "title"),
        )


class CardsSource:
    """A `Source` of the test cards by what they do."""

    def __init__(self, card: Callable[[], str]) -> None:
        self._card = card

    def keys(self) -> Sequence[str]:
        """Return the cards' names, and the one typed where it is none of them."""
        return [choice.name for choice in CHOICES]

    def identity(self, key: str) -> object:
        """Return what the line depends on."""
        return self._picked(key)

    def line(self, key: str, width: int) -> Line:
        """Return a card's row."""
        choice = choice_of(key)
        assert choice is not None, key
        picked = self._picked(key)
        look = "title" if picked else "plain"
        return (
            Token("   "),
            Token("(*) " if picked else "( ) ", look),
            Token(fitted(choice.meaning, max(8, width - 13)), look),
            Token(fitted(choice.last4, 5, right=True), "quiet"),
        )

    def heading(self, width: int) -> Line:
        """Return the heading."""
        return (Token(f"   {fitted('CARD', max(8, width - 9))}", "title"), Token("last4", "quiet"))

    def _picked(self, key: str) -> bool:
        picked = choice_of(self._card())
        return picked is not None and picked.name == key
