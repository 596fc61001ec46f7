"""Every shipped scenario earns each strategy the verdict it states, on both proxy servers."""

from pathlib import Path

import pytest

from checkout_sim.model.scenario import Scenario
from checkout_sim.scenario_files.load import link_names, load_scenario
from checkout_sim.simulation.means import Means
from checkout_sim.simulation.options import EngineChoice, Options
from checkout_sim.simulation.undisturbed import simulate
from checkout_sim.stack.fork_client import ForkServer
from checkout_sim.stack.hiccups import HiccupMeter
from checkout_sim.stack.proxy_install import find_toxiproxy
from checkout_sim.stack.servers import Servers, needed, unavailable

ROOT = Path(__file__).parents[2]
LINKS = ROOT / "toxiproxy.json"
CATALOGUE = [
    load_scenario(path, links=link_names(LINKS)) for path in sorted(ROOT.glob("scenarios/*.yaml"))
]
REAL: EngineChoice = "toxiproxy" if find_toxiproxy().program is not None else "embedded"


def cases() -> list[object]:
    """All scenarios on the real proxy server, the core set on the embedded one as well."""
    return [
        pytest.param(scenario, strategy, engine, id=f"{scenario.name}-{strategy}-{engine}")
        for engine in dict.fromkeys((REAL, "embedded"))
        for scenario in CATALOGUE
        if engine == REAL or "core" in scenario.tags
        for strategy in scenario.expect
    ]


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(("scenario", "strategy", "engine"), cases())
async def test_a_scenario_earns_the_verdict_it_states(
    scenario: Scenario,
    strategy: str,
    engine: EngineChoice,
    fork_server: ForkServer,
    servers: Servers,
    hiccups: HiccupMeter,
    tmp_path: Path,
) -> None:
    for name in needed(strategy, scenario.stack):
        if (missing := unavailable(name)) is not None:
            pytest.skip(missing)
    run = await simulate(
        scenario,
        strategy=strategy,
        seed=None,
        means=Means(
            options=Options(engine=engine, runs_folder=tmp_path, links_path=LINKS),
            spawner=fork_server,
            servers=servers,
            hiccups=hiccups,
        ),
        watch=lambda _: None,
    )

    assert run.as_expected, "\n".join(surprise.detail for surprise in run.surprises)


def test_the_catalogue_catches_naive_and_holds_the_others_to_every_claim_it_can_break() -> None:
    tripped = {claim for s in CATALOGUE if "naive" in s.expect for claim in s.expect["naive"].trips}

    assert tripped >= {
        "confirmed_means_paid_in_full",
        "every_order_ends",
        "one_confirmed_order_per_checkout",
        "payment_agrees_with_gateway",
        "replies_are_true",
        "same_key_same_answer",
        "states_never_go_back",
        "unconfirmed_means_not_paid",
    }
    assert {"valid"} == {
        told.verdict for s in CATALOGUE for name, told in s.expect.items() if name != "naive"
    }
