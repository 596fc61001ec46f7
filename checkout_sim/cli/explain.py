"""`explain`: one order of an archived run, drawn as a ladder, and why it ended as it did."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checkout_sim.cli.options import DEFAULT_RUNS_DIR, RunsDir
from checkout_sim.cli.streams import complain, results, show

if TYPE_CHECKING:  # loading the nouns would cost --help 40 ms
    from checkout_sim.model.verdict import Violation

EXAMPLES = """\
  checkout-sim explain latest              the first violated order of the run begun last
  checkout-sim explain latest 3            the order of checkout 3
  checkout-sim explain 20261123-051633 ord_8f3ac2
                                           a run and an order, by the beginning of their ids
"""


def explain(
    *,
    run: Annotated[
        str,
        typer.Argument(metavar="[RUN]", help="An id, the beginning of one, a folder, or latest."),
    ] = "latest",
    order: Annotated[
        str | None,
        typer.Argument(
            metavar="[ORDER]",
            help="An order id, the beginning of one, or a checkout's number. [default: the first "
            "violated order, else the first one under a fault]",
            show_default=False,
        ),
    ] = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Draw what befell one order, and say which rule was broken.

    Who asked whom and when, which faults were in force, who believes what at the end: the ladder
    of one order, then two sentences. Nothing is run and nothing is judged again.
    """
    from checkout_sim.archive.orders import (  # noqa: PLC0415 - lazy
        believed_in,
        ladder_of,
        violations_in,
    )
    from checkout_sim.archive.runs import find_run, read_verdict  # noqa: PLC0415 - lazy
    from checkout_sim.checks.diagnosis import diagnose  # noqa: PLC0415 - lazy
    from checkout_sim.reports.explained import Explained, explained  # noqa: PLC0415 - rich

    folder = find_run(runs_dir, run)
    verdict = read_verdict(folder)
    if verdict is None:
        complain(
            f"checkout-sim: {folder.name} has no verdict, so no violation is known; "
            f"`checkout-sim judge {folder}` would say"
        )
        verdict = {}
    violations = violations_in(verdict)
    order_id = _chosen(folder, order, violations)
    ladder = ladder_of(
        folder,
        order_id,
        checkout=_checkout(violations, order_id),
        believed_already=believed_in(verdict, order_id),
    )
    own = tuple(one for one in violations if one.order_id == order_id)
    story = Explained(
        title=_title(folder, verdict),
        ladder=ladder,
        violations=own,
        diagnosis=diagnose(ladder, violations),
        others=len({one.order_id for one in violations if one.order_id} - {order_id}),
    )
    show(results(), explained(story))


def _chosen(folder: Path, name: str | None, violations: "tuple[Violation, ...]") -> str:
    """Return the order to explain; raises BadParameter where no order, or several, fit."""
    from checkout_sim.archive.orders import first_worth_a_look, orders_called  # noqa: PLC0415

    if name is None:
        found = first_worth_a_look(folder, violations)
        if found is None:
            raise typer.BadParameter(f"no order was ever seen in {folder.name}", param_hint="RUN")
        return found
    fitting = orders_called(folder, name, violations)
    if not fitting:
        raise typer.BadParameter(
            f'nothing in {folder.name} is called "{name}"; name an order id, the beginning of one, '
            "or a checkout's number",
            param_hint="ORDER",
        )
    by_checkout = name.lstrip("#").isdigit()
    if len(fitting) > 1 and not by_checkout:
        some = ", ".join(fitting[:3])
        raise typer.BadParameter(
            f'"{name}" begins {len(fitting)} orders ({some}); write more of the id',
            param_hint="ORDER",
        )
    if len(fitting) > 1:
        complain(f"checkout {name} led to {len(fitting)} orders: {', '.join(fitting)}")
    return fitting[0]


def _checkout(violations: "tuple[Violation, ...]", order_id: str) -> int | None:
    return next((one.checkout for one in violations if one.order_id == order_id), None)


def _title(folder: Path, verdict: dict[str, object]) -> str:
    if not verdict:
        return folder.name
    what = f"{verdict.get('scenario')} × {verdict.get('strategy')}"  # noqa: RUF001 - a product
    return f"{what}, seed {verdict.get('seed')}: {verdict.get('verdict')}"
