"""Learners that see mean actions: who errs, who reaches what, how ordered they are, and how fast.

    python benchmarks/learners_multitype.py [--quick]

Prints Appendix A of the multi-type paper (Ganapathi Subramanian et al., arXiv 2002.02513); rewards at fair and at
biased neighbours beside the exact best ones, with their spread over seeds (fair neighbours behave alike: there is
nothing to discover, and MTMFQ earns what MFQ does); types discovered from behaviour; the Ising model of Yang et al.
(arXiv 1802.05438) beside Monte Carlo; and agent-steps per second on one thread.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from mfgsolve.parts.schedules import Harmonic
from mfgsolve.stages.ising import CRITICAL_TEMPERATURE, exact_order, ising, learned_order, monte_carlo
from mfgsolve.stages.multitype import MultiType
from mfgsolve.stages.stage_games import best_reward, counterexample, reward_of, two_camps
from mfgsolve.stages.types import DiscoveredTypes, KnownTypes, NoMeanAction, OneType, adjusted_rand_index

A_UP, B_UP = [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]
NAMES = ("IL", "MFQ", "MFAC", "MTMFQ known", "MTMFQ discovered")


def spread(values):
    return f"{np.mean(values):8.4f} +- {np.std(values):.4f}"


def appendix_a():
    print("Appendix A: Q(up) after the stages A, A, B (alpha = 0.1, both actions learned)")
    for name, model in (("MFQ", OneType()), ("MTMFQ", KnownTypes([0, 0, 0, 1, 1]))):
        learner = MultiType(model, updates="all")
        memory, values = learner.start(counterexample(A_UP), 0), []
        for up in (A_UP, A_UP, B_UP):
            game = counterexample(up)
            learner.play(game, memory, 1)
            cell = memory.coding.cells(game.graph, memory.types, memory.actions)[0]
            values.append(float(memory.q[0, 0, cell, 1]))
        print(f"  {name:6s} {' '.join(f'{q:7.3f}' for q in values)}   spins {'up' if values[-1] > 0 else 'down'}")
    print(f"  MFQ errs for alpha below {(3 - np.sqrt(5)) / 2:.4f}\n")


def cooling(stage):
    return min(20.0, stage / 200.0)


def stage_rewards(chances, copies, stages):
    game = counterexample(chances, copies)
    known = KnownTypes(game.types)
    print(f"Spin up with {chances}: reward per stage, {copies} seeds")
    print(f"  {'':17s}{'exact best':>10s}   {'policy learned':18s}   {'played (last half)':18s}")
    for name, model in zip(NAMES, (NoMeanAction(), OneType(), OneType(), known, DiscoveredTypes(2, 500)), strict=True):
        learner = MultiType(model, beta=cooling, step=Harmonic(power=0.8), actor=0.5 if name == "MFAC" else 0.0)
        memory = learner.start(game, 0)
        learner.play(game, memory, stages)
        record = learner.play(game, memory, stages)
        found = KnownTypes(memory.types) if memory.types.any() else model
        if isinstance(model, DiscoveredTypes):
            learned = "-"
            match = adjusted_rand_index(memory.types[game.scripted], game.types[game.scripted])
            best, note = best_reward(game, known), f"   ARI of the neighbours {match:.3f}"
        else:
            policy = learner.policy(memory)[:, 0]
            learned = spread([reward_of(game, found, policy[k], i) for k, i in enumerate(game.learners)])
            best, note = best_reward(game, model), ""
        print(f"  {name:17s}{best:10.4f}   {learned:18s}   {spread(record.mean_reward):18s}{note}")
    print()


def camps(seeds, stages):
    print("Two camps on a 12 x 12 torus: types discovered from what was learned, adjusted Rand index after each window")
    for seed in range(seeds):
        game = two_camps(12, types=np.random.default_rng(seed).integers(2, size=144))
        learner = MultiType(DiscoveredTypes(2, 500), beta=2.0)
        found = learner.play(game, learner.start(game, seed), stages, activity=0.2).agreement
        print(f"  seed {seed}: {' '.join(f'{a:.2f}' for a in found)}")
    print()


def order(seeds, stages):
    print(f"Ising, 20 x 20 torus: order parameter, {seeds} seeds (critical temperature {CRITICAL_TEMPERATURE:.4f})")
    print("   T      infinite  heat bath          Metropolis         MFQ, 1/10 act      MFQ, all act*      "
          "(sublattice, staggered)")  # fmt: skip
    for temperature in (0.8, 1.0, CRITICAL_TEMPERATURE, 1.2, 1.3, 1.5, 2.0):
        runs = [1000 + seed for seed in range(seeds)]
        bath = [monte_carlo(temperature, sweeps=stages // 10, rng=run).order for run in runs]
        metropolis = [monte_carlo(temperature, sweeps=stages // 10, method="metropolis", rng=run).order for run in runs]
        some = [learned_order(temperature, stages=stages, rng=run).order for run in runs]
        every = [learned_order(temperature, stages=stages // 10, activity=1.0, rng=run, warm=3000) for run in runs]
        columns = [f"{spread(values):18s}" for values in (bath, metropolis, some, [run.order for run in every])]
        sub = f"({np.mean([run.sublattice for run in every]):.4f}, {np.mean([run.staggered for run in every]):.4f})"
        print(f"  {temperature:.4f}  {exact_order(temperature):.4f} {' '.join(columns)}  {sub}")
    print(
        "  * from known values and random spins: two sublattices that never meet; sqrt 2 less order when disordered\n"
    )


def throughput():
    print("Agent-steps per second, one thread, 20 x 20 torus (a step: see, sample, be paid, learn)")
    game = ising()
    for name, parts in (
        ("IL", {"types": NoMeanAction()}),
        ("MFQ", {}),
        ("MFQ, gamma = 0.9", {"discount": 0.9}),
        ("MFQ, one table", {"tables": "shared"}),
        ("MFAC", {"actor": 0.1}),
        ("MTMFQ, 2 types", {"types": KnownTypes(np.arange(400) % 2)}),
    ):
        learner = MultiType(**parts)
        memory, best = learner.start(game, 0), 0.0
        learner.play(game, memory, 10)
        for _ in range(3):
            begun = time.process_time()
            steps = learner.play(game, memory, 5000).agent_steps
            best = max(best, steps / (time.process_time() - begun))
        print(f"  {name:17s} {best / 1e6:6.1f} million")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer seeds")
    few = parser.parse_args().quick
    appendix_a()
    stage_rewards([0.5] * 4, 10 if few else 50, 6000)
    stage_rewards([0.7, 0.7, 0.3, 0.3], 10 if few else 50, 6000)
    camps(1 if few else 3, 8000)
    order(2 if few else 8, 40_000)
    throughput()


if __name__ == "__main__":
    main()
