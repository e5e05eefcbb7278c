"""Games with common noise that several tests share, and a slow second road to what they cost."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

import mfgsolve as mfg

CELLS = 5
STAY = np.eye(CELLS)
LEFT = np.eye(CELLS)[np.maximum(np.arange(CELLS) - 1, 0)]
RIGHT = np.eye(CELLS)[np.minimum(np.arange(CELLS) + 1, CELLS - 1)]
GOAL = np.array([0, 0, 4])  # of "start" (where it costs nothing), "left" and "right"
TREE = mfg.ScenarioTree([3.0], [0.6, 0.4], ["left", "right"])
POTENTIAL, KNOWN = 2.12441445409827, 1.674238505747


def line(tree: mfg.ScenarioTree | None = TREE, known: int = 0, **changes: Any) -> mfg.Problem:
    """A line of five cells, where news after three steps says to which end it pays to go; ``known`` from the start."""

    def goal(c: Any) -> Any:
        return np.abs(c.state - (GOAL[c.scenario] if tree is not None else known))

    def running(t: float, c: Any) -> Any:
        return 0.3 * goal(c) * (t > 2.5)

    stated = {
        "grid": mfg.States(CELLS), "time": mfg.TimeGrid(6, 6),
        "dynamics": mfg.Tabular([STAY, LEFT, RIGHT], cost=[0.0, 0.1, 0.1]),
        "coupling": mfg.CrowdAversion(1.0) + mfg.RunningCost(running), "initial": np.full(CELLS, 0.2),
        "terminal": lambda t, c: 0.6 * goal(c),
    }  # fmt: skip
    return mfg.Problem(**(stated | changes), scenarios=tree)


# three states, three steps, two branches after the first
SMALL_TREE = mfg.ScenarioTree([1.0], [0.3, 0.7], ["up", "down"])
SWAP = np.array([[0.2, 0.8, 0.0], [0.0, 0.3, 0.7], [0.9, 0.0, 0.1]])
COSTS = np.random.default_rng(4).uniform(size=(3, 2, 3, 3))  # (step, action, segment, state)
START, END = np.array([0.5, 0.3, 0.2]), np.random.default_rng(5).uniform(size=(3, 3))


def small(temperature: float = 0.0) -> mfg.Problem:
    dynamics = mfg.Tabular([np.eye(3), SWAP], cost=COSTS, temperature=temperature)
    return mfg.Problem(mfg.States(3), mfg.TimeGrid(3, 3), dynamics, mfg.CrowdAversion(1.5), START, terminal=END,
                       scenarios=SMALL_TREE)  # fmt: skip


def enumerated(density: np.ndarray) -> tuple[float, float]:
    """Least cost of an agent among all 2^15 plans in a crowd of conditional densities (time, segment, state), and how
    many plans there are: a choice for each state at first, and for each state, branch and step after the news."""
    places = [(0, 0, x) for x in range(3)] + [(t, n, x) for t in (1, 2) for n in (1, 2) for x in range(3)]
    plans = np.array(list(itertools.product((0, 1), repeat=len(places))), dtype=np.int8)
    chosen = {place: plans[:, k] for k, place in enumerate(places)}
    moves = np.stack([np.eye(3), SWAP])
    value = {n: np.broadcast_to(END[n], (len(plans), 3)) for n in (1, 2)}
    for t in (2, 1, 0):
        fresh = {}
        for n in (1, 2) if t else (0,):
            after = value[n] if t else 0.3 * value[1] + 0.7 * value[2]
            rows = []
            for x in range(3):
                action = chosen[t, n, x]
                expected = (moves[action, x] * after).sum(axis=1)
                rows.append(COSTS[t, action, n, x] + 1.5 * density[t, n, x] + expected)
            fresh[n] = np.stack(rows, axis=1)
        value = fresh
    return float((value[0] @ START).min()), len(plans)
