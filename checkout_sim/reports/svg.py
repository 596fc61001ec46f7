"""The smallest pieces of an SVG drawing, escaped and short.

Takes numbers and text, gives `Markup`. Styling belongs to `page.css`, by class; nothing here knows
a colour, so that light, dark and paper share one drawing.
"""

from collections.abc import Iterable

from markupsafe import Markup, escape

WIDTH = 980


def number(value: float) -> str:
    """Return a coordinate, to a tenth of a pixel and without a needless point."""
    return f"{value:.1f}".removesuffix(".0")


def element(name: str, content: Markup | str = "", /, **attributes: object) -> Markup:
    """Return an element; `class_` is `class`, an underscore is a hyphen, content is escaped."""
    # Put together as plain strings, each piece escaped by itself: ten times as fast as Markup's
    # own formatting, and a page has ten thousand elements.
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = escape(content)
    whole = f"<{name}{said}>{inner}</{name}>" if inner else f"<{name}{said}/>"
    return Markup(whole)  # noqa: S704 - names are this package's own, all else is escaped


def text(content: str, x: float, y: float, class_: str | None = None) -> Markup:
    """Return a line of text that begins, or by its class ends or centres, at a place."""
    return element("text", content, x=x, y=y, class_=class_)


def line(x1: float, y1: float, x2: float, y2: float, class_: str | None = None) -> Markup:
    """Return a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def joined(parts: Iterable[Markup]) -> Markup:
    """Return parts, one after another."""
    return Markup("".join(parts))  # noqa: S704 - every part is escaped already


def drawing(content: Markup, *, height: float, title: str, told: str, role: str = "img") -> Markup:
    """Return a whole drawing that scales to its place; `told` is what it shows, in words.

    One that holds links is a `group`: of an `img` nobody can reach the parts (WAI-ARIA 1.2).
    """
    return element(
        "svg",
        element("title", title) + element("desc", told) + content,
        viewBox=f"0 0 {WIDTH} {number(height)}",
        role=role,
        aria_label=f"{title}. {told}",
    )


def _value(value: object) -> str:
    if isinstance(value, float):
        return number(value)
    return str(value) if isinstance(value, int) else str(escape(value))
