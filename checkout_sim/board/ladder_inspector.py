"""The inspector beside a ladder: one rung in full, both sides of its call, who knows what by then.

Takes a `Ladder` and the index of a rung; gives lines of at most a width.
"""

import json
import textwrap
from collections.abc import Iterator, Sequence

from checkout_sim.board.ladder_rows import done_by_callee, request_of
from checkout_sim.board.places import LINK_OF_NAME
from checkout_sim.board.tokens import Line, Token
from checkout_sim.model.ladder import GATEWAY, ORDER, PAYMENT, SHOPPER, Ladder, Rung


def inspected(ladder: Ladder, at: int, width: int) -> Sequence[Line]:
    """Return everything about one rung."""
    rung = ladder.rungs[at]
    lines: list[Line] = [(Token(f" +{rung.at_ms:.0f} ms  {rung.kind}", "title"),)]
    lines += _wrapped(_route(rung), width)
    if rung.key:
        lines += _wrapped(f"key {rung.key}", width)
    if rung.shape != "mark":
        lines += _both_sides(ladder, at, width)
    lines += _faults(ladder, rung, width)
    lines.append(())
    lines.append((Token(f" WHO KNOWS WHAT at +{rung.at_ms:.0f}", "title"),))
    for party, knows in known_by(ladder, at):
        lines += _wrapped(f"{party:<9}{knows}", width, indent=3)
    return lines


def raw_lines(rung: Rung, width: int) -> Sequence[Line]:
    """Return the observation behind a rung, as it was recorded."""
    data = json.dumps(dict(rung.data), indent=1, sort_keys=True, default=str).splitlines()
    head = [
        f"event {rung.event}",
        rung.kind,
        f"order {rung.order or '-'}",
        f"key {rung.key or '-'}",
    ]
    return [
        (Token(f" {part}"),)
        for one in (*head, *data)
        for part in (textwrap.wrap(one, max(10, width - 2)) or [""])
    ]


def known_by(ladder: Ladder, at: int) -> Iterator[tuple[str, str]]:
    """Yield each party and what it has said or been told up to a rung."""
    before = ladder.rungs[: at + 1]
    for party in (GATEWAY, PAYMENT, ORDER):
        marks = [one for one in before if one.lane == party and one.shape == "mark"]
        if party == GATEWAY:
            marks = [one for one in marks if one.tone == "money"] or marks
        yield party, marks[-1].text if marks else "nothing"
    told = [one for one in before if one.lane == SHOPPER and one.kind == "client.ended"]
    yield SHOPPER, told[-1].text.removeprefix("SHOPPER ") if told else "waiting"


def _route(rung: Rung) -> str:
    link = LINK_OF_NAME.get(rung.link or "")
    if link is None:
        return rung.text
    return f"link {link.label}  {link.title}: {rung.text}, attempt {rung.attempt}"


def _both_sides(ladder: Ladder, at: int, width: int) -> Iterator[Line]:
    rung = ladder.rungs[at]
    end = at if rung.shape != "request" else _end_of(ladder, at)
    saw = "no answer yet" if end is None else ladder.rungs[end].text
    yield ()
    yield (Token(f" {rung.lane.upper()} SAW", "title"),)
    yield from _wrapped(saw, width, indent=3)
    if rung.other is None:
        return
    yield (Token(f" {rung.other.upper()} DID", "title"),)
    done = done_by_callee(ladder, at)
    if not done:
        yield from _wrapped("nothing that it logged", width, indent=3)
    for one in done:
        yield from _wrapped(f"{one.text}, at +{one.at_ms:.0f}", width, indent=3)


def _end_of(ladder: Ladder, at: int) -> int | None:
    for index in range(at + 1, len(ladder.rungs)):
        ends = ladder.rungs[index].shape in {"reply", "lost", "unsent"}
        if ends and request_of(ladder, index) == at:
            return index
    return None


def _faults(ladder: Ladder, rung: Rung, width: int) -> Iterator[Line]:
    if not rung.under:
        return
    yield ()
    yield (Token(" FAULTS ON THE WAY", "title"),)
    for band in ladder.bands:
        in_force = band.begin_ms <= rung.at_ms and (
            band.end_ms is None or rung.at_ms <= band.end_ms
        )
        if band.fault in rung.under and in_force:
            yield from _wrapped(f"{band.said}, armed at {band.begin_ms:+.0f} ms", width, indent=3)


def _wrapped(text: str, width: int, *, indent: int = 1) -> list[Line]:
    room = max(10, width - indent)
    return [(Token(f"{'':{indent}}{part}"),) for part in textwrap.wrap(text, room) or [""]]
