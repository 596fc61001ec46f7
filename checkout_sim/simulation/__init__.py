"""The use cases: run a scenario, run many, replay, keep a stack up, judge again."""

from checkout_sim.simulation.judging import judge_run
from checkout_sim.simulation.options import Options, Progress
from checkout_sim.simulation.replaying import Original, read_original, replay
from checkout_sim.simulation.series import pairs, simulate_all
from checkout_sim.simulation.single import simulate
from checkout_sim.simulation.up import RunningStack, bring_up

__all__ = [
    "Options",
    "Original",
    "Progress",
    "RunningStack",
    "bring_up",
    "judge_run",
    "pairs",
    "read_original",
    "replay",
    "simulate",
    "simulate_all",
]
