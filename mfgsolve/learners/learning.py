"""learn: agents that know nothing find the plan that the solver certifies, episode by episode."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from mfgsolve.errors import InputError, unknown
from mfgsolve.identity import fingerprint
from mfgsolve.inputs.masses import check_unit_masses
from mfgsolve.inputs.options import typed_options, unused
from mfgsolve.learners.own_play import OwnPlay, is_learner
from mfgsolve.methods import LEARNERS, TASKS
from mfgsolve.problem import Problem
from mfgsolve.problemfile.by_name import stated
from mfgsolve.problems import registry
from mfgsolve.resolution import settle
from mfgsolve.scenarios import check_one_world
from mfgsolve.solution import Solution
from mfgsolve.solution.learning import Reference
from mfgsolve.solvers.base import Solver
from mfgsolve.solving import learned
from mfgsolve.stationary import check_final_time
from mfgsolve.tasks import Task, Training, train

__all__ = ["LEARNERS", "learn", "make_learner"]

FIRST = "mguni"


def learn(
    problem: Problem | Task | str,
    learner: Any = None,
    *,
    agents: int | None = None,
    episodes: int | None = None,
    rng: int | None = None,
    reference: Solution | bool = True,
    tol: float = 0.0,
    max_seconds: float | None = None,
    callback: Callable[[Any], Any] | None = None,
    checkpoint: str | Path | None = None,
    threads: int | None = None,
    progress: bool | None = None,
    verbose: bool | int = False,
    **options: Any,
) -> Solution | Training:
    """Let agents learn a plan from their own states and rewards, and judge it by the exact certificate.

    A task that is no mean-field game (`mfgsolve.tasks`; by name or as an object) is trained by `mfgsolve.tasks.train`,
    which takes ``agents``, ``episodes`` and ``rng`` where its learner has them, ``max_seconds``, ``callback``,
    ``checkpoint`` and options, and returns a `Training`.

    Parameters
    ----------
    problem : a finite game (`LatticeMoves` or `Tabular`), without hard bounds; or the name of one, whose parameters
        then stand among the options, ``learn("beach-bar", noise=0.2)``
    learner : name of a learner: "mguni" by default, "gmf-q", "society-play", and of agents who see their neighbours
        "il", "mfq", "mfac" and "mtmfq"; one with its parameters set (`mfgsolve.learners.Mguni`); or one of your own, a
        `Learner` or an agent of Gymnasium's kind, see `mfgsolve.learners.own_play`
    agents, episodes, rng : how many learn (of each population), how often they play, and the seed; None leaves it to
        the learner (1000, 2000 and 0)
    reference : the solution to compare with; True solves the game, False compares with nothing
    tol : relative exploitability at which to stop before all episodes are played.  The learners never see it
    max_seconds, callback, checkpoint, threads : as for `solve`; `resume` goes on from the checkpoint
    progress, verbose : a live line, and the work in lines; see `mfgsolve.progress`
    options : further parameters of the learner

    Returns
    -------
    Solution
        with the status "finished" once all episodes are played.  Besides what solutions hold, the dataset has
        ``episodes`` and ``agent_steps`` (iteration), ``reference_density`` (time, ...), and the attributes ``agents``,
        ``density_distance`` (total variation between the learned and the reference density, mean over the nodes; NaN
        without a reference) and ``reference_exploitability`` (relative); of agents with tables of their own also how
        far these are apart, ``disagreement`` (iteration), and what each agent regrets, ``agent_regret`` (agent)

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
    if isinstance(problem, str) and problem not in TASKS:
        _check_name(problem)
        own = partial(_own_options, learner)
        general = dict.fromkeys(_arguments()) | {
            "agents": agents, "episodes": episodes, "rng": rng, "max_seconds": max_seconds, "callback": callback,
            "checkpoint": checkpoint, "threads": threads, "progress": progress,
        }  # fmt: skip
        problem, options = stated(problem, options, general, own, "learn")
    numbers = {"agents": agents, "episodes": episodes, "seed": rng}
    options = {name: value for name, value in numbers.items() if value is not None} | options
    if isinstance(problem, Task | str):
        for what, value, default in (("reference", reference, True), ("tol", tol, 0.0), ("threads", threads, None)):
            if value != default:
                raise InputError(f"{what} is of mean-field games, and {_name(problem)} is none; leave it out")
        shown: dict[str, Any] = {"progress": progress, "verbose": verbose}
        return train(
            problem, learner, max_seconds=max_seconds, callback=callback, checkpoint=checkpoint, **shown, **options  # type: ignore[arg-type]
        )  # fmt: skip
    if not isinstance(problem, Problem):
        raise InputError(
            f"learn got a {type(problem).__name__}; a Problem is needed (see mfgsolve.problems), or a task "
            "(see mfgsolve.tasks)"
        )
    check_final_time(problem.time, "learn", "episodes end")
    check_one_world(problem.grid, "learning")
    check_unit_masses(problem.grid, "learn", "a learner's crowd counts each population alike")
    if checkpoint is not None and learner is not None and not isinstance(learner, str | Solver):
        raise InputError(
            f"a {_kind(learner)} of your own cannot be kept in a checkpoint, which holds numbers alone; leave "
            "checkpoint out, and pickle the learner (pickle.dumps), which then goes on bit for bit"
        )
    problem = settle(problem)
    _check_reference(reference, problem)
    chosen = make_learner(FIRST if learner is None else learner, options)
    return learned(
        problem, chosen, _reference(reference), tol=tol, max_seconds=max_seconds, callback=callback,
        checkpoint=checkpoint, threads=threads, progress=progress, verbose=verbose,
    )  # fmt: skip


