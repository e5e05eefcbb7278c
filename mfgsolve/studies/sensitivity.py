"""Exact derivatives of an equilibrium: how any number of it changes with any parameter of its game.

An equilibrium is a belief m that comes true, m = G(m, theta): agents see the price of m, answer it, and are m.  Where
responses are smooth the implicit function theorem gives, for a number J(m, theta),

    dJ/dtheta = J_theta + <lambda, G_theta>,     (I - G_m)^T lambda = J_m,     G_m = K B,

with the operators of Newton's method: K = d crowd / d price (the tangent sweep of the best response) and B = d price /
d crowd, both symmetric in a game with a potential.  One linear solve, (I - B K) lambda = J_m, serves all parameters;
G_theta and J_theta are those of a single sweep at a fixed belief, taken by fourth-order central differences, so that no
equilibrium is solved again.

Source: implicit function theorem and adjoint state, e.g. Giles and Pierce, Flow Turbul. Combust. 65 (2000),
doi:10.1023/A:1011430410075.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.agents.play import play_of
from mfgsolve.cautions import Caution, to_text
from mfgsolve.checkpoints import PYTHON_PROBLEM, problem_text
from mfgsolve.errors import InputError, numbers, real, unknown
from mfgsolve.games import Game, make_game
from mfgsolve.problem import Problem
from mfgsolve.problemfile import problem_from_toml
from mfgsolve.solution import Solution
from mfgsolve.solution.regions import Where, share_of, space_dims, volumes_of
from mfgsolve.studies.implicit import adjoint_of, answer, check_smooth, paid, true_belief
from mfgsolve.watch import look

__all__ = ["Mass", "Target", "sensitivity", "stated_values", "target_of"]

STEP = 1e-3  # of a difference, relative to the parameter
KINK = 1e-4  # relative gap of differences of two lengths, above which a kink is near

Build = Callable[..., Problem]


@dataclass(frozen=True)
class Mass:
    """The number "mass of the crowd in a region at a node".

    Parameters
    ----------
    where : see `mfgsolve.solution.regions`
    time : a node of the solution; the last by default
    """

    where: Where = None
    time: float | None = None

    def weights(self, dataset: xr.Dataset) -> np.ndarray:
        """d J / d mass, (T+1, cells)."""
        nodes = dataset["time"].values
        at = nodes[-1] if self.time is None else real(self.time, "time of the mass")
        k = int(np.argmin(np.abs(nodes - at)))
        if abs(nodes[k] - at) > 1e-9 * max(abs(nodes[-1]), 1.0):
            raise InputError(f"time of the mass is {at:g}, which is no node; the nearest one is {nodes[k]:.10g}")
        share = share_of(self.where, dataset).broadcast_like(dataset["density"].isel(time=0, drop=True))
        result = np.zeros((len(nodes), share.size))
        result[k] = share.transpose(*space_dims(dataset)).values.reshape(-1)
        return result


def sensitivity(
    solution: Solution,
    objective: Any = "cost",
    parameters: Sequence[str] | Mapping[str, float] = (),
    *,
    build: Build | None = None,
    problem: Problem | None = None,
) -> xr.Dataset:
    """Derivatives of a number of the equilibrium by parameters of its game; see the module.

    Parameters
    ----------
    solution : of a game with smooth responses (a diffusion, or a finite game at a temperature) and a differentiable
        coupling with a potential; it need not be solved to more than its usual tolerance
    objective : "cost", what all agents pay together, as in the certificate; "potential"; a `Mass`; or a function of the
        density (time, ...) that returns a number and its derivative by the density, an array of the same shape (the
        sum of derivative times change is the change of the number).  It sees the masses alone
    parameters : names, as ``mfgsolve solve --set`` takes them: parameters of a named problem, or dotted keys of a
        problem file ("dynamics.viscosity"); or with ``build`` a mapping of names and values
    build : makes the problem from the values of all ``parameters`` by name; for games made of Python functions
    problem : the game of a solution from a file that was made of Python functions; with ``build``

    Returns
    -------
    xarray.Dataset
        on ``parameter``: ``derivative``, ``parameter_value``, ``elasticity`` (derivative times value over the
        objective), ``direct`` (what is left if nobody moved) and ``through_crowd``; ``objective`` itself; attributes
        ``residual`` (of the linear solve), ``uses`` (of its operator) and ``warnings``

    Raises
    ------
    InputError
        where responses have no derivative (sharp games, hard bounds), the crowd changes transitions, the coupling has
        no potential or no derivative, or a parameter cannot be found or is no number

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> plan = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), viscosity=0.05))
    >>> float(mfg.sensitivity(plan, "cost", ["reward"]).derivative[0]) < 0  # more reward, less cost
    True
    """
    if not isinstance(solution, Solution):
        raise InputError(f"solution is a {type(solution).__name__}; a Solution is needed (mfgsolve.load reads a file)")
    play = play_of(solution, problem=problem, who="sensitivity")
    check_smooth(play.game)
    family = _Family(play.game.problem, parameters, build)
    game = family.game({})
    crowd = true_belief(game, play.crowd)
    target = target_of(objective, game, crowd, solution)
    adjoint, residual, uses = adjoint_of(game, crowd, target.gradient)
    rows, cautions = [], []
    for name in family.values:
        look()
        direct, moved, kink = _explicit(family, name, crowd, target, adjoint)
        rows.append((direct, moved))
        if kink > KINK:
            sentence = (
                f"the derivative by {name} changes by {kink:.1g} of itself with the length of the difference: a kink "
                "of the responses is near, and it holds on one side of it only"
            )
            cautions.append(Caution("kink-near", sentence))
    if residual > 1e-9:
        sentence = f"the linear solve ended at a relative residual of {residual:.1e}, and so many digits hold"
        cautions.append(Caution("linear-solve", sentence))
    return _dataset(family.values, target, np.array(rows).reshape(-1, 2), residual, uses, cautions, solution)


class _Family:
    """The games that differ from one in the values of parameters."""

    def __init__(self, problem: Problem, parameters: Any, build: Build | None):
        self.problem, self.steps, self.build = problem, problem.time.steps, build
        self.text = ""
        if build is not None:
            if not isinstance(parameters, Mapping):
                raise InputError("with build= the parameters are a mapping of names and values, say {'reward': 2.0}")
            self.values = {str(name): real(value, f"parameter {name}") for name, value in parameters.items()}
        else:
            self.text, self.values = stated_values(problem, parameters)
        if not self.values:
            raise InputError("no parameters came; name some, say ['reward']")

    def game(self, changed: Mapping[str, float]) -> Game:
        """With other values of some parameters, on the same cells and steps."""
        if self.build is not None:
            problem = self.build(**(self.values | dict(changed)))
            if not isinstance(problem, Problem):
                raise InputError(f"build made a {type(problem).__name__}; a Problem is needed")
        else:
            problem = problem_from_toml(self.text, settings=dict(changed)) if changed else self.problem
        if problem.time.steps != self.steps:
            problem = problem.with_steps(self.steps)
        game = make_game(problem)
        if game.empty_crowd().shape != (self.steps + 1, *game.empty_crowd().shape[1:]):
            raise InputError("a parameter changes how many steps the game has")
        return game


def stated_values(problem: Problem, parameters: Any) -> tuple[str, dict[str, float]]:
    """The text of a problem, steps included, and what it says of parameters."""
    text = problem_text(replace(problem, time=replace(problem.time, chosen=False)))
    if text == PYTHON_PROBLEM:
        raise InputError(
            f"{problem.name} was made of Python functions; give build=, a function of the parameters that makes the "
            "problem, and their values"
        )
    values = {}
    for name in [parameters] if isinstance(parameters, str) else parameters:
        if not isinstance(name, str):
            raise InputError(f"parameters are {parameters!r}; a list of names is needed, say ['reward']")
        values[name] = _stated_value(text, name)
    return text, values


def _stated_value(text: str, name: str) -> float:
    """The value of a parameter in the text of a problem."""
    import tomllib

    document = tomllib.loads(text)
    path = name.split(".")
    if "problem" in document and len(path) == 1:
        path = ["parameters", *path]
    place: Any = document
    for step in path:
        keys = list(map(str, range(len(place)))) if isinstance(place, list) else list(place)
        if step not in keys:
            raise InputError(unknown("parameter", step, [key for key in keys if _is_leaf(place, key)]))
        place = place[int(step)] if isinstance(place, list) else place[step]
    if isinstance(place, bool) or not isinstance(place, int | float):
        raise InputError(f"parameter {name} is {place!r}; derivatives are by numbers")
    return float(place)


def _is_leaf(place: Any, key: str) -> bool:
    """Whether something stands there that may be a parameter, or leads to one."""
    value = place[int(key)] if isinstance(place, list) else place[key]
    return not isinstance(value, str | bool)


# -- the equilibrium, and the number -----------------------------------------------------------------------------------


@dataclass
class Target:
    """A number, how it changes with the crowd, and what of it changes with parameters at a fixed crowd."""

    value: float
    gradient: np.ndarray  # d J / d crowd, of the shape of a crowd
    fixed: Callable[[Game, float], float]  # (game, mean value of the answer) -> J at the fixed crowd


def target_of(objective: Any, game: Game, crowd: np.ndarray, solution: Solution) -> Target:
    _, came, mean = answer(game, crowd)
    nothing = np.zeros_like(crowd)
    if objective == "cost":  # V_0 falls by <m, d price> when prices fall
        return Target(mean, game.price_change(crowd, came), lambda _, value: value)
    if objective == "potential":  # min over flows of own cost + F = V_0 - <f, m> + F at the equilibrium
        price = game.price(crowd)

        def potential(other: Game, _: float) -> float:
            return other.respond(price.copy()).mean_value + other.potential(crowd) - paid(other, price, crowd)

        return Target(potential(game, mean), nothing, potential)
    if isinstance(objective, str):
        raise InputError(unknown("objective", objective, ("cost", "potential")))
    mass = game.flat(crowd)[:, : game.cells]
    if isinstance(objective, Mass):
        weights = objective.weights(solution.dataset)
        value = float((weights * mass).sum())
    elif callable(objective):
        value, weights = _of_function(objective, game, mass, solution)
    else:
        raise InputError(
            f"objective is a {type(objective).__name__}; 'cost', 'potential', a Mass, or a function of the density "
            "that returns a number and its derivative is needed"
        )
    game.flat(nothing)[:, : game.cells] = weights
    return Target(value, nothing, lambda _, __: value)


def _of_function(
    objective: Callable[[xr.DataArray], Any], game: Game, mass: np.ndarray, solution: Solution
) -> tuple[float, np.ndarray]:
    """Value and derivative by the masses of a function of the density."""
    like = solution.dataset["density"]
    each = volumes_of(solution.dataset).broadcast_like(like.isel(time=0, drop=True))
    volumes = each.transpose(*space_dims(solution.dataset)).values
    density = like.copy(data=mass.reshape(like.shape) / volumes)
    answer = objective(density)
    if not (isinstance(answer, tuple) and len(answer) == 2):
        raise InputError("the objective returns a number and its derivative by the density, two values in a tuple")
    value, gradient = real(answer[0], "objective"), numbers(answer[1], "derivative of the objective")
    if gradient.shape != like.shape:
        raise InputError(f"the derivative of the objective has shape {gradient.shape}; the density has {like.shape}")
    return value, (gradient / volumes).reshape(mass.shape)


# -- the derivative ----------------------------------------------------------------------------------------------------


def _explicit(
    family: _Family, name: str, crowd: np.ndarray, target: Target, adjoint: np.ndarray
) -> tuple[float, float, float]:
    """J_theta, <lambda, G_theta>, and how far differences of two lengths are apart, relative to the larger part."""
    value = family.values[name]
    length = STEP * (abs(value) if value else 1.0)

    def slope(step: float) -> np.ndarray:
        ends = []
        for sign in (1.0, -1.0):
            look()
            game = family.game({name: value + sign * step})
            if game.empty_crowd().shape != crowd.shape:
                raise InputError(f"parameter {name} changes the cells or steps of the game; no derivative is known")
            _, came, mean = answer(game, crowd)
            ends.append((target.fixed(game, mean), float((adjoint * came).sum())))
        return (np.array(ends[0]) - np.array(ends[1])) / (2.0 * step)

    wide, narrow = slope(2.0 * length), slope(length)
    found = (4.0 * narrow - wide) / 3.0
    size = max(float(np.abs(found).max()), 1e-300)
    return float(found[0]), float(found[1]), float(np.abs(narrow - wide).max()) / size


def _dataset(
    values: Mapping[str, float], target: Target, rows: np.ndarray, residual: float, uses: int,
    cautions: Sequence[Caution], solution: Solution,
) -> xr.Dataset:  # fmt: skip
    total = rows.sum(axis=1)
    value = np.array(list(values.values()))
    with np.errstate(divide="ignore", invalid="ignore"):
        elastic = np.where(target.value != 0, total * value / target.value, math.nan)
    columns = {
        "derivative": (total, "derivative of the objective by the parameter"),
        "parameter_value": (value, "value of the parameter"),
        "elasticity": (elastic, "relative change of the objective by a relative change of the parameter"),
        "direct": (rows[:, 0], "part of the derivative if nobody moved"),
        "through_crowd": (rows[:, 1], "part of the derivative because the crowd moves"),
    }
    data: dict[str, Any] = {
        name: ("parameter", column, {"long_name": text, "units": "1"}) for name, (column, text) in columns.items()
    }
    data["objective"] = ((), target.value, {"long_name": "the number itself", "units": "1"})
    attributes = {"name": solution.name, "residual": residual, "uses": uses, "warnings": to_text(cautions)}
    return xr.Dataset(data, {"parameter": list(values)}, attributes)
