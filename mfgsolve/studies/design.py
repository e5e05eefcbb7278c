"""Incentive design: what agents should earn, so that their own equilibrium serves the goal of a system.

A planner cannot tell agents what to do, but pays them (or charges) theta_j for being where a field phi_j is:

    agents pay      f(m) + sum_j theta_j phi_j(t, x),          theta within bounds,
    the planner     minimises J(m(theta)) over theta,           m(theta) their equilibrium.

What is paid as an incentive is a transfer, no cost of the system: with the objective "cost", J is what all agents pay
together *without* it.  Its gradient takes one linear solve for all theta (`mfgsolve.studies.sensitivity`),

    dJ/dtheta_j = <K lambda, w phi_j>,     (I - B K) lambda = J_m,

and SciPy's L-BFGS-B walks along it, each equilibrium starting from the one before.  Parameters of the game itself
(capacities, widths of roads) are designed alike.

Source: Mguni, Jennings, Sison, Valcarcel Macua, Ceppi and Munoz de Cote, Coordinating the crowd: inducing desirable
equilibria in non-cooperative systems, AAMAS 2019, arXiv:1901.10923.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from scipy.optimize import minimize

from mfgsolve.agents.play import play_of
from mfgsolve.cautions import Caution, to_text
from mfgsolve.couplings import RunningCost
from mfgsolve.errors import InputError, real, unknown, whole
from mfgsolve.fields import Field, own_field, sample_nodes
from mfgsolve.games import Game, make_game
from mfgsolve.problem import Problem
from mfgsolve.problemfile import problem_from_toml
from mfgsolve.progress import Equilibria, live
from mfgsolve.resolution import settle
from mfgsolve.solution import Solution
from mfgsolve.solving import solve
from mfgsolve.stationary import check_final_time
from mfgsolve.studies.implicit import adjoint_of, answer, check_smooth, paid, true_belief
from mfgsolve.studies.sensitivity import sensitivity, stated_values, target_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Design", "design"]

TOLERANCE = 1e-11  # relative exploitability of every equilibrium: the objective has the root of it
Pair = tuple[float, float]


@dataclass(frozen=True)
class Design:
    """Result of `design`.

    Attributes
    ----------
    values : of the controls, by name
    solution : the equilibrium under them; with incentives, of the game in which agents pay them
    problem : that game
    before, after : the objective without incentives (at the start), and under the design
    transfer : what agents pay in incentives under the design, all together; NaN where parameters were designed
    history : on ``iteration`` and ``control``: ``value``, ``gradient``; ``objective``, ``sweeps``
    """

    values: dict[str, float]
    solution: Solution = field(repr=False)
    problem: Problem = field(repr=False)
    before: float
    after: float
    transfer: float
    history: xr.Dataset = field(repr=False)

    def plot(self) -> Figure:
        """Objective and controls over the iterations."""
        from mfgsolve import plots

        return plots.design(self.history)


def design(
    problem: Problem,
    controls: Mapping[str, Field] | Sequence[str],
    bounds: Pair | Mapping[str, Pair],
    objective: Any = "cost",
    *,
    start: Mapping[str, float] | None = None,
    max_iterations: int = 50,
    tol: float = 1e-8,
    method: str | None = None,
    callback: Callable[[dict[str, float], float], Any] | None = None,
    progress: bool | None = None,
    verbose: bool | int = False,
) -> Design:
    """Choose incentives, or parameters of a game, so that its equilibrium serves a goal; see the module.

    Parameters
    ----------
    problem : a game whose responses are smooth and whose coupling has a potential and a derivative
    controls : incentives: fields phi_j by name (a number, an array of the shape of the space, one with labels and a
        dimension ``time``, or a function of (t, c)); or names of parameters, as `mfgsolve.sensitivity` takes them
    bounds : (low, high) of every control, or of each by name
    objective : "cost" (of all agents, without transfers), "potential" (of parameters only), a
        `mfgsolve.studies.sensitivity.Mass` (least mass there; a negative weight is a function), or a function of the
        density that returns a number and its derivative
    start : of the controls; incentives start from 0 (or the nearest bound), parameters from what they are
    max_iterations, tol : of L-BFGS-B: it ends when the objective falls by less than ``tol`` of itself
    method : solver of the equilibria
    callback : called with (values, objective) after every equilibrium
    progress, verbose : a live line, and the work in lines; see `mfgsolve.progress`

    Returns
    -------
    Design

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> game = mfg.problems.supply_demand(shape=(8, 8), viscosity=0.05)
    >>> tolls = {"west": lambda t, c: c.x < 0.5, "east": lambda t, c: c.x >= 0.5}
    >>> found = mfg.design(game, tolls, bounds=(-0.5, 0.5), max_iterations=5)
    >>> found.after <= found.before
    True
    """
    if not isinstance(problem, Problem):
        raise InputError(f"design got a {type(problem).__name__}; a Problem is needed (see mfgsolve.problems)")
    check_final_time(problem.time, "design", "it follows what agents pay from the start to the end")
    if whole(max_iterations, "max_iterations") < 1:
        raise InputError(f"max_iterations is {max_iterations}; at least 1 is needed")
    posed = settle(problem)
    plan: _Incentives | _Parameters
    if isinstance(controls, Mapping):
        plan = _Incentives(posed, dict(controls), objective, method)
    else:
        plan = _Parameters(posed, list(controls), objective, method)
    limits = _limits(plan.names, bounds)
    begun = _begun(plan, limits, start)
    with live(Equilibria(), progress, verbose) as line:
        search = _Search(plan, line.beside(callback))
        ended = minimize(
            search, np.array([begun[name] for name in plan.names]), jac=True, method="L-BFGS-B",
            bounds=[limits[name] for name in plan.names],
            options={"maxiter": max_iterations, "ftol": tol, "gtol": 1e-12},
        )  # fmt: skip
    return search.concluded(ended)


def _limits(names: Sequence[str], bounds: Any) -> dict[str, Pair]:
    given = dict(bounds) if isinstance(bounds, Mapping) else dict.fromkeys(names, bounds)
    for name in given:
        if name not in names:
            raise InputError(unknown("control in bounds", name, names))
    result = {}
    for name in names:
        if name not in given or np.shape(given[name]) != (2,):
            raise InputError(f"bounds of the control {name!r} are {given.get(name)!r}; a pair (low, high) is needed")
        low, high = (real(end, f"bound of {name}") for end in given[name])
        if not low < high:
            raise InputError(f"bounds of the control {name!r} are ({low:g}, {high:g}); low must lie below high")
        result[name] = (low, high)
    return result


def _begun(plan: _Incentives | _Parameters, limits: Mapping[str, Pair], start: Mapping[str, float] | None) -> Any:
    values = dict(plan.present)
    for name, value in (start or {}).items():
        if name not in values:
            raise InputError(unknown("control in start", name, values))
        values[name] = real(value, f"start of {name}")
    for name, value in values.items():
        low, high = limits[name]
        if name in (start or {}) and not low <= value <= high:
            raise InputError(f"start of {name} is {value:g}, outside its bounds ({low:g}, {high:g})")
        values[name] = min(max(value, low), high)
    return values


@dataclass
class _Point:
    """An equilibrium, the objective there, and its gradient."""

    solution: Solution
    problem: Problem
    objective: float
    gradient: np.ndarray
    transfer: float


class _Incentives:
    """Running costs of fields, one for each control."""

    def __init__(self, problem: Problem, fields: dict[str, Field], objective: Any, method: str | None):
        if not fields:
            raise InputError("no controls came; name some fields, say {'toll': lambda t, c: c.x < 0.5}")
        if objective == "potential":
            raise InputError("the potential counts incentives as costs; take the objective 'cost', which does not")
        self.problem, self.objective, self.method = problem, objective, method
        self.names, self.present = list(fields), dict.fromkeys(fields, 0.0)
        self.fields = {
            name: sample_nodes(own_field(value, f"control {name}"), problem.time.nodes, problem.grid, f"control {name}")
            for name, value in fields.items()
        }

    def posed(self, values: Mapping[str, float]) -> Problem:
        """The game in which agents pay them."""
        levels, nodes = self._sum(values), self.problem.time.nodes

        def toll(t: float, c: Any) -> np.ndarray:
            return np.asarray(levels[int(np.argmin(np.abs(nodes - t))) if len(levels) > 1 else 0])

        coupling: Any = self.problem.coupling  # a problem makes a Coupling of whatever it is given
        return replace(self.problem, coupling=coupling + RunningCost(toll))

    def _sum(self, values: Mapping[str, float]) -> np.ndarray:
        """sum_j theta_j phi_j, on the nodes (or on one where nothing moves)."""
        return np.asarray(sum(value * self.fields[name] for name, value in values.items()))

    def point(self, values: Mapping[str, float], start: Solution | None) -> _Point:
        problem = self.posed(values)
        solution = solve(problem, method=self.method, tol=TOLERANCE, start=start, check="ignore")
        game = make_game(problem)
        check_smooth(game)
        crowd = true_belief(game, play_of(solution, problem=problem).crowd)
        toll = self._price(game, self._sum(values))
        value, gradient = self._goal(game, crowd, toll, solution)
        adjoint, _, _ = adjoint_of(game, crowd, gradient)
        policy, came, _ = answer(game, crowd)
        moved = -game.curvature(policy, came, adjoint, None, None, identity=0.0)  # K lambda
        slopes = [paid(game, self._price(game, self.fields[name]), moved) for name in self.names]
        return _Point(solution, problem, value, np.array(slopes), paid(game, toll, crowd))

    @staticmethod
    def _price(game: Game, nodes: Any) -> np.ndarray:
        """A field on nodes as a price."""
        price = game.empty_crowd()
        price[:] = 0.0
        levels = np.broadcast_to(nodes, (game.steps + 1, *game.grid.shape)).reshape(game.steps + 1, -1)
        used = game.nodes
        game.flat(price)[used, : game.cells] = levels[used]
        return price

    def _goal(self, game: Game, crowd: np.ndarray, toll: np.ndarray, solution: Solution) -> tuple[float, np.ndarray]:
        """Objective and its derivative by the crowd."""
        if self.objective == "cost":  # V_0 less the transfer: what is left of dV_0 is the price that others see
            _, came, mean = answer(game, crowd)
            weighed = toll * game.weights.reshape(-1, *(1,) * (toll.ndim - 1))
            return mean - paid(game, toll, crowd), game.price_change(crowd, came) - weighed
        target = target_of(self.objective, game, crowd, solution)
        return target.value, target.gradient


class _Parameters:
    """Numbers that the game is made of."""

    def __init__(self, problem: Problem, names: list[str], objective: Any, method: str | None):
        self.problem, self.objective, self.method, self.names = problem, objective, method, names
        self.text, self.present = stated_values(problem, names)

    def posed(self, values: Mapping[str, float]) -> Problem:
        posed = problem_from_toml(self.text, settings=dict(values))
        return posed if posed.time.settled else posed.with_steps(self.problem.time.steps)

    def point(self, values: Mapping[str, float], start: Solution | None) -> _Point:
        problem = self.posed(values)
        solution = solve(problem, method=self.method, tol=TOLERANCE, start=start, check="ignore")
        found = sensitivity(solution, self.objective, self.names)
        return _Point(solution, problem, float(found.objective), found.derivative.values, math.nan)


class _Search:
    """What SciPy calls, and what is kept of it."""

    def __init__(self, plan: _Incentives | _Parameters, callback: Callable[[dict[str, float], float], Any] | None):
        self.plan, self.callback = plan, callback
        self.points: list[tuple[np.ndarray, _Point]] = []

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        values = dict(zip(self.plan.names, map(float, x), strict=True))
        before = self.points[-1][1].solution if self.points else None
        point = self.plan.point(values, before)
        self.points.append((x.copy(), point))
        if self.callback is not None:
            self.callback(values, point.objective)
        return point.objective, point.gradient

    def concluded(self, ended: Any) -> Design:
        least = min(range(len(self.points)), key=lambda k: self.points[k][1].objective)
        x, best = self.points[least]
        cautions = [] if ended.success else [Caution("design-unfinished", f"the search ended early: {ended.message}")]
        rows = {
            "value": (("iteration", "control"), np.array([at for at, _ in self.points]), "value of the control"),
            "gradient": (("iteration", "control"), np.array([p.gradient for _, p in self.points]), "derivative by it"),
            "objective": (("iteration",), np.array([p.objective for _, p in self.points]), "goal of the system"),
            "transfer": (("iteration",), np.array([p.transfer for _, p in self.points]), "paid in incentives"),
            "sweeps": (("iteration",), np.array([p.solution.sweeps for _, p in self.points]), "of each equilibrium"),
        }
        data = {name: (dims, values, {"long_name": text, "units": "1"}) for name, (dims, values, text) in rows.items()}
        attributes = {"name": self.plan.problem.name, "best": least, "warnings": to_text(cautions)}
        coordinates = {"iteration": np.arange(len(self.points)), "control": list(self.plan.names)}
        history = xr.Dataset(data, coordinates, attributes)
        values = dict(zip(self.plan.names, map(float, x), strict=True))
        return Design(
            values, best.solution, best.problem, self.points[0][1].objective, best.objective, best.transfer, history
        )
