"""The topology: the parties of a strategy, the links between them, their latency and their faults.

Takes a board; gives one line for narrow screens, boxes for wide ones. The way a checkout takes from
the shopper to the gateway is the chain; links beside it are listed under it. A link with a fault is
drawn in double strokes and names the fault, so that nothing depends on colour.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from checkout_sim.board.board import Board
from checkout_sim.board.places import LINK_OF_NAME, LINKS, Link
from checkout_sim.board.tokens import Line, Token, clipped, counted, latency, width_of

_WINDOW_MS = 10_000.0


class Strokes(NamedTuple):
    """The characters of one alphabet: a sound link, a struck one, and the corners of a box."""

    line: str
    struck: str
    corners: str  # ┌┐└┘
    across: str
    upright: str
    tee: str  # ├┤


BOXES = Strokes(line="─", struck="═", corners="┌┐└┘", across="─", upright="│", tee="├┤")
ASCII = Strokes(line="-", struck="=", corners="++++", across="-", upright="|", tee="||")


class Stretch(NamedTuple):
    """One link of the chain, and whether it is walked from its callee to its caller."""

    link: Link
    backwards: bool


def chain_of(links: Sequence[str]) -> tuple[Stretch, ...]:
    """Return the shortest way from the shopper to the gateway over these links."""
    known = [LINK_OF_NAME[name] for name in links if name in LINK_OF_NAME]
    ways: deque[tuple[str, tuple[Stretch, ...]]] = deque([("shopper", ())])
    visited = {"shopper"}
    while ways:
        party, way = ways.popleft()
        if party == "gateway":
            return way
        for link in known:
            for begin, end, backwards in (
                (link.caller, link.callee, False),
                (link.callee, link.caller, True),
            ):
                if begin == party and end not in visited:
                    visited.add(end)
                    ways.append((end, (*way, Stretch(link, backwards))))
    return ()


def topology_line(board: Board, now_ms: float, width: int, strokes: Strokes) -> Line:
    """Return the chain on one line; fault names leave first where it gets narrow."""
    chain = chain_of(board.session.links)
    if not chain:
        return (Token(" the stack is starting", "quiet"),)
    for detail in (2, 1, 0):
        line = tuple(_chain(board, chain, now_ms, strokes, detail))
        if width_of(line) <= width:
            return line
    return clipped(line, width)


def _chain(
    board: Board, chain: Sequence[Stretch], now_ms: float, strokes: Strokes, detail: int
) -> Iterator[Token]:
    yield Token(" shopper")
    for stretch in chain:
        link = stretch.link
        yield _arrow(board, stretch, now_ms, strokes, detail)
        yield Token(link.caller if stretch.backwards else link.callee)


def _arrow(board: Board, stretch: Stretch, now_ms: float, strokes: Strokes, detail: int) -> Token:
    link = stretch.link
    faults = board.faults.on(link.name)
    stroke = strokes.struck if faults else strokes.line
    words = [link.label]
    if detail:
        words.append(latency(board.links[link.name].flow(now_ms, _WINDOW_MS).p95_ms))
    if faults:
        letters = "".join(fault.letter or "*" for fault in faults)
        words.append(said_faults(board, link) if detail > 1 else letters)
    inside = f"{stroke}{' '.join(words)}{stroke}"
    return Token(
        f"<{inside}" if stretch.backwards else f"{inside}>", "struck" if faults else "plain"
    )


def said_faults(board: Board, link: Link) -> str:
    """Return the faults on a link in words; one that is not armed yet ends in dots."""
    return " ".join(
        f"{fault.title or fault.type}{'' if fault.stage == 'armed' else '..'}"
        for fault in board.faults.on(link.name)
    )


def beside_chain(board: Board, now_ms: float) -> Line:
    """Return the links of the strategy that are no part of the chain, one after another."""
    chain = {stretch.link.name for stretch in chain_of(board.session.links)}
    tokens: list[Token] = []
    for name in board.session.links:
        link = LINK_OF_NAME.get(name)
        if link is None or name in chain:
            continue
        faults = board.faults.on(name)
        p95 = latency(board.links[name].flow(now_ms, _WINDOW_MS).p95_ms)
        said = f" {said_faults(board, link)}" if faults else ""
        text = f" {link.label} {link.title} {p95}{said} "
        tokens.append(Token(text, "struck" if faults else "plain"))
    return tuple(tokens)


def standing_line(board: Board) -> Line:
    """Return which processes are up, the database, the seed, and how many links are idle."""
    tokens: list[Token] = []
    up = [one.name for one in board.processes.by_name.values() if one.state == "up"]
    tokens.append(Token(f" up: {' '.join(dict.fromkeys(up)) or 'none'}"))
    tokens += [
        Token(f"  {one.name} {one.state.upper()}", "down")
        for one in board.processes.by_name.values()
        if one.state != "up" and not (one.state == "exited" and one.asked)
    ]
    session = board.session
    database = str(session.run.get("database") or "sqlite")
    tokens.append(Token(f"   {database}"))
    if "seed" in session.run:
        tokens.append(Token(f"   seed {session.run['seed']}"))
    idle = len(LINKS) - len(session.links)
    if session.links:
        tokens.append(Token(f"   {counted(idle, 'link')} unused by {session.strategy}", "quiet"))
    return tuple(tokens)


def topology_boxes(board: Board, now_ms: float, width: int, strokes: Strokes) -> Sequence[Line]:
    """Return the chain as boxes, and what lies beside it, for wide screens."""
    chain = chain_of(board.session.links)
    if not chain:
        return [(Token(" the stack is starting", "quiet"),)]
    parties = ["shopper"]
    parties += [one.link.caller if one.backwards else one.link.callee for one in chain]
    room = width - 2 - sum(len(party) + 4 for party in parties)
    each = max(6, room // max(1, len(chain)))
    top, middle, bottom = [Token(" ")], [Token(" ")], [Token(" ")]
    for at, party in enumerate(parties):
        across = strokes.across * (len(party) + 2)
        left = strokes.tee[1] if at and chain[at - 1].backwards else strokes.upright
        right = strokes.tee[0] if at < len(chain) else strokes.upright
        top.append(Token(f"{strokes.corners[0]}{across}{strokes.corners[1]}"))
        middle.append(Token(f"{left} {party} {right}"))
        bottom.append(Token(f"{strokes.corners[2]}{across}{strokes.corners[3]}"))
        if at < len(chain):
            above, arrow, below = _stretched(board, chain[at], now_ms, each, strokes)
            top.append(above)
            middle.append(arrow)
            bottom.append(below)
    beside = beside_chain(board, now_ms)
    lines = [tuple(top), tuple(middle), tuple(bottom)]
    server = board.session.proxy_server
    proxied = (Token(f" {server}", "quiet"),)
    return [clipped(line, width) for line in (*lines, beside, standing_line(board), proxied)]


def _stretched(
    board: Board, stretch: Stretch, now_ms: float, cells: int, strokes: Strokes
) -> tuple[Token, Token, Token]:
    """Return what stands above, on and below one arrow."""
    link = stretch.link
    faults = board.faults.on(link.name)
    look = "struck" if faults else "plain"
    flow = board.links[link.name].flow(now_ms, _WINDOW_MS)
    stroke = strokes.struck if faults else strokes.line
    shaft = stroke * (cells - 1)
    arrow = f"<{shaft}" if stretch.backwards else f"{shaft}>"
    above = f"{link.label} {latency(flow.p95_ms)}"
    share = flow.error_share
    failing = f"{share * 100:.0f}% err" if share else ""
    below = said_faults(board, link) or failing
    return (
        Token(above[:cells].center(cells), look),
        Token(arrow, look),
        Token(below[:cells].center(cells), look),
    )
