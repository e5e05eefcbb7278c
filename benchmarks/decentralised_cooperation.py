"""Cooperative control: what temporal replay, imagined replay and step sizes by impact are worth, beside the optimum.

    python benchmarks/decentralised_cooperation.py [--networks]

Prints how far the exact return of the greedy policies lies below the best of a centre, mean and deviation over five
seeds, for the eight combinations of the parts: two drivers with a goal in common at equal plays and at equal updates
of values, two with opposed preferences, and a pendulum pushed by three agents; and agent-steps per second of the
compiled training.  With ``--networks`` also a short table of networks in place of tables (minutes).
"""

from __future__ import annotations

import sys
import time

import numpy as np

from mfgsolve.learners.cooperation import Cooperative, ablation
from mfgsolve.tasks import make_task, train

SEEDS = 5
AT = (50, 100, 200, 400, 1600)


def print_ablation(task: str, learner: Cooperative, equal: str) -> None:
    begun = time.perf_counter()
    table = ablation(task, learner, equal=equal)
    episodes = table["episodes"].values
    places = sorted({int(np.abs(episodes - at).argmin()) for at in AT if at <= episodes[-1]})
    best = float(table["optimal_return"])
    print(f"\n{task}, equal {equal}, {learner.values}: return below the best of a centre ({best:.4f}), {SEEDS} seeds")
    print(f"{'parts':26s}" + "".join(f"{f'{episodes[k]} episodes':>19s}" for k in places) + "   updates  minibatch")
    for parts in table["parts"].values:
        row = table.sel(parts=parts)
        losses = best - row["returns"]
        cells = "".join(f"{float(at.mean()):10.3f} +- {float(at.std(ddof=1)):5.3f}" for at in losses[places])
        print(f"{parts:26s}{cells}   {float(row['updates']):.2e} {int(row['minibatch']):5d}", flush=True)
    print(f"{time.perf_counter() - begun:.0f} s")


def print_throughput() -> None:
    """Of one arm, after a short run that compiles."""
    plant = make_task("shared-steering")
    print("\nagent-steps a second (millions), updates of values a second (millions), one thread")
    for parts in ("none", "temporal", "imagined", "impact", "temporal,imagined,impact"):
        learner = Cooperative(parts=parts, seeds=SEEDS, episodes=100)
        state = learner.start(plant, arms=1)
        laws, epsilons = learner.laws(), learner.exploration(0)
        state.agents.play(state.values[0], state.memory(0), laws, epsilons[:1], learner.stream(0))
        made, begun = int(state.updates.sum()), time.perf_counter()
        for block in range(1, learner.blocks):
            epsilons = learner.exploration(block)
            state.agents.play(state.values[0], state.memory(0), laws, epsilons, learner.stream(block))
        seconds = time.perf_counter() - begun
        steps = (learner.blocks - 1) * len(epsilons) * plant.steps * SEEDS * plant.agents
        print(f"{parts:26s} {steps / seconds / 1e6:6.2f} {(int(state.updates.sum()) - made) / seconds / 1e6:6.1f}")


def print_networks() -> None:
    print("\nnetworks on shared-steering, 100 episodes, 3 seeds: return below the best of a centre")
    for parts in ("imagined", "temporal,imagined", "temporal,imagined,impact"):
        numbers = train("shared-steering", values="mlp", parts=parts, episodes=100, seeds=3).numbers
        best = numbers["optimal_return"]
        ours, plain = best - numbers["return"], best - numbers["independent_return"]
        print(
            f"{parts:26s} {ours:7.3f} (standard error {numbers['return_error']:.3f}), "
            f"independent {plain:7.3f} ({numbers['independent_error']:.3f})",
            flush=True,
        )


if __name__ == "__main__":
    print_ablation("shared-steering", Cooperative(seeds=SEEDS), "plays")
    print_ablation("shared-steering", Cooperative(seeds=SEEDS), "updates")
    print_ablation("shared-steering-opposed", Cooperative(seeds=SEEDS, episodes=1600), "plays")
    print_ablation("pushed-pendulum", Cooperative(seeds=SEEDS), "plays")
    print_throughput()
    if "--networks" in sys.argv[1:]:
        print_networks()
