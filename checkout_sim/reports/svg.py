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
    said = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _value(value))
        for key, value in attributes.items()
        if value is not None
    )
    start = Markup("<") + Markup(name) + said  # noqa: S704 - names are this package's own
    if content == "":
        return start + Markup("/>")
    end = Markup("</") + Markup(name) + Markup(">")  # noqa: S704 - likewise
    return start + Markup(">") + escape(content) + end


def text(content: str, x: float, y: float, class_: str | None = None) -> Markup:
    """Return a line of text that begins, or by its class ends or centres, at a place."""
    return element("text", content, x=x, y=y, class_=class_)


def line(x1: float, y1: float, x2: float, y2: float, class_: str | None = None) -> Markup:
    """Return a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def joined(parts: Iterable[Markup]) -> Markup:
    """Return parts, one after another."""
    return Markup("").join(parts)


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
    return number(value) if isinstance(value, float) else str(value)
