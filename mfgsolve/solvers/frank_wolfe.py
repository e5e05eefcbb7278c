"""Frank-Wolfe on the potential, and fictitious play, its 2/(k+2) step: average the best responses.

    w_{k+1} = (1 - a) w_k + a w(best response to f(m_k)),    gap_k = J(w_k; m_k) - <m_0, V_0> = exploitability

Occupations are averaged as mass and net flux per face.  The flux of a mean over its mass is again a policy, with the
same flow and, movement being convex, at no more cost than the mixture: every iterate is a certified pair.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from mfgsolve.certificates import relative
from mfgsolve.games import DiffusionGame
from mfgsolve.games.policies import FluxPolicy, axes, face_flux
from mfgsolve.problem import Problem
from mfgsolve.solvers.base import UNMEASURED, Guess, Measure, Outcome, Solver, State

__all__ = ["FictitiousPlay", "FrankWolfe"]


@dataclass
class MeanState(State):
    """The mean of all responses so far and the newest one."""

    game: DiffusionGame
    mass: np.ndarray
    fluxes: list[np.ndarray]
    price: np.ndarray  # T+1 levels; after a response its first T hold the policy
    response: np.ndarray  # flow of the newest best response
    movement: float = math.nan  # cost of moving of the mean
    value: float = math.nan  # <m_0, V_0> of the newest response
    response_movement: float = math.nan

    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        arrays = {"mass": self.mass} | {f"flux_{k}": flux for k, flux in enumerate(self.fluxes)}
        return arrays, {"sweeps": self.sweeps}


@dataclass(frozen=True)
class FictitiousPlay(Solver):
    """Average the best responses with weight 2/(k+2); needs no potential, no derivative and no tuning; O(1/k) or so.

    Source: Perrin et al., arXiv:2007.03458; Cardaliaguet and Hadikhanloo, doi:10.1051/cocv/2016004.
    """

    name = "fictitious-play"

    def refuses(self, problem: Problem) -> str | None:
        return None

    def init(self, problem: Problem, tol: float, start: Guess | None = None, threads: int | None = None) -> MeanState:
        game = DiffusionGame(problem, threads)
        state = _new_state(game, game.levels(), [np.empty((game.steps, *game.shape)) for _ in range(game.grid.ndim)])
        if start is not None:
            state.mass[:] = start(game)
        else:
            state.mass[:] = game.initial_mass
        _respond(state, game.price(state.mass, state.price))
        _mix(state, 1.0)  # the first mean is the first response: from here on mass and flux belong together
        return _measured(state)

    def unpack(
        self, problem: Problem, tol: float, arrays: dict[str, np.ndarray], numbers: dict[str, float],
        measure: Measure, threads: int | None = None,
    ) -> MeanState:  # fmt: skip
        game = DiffusionGame(problem, threads)
        fluxes = [arrays[f"flux_{k}"] for k in range(game.grid.ndim)]
        state = _measured(_new_state(game, arrays["mass"], fluxes))
        state.iteration, state.sweeps, state.measure = measure.iteration, numbers["sweeps"], measure
        return state

    def step(self, state: MeanState) -> MeanState:
        state.iteration += 1
        length = self._length(state)
        if length == 0.0:
            state.stalled = True
            return state
        _mix(state, length)
        return _measured(state)

    def _length(self, state: MeanState) -> float:
        return 2.0 / (state.iteration + 2.0)

    def finish(self, state: MeanState) -> Outcome:
        state.price = state.response = np.empty(0)  # given back before the dataset is made
        return Outcome(state.game, FluxPolicy(state.mass, state.fluxes), state.mass, sweeps=state.sweeps)


@dataclass(frozen=True)
class FrankWolfe(FictitiousPlay):
    """Fictitious play with the step length that minimises the potential along the segment (to ``accuracy``).

    Source: Lavigne and Pfeiffer, arXiv:2209.12772.
    """

    accuracy: float = 1e-3

    name = "frank-wolfe"

    def refuses(self, problem: Problem) -> str | None:
        return None if problem.is_potential else "the coupling has no potential to search along"

    def _length(self, state: MeanState) -> float:
        """Root of the derivative of the potential between the mean and the response."""
        game = state.game
        own = state.response_movement - state.movement
        own += game.terminal_total(state.response) - game.terminal_total(state.mass)

        def slope(length: float) -> float:
            return own + game.segment_slope(state.mass, state.response, length)

        if slope(0.0) >= 0.0:
            return 0.0
        if slope(1.0) <= 0.0:
            return 1.0
        return float(brentq(slope, 0.0, 1.0, xtol=self.accuracy * 1e-2, rtol=self.accuracy))


def _new_state(game: DiffusionGame, mass: np.ndarray, fluxes: list[np.ndarray]) -> MeanState:
    return MeanState(0, 0.0, UNMEASURED, game, mass, fluxes, game.levels(), game.levels())


def _respond(state: MeanState, price: np.ndarray) -> None:
    """Best response to the price and its flow: one sweep.  The policy overwrites the price."""
    game = state.game
    answer = game.respond(price, out=price[: game.steps])
    game.flow(answer.ahead, state.response)
    state.value = answer.mean_value
    state.response_movement = game.movement(answer.ahead, state.response)[0]
    state.sweeps += 1.0


def _mix(state: MeanState, length: float) -> None:
    """mean += length (newest response - mean), in mass and in flux."""
    game = state.game
    for nodes in game.slabs():
        for flux, axis in zip(state.fluxes, axes(game), strict=True):
            newest = face_flux(game, state.price[nodes], state.response[nodes], axis)
            if length == 1.0:
                flux[nodes] = newest
            else:
                newest -= flux[nodes]
                newest *= length
                flux[nodes] += newest
    for k in range(game.steps + 1):
        if length == 1.0:
            state.mass[k] = state.response[k]
        else:
            state.mass[k] += length * (state.response[k] - state.mass[k])


def _measured(state: MeanState) -> MeanState:
    """Respond to the mean; its exploitability comes for free."""
    game, mass = state.game, state.mass
    state.movement = FluxPolicy(mass, state.fluxes).movement(game)[0]
    price, energy = state.price, game.price_and_potential(mass, state.price)
    (crowd, crowd_size), terminal = game.crowd_totals(price, mass), game.terminal_total(mass)
    scale = state.movement + crowd_size + float((np.abs(game.terminal_cost) * mass[-1]).sum())
    _respond(state, price)
    gap = state.movement + crowd + terminal - state.value
    potential = state.movement + energy + terminal
    averse = game.problem.is_potential and game.problem.is_monotone
    state.measure = Measure(
        iteration=state.iteration,
        sweeps=state.sweeps,
        exploitability=gap,
        relative_exploitability=relative(gap, scale),
        potential=potential,
        duality_gap=gap if averse else math.nan,
        cell_steps=game.cell_steps,
        final_grid=True,
    )
    return state
