"""The violations board as lines: claims, meta checks, and one violation with its evidence.

Takes rows of `claim_rows` and the board they came from; gives lines for a width. An unknown is
drawn as loudly as a violation: what could not be read proves nothing.
"""

from collections.abc import Sequence

from checkout_sim.board.board import Board
from checkout_sim.board.claim_rows import CheckRow, ClaimRow, offender
from checkout_sim.board.fault_lines import told_lines
from checkout_sim.board.log import said
from checkout_sim.board.tokens import Line, Token, counted, fitted
from checkout_sim.model.history import Observation
from checkout_sim.model.verdict import Violation

_LOOKS = {
    "holds": "plain",
    "suspect": "suspect",
    "broken": "wrong",
    "unknown": "wrong",
    "unjudged": "quiet",
}
_NARROW, _WIDE = 70, 100
_SHORT_NAME = 24
_EXPECTED = {True: " = as expected", False: " ! not as expected", None: ""}


def claim_heading(width: int) -> Line:
    """Return the heading above the claims."""
    columns = [fitted("CLAIM", _name_width(width)), fitted("JUDGED", 8, right=True)]
    if width >= _NARROW:
        columns.append(fitted("SUSPECT", 9, right=True))
    columns.append(fitted("BROKEN", 8, right=True))
    if width >= _NARROW:
        columns.append(fitted("EVER", 6, right=True))
    return (Token("     "), Token(f"{''.join(columns)}  FIRST", "title"))


def claim_line(row: ClaimRow, width: int) -> Line:
    """Return a claim's line: mark, name, counts, and who was first or why it is unknown."""
    look = _LOOKS[row.state]
    judged = "-" if row.judged is None else str(row.judged)
    tokens = [
        Token("   "),
        Token(row.mark, "violated" if look == "wrong" else look),
        Token(f" {fitted(row.name, _name_width(width))}", look),
        Token(fitted(judged, 8, right=True)),
    ]
    if width >= _NARROW:
        suspect = "suspect" if row.suspect else "quiet"
        tokens.append(Token(fitted(str(row.suspect), 9, right=True), suspect))
    broken = "wrong" if row.broken else "quiet"
    tokens.append(Token(fitted(str(row.broken), 8, right=True), broken))
    if width >= _NARROW:
        tokens.append(Token(fitted(str(row.ever), 6, right=True), "wrong" if row.ever else "quiet"))
    last = f"UNKNOWN: {row.why}" if row.state == "unknown" else row.first or "-"
    tokens.append(Token(f"  {last}", look if row.state in {"unknown", "broken"} else "plain"))
    return tuple(tokens)


def summary_line(board: Board, *, another: bool = False) -> Line:
    """Return the run in a line: which, how many orders, how many claims are broken, what moves.

    `another` says that this run is closed and another session is open by now.
    """
    session = board.session
    claims = session.claims
    broken = len({one.invariant for one in claims.violations})
    run = session.stretch.run_id if session.stretch else "-"
    checkouts = counted(board.checkouts.seen, "checkout")
    parts = [
        Token(f" run {run}  {checkouts}  {counted(broken, 'claim')} broken"),
        Token(f"  ever {claims.ever}", "wrong" if claims.ever else "plain"),
    ]
    if session.verdict is not None and session.verdict.status is not None:
        status = session.verdict.status
        look = "confirmed" if status == "valid" else "violated"
        parts += [Token("  judged "), Token(f" {status} ", look)]
        parts.append(Token(_EXPECTED[session.verdict.as_expected]))
        if another:
            parts.append(Token("  a new session is open", "quiet"))
    elif session.phase in {"calm", "settle", "read"}:
        moving = f": {', '.join(session.moving)} still move" if session.moving else ""
        parts.append(Token(f"  {session.phase}{moving}", "suspect"))
    else:
        parts.append(Token("  live: v asks for a verdict", "quiet"))
    return tuple(parts)


def checks_lines(checks: Sequence[CheckRow], width: int) -> list[Line]:
    """Return the meta checks: one line, and one more for each that was not passed."""
    if not checks:
        return [(Token("   meta  judged with the verdict: can the run be believed?", "quiet"),)]
    failed = [check for check in checks if not check.passed]
    line = [Token("   meta")]
    for check in sorted(checks, key=lambda one: one.passed):
        mark, look = ("+", "plain") if check.passed else ("U", "violated")
        line.append(Token(f"  {mark} {check.name}", look))
    return [tuple(line), *told_lines([("  U", one.why) for one in failed], width, look="wrong")]


def violation_lines(
    board: Board,
    claim: ClaimRow | None,
    listed: Sequence[Violation],
    shown: Violation | None,
    width: int,
    *,
    rows: int,
) -> list[Line]:
    """Return one violation: who, what, the observations that prove it, the faults in force."""
    if claim is None:
        return []
    if shown is None:
        return told_lines([("", _nothing_to_show(claim))], width)
    row = board.checkouts.of_order(shown.order_id or "")
    who = f"#{row.key}" if row is not None else offender(shown)
    place = f"{listed.index(shown) + 1} of {max(claim.broken, len(listed))}"
    head = (
        Token(f" ! {who} ", "violated"),
        Token(fitted(f" {shown.order_id or ''}", max(0, width - len(who) - 18)), "quiet"),
        Token(fitted(place, 12, right=True), "title"),
    )
    detail = told_lines([("WHAT", shown.detail)], width)
    faults = ", ".join(row.faults) if row is not None and row.faults else "none in force"
    tail = told_lines([("FAULTS", faults), ("EXPECT", _expectation(board))], width)
    room = max(1, rows - 1 - len(detail) - len(tail))
    evidence = told_lines([("EVIDENCE", text) for text in _evidence(board, shown)], width)
    for at in range(1, len(evidence)):
        evidence[at] = (Token(" " * 10), *evidence[at][1:])
    return [head, *detail, *evidence[:room], *tail]


def _evidence(board: Board, violation: Violation) -> list[str]:
    """Return the observations that prove it, in words; by number where they are not in memory."""
    wanted = set(violation.events)
    known: dict[int, Observation] = {}
    if violation.checkout is not None:
        known = {one.id: one for one in board.stories.about(violation.checkout) if one.id in wanted}
    lines = [f"{one.id} {one.source} {said(one)}" for one in known.values()]
    missing = [str(event) for event in violation.events if event not in known]
    if missing:
        lines.append(f"observations {', '.join(missing)} of the history")
    return lines or ["the ledgers, read when all was quiet"]


def _expectation(board: Board) -> str:
    expected = board.session.run.get("expect")
    if not expected:
        return "none: a live session, nothing to compare with"
    trips = ", ".join(expected.get("trips") or ()) or "no claim"
    return f"{expected.get('verdict')} by {trips}"


def _nothing_to_show(claim: ClaimRow) -> str:
    match claim.state:
        case "unknown":
            return f"unknown: {claim.why}. Absence proves nothing, so this is no valid run"
        case "suspect":
            return (
                f"{claim.suspect} suspect by the log; log lines give order, never balances: "
                "v asks for a verdict"
            )
        case "holds":
            return "holds so far: nothing that was judged contradicts it"
        case _:
            return "not judged yet: a checkout is judged once its deadline has passed"


def _name_width(width: int) -> int:
    return min(36, max(_SHORT_NAME, width - 42))
