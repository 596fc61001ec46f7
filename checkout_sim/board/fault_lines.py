"""The fault console's rows as lines of tokens for a width.

Takes rows of `fault_rows`, gives lines in which every column has its place; what does not fit a
narrow terminal leaves in a fixed order: sparkline, rate and p50, never label, p95 and faults.
"""

from collections.abc import Sequence
from textwrap import wrap

from checkout_sim.board.fault_rows import LinkRow, PresetRow, ProcessRow
from checkout_sim.board.tokens import Line, Token, fitted

_NARROW, _USUAL, _WIDE = 60, 78, 110
_LEAD = "   "
_NO_CONTROL = "no control"


def spark_seconds(width: int) -> int:
    """Return how many seconds of sparkline a row of this width has room for."""
    if width < _USUAL:
        return 0
    return 10 if width < _WIDE else 20


def links_heading(width: int) -> Line:
    """Return the heading above links and processes."""
    seconds = spark_seconds(width)
    cells = [fitted("# TARGET", 2 + _title_width(width))]
    if width >= _NARROW:
        cells.append(fitted("p50", 6, right=True))
    cells.append(fitted("p95", 6, right=True))
    if width >= _NARROW:
        cells.append(fitted("req/s", 6, right=True))
        cells.append(fitted("err", 5, right=True))
    if seconds:
        cells.append(fitted(f" LAST {seconds} S", seconds + 2))
    return (Token(_LEAD), Token(f"{''.join(cells)} FAULTS", "title"))


def link_line(row: LinkRow, width: int) -> Line:
    """Return a link's line."""
    look = "idle" if row.look == "idle" else "plain"
    tokens = [
        Token(_LEAD),
        Token(fitted(f"{row.label} {row.title}", 2 + _title_width(width)), look),
    ]
    if width >= _NARROW:
        tokens.append(Token(fitted(row.p50, 6, right=True), look))
    tokens.append(Token(fitted(row.p95, 6, right=True), look))
    if width >= _NARROW:
        tokens.append(Token(fitted(row.per_s, 6, right=True), look))
        tokens.append(Token(fitted(row.errors, 5, right=True), look))
    if row.spark and spark_seconds(width):
        tokens.append(Token(f" {row.spark} ", look))
    tokens.append(Token(f" {row.faults}", row.look))
    return tuple(tokens)


def process_line(row: ProcessRow, width: int, *, controls: str = "") -> Line:
    """Return a process's line; `controls` are the gateway's, which stand on its row."""
    title = fitted(f"{row.label} {row.title} process", 2 + _title_width(width))
    look = "plain" if row.look == "plain" else row.look
    tokens = [Token(_LEAD), Token(title), Token(fitted(f"  {row.state}", 16), look)]
    tokens.append(Token(f"{row.detail}", "quiet" if row.look == "plain" else row.look))
    if controls:
        tokens.append(Token(f"  a: {controls}", "struck" if controls != _NO_CONTROL else "quiet"))
    return tuple(tokens)


def preset_columns(rows: Sequence[PresetRow], width: int) -> list[Line]:
    """Return the presets in three columns: letter, title, way, whether it is on."""
    columns = 3 if width >= _NARROW else 2
    each = (width - 2) // columns
    height = -(-len(rows) // columns)
    lines = []
    for at in range(height):
        tokens = [Token(" ")]
        # Row by row, as one reads: the first letters are those most used.
        for row in rows[at * columns : (at + 1) * columns]:
            tokens += _preset_cell(row, each)
        lines.append(tuple(tokens))
    return lines


def preset_list(rows: Sequence[PresetRow], width: int) -> list[Line]:
    """Return the presets one per line, with what is on the wire, for a side panel."""
    return [
        (
            Token(f" {row.letter} ", "key"),
            Token(fitted(row.title, 13), "struck" if row.state else "plain"),
            Token(fitted(row.wire, max(0, width - 24)), "quiet"),
            Token(f" {row.state}", _state_look(row)),
        )
        for row in rows
    ]


def told_lines(parts: Sequence[tuple[str, str]], width: int, *, look: str = "plain") -> list[Line]:
    """Return labelled sentences, wrapped below their text: `WANTED   latency 500, downstream`."""
    lines: list[Line] = []
    label_width = 10
    for label, text in parts:
        rows = wrap(text, max(10, width - label_width - 1)) or [""]
        for at, row in enumerate(rows):
            shown = fitted(f" {label}" if at == 0 else "", label_width)
            lines.append((Token(shown, "stuck" if label == "STUCK" else "title"), Token(row, look)))
    return lines


def rule(width: int, title: str = "", *, ascii_only: bool = False) -> Line:
    """Return a line across, with a title in it."""
    dash = "-" if ascii_only else "─"
    if not title:
        return (Token(dash * width, "quiet"),)
    said = f" {title} "[: max(0, width - 2)]
    rest = dash * max(0, width - 2 - len(said))
    return (Token(dash * 2, "quiet"), Token(said, "title"), Token(rest, "quiet"))


def _preset_cell(row: PresetRow, width: int) -> list[Token]:
    state = f" {row.state}" if row.state else ""
    text = fitted(f"{row.title} {row.way}".rstrip() + state, width - 4)
    return [Token(f" {row.letter} ", "key"), Token(f"{text} ", _state_look(row))]


def _state_look(row: PresetRow) -> str:
    return {"": "plain", "STUCK": "stuck"}.get(row.state, "struck")


def _title_width(width: int) -> int:
    return 20 if width < _WIDE else 26
