"""Values that need no conversion pass as they are; all others are typer's to take or refuse."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
import typer.main

from checkout_sim.cli.lean import LeanCommand

app = typer.Typer(add_completion=False)


@app.command(cls=LeanCommand)
def one(
    name: str,
    more: Annotated[list[str] | None, typer.Option()] = None,
    count: Annotated[int, typer.Option(min=1)] = 3,
    kind: Annotated[Literal["a", "b"], typer.Option()] = "a",
    where: Annotated[Path, typer.Option(envvar="WHERE")] = Path("here"),
    maybe: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Take one of everything."""


def taken(*arguments: str) -> dict[str, Any]:
    context = typer.main.get_command(app).make_context("one", list(arguments))
    return dict(context.params)


def test_defaults_and_texts_pass_as_they_are() -> None:
    found = taken("x")

    assert not found.pop("more")
    assert found == {"name": "x", "count": 3, "kind": "a", "where": Path("here"), "maybe": None}


def test_what_is_given_is_converted() -> None:
    arguments = ("x", "--more", "p", "--more", "q", "--count", "5", "--kind", "b", "--where", "w")

    assert taken(*arguments, "--maybe", "m") == {
        "name": "x",
        "more": ["p", "q"],
        "count": 5,
        "kind": "b",
        "where": Path("w"),
        "maybe": Path("m"),
    }


def test_the_environment_is_converted_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", "there")

    assert taken("x")["where"] == Path("there")


@pytest.mark.parametrize("wrong", [("--count", "0"), ("--count", "many"), ("--kind", "c")])
def test_what_is_wrong_is_refused_as_ever(wrong: tuple[str, str]) -> None:
    with pytest.raises(typer.BadParameter):
        taken("x", *wrong)
