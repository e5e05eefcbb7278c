"""The ablation of cooperative learners: all eight combinations of the parts, on the same seeds."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import xarray as xr

import mfgsolve
from mfgsolve.errors import InputError, unknown
from mfgsolve.files import SCHEMA
from mfgsolve.learners.cooperation.cooperative import Cooperative, returns
from mfgsolve.learners.cooperation.cooperative_tables import PARTS
from mfgsolve.tasks.learner import number, series
from mfgsolve.tasks.plant import Plant, optimum, tabulate
from mfgsolve.tasks.task import Task, make_task

__all__ = ["COMBINATIONS", "ablation"]

COMBINATIONS = tuple(
    ",".join(part for part, used in zip(PARTS, each, strict=True) if used) or "none"
    for each in sorted(product((True, False), repeat=3), key=sum)
)
EQUAL = ("plays", "updates")


def ablation(task: str | Task, learner: Cooperative | None = None, *, equal: str = "plays") -> xr.Dataset:
    """Train all eight combinations of the parts.

    Parameters
    ----------
    task : a plant, or its name
    learner : options of all; its own ``parts`` do not count
    equal : "plays": as many episodes for all, with the same minibatch.  Imagined steps and scenarios are updates on
        top, up to four for one; "updates": as many episodes for all, and minibatches so much larger that all make about
        as many updates as those that make most

    Returns
    -------
    xarray.Dataset
        ``returns`` (parts, iteration, seed), exact; ``updates`` and ``minibatch`` (parts,); ``optimal_return``.
        `mfgsolve.plots.ablation` draws it, `mfgsolve.files.write_dataset` keeps it

    Examples
    --------
    >>> from mfgsolve.learners.cooperation import Cooperative, ablation
    >>> table = ablation("shared-steering", Cooperative(episodes=2, seeds=2))
    >>> table["returns"].dims
    ('parts', 'iteration', 'seed')
    """
    plant = make_task(task) if isinstance(task, str) else task
    if not isinstance(plant, Plant):
        raise InputError(f"task is a {type(task).__name__}; a plant that agents push is needed, say shared-steering")
    if equal not in EQUAL:
        raise InputError(unknown("kind of equal work", equal, EQUAL))
    base = Cooperative() if learner is None else learner
    learners = [replace(base, parts=parts) for parts in COMBINATIONS]
    runs = [_trained(each, plant) for each in learners]
    if equal == "updates":
        most = max(updates for _, updates in runs)
        learners = [
            _larger(each, most / updates) if updates else each
            for each, (_, updates) in zip(learners, runs, strict=True)
        ]
        runs = [_trained(each, plant) for each in learners]
    best = optimum(tabulate(plant))[0].mean()
    curves, updates = np.array([curve for curve, _ in runs]), np.array([count for _, count in runs])
    data = {
        "returns": series(
            "exact discounted return, mean over agents", "reward", curves, ("parts", "iteration", "seed")
        ),
        "updates": series("updates of values, mean over seeds", "1", updates, ("parts",)),
        "minibatch": series("transitions learned from after a step", "1", [k.minibatch for k in learners], ("parts",)),
        "optimal_return": number("the best of a centre, by dynamic programming", "reward", float(best)),
    }
    given = {f"option_{name}": value for name, value in base.parameters.items() if name != "parts"}
    given |= {f"parameter_{name}": value for name, value in plant.parameters.items()}
    attrs = {
        "schema": SCHEMA, "kind": "ablation", "mfgsolve_version": mfgsolve.__version__, "task": plant.name,
        "equal": equal, "source": base.source, "warnings": "[]", **given,
    }  # fmt: skip
    episodes = np.arange(1, base.blocks + 1) * base.episodes_of_block
    coords = {
        "parts": list(COMBINATIONS),
        "iteration": np.arange(1, base.blocks + 1),
        "episodes": ("iteration", episodes),
    }
    return xr.Dataset(data, coords, attrs)


def _larger(learner: Cooperative, factor: float) -> Cooperative:
    """With a larger minibatch."""
    mini = round(learner.minibatch * factor)
    macro = max(mini, learner.macrobatch)
    return replace(learner, minibatch=mini, macrobatch=macro, memory=max(macro, learner.memory))


def _trained(learner: Cooperative, plant: Plant) -> tuple[np.ndarray, float]:
    """Returns (iteration, seed) and updates of one arm."""
    state = learner.start(plant, arms=1)
    curve = []
    for block in range(learner.blocks):
        epsilons, stream = learner.exploration(block), learner.stream(block)
        state.agents.play(state.values[0], state.memory(0), learner.laws(), epsilons, stream)
        curve.append(returns(state.tables, state.agents.choices(state.values[0])))
    return np.array(curve), float(state.updates.mean())
