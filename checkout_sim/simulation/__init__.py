"""The use cases: run a scenario, run many, replay, keep a stack up, judge again."""

from checkout_sim.simulation.judging import judge_run
from checkout_sim.simulation.options import Options, Progress
from checkout_sim.simulation.replaying import Original, read_original, replay
from checkout_sim.simulation.series import on_database, pairs, simulate_all, simulate_pairs
from checkout_sim.simulation.undisturbed import simulate
from checkout_sim.simulation.up import RunningStack, bring_up

__all__ = [
    "Options",
    "Original",
    "Progress",
    "RunningStack",
    "bring_up",
    "judge_run",
    "on_database",
    "pairs",
    "read_original",
    "replay",
    "simulate",
    "simulate_all",
    "simulate_pairs",
]
