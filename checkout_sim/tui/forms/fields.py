"""A form's fields as values: what stands in each, and how wide it is drawn."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field: a choice where there are `options`, else a text of `width` columns.

    Fields of one `row` stand on one line of the form.
    """

    name: str
    label: str
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    width: int = 10
    row: int = 0
