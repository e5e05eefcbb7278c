"""Learners judged by the exact certificate: agents that see only their own state and reward.

    python benchmarks/learners.py

Prints, for Mguni's learner on the beach bar and on supply against moving demand (12x12 cells), relative exploitability
and distance of the density from the solver's for N = 10, 100, 1000 learning agents, mean and spread over seeds at equal
numbers of agent-steps; and agent-steps per second of the compiled episode (walking and learning) and of the general
environment.
"""

from __future__ import annotations

import time
import warnings

import numpy as np

import mfgsolve as mfg
from mfgsolve.learners import EpsilonGreedy, Harmonic, QLearner, SampledGame, train

SEEDS = (0, 1, 2)


def games():
    """Name, game, and how often one agent plays it in all: episodes times agents."""
    yield "beach-bar", mfg.problems.beach_bar(), 2_000_000
    yield "lattice-supply-demand 12x12x24", mfg.problems.lattice_supply_demand(shape=(12, 12), steps=24), 5_000_000


def print_table():
    print(f"Mguni's learner: mean (least to most) over {len(SEEDS)} seeds")
    print(f"{'game':32s} {'agents':>7s} {'episodes':>9s}  {'relative exploitability':30s} {'density distance':28s} M/s")
    for name, problem, plays in games():
        reference = mfg.solve(problem)
        for agents in (10, 100, 1000):
            gaps, distances, rates = [], [], []
            for seed in SEEDS:
                begun = time.perf_counter()
                learned = mfg.learn(problem, agents=agents, episodes=plays // agents, rng=seed, reference=reference)
                rates.append(float(learned.dataset.agent_steps[-1]) / (time.perf_counter() - begun) / 1e6)
                gaps.append(learned.relative_exploitability)
                distances.append(learned.dataset.attrs["density_distance"])
            gap = f"{np.mean(gaps):.4f} ({min(gaps):.4f} to {max(gaps):.4f})"
            apart = f"{np.mean(distances):.3f} ({min(distances):.3f} to {max(distances):.3f})"
            print(f"{name:32s} {agents:7d} {plays // agents:9d}  {gap:30s} {apart:28s} {max(rates):9.1f}", flush=True)


def print_environment():
    problem = mfg.problems.beach_bar()
    world = SampledGame(problem, agents=20_000, rng=0)
    learner = QLearner(world.game, EpsilonGreedy(0.5), Harmonic(0.7))
    train(learner, world, 1)
    begun = time.perf_counter()
    train(learner, world, 5)
    rate = 5 * 20_000 * world.game.steps / (time.perf_counter() - begun) / 1e6
    print(f"\ngeneral environment with a Q-learner, {rate:.1f} million agent-steps/s")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print_table()
    print_environment()
