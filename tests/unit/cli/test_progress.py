import io

from rich.console import Console

from checkout_sim.cli.progress import LiveProgress, PlainProgress, progress_on
from tests.unit.cli.test_reporting import Said
from tests.unit.reports.stories import TOXIPROXY, caught, regressed


def terminal(paper: io.StringIO) -> Console:
    return Console(file=paper, width=100, force_terminal=True, markup=False, highlight=False)


def test_a_terminal_gets_bars_and_everything_else_plain_lines() -> None:
    assert isinstance(progress_on(terminal(io.StringIO()), runs=1), LiveProgress)
    assert isinstance(progress_on(Console(file=io.StringIO()), runs=1), PlainProgress)


def test_the_proxy_server_is_named_once_although_every_run_says_it() -> None:
    paper = io.StringIO()
    with progress_on(Console(file=paper, width=100), runs=2) as progress:
        for run_id in ("r1", "r2"):
            progress.watch(Said(kind="engine", run_id=run_id, engine=TOXIPROXY))

    assert paper.getvalue() == "proxy server: toxiproxy 2.12.0\n"


def test_bars_name_the_run_its_phase_and_how_far_it_is() -> None:
    paper = io.StringIO()
    with progress_on(terminal(paper), runs=2) as progress:
        progress.watch(Said(kind="opened"))
        progress.watch(Said(kind="phase", phase="storm"))
        progress.watch(Said(kind="checkout", phase="storm", done=3))

    assert "calm × naive: storm" in paper.getvalue()  # noqa: RUF001
    assert "3/5" in paper.getvalue()


def test_a_finished_run_leaves_the_bars_and_an_unheard_of_one_harms_nothing() -> None:
    with progress_on(terminal(io.StringIO()), runs=2) as progress:
        assert isinstance(progress, LiveProgress)
        progress.watch(Said(kind="opened"))
        progress.watch(Said(kind="finished"))
        progress.watch(Said(kind="finished", run_id="r9"))
        progress.watch(Said(kind="something new"))

        assert progress._tasks == {}


def test_only_surprises_are_told_while_bars_run() -> None:
    paper = io.StringIO()
    with progress_on(terminal(paper), runs=2) as progress:
        progress.ended(caught())
        progress.ended(regressed())

    assert "lost-response-silent" not in paper.getvalue()
    assert "refused × hardened" in paper.getvalue()  # noqa: RUF001


def test_a_run_that_is_made_again_is_named_with_the_reason_on_both() -> None:
    for console in (terminal(io.StringIO()), Console(file=io.StringIO(), width=100)):
        with progress_on(console, runs=2) as progress:
            progress.watch(Said(kind="again", note="the machine stood still for 616 ms"))

        assert isinstance(console.file, io.StringIO)
        said = console.file.getvalue()
        assert "? calm × naive: the machine stood still for 616 ms" in said  # noqa: RUF001
