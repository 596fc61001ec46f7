"""The pytest plugin: scenario files as test items, and runs from within tests.

pytest loads this module in every session of an environment that has checkout-sim, so it imports
pytest alone; whatever makes scenarios and stacks is imported by the first that needs it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # 400 ms that a session without checkouts does without
    from checkout_sim.pytest_plugin.files import ScenarioFile
    from checkout_sim.pytest_plugin.runs import CheckoutRun
    from checkout_sim.pytest_plugin.stack import CheckoutStack

SUFFIX = ".scenario.yaml"

_MARKER = (
    "checkout(strategy=None, engine=None): the strategy and the proxy server of the runs that a "
    "test makes with checkout_run"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the three choices that a person makes for a whole session."""
    group = parser.getgroup("checkout-sim", "checkouts under faults (checkout-sim)")
    group.addoption(
        "--checkout-strategy",
        metavar="NAME",
        help=f"of *{SUFFIX} collect this strategy alone; checkout_run takes it where a test "
        "names none",
    )
    group.addoption(
        "--checkout-engine",
        choices=("auto", "toxiproxy", "embedded"),
        default="auto",
        help="the proxy server that breaks the links; auto: Toxiproxy when one is found, else the "
        "embedded one (default: auto)",
    )
    group.addoption(
        "--checkout-runs-dir",
        metavar="DIR",
        type=Path,
        help="keep runs here (default: below pytest's temporary folder, one for each worker)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and refuse a strategy that cannot be run before anything is."""
    config.addinivalue_line("markers", _MARKER)
    name = config.getoption("--checkout-strategy")
    if name is None:
        return
    from checkout_sim.model.wire import STRATEGIES  # noqa: PLC0415 - see the module's own

    if name not in STRATEGIES:
        built = ", ".join(STRATEGIES)
        raise pytest.UsageError(f'--checkout-strategy: "{name}" is not one of {built}')


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScenarioFile | None":
    """Take every `*.scenario.yaml` for a file of tests."""
    if not file_path.name.endswith(SUFFIX):
        return None
    from checkout_sim.pytest_plugin.files import ScenarioFile  # noqa: PLC0415 - see the module's

    return ScenarioFile.from_parent(parent, path=file_path)


@pytest.fixture(scope="session")
def checkout_stack(pytestconfig: pytest.Config) -> "CheckoutStack":
    """Everything that runs need, once for a session: a warm fork server, an archive, options.

    Each pytest-xdist worker has its own. Every run still has private services and links.
    """
    from checkout_sim.pytest_plugin.stack import stack_of  # noqa: PLC0415 - see the module's own

    return stack_of(pytestconfig)


@pytest.fixture
def checkout_run(request: pytest.FixtureRequest, checkout_stack: "CheckoutStack") -> "CheckoutRun":
    """Return what runs a scenario and gives its `Run`; see `CheckoutRun`. For plain tests only."""
    from checkout_sim.pytest_plugin.runs import checkout_run_for  # noqa: PLC0415 - see the module's

    return checkout_run_for(request, checkout_stack)
