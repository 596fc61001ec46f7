"""Scenario files as pytest collects them: one item for each strategy that `expect` names.

Takes a `*.scenario.yaml`, gives items such as `refund.scenario.yaml::hardened`. Collecting checks
the file and starts nothing.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from checkout_sim.model.errors import CheckoutSimError, Problem
from checkout_sim.model.run import Run
from checkout_sim.model.scenario import Scenario
from checkout_sim.scenario_files.load import link_names, load_scenarios
from checkout_sim.scenario_files.shipped import links_path, near


class VerdictNotAsExpected(Exception):
    """A run ended otherwise than its scenario says it does, or could not be judged."""

    def __init__(self, run: Run) -> None:
        self.run = run
        super().__init__(f"{run.scenario}, {run.strategy}: {run.verdict.status}")


class ScenarioFile(pytest.File):
    """One scenario file."""

    def collect(self) -> Iterable["ScenarioItem"]:
        """Yield an item per strategy; a file that cannot be used is an error with its places."""
        try:
            scenarios, problems = load_scenarios([near(self.path)], links=link_names(links_path()))
        except CheckoutSimError as error:
            raise self.CollectError(str(error)) from error
        if not scenarios:
            raise self.CollectError("\n".join(map(str, problems)))
        wanted = self.config.getoption("--checkout-strategy")
        for scenario in scenarios:
            for strategy in scenario.expect:
                if wanted in {None, strategy}:
                    yield ScenarioItem.from_parent(
                        self, name=strategy, scenario=scenario, doubts=problems
                    )


class ScenarioItem(pytest.Item):
    """One run of a scenario against a strategy."""

    def __init__(
        self, *, scenario: Scenario, doubts: Sequence[Problem], name: str, parent: ScenarioFile
    ) -> None:
        super().__init__(name, parent)
        self.scenario = scenario
        self._doubts = doubts
        self._run: Run | None = None

    def setup(self) -> None:
        """Make the run: what goes wrong with a stack is an error, and no verdict on anything."""
        from checkout_sim.pytest_plugin.stack import stack_of  # noqa: PLC0415 - collecting does without

        if self._doubts:
            told = "\n".join(map(str, self._doubts))
            self.add_report_section("setup", "warnings of checkout-sim validate", told)
        self._run = stack_of(self.config).run(self.scenario, strategy=self.name)

    def runtest(self) -> None:
        """Fail unless the verdict is the one expected; one that is unknown satisfies nothing."""
        run = self._run
        assert run is not None, "setup made it"
        if run.verdict.status == "unknown" or not run.as_expected:
            raise VerdictNotAsExpected(run)

    # Any: the types of pytest's own signature are not public.
    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return what went wrong as the command line would print it; a traceback only for bugs."""
        match excinfo.value:
            case VerdictNotAsExpected(run=run):
                from checkout_sim.pytest_plugin.telling import told  # noqa: PLC0415 - loads rich

                return told(run, full=self.config.get_verbosity() > 0)
            case CheckoutSimError() as error:
                return f"{self.scenario.name}, {self.name}: {error}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple["os.PathLike[str] | str", int | None, str]:
        """Return where the item is and what a failure's headline calls it."""
        return Path(self.path), None, f"{self.scenario.name}[{self.name}]"
