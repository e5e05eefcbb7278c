"""learn: agents that know nothing find the plan that the solver certifies, episode by episode."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve import checkpoints
from mfgsolve.errors import InputError, unknown
from mfgsolve.identity import fingerprint
from mfgsolve.inputs.options import typed_options
from mfgsolve.learners.mguni import Mguni
from mfgsolve.learners.policy_iteration import GMFQ, BoltzmannIteration
from mfgsolve.problem import Problem
from mfgsolve.resolution import settle
from mfgsolve.solution import Solution
from mfgsolve.solution.datasets import Measure
from mfgsolve.solvers.base import Solver
from mfgsolve.solving import solve

__all__ = ["LEARNERS", "RESUMED", "beside", "learn", "resumed"]

LEARNERS: dict[str, type[Solver]] = {kind.name: kind for kind in (Mguni, GMFQ)}
RESUMED = LEARNERS | {BoltzmannIteration.name: BoltzmannIteration}  # what a checkpoint may name besides solvers
REFERENCE = {"tol": 1e-6, "max_seconds": 60.0}  # of the solver that learners are compared with


def learn(
    problem: Problem,
    learner: str | Solver = "mguni",
    *,
    agents: int | None = None,
    episodes: int | None = None,
    rng: int | None = None,
    reference: Solution | bool = True,
    tol: float = 0.0,
    max_seconds: float | None = None,
    callback: Callable[[Measure], Any] | None = None,
    checkpoint: str | Path | None = None,
    threads: int | None = None,
    **options: Any,
) -> Solution:
    """Let agents learn a plan from their own states and rewards, and judge it by the exact certificate.

    Parameters
    ----------
    problem : a finite game (`LatticeMoves` or `Tabular`), without hard bounds
    learner : name of a learner, or one with its parameters set (`mfgsolve.learners.Mguni`)
    agents, episodes, rng : how many learn (of each population), how often they play, and the seed; None leaves it to
        the learner (1000, 2000 and 0)
    reference : the solution to compare with; True solves the game, False compares with nothing
    tol : relative exploitability at which to stop before all episodes are played.  The learners never see it
    max_seconds, callback, checkpoint, threads : as for `solve`; `resume` goes on from the checkpoint
    options : further parameters of the learner

    Returns
    -------
    Solution
        with the status "finished" once all episodes are played.  Besides what solutions hold, the dataset has
        ``episodes`` and ``agent_steps`` (iteration), ``reference_density`` (time, ...), and the attributes ``agents``,
        ``density_distance`` (total variation between the learned and the reference density, mean over the nodes; NaN
        without a reference) and ``reference_exploitability`` (relative)

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> learned = mfg.learn(mfg.problems.beach_bar(), agents=100, episodes=300, rng=0)
    >>> learned.relative_exploitability < 0.2
    True
    """
    if not isinstance(problem, Problem):
        raise InputError(f"learn got a {type(problem).__name__}; a Problem is needed (see mfgsolve.problems)")
    problem = settle(problem)
    _check_reference(reference, problem)
    given = {"agents": agents, "episodes": episodes, "seed": rng}
    chosen = make_learner(learner, {name: value for name, value in given.items() if value is not None} | options)
    with checkpoints.beside(**_kept(reference)):
        learned = solve(
            problem, method=chosen, tol=tol, max_seconds=max_seconds, callback=callback, checkpoint=checkpoint,
            check="ignore", threads=threads,
        )  # fmt: skip
    return beside(learned, chosen, problem, reference)


def _kept(reference: Solution | bool) -> dict[str, Any]:
    """What a checkpoint keeps of the reference, so that `resumed` compares with it, too."""
    if not isinstance(reference, Solution):
        return {"reference": "solved" if reference else "none"}
    gap = reference.relative_exploitability
    return {"reference": "given", "density": reference.dataset["density"].values, "exploitability": gap}


def resumed(learned: Solution, learner: Solver, problem: Problem, kept: dict[str, Any]) -> Solution:
    """What `learn` would have returned, from what its checkpoint kept beside the learner."""
    if kept.get("reference") == "given":
        return _beside(learned, learner, problem, np.asarray(kept["density"]), float(kept["exploitability"]))
    return beside(learned, learner, problem, kept.get("reference") == "solved")


def _check_reference(reference: Any, problem: Problem) -> None:
    if isinstance(reference, bool):
        return
    if not isinstance(reference, Solution):
        raise InputError(f"reference is a {type(reference).__name__}; a Solution, True or False is needed")
    shape, wanted = reference.dataset["density"].shape, (problem.time.steps + 1, *problem.grid.shape)
    if shape != wanted:
        raise InputError(f"the reference has a density of shape {shape}; the game has {wanted}")
    if reference.problem is not None and fingerprint(reference.problem) != fingerprint(problem):
        raise InputError("the reference solves another game (costs, transitions or densities differ)")


def make_learner(learner: str | Solver, options: dict[str, Any]) -> Solver:
    """The learner of that name with those parameters."""
    if isinstance(learner, Solver) and isinstance(learner, tuple(LEARNERS.values())):
        if options:
            raise InputError(f"options {sorted(options)} come with a ready learner; set them on the learner itself")
        return learner
    if not isinstance(learner, str):
        kinds = ", ".join(kind.__name__ for kind in LEARNERS.values())
        raise InputError(f"learner is a {type(learner).__name__}; a name, or one of {kinds}, is needed")
    if learner not in LEARNERS:
        raise InputError(unknown("learner", learner, LEARNERS))
    return LEARNERS[learner](**typed_options(LEARNERS[learner], options, learner, "the learner"))


def beside(learned: Solution, learner: Solver, problem: Problem, reference: Solution | bool) -> Solution:
    """What was learned beside what a solver finds: episodes, agent-steps and the distance of the densities."""
    exact: Solution | None = None
    if isinstance(reference, Solution):
        exact = reference
    elif reference:
        exact = solve(problem, check="ignore", **REFERENCE)  # type: ignore[arg-type]
    if exact is None:
        return _beside(learned, learner, problem, None, math.nan)
    return _beside(learned, learner, problem, exact.dataset["density"].values, exact.relative_exploitability)


def _beside(learned: Solution, learner: Solver, problem: Problem, density: np.ndarray | None, gap: float) -> Solution:
    steps = {name: getattr(learner, name, math.nan) for name in ("agents", "episodes", "block", "before")}

    def dataset() -> xr.Dataset:
        return _with_reference(learned.dataset, problem, steps, density, gap)

    return replace(learned, origin=dataset)


def _with_reference(
    dataset: xr.Dataset, problem: Problem, steps: dict[str, Any], density: np.ndarray | None, gap: float
) -> xr.Dataset:
    played = np.minimum(steps["before"] + dataset["iteration"].values * float(steps["block"]), float(steps["episodes"]))
    each = steps["agents"] * problem.grid.populations * problem.time.steps
    added: dict[str, Any] = {
        "episodes": ("iteration", played, {"units": "1", "long_name": "episodes played"}),
        "agent_steps": ("iteration", played * each, {"units": "1", "long_name": "steps that agents made"}),
    }
    distance = math.nan
    if density is not None:
        about = dataset["density"].attrs | {"long_name": "density of the reference"}
        added["reference_density"] = (dataset["density"].dims, density, about)
        apart = np.abs(density - dataset["density"].values) * problem.grid.volumes
        distance = 0.5 * float(apart.reshape(apart.shape[0], -1).sum(axis=1).mean()) / problem.grid.populations
    attributes = {"agents": steps["agents"], "density_distance": distance, "reference_exploitability": gap}
    return dataset.assign(added).assign_attrs(attributes)
