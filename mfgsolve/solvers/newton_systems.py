"""Newton systems of flow problems: symmetric positive definite, solved by conjugate gradients, or by Cholesky within a
band (`mfgsolve.solvers.band_cholesky`).

The unknowns are changes x_{t+1} = (dV_{t+1}, q_t) of the values and of the (scaled) prices, t = 0..T-1.  With weights
theta_t(a, s) of the choices, D_t = sum_a theta_t, the mean transition Pi_t = sum_a theta_t P_t / D_t and weights J_t of
the states (J_0 = 0), the matrix is that of the quadratic form

    sum_t <J_t, (E' dV_t - Pi_t x_{t+1})^2> + sum_t,a <theta_t, (P_t x_{t+1} - Pi_t x_{t+1})^2> + sum_t |q_t|^2

where E is the inverse of the noise operator (E m_{t+1} = P_t' w_t) and every price acts as one more successor, reached
with "probability" alpha_t(a, s).  The middle term is a variance: computed as such it loses no digits when one action
takes all the weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from mfgsolve.games import Game
from mfgsolve.solvers.proximal import noise_inverse
from mfgsolve.watch import look

__all__ = ["ConjugateGradients", "FlowMaps", "Neighbourhoods", "NewtonMatrix"]


class FlowMaps:
    """The linear maps of a finite game, all steps at once: expectation, its transpose, and the noise."""

    def __init__(self, game: Game):
        self.game, self.steps, self.states, self.actions = game, game.steps, game.cells, game.step.actions
        self.prices = len(game.prices)
        self.inverse_noise = noise_inverse(game) if game.step.has_noise else None
        self._lift = None if self.inverse_noise is None else sparse.csr_array(self.inverse_noise.T)
        self._expect = game.step.transitions.unrolled(self.steps, self.states)
        self._gather = self._expect.T
        shape = (self.steps, self.actions, self.states)
        self.amounts = np.empty((self.steps, self.prices, *shape[1:]))  # alpha
        for k, alpha in enumerate(game.amounts):
            self.amounts[:, k] = alpha

    @property
    def width(self) -> int:
        """Unknowns of one step."""
        return self.states + self.prices

    @cached_property
    def neighbourhoods(self) -> Neighbourhoods:
        """Successors of every state, actions together."""
        return Neighbourhoods.of(self.game)

    def expect(self, value: np.ndarray, price: np.ndarray | None = None) -> np.ndarray:
        """P_t V_{t+1} + sum alpha p, (T, actions, states), of values (T, states) and prices (T, prices)."""
        out: np.ndarray = (self._expect @ value.reshape(-1)).reshape(self.steps, self.actions, self.states)
        if price is not None and self.prices:
            out += np.einsum("tk,tkas->tas", price, self.amounts)
        return out

    def gather(self, choices: np.ndarray) -> np.ndarray:
        """P_t' w_t, (T, states)."""
        return np.asarray(self._gather @ choices.reshape(-1)).reshape(self.steps, self.states)

    def add_up(self, choices: np.ndarray) -> np.ndarray:
        """<alpha_t, w_t> of every price, (T, prices)."""
        return np.asarray(np.einsum("tkas,tas->tk", self.amounts, choices))

    def sharpen(self, mass: np.ndarray) -> np.ndarray:
        """E m (..., states): the mass before the noise."""
        return mass if self.inverse_noise is None else (self.inverse_noise @ mass.T).T

    def lift(self, value: np.ndarray) -> np.ndarray:
        """E' V (..., states)."""
        return value if self._lift is None else (self._lift @ value.T).T


