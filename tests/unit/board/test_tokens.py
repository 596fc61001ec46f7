"""Lines of tokens: what does not fit is never cut off silently."""

import pytest

from checkout_sim.board.tokens import Token, clipped, counted


@pytest.mark.parametrize(
    ("width", "kept"),
    [(10, "told refus"), (9, "told ref~"), (5, "told~"), (1, "~"), (0, "")],
)
def test_a_line_that_is_cut_ends_in_a_mark(width: int, kept: str) -> None:
    line = clipped((Token("told "), Token("refus", "wrong"), Token("   ")), width)
    assert "".join(token.text for token in line) == kept


def test_what_is_counted_is_one_or_many() -> None:
    assert [counted(many, "checkout") for many in (0, 1, 2)] == [
        "0 checkouts",
        "1 checkout",
        "2 checkouts",
    ]
