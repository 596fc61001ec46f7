"""A run as a failed test shows it: the command line's own block, in plain text."""

from io import StringIO

from rich.console import Console

from checkout_sim.model.run import Run
from checkout_sim.reports.violations import run_block

_WIDTH = 100


def told(run: Run, *, full: bool = False) -> str:
    """Return surprises, violations with who believes what, the run's folder, how to reproduce.

    All orders with `full`, as with --verbose of either program, else the first five.
    """
    out = StringIO()
    console = Console(file=out, width=_WIDTH, color_system=None, force_terminal=False)
    console.print(run_block(run, full=full), crop=False)
    lines = out.getvalue().splitlines()
    return "\n".join(line.rstrip() for line in lines)