def _arguments() -> list[str]:
    """Names of what `learn` takes beside the options."""
    return [name for name in inspect.signature(learn).parameters if name not in ("problem", "options")]


def _check_name(name: str) -> None:
    """Refuse what is the name of neither a problem nor a task."""
    if not (name.endswith(".toml") or ":" in name or name.replace("_", "-") in registry.names()):
        raise InputError(
            f"{unknown('problem or task', name, [*registry.names(), *TASKS])}; a Problem is needed, or a task"
        )


def _own_options(learner: Any, problem: Problem) -> list[str]:
    """Names of the parameters of a learner."""
    if isinstance(learner, Solver):
        return []
    kind = OwnPlay if learner is not None and not isinstance(learner, str) else LEARNERS.get(learner or FIRST)
    return [] if kind is None else [part.name for part in fields(kind) if part.name != "learner"]


def _kind(learner: Any) -> str:
    return learner.__name__ if isinstance(learner, type) else type(learner).__name__


def _name(task: Task | str) -> str:
    return task if isinstance(task, str) else task.name


def _reference(reference: Solution | bool) -> Reference:
    if not isinstance(reference, Solution):
        return Reference("solved" if reference else "none")
    return Reference("given", reference.dataset["density"].values, reference.relative_exploitability)


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


def make_learner(learner: Any, options: dict[str, Any]) -> Solver:
    """The learner of that name with those parameters."""
    if isinstance(learner, Solver) and learner.learns:
        if options:
            raise InputError(f"options {sorted(options)} come with a ready learner; set them on the learner itself")
        kind = type(learner)
        changed = {
            name: getattr(learner, name) for name in unused(kind) if getattr(learner, name) != getattr(kind, name)
        }
        typed_options(kind, changed, learner.name, "the learner")  # which refuses what does nothing
        return learner
    if not isinstance(learner, str) and not isinstance(learner, Solver) and is_learner(learner):
        if "learner" in options:
            raise InputError("learner is given twice")
        return OwnPlay(
            learner=learner, **typed_options(OwnPlay, options, _kind(learner), "the learner", also=_arguments())
        )
    if not isinstance(learner, str):
        kinds = ", ".join(kind.__name__ for kind in LEARNERS.values())
        raise InputError(
            f"learner is a {type(learner).__name__}; a name, one of {kinds}, a Learner of your own, or an agent that "
            "chooses by predict, get_action, act or a call is needed (see mfgsolve.learners.own_play)"
        )
    if learner not in LEARNERS:
        raise InputError(unknown("learner", learner, LEARNERS))
    kind = LEARNERS[learner]
    made: Solver = kind(**typed_options(kind, options, learner, "the learner", also=_arguments()))
    return made
