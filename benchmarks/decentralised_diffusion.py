"""Diffusion over a graph on many similar tasks: what agents reach, alone, with neighbours, as one.

    python benchmarks/decentralised_diffusion.py [--only chains,cart-pole,extreme,acrobot,pendulum,speed] [--seeds 3]

Prints, as mean and spread over agents (mean over seeds), returns on all tasks and on an agent's own task: of slippery
chains (exact, discounted), of cart-poles after 50, 150 and 500 updates, of the extreme family, of acrobots and
pendulums; and agent-steps per second of the kernel.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from mfgsolve.kernels.diffusion import MEAN, NEIGHBOURS, NOBODY, diffuse
from mfgsolve.learners.diffusion.arms import ARMS, upper_links
from mfgsolve.parts.combine import Combine
from mfgsolve.tasks import make_task, train
from mfgsolve.tasks.chains import SlipperyChains

TABLES = ("chains", "cart-pole", "extreme", "acrobot", "pendulum", "speed")


def trained(name, seeds, graph="ring", blocks=None, **parameters):
    """Returns (seeds, blocks, arms, agents, tasks), disagreement of the last, and seconds of the processor for each."""
    found, seconds = [], []
    for seed in range(seeds):
        begun = time.process_time()
        training = train(
            make_task(name, parameters), "diff-dac", graph=graph, seed=seed,
            callback=(lambda done: done.block >= blocks) if blocks else None,
        )  # fmt: skip
        seconds.append(time.process_time() - begun)
        found.append(training.dataset["task_return"].values)
    return np.array(found), training, np.array(seconds)


def summary(returns, digits):
    """ "mean +- spread over agents; least of all seeds and agents; own task" of (seeds, agents, tasks)."""
    everywhere = returns.mean(axis=-1)
    own = np.diagonal(returns, axis1=-2, axis2=-1).mean()
    return (
        f"{everywhere.mean():.{digits}f} +- {everywhere.std(axis=1).mean():.{digits}f}"
        f" (seeds {everywhere.mean(axis=1).min():.{digits}f} to {everywhere.mean(axis=1).max():.{digits}f},"
        f" lowest agent {everywhere.min():.{digits}f}, own task {own:.{digits}f})"
    )


def chains(seeds):
    print(f"\nSlippery chains, 9 agents, {seeds} seeds, 100,000 steps of each: exact return from the start")
    rows = {}
    for graph in ("none", "ring", "grid", "small-world", "complete"):
        found, training, seconds = trained("slippery-chains", seeds, graph)
        rows[graph] = found[:, -1, 0]
        rows["centralised"] = found[:, -1, 2]
        print(f"  {graph:12} |lambda_2| {training.numbers['second_eigenvalue']:.3f}  {summary(rows[graph], 4)}"
              f"  disagreement {training.numbers['disagreement']:.4f}  {seconds[-1]:.1f} s")  # fmt: skip
    print(f"  {'centralised':12} {' ' * 16}{summary(rows['centralised'], 4)}")
    task = SlipperyChains()
    right = np.zeros((9, 2))
    right[:, 1] = 1
    print(f"  best common policy {task.returns(right).mean():.4f}")


def machines(name, seeds, marks, **parameters):
    told = ", ".join(f"{key} {value}" for key, value in parameters.items())
    head = f"{name} ({told})" if told else name
    print(f"\n{head}, 8 agents x 8 machines, {seeds} seeds, Adam annealed over 500 updates")
    found, _, seconds = trained(name, seeds, **parameters)
    whole, *_ = trained(name, seeds, "complete", 15, **parameters)
    for mark in marks:
        print(f"  after {mark} updates")
        for arm, who in enumerate(ARMS):
            print(f"    {who if arm else 'ring':12} {summary(found[:, mark // 10 - 1, arm], 0)}")
        if mark <= 150:
            print(f"    {'complete':12} {summary(whole[:, mark // 10 - 1, 0], 0)}")
    print(f"  seconds of one processor for all three arms and 50 evaluations: {np.round(seconds, 1)}")


def speed(agents, steps=200_000):
    """Million agent-steps a second of the kernel, by whom agents hear."""
    task, combine = SlipperyChains(tasks=agents), Combine(agents, "ring")
    words = np.random.SeedSequence(0).generate_state(8, np.uint64)
    result = {}
    for name, hears in (("nobody", NOBODY), ("ring", NEIGHBOURS), ("all", MEAN)):
        held, place = np.zeros((agents, 27)), np.zeros(agents, dtype=np.int64)
        walk = (
            held, place, task.successor, task.chance, task.reward, task.ends, 0, task.discount, 0.1, 0.5, hears,
            *upper_links(combine), 1, 0.0, words[:4].copy(), words[4:].copy(),
        )  # fmt: skip
        diffuse(*walk, 10)
        best = np.inf
        for _ in range(3):
            begun = time.process_time()
            diffuse(*walk, steps)
            best = min(best, time.process_time() - begun)
        result[name] = agents * steps / best / 1e6
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(TABLES))
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    only = chosen.only.split(",")
    if "chains" in only:
        chains(chosen.seeds)
    if "cart-pole" in only:
        machines("cart-pole-family", chosen.seeds, (50, 150, 500))
    if "extreme" in only:
        machines("cart-pole-family", chosen.seeds, (50, 150, 500), variation="extreme")
    if "acrobot" in only:
        machines("acrobot-family", chosen.seeds, (50, 150, 500))
    if "pendulum" in only:
        machines("pendulum-family", chosen.seeds, (50, 150, 500))
    if "speed" in only:
        print("\nMillion agent-steps a second on chains of 9 cells, combined after each, one processor")
        for agents in (9, 100):
            told = "  ".join(f"{name} {rate:.1f}" for name, rate in speed(agents).items())
            print(f"  {agents} agents: {told}")


if __name__ == "__main__":
    main()