@dataclass
class NewtonMatrix:
    """The matrix of the module's form at given weights; unknowns outside ``reach`` have identity rows."""

    maps: FlowMaps
    theta: np.ndarray  # (T, actions, states)
    total: np.ndarray  # D (T+1, states), 1 where theta is 0
    weight: np.ndarray  # J (T+1, states)
    stretch: np.ndarray  # (T, prices): every alpha is multiplied by it
    reach: np.ndarray  # boolean (T+1, states)

    def spread(self, x: np.ndarray) -> np.ndarray:
        """P_t x_{t+1} with the prices, (T, actions, states)."""
        n = self.maps.states
        return self.maps.expect(x[:, :n], self.stretch * x[:, n:])

    def mean(self, choices: np.ndarray) -> np.ndarray:
        """sum_a theta y / D, (T+1, states), nothing at T."""
        out = np.zeros_like(self.total)
        np.einsum("tas,tas->ts", self.theta, choices, out=out[:-1])
        return np.divide(out, self.total, out=out)

    def collect(self, choices: np.ndarray, masses: np.ndarray) -> np.ndarray:
        """P_t' w_t + E m_{t+1} on states within reach, <alpha_t, w_t> on prices, (T, width)."""
        maps, out = self.maps, np.empty((self.maps.steps, self.maps.width))
        out[:, : maps.states] = np.where(self.reach[1:], maps.gather(choices) + maps.sharpen(masses[1:]), 0.0)
        out[:, maps.states :] = self.stretch * maps.add_up(choices)
        return out

    def lift(self, x: np.ndarray) -> np.ndarray:
        """E' dV (T+1, states), nothing at t = 0."""
        out = np.zeros_like(self.total)
        out[1:] = self.maps.lift(x[:, : self.maps.states])
        return out

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Matrix times x (T, width)."""
        n, choices = self.maps.states, self.spread(x)
        mean = self.mean(choices)
        rest = self.weight * (self.lift(x) - mean)
        choices -= (mean + rest / self.total)[:-1, None]
        choices *= self.theta
        out = self.collect(choices, rest)
        out[:, n:] += x[:, n:]
        out[:, :n] += np.where(self.reach[1:], 0.0, x[:, :n])
        return out

    def diagonal(self) -> np.ndarray:
        """Diagonal of the matrix, (T, width); with noise or prices an estimate good enough to precondition."""
        maps, n, near = self.maps, self.maps.states, self.maps.neighbourhoods
        sharp = None if maps.inverse_noise is None else maps.inverse_noise.multiply(maps.inverse_noise)
        ahead = self.weight[1:] if sharp is None else (sharp @ self.weight[1:].T).T
        out = np.ones((maps.steps, maps.width))
        for t in range(maps.steps):
            look()
            chances, theta = near.chances[min(t, near.chances.shape[0] - 1)], self.theta[t].T
            mean = np.einsum("sa,sal->sl", theta, chances)  # D Pi
            rest = (1.0 - self.weight[t] / self.total[t]) / self.total[t]
            square = np.einsum("sa,sal,sal->sl", theta, chances, chances) - mean**2 * rest[:, None]
            successors = near.successors[min(t, near.successors.shape[0] - 1)]
            rows = np.bincount(successors.reshape(-1), square.reshape(-1), minlength=n)
            out[t, :n] = np.where(self.reach[t + 1], np.maximum(rows, 0.0) + ahead[t], 1.0)
        return out


@dataclass
class Neighbourhoods:
    """Every state's successors under all its actions, padded to one length, and the chances of each action there."""

    successors: np.ndarray  # (1 or T, states, length)
    chances: np.ndarray  # (1 or T, states, actions, length)

    @classmethod
    def of(cls, game: Game) -> Neighbourhoods:
        table, states, actions = game.step.transitions, game.cells, game.step.actions
        steps = table.first.shape[0]
        row = np.repeat(np.arange(steps * actions * states), np.diff(table.first, axis=1).reshape(-1))
        state, action = row // (actions * states) * states + row % states, row // states % actions
        keys, place = np.unique(state * states + table.successor, return_inverse=True)
        owner = keys // states
        head = np.searchsorted(owner, np.arange(steps * states))
        slot = np.arange(keys.size) - head[owner]
        length = int(slot.max()) + 1
        successors = np.repeat(keys[head, None] % states, length, axis=1)  # padded with one that is there anyway
        successors[owner, slot] = keys % states
        chances = np.zeros((steps * states, actions, length))
        np.add.at(chances, (state, action, slot[place]), table.chance)
        return cls(successors.reshape(steps, states, -1), chances.reshape(steps, states, actions, -1))


@dataclass
class ConjugateGradients:
    """Preconditioned conjugate gradients, for what the band of `BandCholesky` cannot hold.

    The accuracy is relative to the preconditioned residual at x = 0.
    """

    maps: FlowMaps
    accuracy: float = 1e-3
    limit: int = 100
    products: int = 0

    def factor(self, matrix: NewtonMatrix) -> None:
        """Nothing is factored but the diagonal."""
        self.matrix, self.diagonal = matrix, matrix.diagonal()

    def solve(self, right: np.ndarray, guess: np.ndarray | None = None) -> np.ndarray:
        """x (T, width), from ``guess`` where one is given."""
        x = np.zeros_like(right) if guess is None else guess.copy()
        residual = right.copy() if guess is None else right - self.matrix.apply(x)
        scaled = residual / self.diagonal
        direction, size = scaled.copy(), float(np.vdot(residual, scaled))
        goal = self.accuracy**2 * float(np.vdot(right, right / self.diagonal))
        for _ in range(self.limit):
            if size <= goal:
                break
            look()
            image = self.matrix.apply(direction)
            self.products += 1
            length = size / float(np.vdot(direction, image))
            x += length * direction
            residual -= length * image
            np.divide(residual, self.diagonal, out=scaled)
            size, before = float(np.vdot(residual, scaled)), size
            direction *= size / before
            direction += scaled
        return x
