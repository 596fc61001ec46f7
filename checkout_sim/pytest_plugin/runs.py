"""What the fixture `checkout_run` gives: scenarios in any of four forms, a `Run` out.

A scenario is the name of a shipped one, a file, YAML text, or the same as a dictionary.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checkout_sim.model.run import Run
from checkout_sim.model.scenario import Scenario
from checkout_sim.pytest_plugin.stack import CheckoutStack, new_folder
from checkout_sim.pytest_plugin.telling import told
from checkout_sim.reports.phrases import title
from checkout_sim.scenario_files.load import find_scenarios, link_names, load_scenario
from checkout_sim.scenario_files.shipped import near, shipped_roots
from checkout_sim.simulation.options import EngineChoice

_NAME = re.compile(r"^name: *([a-z0-9][a-z0-9-]*)", re.MULTILINE)

Asked = str | Path | Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutRun:
    """Runs scenarios for one test; `strategy` and `engine` are those of its marker, or options."""

    stack: CheckoutStack
    strategy: str | None
    engine: EngineChoice | None
    beside: Path  # the folder of the test's file
    new_folder: Callable[[], Path]
    add_section: Callable[[str, str], None]
    full: bool  # all orders in that section

    def __call__(
        self,
        scenario: Asked,
        *,
        strategy: str | None = None,
        seed: int | None = None,
        engine: EngineChoice | None = None,
    ) -> Run:
        """Run a scenario once, to its verdict, and return the run.

        Without a strategy it is the marker's, the option's, or the only one the scenario expects
        anything of. A run that is not as expected is told in a section of the test's report, should
        the test fail. Raises ScenarioInvalid, StrategyUnknown, StackDidNotStart, and
        CheckoutSimError naming the nearest one for a scenario that is not there.
        """
        found = self._scenario(scenario)
        run = self.stack.run(
            found,
            strategy=strategy or self.strategy or _only_strategy(found),
            seed=seed,
            engine=engine or self.engine,
        )
        if not run.as_expected:
            self.add_section(f"checkout-sim: {title(run)}", told(run, full=self.full))
        return run

    def _scenario(self, asked: Asked) -> Scenario:
        links = link_names(self.stack.options.links_path)
        return load_scenario(self._file(asked), links=links)

    def _file(self, asked: Asked) -> Path:
        match asked:
            case Path():
                own = self.beside / asked
                return near(own) if own.is_file() else asked
            case str() if "\n" not in asked:
                if (self.beside / asked).is_file():
                    return near(self.beside / asked)
                (path, *more) = find_scenarios([asked], roots=shipped_roots())
                if more:
                    raise pytest.UsageError(
                        f"{asked}: a folder of scenarios; checkout_run runs one"
                    )
                return path
            case str():
                return self._written(asked)
            case _:
                return self._written(json.dumps(asked, indent=2), str(asked.get("name", "")))

    def _written(self, text: str, name: str | None = None) -> Path:
        """Keep a scenario that is no file as one, so that it can be run again from the shell."""
        found = _NAME.search(text if name is None else f"name: {name}")
        path = self.new_folder() / f"{found[1] if found else 'scenario'}.yaml"
        path.write_text(text, encoding="utf-8")
        return path


def checkout_run_for(request: pytest.FixtureRequest, stack: CheckoutStack) -> CheckoutRun:
    """Return the `checkout_run` of the test that asks for it."""
    marker = request.node.get_closest_marker("checkout")
    said = dict(marker.kwargs) if marker else {}
    strategy = said.pop("strategy", None) or request.config.getoption("--checkout-strategy")
    engine = said.pop("engine", None)
    if said or (marker and marker.args):
        raise pytest.UsageError(
            f"{request.node.nodeid}: pytest.mark.checkout takes strategy=… and engine=… by name, "
            f"found {[*(marker.args if marker else ()), *said]}"
        )
    if engine not in {None, "auto", "toxiproxy", "embedded"}:
        raise pytest.UsageError(
            f'{request.node.nodeid}: pytest.mark.checkout: engine "{engine}" is not one of auto, '
            "toxiproxy, embedded"
        )
    return CheckoutRun(
        stack=stack,
        strategy=strategy,
        engine=engine,
        beside=request.path.parent,
        new_folder=lambda: new_folder(request.config, "scenario"),
        add_section=lambda name, text: request.node.add_report_section("call", name, text),
        full=request.config.get_verbosity() > 0,
    )


def _only_strategy(scenario: Scenario) -> str:
    match list(scenario.expect):
        case [only]:
            return only
        case several:
            raise pytest.UsageError(
                f"{scenario.name} expects something of {', '.join(several)}; say which one is to "
                "run: checkout_run(…, strategy=…), pytest.mark.checkout(strategy=…) or "
                "--checkout-strategy"
            )
