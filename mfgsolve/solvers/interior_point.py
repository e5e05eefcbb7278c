"""Primal-dual interior point for sharp finite games with a potential: the optimum of a convex programme, hard bounds
included, in tens of steps.

    min sum_t <l_t, w_t> + sum_t weight_t F_t(crowd_t) + <g, m_T>   over w >= 0,
    sum_a w_t = m_t,  E m_{t+1} = P_t' w_t,  m_0 given,  lowest <= aggregates <= highest,  m <= cap

with E the inverse of the implicit noise.  With multipliers V (flow), lambda (sum of choices), p (prices), z (w >= 0):

    z_t = l_t + weight_t f_w + P_t V_{t+1} + alpha p_t - lambda_t,   E' V_t = lambda_t + weight_t f_t + cap multiplier

and every product of a slack and its multiplier is driven to 0 along the central path  slack * multiplier = mu barrier
by Mehrotra's predictor and corrector and up to ``corrections`` of Gondzio's centrality corrections (`central_path`).
Many of them pay: a crowd has groups of every size, down to its tails, that choose between nearly tied paths, each group
decides at its own mu, and the few that are deciding would shorten the step of all others.  The barrier of a
choice follows the largest mass that can be in its state, so that cells which only a tail of the crowd can reach neither
vanish from the path nor hold it up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.errors import InputError, unknown
from mfgsolve.games import Game
from mfgsolve.kernels import finite
from mfgsolve.solvers.band_cholesky import BandCholesky
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver
from mfgsolve.solvers.central_path import Best, Newton, Pair, PathState, choice_cost
from mfgsolve.solvers.ends import check_end
from mfgsolve.solvers.feasibility import Limits, check_limits, infeasibility
from mfgsolve.solvers.needs import DERIVATIVE, FINAL_TIME, LOCAL, MONOTONE, POTENTIAL, TABLES, UNCOUPLED
from mfgsolve.solvers.newton_systems import ConjugateGradients, FlowMaps
from mfgsolve.solvers.stored import Stored
from mfgsolve.steps.table_policies import TablePolicy

__all__ = ["InteriorPoint"]

SYSTEMS = ("auto", "cholesky", "conjugate-gradients")
TAIL = 0.05  # power of the largest possible mass in the barrier
PATIENCE = 12  # steps without a better certificate that end the solve


@dataclass(frozen=True)
class InteriorPoint(Solver):
    """Mehrotra's interior point on the occupations; the default for finite potential games at temperature 0,
    and at any temperature where there are hard bounds.

    Parameters
    ----------
    system : how Newton systems are solved: "cholesky" (within a band), "conjugate-gradients", or "auto", the first
        where it fits in ``memory``
    memory : GiB that the Cholesky factor may take: 8 bytes (4 in single precision, where the band is wide) times
        unknowns (T states, and prices) times the width of the band, about the smaller of T times the narrow side of a
        lattice and its cells
    corrections : most centrality corrections per step, each one more solve with the same factor; none with conjugate
        gradients, where every solve costs the same
    accuracy : relative accuracy of conjugate gradients

    Sources: Mehrotra, doi:10.1137/0802028; Gondzio, doi:10.1007/BF00249643; Colombo and Gondzio,
    doi:10.1007/s10589-007-9106-0 (corrections that are weighted).
    """

    system: str = "auto"
    memory: float = 2.0
    corrections: int = 16
    accuracy: float = 1e-3

    name = "interior-point"
    source = (
        "Mehrotra, On the implementation of a primal-dual interior point method, doi:10.1137/0802028; Gondzio, "
        "Multiple centrality corrections in a primal-dual method for linear programming, doi:10.1007/BF00249643"
    )
    needs = (FINAL_TIME, TABLES, UNCOUPLED, POTENTIAL, MONOTONE, LOCAL, DERIVATIVE)

    def __post_init__(self) -> None:
        if self.system not in SYSTEMS:
            raise InputError(unknown("system", self.system, SYSTEMS))

    # -- the protocol of solvers -------------------------------------------------------------------------------

    def init(self, game: Game, tol: float, start: Guess | None = None) -> PathState:
        limits = Limits.of(game)
        check_limits(game, limits)
        check_end(game)
        state = _first(game, limits, tol, None if start is None else start(game))
        return _measured(state)

    def revive(self, game: Game, tol: float, stored: Stored) -> PathState:
        state = _first(game, Limits.of(game), tol, None)
        for name, value in stored.of(PathState).items():
            setattr(state, name, value)
        for name, pair in state.pairs.items():
            pair.slack, pair.dual = stored.arrays[f"{name}_slack"], stored.arrays[f"{name}_dual"]
        state.single = bool(stored.numbers["single"]) if "single" in stored.numbers else None
        state, best = _measured(state), stored.of(Best)
        state.best = Best(crowd=game.flow(best["policy"]), **best)
        return state

    def step(self, state: PathState) -> PathState:
        state.iteration += 1
        if state.system is None:
            state.system = self._system(state)
        system = state.system
        newton = Newton(state, system)
        try:
            newton.factor()
            direction, (primal, dual) = newton.direct(self.corrections if isinstance(system, BandCholesky) else 0)
        except np.linalg.LinAlgError:
            return _given_up(state)
        if not math.isfinite(primal * dual):
            return _given_up(state)
        for name, pair in state.pairs.items():
            pair.slack = pair.slack + primal * direction.slack[name]
            pair.dual = pair.dual + dual * direction.dual[name]
        state.value = state.value + dual * direction.value
        state.level = state.level + dual * direction.level
        state.price = state.price + dual * direction.price
        state.sweeps += newton.sweeps
        state = _measured(state)
        assert state.best is not None
        return _given_up(state) if state.iteration - state.best.iteration >= PATIENCE else state

    def finish(self, state: PathState) -> Outcome:
        best = state.best
        assert best is not None
        return Outcome(
            state.game, TablePolicy(best.policy), best.crowd, sweeps=state.sweeps, multiplier=best.multiplier
        )

    def _system(self, state: PathState) -> BandCholesky | ConjugateGradients:
        if self.system != "conjugate-gradients":
            memory = math.inf if self.system == "cholesky" else self.memory
            cholesky = BandCholesky(state.maps, state.reach, memory, state.single)
            if cholesky.fits:
                return cholesky
        return ConjugateGradients(state.maps, self.accuracy)


# -- the first point ---------------------------------------------------------------------------------------------


def largest_mass(maps: FlowMaps) -> np.ndarray:
    """Mass (T+1, states) that no flow exceeds: every agent that can come, comes."""
    game, near = maps.game, maps.neighbourhoods
    chances = np.where(game.step.allowed.T[:, :, None], near.chances, 0.0).max(axis=2)
    most = np.zeros((maps.steps + 1, maps.states))
    most[0], whole = game.initial_mass, np.repeat(game.grid.masses, maps.states // game.grid.populations)
    for t in range(maps.steps):
        k = min(t, chances.shape[0] - 1)
        came = np.bincount(
            near.successors[k].reshape(-1), (chances[k] * most[t, :, None]).reshape(-1), minlength=maps.states
        )
        most[t + 1] = np.minimum(whole, game.step.diffuse(came, True) if game.step.has_noise else came)
    return most


def _first(game: Game, limits: Limits, tol: float, guess: np.ndarray | None) -> PathState:
    """Masses in proportion to the barrier (and to a guess, half and half); duals feasible for the price they make."""
    maps, count = FlowMaps(game), game.grid.populations
    most = largest_mass(maps)
    reach = most > 1e-2 * max(tol, 1e-13) / game.cells
    barrier = np.where(reach, most, 0.0) ** TAIL * reach
    by_population = barrier.reshape(maps.steps + 1, count, -1)
    by_population *= np.asarray(game.grid.masses)[:, None] / by_population.sum(axis=2, keepdims=True)
    mass = barrier.copy()
    if guess is not None:
        mass = 0.5 * (mass + np.where(reach, np.maximum(guess[:, : game.cells], 0.0), 0.0))
    mass[0] = np.where(reach[0], game.initial_mass, 0.0)
    live = game.step.allowed & reach[:-1, None]
    choices = np.maximum(game.step.allowed.sum(axis=0), 1)
    occupation = np.where(live, (mass[:-1] / choices)[:, None], 0.0)
    crowd = game.aggregate(mass, occupation, game.empty_crowd(), weighed=True)
    field_ = game.price(crowd) * game.weights[:, None]
    price = field_[:-1, game.width - maps.prices :].copy()
    value, level, dual, rise = _dual_start(maps, live, field_, price)
    pairs = {
        "choice": Pair(occupation, dual, np.where(live, (barrier[:-1] / choices)[:, None], 0.0)),
        "end": Pair(mass[-1], np.full(game.cells, rise), barrier[-1]),
    } | limits.pairs(crowd, barrier, rise, not game.is_smooth, Pair)
    return PathState(0, 0.0, UNMEASURED, game, maps, limits, barrier, pairs, value, level, price)


def _dual_start(
    maps: FlowMaps, live: np.ndarray, paid: np.ndarray, price: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """V, lambda and z >= rise that satisfy every equation of the dual; rise is the spread of the costs of one step."""
    game = maps.game
    spreads = [
        np.ptp(paid[:, : game.cells]),
        np.ptp(game.step.own_cost[:, game.step.allowed]),
        np.ptp(game.terminal_cost),
    ]
    rise = float(max(spreads)) or 1.0
    value, level = np.zeros((maps.steps + 1, game.cells)), np.empty((maps.steps + 1, game.cells))
    dual = np.ones((maps.steps, game.step.actions, game.cells))
    level[-1] = game.terminal_cost - rise
    cost = np.array(np.broadcast_to(choice_cost(game, paid), dual.shape))
    cost += np.einsum("tk,tkas->tas", price, maps.amounts)
    table = game.step.transitions
    for t in range(maps.steps, 0, -1):
        value[t] = paid[t, : game.cells] + level[t]
        if game.step.has_noise:
            value[t] = game.step.diffuse(value[t], False)
        finite.expect(table, min(t, table.first.shape[0]) - 1, value[t], cost[t - 1].copy(), cost[t - 1])
        best = np.where(game.step.allowed, cost[t - 1], math.inf).min(axis=0)
        level[t - 1] = np.where(np.isfinite(best), best, 0.0) - rise
        dual[t - 1] = np.where(live[t - 1], cost[t - 1] - level[t - 1], 1.0)
    return value, level, dual, rise


def _rounded(state: PathState) -> None:
    """Certify the best policy under multipliers of which those are 0 whose bounds do not bind: where nothing else costs
    anything, what is left of them is all that agents pay, however little that is."""
    game, best = state.game, state.best
    assert best is not None
    multiplier = state.limits.multiplier(game, state.pairs, rounded=True)
    result = certify(game, TablePolicy(best.policy), best.crowd, multiplier=multiplier)
    state.sweeps += 0.5
    score = max(abs(result.relative_exploitability), result.violation)
    if score < best.score:
        state.best = Best(score, state.iteration, best.policy, best.crowd, multiplier)
        state.note(result, game.cell_steps)


# -- certificate -------------------------------------------------------------------------------------------------


def _measured(state: PathState) -> PathState:
    """The policy w / m and its own crowd; where nobody can be, the best response to the price they make."""
    game, choice = state.game, state.pairs["choice"]
    mass = choice.slack.sum(axis=1, keepdims=True)
    here = mass > 0
    multiplier = state.limits.multiplier(game, state.pairs) if game.is_hard else None
    policy = np.divide(choice.slack, mass, out=np.zeros_like(choice.slack), where=here)
    if not here.all():
        price = game.price(game.aggregate(state.mass, choice.slack, game.empty_crowd(), weighed=True))
        best = game.respond(price if multiplier is None else price + multiplier).policy
        np.copyto(policy, best, where=~here)
        state.sweeps += 0.5
    crowd = game.flow(policy)
    state.sweeps += 1.0
    result = certify(game, TablePolicy(policy), crowd, multiplier=multiplier)
    score = max(abs(result.relative_exploitability), result.violation)
    if state.best is None or score < state.best.score:
        state.best = Best(score, state.iteration, policy, crowd, multiplier)
    state.note(result, game.cell_steps)
    return state


def _given_up(state: PathState) -> PathState:
    """No way on: either the bounds contradict each other, which is told, or round-off has the last word."""
    if state.game.is_hard:
        _rounded(state)
        fault = infeasibility(state.game, state.limits)
        if fault is not None:
            raise InputError(fault)
    state.stalled = True
    return state
