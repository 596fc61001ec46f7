"""`list`, `validate` and `schema`: scenarios as files, nothing is started."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from checkout_sim.cli.options import Targets
from checkout_sim.cli.streams import complain, results, show, tell
from checkout_sim.model.errors import ScenarioInvalid

if TYPE_CHECKING:  # loading the nouns would cost --help 40 ms
    from checkout_sim.model.scenario import Scenario

LIST_EXAMPLES = """\
  checkout-sim list                all shipped scenarios
  checkout-sim list --tag core     those that `run` takes by default
  checkout-sim list my-folder/     your own
"""
VALIDATE_EXAMPLES = """\
  checkout-sim validate                 all shipped scenarios
  checkout-sim validate my.yaml more/   a file and a folder
"""
SCHEMA_EXAMPLES = """\
  checkout-sim schema > scenario.schema.json     for an editor's completion
  checkout-sim schema report                     of what `run --json` writes
"""


class SchemaOf(StrEnum):
    """What a schema can be had of."""

    SCENARIO = "scenario"
    REPORT = "report"


def list_scenarios(
    *,
    targets: Targets = None,
    tag: Annotated[
        str | None,
        typer.Option(metavar="TAG", help="Only those with this tag.", show_default=False),
    ] = None,
) -> None:
    """List scenarios and the verdict each strategy must earn.

    Without targets all shipped ones; below each stands why it exists.
    """
    from checkout_sim.cli.course import course  # noqa: PLC0415 - rich costs --help 40 ms
    from checkout_sim.cli.targets import loaded  # noqa: PLC0415 - imports scenario loading

    scenarios, problems = loaded(targets or [])
    shown = [one for one in scenarios if tag is None or tag in one.tags]
    console = results()
    show(console, course(shown, width=console.width))
    tell(_counted(shown, tag) + "; under each strategy, the verdict it must earn")
    errors = tuple(problem for problem in problems if problem.severity == "error")
    if errors:
        raise ScenarioInvalid(errors)


def validate(*, targets: Targets = None) -> None:
    """Check scenario files without starting anything.

    Every problem of every file is told with line and column, on standard error. Exits 2 if a
    file cannot be used; warnings stop nothing.
    """
    from checkout_sim.cli.targets import loaded  # noqa: PLC0415 - imports scenario loading

    scenarios, problems = loaded(targets or [])
    errors = tuple(problem for problem in problems if problem.severity == "error")
    for problem in problems:
        if problem.severity != "error":
            complain(str(problem))
    warned = len(problems) - len(errors)
    suffix = f", {warned} warnings" if warned > 1 else ", 1 warning" if warned else ""
    noun = "scenario is" if len(scenarios) == 1 else "scenarios are"
    tell(f"{len(scenarios)} {noun} valid{suffix}")
    if errors:
        raise ScenarioInvalid(errors)


def schema(
    *,
    of: Annotated[
        SchemaOf, typer.Argument(help="A scenario file, or the report of `run --json`.")
    ] = SchemaOf.SCENARIO,
) -> None:
    """Print the JSON Schema of scenarios or of the report."""
    if of is SchemaOf.REPORT:
        from checkout_sim.reports.summary import schema as report_schema  # noqa: PLC0415 - lazy

        tell(json.dumps(report_schema(), indent=2))
        return
    from checkout_sim.scenario_files.load import json_schema  # noqa: PLC0415 - imports pydantic

    tell(json.dumps(json_schema(), indent=2))


def _counted(shown: list["Scenario"], tag: str | None) -> str:
    noun = "scenario" if len(shown) == 1 else "scenarios"
    tagged = f' tagged "{tag}"' if tag else ""
    return f"{len(shown)} {noun}{tagged}"
