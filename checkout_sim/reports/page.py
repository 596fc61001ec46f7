"""The HTML page: archived runs in one self-contained file, without scripts and without network.

Takes chapters, gives the page's text. It opens on the ladder of the first violated order, of a run
that surprises if there is one. Every text is escaped by the template engine; the drawings escape
theirs themselves (`svg.py`). A Content-Security-Policy forbids what should not be there anyway.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from checkout_sim.reports.chapter import Chapter, Told
from checkout_sim.reports.course_svg import MOST_POINTS, course_svg
from checkout_sim.reports.ladder_svg import ladder_svg
from checkout_sim.reports.phrases import Targets, counted, duration, strategy_place

_MARKS = {True: "✔", False: "✘", None: "·"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """An order on the page; `anchor` is where its ladder is."""

    told: Told
    anchor: str
    drawing: Markup
    claims: tuple[str, ...]
    heading: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A run on the page."""

    chapter: Chapter
    anchor: str
    title: str
    outcome: str
    mark: str
    orders: tuple[_Order, ...]
    course: Markup
    sampled: str
    commands: tuple[tuple[str, str], ...]


def page(chapters: Sequence[Chapter], *, targets: Targets | None = None) -> str:
    """Return the whole page; `targets` shorten a scenario's path in the commands to copy."""
    told = sorted(chapters, key=_in_story)
    sections = [_section(one, at, targets or {}) for at, one in enumerate(told, start=1)]
    lead = _lead(sections)
    strategies = sorted({_strategy(one) for one in told}, key=strategy_place)
    return _template().render(
        sections=sections,
        lead=lead,
        lead_section=next((one for one in sections if lead in one.orders), None),
        strategies=strategies,
        matrix=_matrix(sections, strategies),
        summary=_summary(told),
        css=Markup(_text("page.css")),  # noqa: S704 - our own file
        counted=counted,
        duration=duration,
    )


def outcome(chapter: Chapter) -> str:
    """Return the verdict and whether it was expected, as the terminal has it."""
    expected = chapter.facts.get("expected")
    if chapter.disturbed:
        return f"{chapter.verdict} (but the machine stood still)"
    if chapter.facts.get("as_expected") and chapter.verdict == expected:
        return f"{chapter.verdict} (as expected)"
    if expected is None:
        return f"{chapter.verdict} (nothing expected)"
    stated = "but not as" if expected == chapter.verdict else expected
    said = f"{stated} expected" if stated == "but not as" else f"expected {stated}"
    return f"{chapter.verdict} ({said})"


def _section(chapter: Chapter, number: int, targets: Targets) -> _Section:
    anchor = f"run-{number}"
    orders = tuple(
        _order(one, f"{anchor}-order-{at}") for at, one in enumerate(chapter.orders, start=1)
    )
    violated = {
        one.told.ladder.checkout: f"#{one.anchor}"
        for one in orders
        if one.claims and one.told.ladder.checkout is not None
    }
    title = f"{_scenario(chapter)} × {_strategy(chapter)}"  # noqa: RUF001 - a product is meant
    course, sampled = Markup(""), ""
    if chapter.course is not None:
        course = course_svg(chapter.course, violated, title=f"Course of {title}")
        attempts = len(chapter.course.attempts)
        if attempts > MOST_POINTS:
            sampled = f"{MOST_POINTS} of {attempts} attempts are drawn, every violated one shown."
    return _Section(
        chapter=chapter,
        anchor=anchor,
        title=title,
        outcome=outcome(chapter),
        mark="?" if chapter.undecided else _MARKS[chapter.facts.get("as_expected")],
        orders=orders,
        course=course,
        sampled=sampled,
        commands=tuple(_commands(chapter, targets)),
    )


def _order(told: Told, anchor: str) -> _Order:
    claims = tuple(dict.fromkeys(one.invariant for one in told.violations))
    checkout = told.ladder.checkout
    heading = f"order {told.ladder.order_id}"
    return _Order(
        told=told,
        anchor=anchor,
        drawing=ladder_svg(told.ladder),
        claims=claims,
        heading=heading if checkout is None else f"{heading}, checkout {checkout}",
    )


def _lead(sections: Sequence[_Section]) -> _Order | None:
    """Return the order the page opens on: surprising runs first, violated orders before others."""
    ranked = sorted(
        (section for section in sections if section.orders),
        key=lambda one: (not one.orders[0].claims, not one.chapter.surprising),
    )
    return ranked[0].orders[0] if ranked else None


def _matrix(
    sections: Sequence[_Section], strategies: Sequence[str]
) -> list[tuple[str, list[list[_Section]]]]:
    scenarios = dict.fromkeys(_scenario(one.chapter) for one in sections)
    return [
        (
            scenario,
            [
                [
                    one
                    for one in sections
                    if (_scenario(one.chapter), _strategy(one.chapter)) == (scenario, strategy)
                ]
                for strategy in strategies
            ],
        )
        for scenario in scenarios
    ]


def _summary(chapters: Sequence[Chapter]) -> str:
    checkouts = sum(int((one.facts.get("orders") or {}).get("total", 0)) for one in chapters)
    surprising = sum(one.surprising for one in chapters)
    violations = sum(int(one.facts.get("violations_total") or 0) for one in chapters)
    look = "needs" if surprising == 1 else "need"
    said = f"{counted(surprising, 'run')} {look} a look" if surprising else "all as expected"
    found = f"{counted(violations, 'violation')} in {counted(checkouts, 'checkout')}"
    return f"{counted(len(chapters), 'run')}, {said}; {found}"


def _commands(chapter: Chapter, targets: Targets) -> list[tuple[str, str]]:
    facts = chapter.facts
    path = str(facts.get("scenario_path") or "")
    again = str(facts.get("reproduce") or "")
    if path and path in targets:
        command = ["checkout-sim", "run", targets[path], "--strategy", _strategy(chapter)]
        again = shlex.join([*command, "--seed", str(facts.get("seed"))])
    said = [("Run the same plan again", again)] if again else []
    said.append(("Judge this history again", f"checkout-sim judge {shlex.quote(chapter.id)}"))
    said.append(("Draw an order here", f"checkout-sim explain {shlex.quote(chapter.id)} ORDER"))
    return said


def _in_story(chapter: Chapter) -> tuple[str, tuple[int, str], str]:
    path = str(chapter.facts.get("scenario_path") or "")
    return (path, strategy_place(_strategy(chapter)), chapter.id)


def _scenario(chapter: Chapter) -> str:
    return str(chapter.facts.get("scenario") or chapter.id)


def _strategy(chapter: Chapter) -> str:
    return str(chapter.facts.get("strategy") or "unknown")


@cache
def _template() -> Template:
    """Return the compiled page; a name it lacks is an error, never an empty place."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_text("page.html.jinja"))


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
