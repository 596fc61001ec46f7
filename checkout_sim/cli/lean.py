"""Typer's commands without pydantic where nothing has to be converted.

Typer 0.29 takes every value through a pydantic TypeAdapter, also a text that stays a text and a
default nobody gave. Importing pydantic takes 100 ms, a third of what `runs` and `explain` may take
in all. So here those values pass as they are, and all others go to typer as ever: what is accepted
and what is refused stays typer's to say. `tests/architecture` counts what is loaded.
"""

from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption


class _AsItIs:
    """Stands before typer's conversion of one parameter (its `RuntimeParam`)."""

    def __init__(self, descriptor: Any) -> None:
        self._descriptor = descriptor

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value: unchanged, as a Path, or as typer converts it."""
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        if not several and not isinstance(value, str):
            if value == param.get_default(ctx):
                return value  # a default of ours is of its type: mypy has seen it
        elif not several and self._descriptor.annotation is str:
            return value
        elif not several and self._descriptor.annotation is Path:
            return Path(value)
        elif isinstance(value, str) and value == param.get_default(ctx):
            return value  # a default among literals
        from typer._coercion import build_runtime_param  # noqa: PLC0415 - leads to pydantic

        return build_runtime_param(self._descriptor).coerce(value, param, ctx)


def _unburdened(params: list[Any]) -> list[Any]:
    for param in params:
        # A typer without these names converts by itself, only slower.
        if getattr(param, "_runtime_param", _AsItIs) is None and hasattr(param, "type_descriptor"):
            param._runtime_param = _AsItIs(param.type_descriptor)  # noqa: SLF001 - see above
    return params


class LeanCommand(TyperCommand):
    """A command whose values are converted only where that changes something."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the command's parameters."""
        return _unburdened(super().get_params(ctx))


class LeanGroup(TyperGroup):
    """A group whose own --help, when it is not given, is False rather than None.

    Typer converts None to bool by pydantic too, which would double the time of every
    `checkout-sim COMMAND --help`.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the group's own parameters."""
        return _unburdened(super().get_params(ctx))

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """Return --help."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option
