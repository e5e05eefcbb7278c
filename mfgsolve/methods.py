"""The plug board: which class stands behind the name of a solver, a learner or a task, and where users plug in theirs.

Classes are named as "module:class" and imported when they are first asked for, so that a list of names costs nothing
and no room has to import one that stands above it.  A name is what `mfgsolve.solve` and `mfgsolve.learn` take, what
files call the solver, and what `mfgsolve.resume` finds it by.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from mfgsolve.errors import InputError, shown

__all__ = [
    "ENVIRONMENTS", "LEARNERS", "SOLVERS", "STATEMENTS", "TASKS", "TASK_LEARNERS", "Board", "kind_of",
    "problem_builder", "register", "register_environments",
]  # fmt: skip

OPTION = (bool, int, float, str)  # types of hyper-parameters that a checkpoint can hold
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


class Board(Mapping[str, type[Any]]):
    """Names and their classes, in order; each class is imported when it is asked for.  Users cannot write into it."""

    def __init__(self, homes: Mapping[str, str]):
        self.homes: dict[str, str | type[Any]] = dict(homes)
        self.own = tuple(homes)  # names of the package itself, which nobody takes

    def __getitem__(self, name: str) -> type[Any]:
        return _found(self.homes[name])

    def __contains__(self, name: object) -> bool:
        return name in self.homes

    def __iter__(self) -> Iterator[str]:
        return iter(self.homes)

    def __len__(self) -> int:
        return len(self.homes)

    def __repr__(self) -> str:
        return f"<{', '.join(self.homes)}>"


SOLVERS = Board(
    {
        "newton": "mfgsolve.solvers.newton:Newton",
        "planning": "mfgsolve.solvers.planning:Planning",
        "interior-point": "mfgsolve.solvers.interior_point:InteriorPoint",
        "path-following": "mfgsolve.solvers.path_following:PathFollowing",
        "complementarity": "mfgsolve.solvers.complementarity:Complementarity",
        "proximal-point": "mfgsolve.solvers.proximal_point:ProximalPoint",
        "frank-wolfe": "mfgsolve.solvers.frank_wolfe:FrankWolfe",
        "prior-descent": "mfgsolve.solvers.prior_descent:PriorDescent",
        "fictitious-play": "mfgsolve.solvers.frank_wolfe:FictitiousPlay",
        "mirror-descent": "mfgsolve.solvers.mirror_descent:MirrorDescent",
        "admm": "mfgsolve.solvers.admm:ADMM",
        "chambolle-pock": "mfgsolve.solvers.chambolle_pock:ChambollePock",
    }
)
LEARNERS = Board(
    {
        "mguni": "mfgsolve.learners.mguni:Mguni",
        "gmf-q": "mfgsolve.learners.policy_iteration:GMFQ",
        "society-play": "mfgsolve.learners.society.play:SocietyPlay",
        "il": "mfgsolve.learners.neighbours_play:IL",
        "mfq": "mfgsolve.learners.neighbours_play:MFQ",
        "mfac": "mfgsolve.learners.neighbours_play:MFAC",
        "mtmfq": "mfgsolve.learners.neighbours_play:MTMFQ",
    }
)
UNLISTED = Board(  # not to be asked for by name, but what a file may name
    {
        "portfolio": "mfgsolve.solvers.portfolio:Portfolio",
        "boltzmann-iteration": "mfgsolve.learners.policy_iteration:BoltzmannIteration",
    }
)
TASKS = Board(  # what agents learn where no crowd is felt, see `mfgsolve.tasks`
    {
        "multi-team-battle": "mfgsolve.learners.battles.battle_tasks:MultiTeamBattle",
        "battle-gathering": "mfgsolve.learners.battles.battle_tasks:BattleGathering",
        "predator-prey-battle": "mfgsolve.learners.battles.battle_tasks:PredatorPreyBattle",
        "hidden-sign-battle": "mfgsolve.learners.battles.battle_tasks:HiddenSignBattle",
        "slippery-chains": "mfgsolve.tasks.chains:SlipperyChains",
        "cart-pole-family": "mfgsolve.tasks.control:CartPoleFamily",
        "pendulum-family": "mfgsolve.tasks.control:PendulumFamily",
        "acrobot-family": "mfgsolve.tasks.control:AcrobotFamily",
        "auction-bandit": "mfgsolve.tasks.auctions:AuctionBandit",
        "auction-chain": "mfgsolve.tasks.auctions:AuctionChain",
        "auction-duality": "mfgsolve.tasks.auctions:AuctionDuality",
        "auction-crowd": "mfgsolve.tasks.auctions:AuctionCrowd",
        "shared-steering": "mfgsolve.tasks.steering:SharedSteering",
        "shared-steering-opposed": "mfgsolve.tasks.steering:OpposedSteering",
        "pushed-pendulum": "mfgsolve.tasks.pushed_pendulum:PushedPendulum",
    }
)
TASK_LEARNERS = Board(  # and what learns it
    {
        "il": "mfgsolve.learners.battles.algorithms:IL",
        "mfq": "mfgsolve.learners.battles.algorithms:MFQ",
        "mfac": "mfgsolve.learners.battles.algorithms:MFAC",
        "mtmfq": "mfgsolve.learners.battles.algorithms:MTMFQ",
        "diff-dac": "mfgsolve.learners.diffusion.diff_dac:DiffDAC",
        "society": "mfgsolve.learners.society.society:Society",
        "cooperative": "mfgsolve.learners.cooperation.cooperative:Cooperative",
    }
)
STATEMENTS = Board(
    {
        "economy": "mfgsolve.markets.equilibrium:Economy",
        "roads": "mfgsolve.roads.network:RoadNetwork",
        "transition": "mfgsolve.markets.transition:Transition",
    }
)  # what is stated and solved without being a game, by the kind of its files: `mfgsolve.statements`
ENVIRONMENTS = (  # named games with a finite list of actions: gymnasium.make("mfgsolve/beach-bar-v0")
    "beach-bar", "bonnans-lavigne-pfeiffer-1", "bonnans-lavigne-pfeiffer-2", "braess", "crowd-modelling",
    "crowd-modelling-2d", "crowd-motion", "four-rooms", "lattice-supply-demand", "left-right", "predator-prey",
    "rock-paper-scissors", "susceptible-infected",
)  # fmt: skip
MAKER = "mfgsolve.learners.environments.adapters:make_environment"
BASES = {  # what a class of one's own is derived from, and where it is listed
    "mfgsolve.solvers.base:Solver": SOLVERS,
    "mfgsolve.tasks.task:Task": TASKS,
    "mfgsolve.tasks.learner:TaskLearner": TASK_LEARNERS,
}

PROBLEM = "mfgsolve.problemfile:problem_from_toml"  # what makes the problem of the text that a file holds


def problem_builder() -> Any:
    """The function ``(text, where=...)`` that builds a problem from the text of a file."""
    return _found(PROBLEM)


def _found(home: str | type[Any]) -> type[Any]:
    if not isinstance(home, str):
        return home
    module, name = home.split(":")
    result: type[Any] = getattr(importlib.import_module(module), name)
    return result


def kind_of(name: str) -> type[Any] | None:
    """The class of that name, of solvers, learners and whatever else a file may name; None if there is none."""
    for board in (SOLVERS, LEARNERS, UNLISTED):
        if name in board:
            return board[name]
    return None


def register_environments() -> None:
    """Make the named games known to Gymnasium; it calls this itself, by the entry point ``gymnasium.envs``.

    ``gymnasium.make("mfgsolve/beach-bar-v0", noise=0.2, field=solution)`` takes the parameters of the game, and those
    of `mfgsolve.learners.to_gymnasium`.
    """
    from gymnasium.envs import registration

    for name in ENVIRONMENTS:
        key = f"mfgsolve/{name}-v0"
        if key not in registration.registry:
            registration.register(key, entry_point=MAKER, kwargs={"name": name})


def register(name: str, cls: type[Any]) -> None:
    """Make a solver, a learner, a task or a learner of tasks of one's own known by its name.

    From then on ``mfgsolve.solve(problem, method=name)`` (of a learner: ``mfgsolve.learn(problem, name)``),
    `mfgsolve.convergence` and `mfgsolve.resume` find it.  It runs where it is named: no default takes it.  The same
    class may be registered again, also after it has been edited and run once more in a notebook.

    Parameters
    ----------
    name : in small letters, the ``name`` of the class
    cls : a frozen dataclass derived from `mfgsolve.solvers.Solver`, whose fields, the hyper-parameters, all have
        defaults that are numbers, truth values or texts; a learner says ``learns = True``.  Or one derived from
        `mfgsolve.tasks.Task` or `mfgsolve.tasks.TaskLearner`

    Raises
    ------
    InputError
        for a name that is taken or that the class does not have, and for what is no such class

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> class Patient(mfg.solvers.FictitiousPlay):
    ...     name = "patient"
    >>> mfg.register("patient", Patient)
    >>> mfg.solve(mfg.problems.beach_bar(), method="patient", max_iterations=3, check="ignore").dataset.solver
    'patient'
    """
    board = _board_of(cls)
    _check_class(cls)
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise InputError(f"name of a solver is {shown(name)}; small letters, digits and dashes are needed")
    if cls.name != name:
        raise InputError(
            f"{cls.__name__} calls itself {shown(cls.name)}, which files would name it by, and is to be registered as "
            f"{name!r}; register it under its own name, or change that"
        )
    rivals = (board,) if board in (TASKS, TASK_LEARNERS) else (SOLVERS, LEARNERS, UNLISTED)
    for each in rivals:
        if name in each.own:
            raise InputError(f"the name {name!r} is taken by mfgsolve's own {each[name].__name__}; choose another")
        taken = each.get(name)
        if taken is not None and (taken.__module__, taken.__qualname__) != (cls.__module__, cls.__qualname__):
            raise InputError(f"the name {name!r} is taken by {taken.__module__}.{taken.__qualname__}; choose another")
    for other in rivals:
        if other is not board:
            other.homes.pop(name, None)
    board.homes[name] = cls


def _board_of(cls: Any) -> Board:
    """Where a class is listed, by what it is derived from."""
    what = cls.__name__ if isinstance(cls, type) else f"a {type(cls).__name__}"
    if isinstance(cls, type):
        for home, board in BASES.items():
            if issubclass(cls, _found(home)):
                return LEARNERS if getattr(cls, "learns", False) else board
    raise InputError(f"what is to be registered is {what}; a class derived from mfgsolve.solvers.Solver is needed")


def _check_class(cls: type[Any]) -> None:
    """Whether a class can be made by its name alone, and written into a checkpoint."""
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
        raise InputError(f"{cls.__name__} cannot be registered: it lacks {missing}")
    if not isinstance(getattr(cls, "name", None), str):
        raise InputError(f"{cls.__name__} cannot be registered: it has no name; write name = 'my-solver' in the class")
    if not (is_dataclass(cls) and getattr(cls, "__dataclass_params__").frozen):  # noqa: B009
        raise InputError(f"{cls.__name__} cannot be registered: write @dataclass(frozen=True) above the class")
    for part in fields(cls):
        if type(part.default) not in OPTION:
            raise InputError(
                f"{cls.__name__} cannot be registered: its parameter {part.name} has no default that is a number, a "
                "truth value or a text, which is what checkpoints hold"
            )
