"""The table of orders: which columns fit, and each row as tokens.

Takes a row and a width; gives tokens. Below 80 columns TRY, MONEY, PAYMENT and ORDER leave in that
order; STANDING and FAULTS never do.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from checkout_sim.board.rows import MARKS, Row
from checkout_sim.board.tokens import Line, Token, age, fitted, money


class Column(NamedTuple):
    """One column: its title, its width, how it is filled, and when it leaves (0: never)."""

    title: str
    width: int
    cell: Callable[[Row, float], Token]
    leaves: int = 0
    right: bool = False


def _standing(row: Row, _now_ms: float) -> Token:
    return Token(f"{MARKS[row.standing]} {row.standing}", row.standing)


def _money(row: Row, _now_ms: float) -> Token:
    text = money(row.net_minor) if row.net_minor else ("0" if row.money_moved else "-")
    return Token(text, "money" if row.net_minor else "quiet")


def _plain(field: str) -> Callable[[Row, float], Token]:
    return lambda row, _now_ms: Token(str(getattr(row, field)))


def columns_for(width: int, *, saga: bool) -> tuple[Column, ...]:
    """Return the columns that fit, FAULTS last and as wide as is left."""
    every = [
        Column("NO", 7, lambda row, _: Token(f"#{row.key}")),
        Column("STANDING", 13, _standing),
        Column("AGE", 5, lambda row, now_ms: Token(age(row.age_ms(now_ms))), leaves=5, right=True),
        Column("TRY", 3, _plain("tries"), leaves=1, right=True),
        Column("TOLD", 9, _plain("told"), leaves=6),
        Column("ORDER", 9, _plain("order"), leaves=4),
        Column("PAYMENT", 9, _plain("payment"), leaves=3),
        *([Column("SAGA", 8, _plain("saga"), leaves=7)] if saga else []),
        Column("MONEY", 7, _money, leaves=2, right=True),
        Column("FAULTS", 5, lambda row, _: Token(" ".join(row.faults), "struck")),
    ]
    for going in range(1, 8):
        if _taken(every) <= width:
            break
        every = [column for column in every if column.leaves != going]
    spare = width - _taken(every)
    every[-1] = every[-1]._replace(width=every[-1].width + max(0, spare))
    return tuple(every)


def heading(columns: Sequence[Column], width: int) -> Line:
    """Return the titles of the columns."""
    text = "   " + "".join(f"{_padded(column.title, column)} " for column in columns)
    return (Token(fitted(text, width), "title"),)


def row_line(columns: Sequence[Column], row: Row, now_ms: float) -> Line:
    """Return a row as tokens, two cells for the cursor first."""
    tokens = [Token("   ")]
    for column in columns:
        token = column.cell(row, now_ms)
        tokens.append(token._replace(text=f"{_padded(token.text, column)} "))
    return tuple(tokens)


def _padded(text: str, column: Column) -> str:
    return fitted(text, column.width, right=column.right)


def _taken(columns: Sequence[Column]) -> int:
    return 3 + sum(column.width + 1 for column in columns)
