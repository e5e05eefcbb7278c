"""Households over a while of changing prices: implicit steps, each of which is a Markov decision problem of its own.

A step lasts a random while of mean dt, in which prices stay: the household lives in continuous time (see `continuous`),
and a clock of rate 1 / dt says when the next step begins.  With s_k the savings of step k, Q its jumps,

    (1 / dt + rho_k) V_k = max_s  u(w_k z + r_k a - s) + Q_s V_k + V_{k+1} / dt      (the best s is in the step itself)
    m_{k+1} = m_k + dt m_{k+1} Q_{s_k}                                               (its exact transpose)

which are the implicit Euler steps of both equations.  V_N is the value of the steady state that follows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_banded

from mfgsolve.markets.continuous import ROUGH, SETTLED, ContinuousChain, transposed
from mfgsolve.markets.firm import Prices

__all__ = ["Conditions", "Stepper"]

MOST = 100  # improvements of a plan in a step


@dataclass(frozen=True, eq=False)
class Conditions:
    """What households meet in each step, (steps,) each: interest rate, wage, rate of impatience."""

    r: np.ndarray
    w: np.ndarray
    impatience: np.ndarray

    def prices(self, k: int) -> Prices:
        return Prices(float(self.r[k]), float(self.w[k]))


class Stepper:
    """Sweeps of households over steps of mean length dt; arrays are (steps or nodes, incomes, wealth)."""

    def __init__(self, chain: ContinuousChain, dt: float):
        self.chain, self.dt = chain, dt

    def best(self, met: Conditions, last: np.ndarray, near: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Best savings (steps, ...) and their values (nodes, ...), ``last`` the value after all steps; ``near`` are
        values to begin with."""
        steps = len(met.r)
        plans, values = np.empty((steps, *last.shape)), np.empty((steps + 1, *last.shape))
        values[-1] = last
        for k in range(steps - 1, -1, -1):
            start = values[k + 1] if near is None else near[k] + (values[k + 1] - near[k + 1])
            plans[k], values[k] = self._settled(k, met, values[k + 1], start)
        return plans, values

    def _settled(self, k: int, met: Conditions, after: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Howard's rule within step k."""
        prices, before = met.prices(k), np.inf
        for _ in range(MOST):
            saving = self.chain.improved(value, prices)
            value, old = self._valued(k, met, saving, after), value
            change = float(np.abs(value - old).max() / np.abs(value).max())
            if change <= SETTLED or (change <= ROUGH and change >= before):
                break
            before = change
        return saving, value

    def _valued(self, k: int, met: Conditions, saving: np.ndarray, after: np.ndarray) -> np.ndarray:
        paid = self.chain.households.utility.of(self.chain.consumption(saving, met.prices(k))) + after / self.dt
        return self._solved(-self.chain.generator(saving), 1 / self.dt + met.impatience[k], paid)

    def _solved(self, matrix: np.ndarray, shift: float, paid: np.ndarray) -> np.ndarray:
        """(shift + matrix)^-1 paid, of a banded matrix that is spoilt."""
        incomes, points = paid.shape
        matrix[incomes] += shift
        flat = solve_banded((incomes, incomes), matrix, paid.T.ravel(), overwrite_ab=True, check_finite=False)
        return np.asarray(flat.reshape(points, incomes).T)

    def valued(self, plans: np.ndarray, met: Conditions, last: np.ndarray) -> np.ndarray:
        """What any savings are worth (nodes, ...)."""
        values = np.empty((len(plans) + 1, *last.shape))
        values[-1] = last
        for k in range(len(plans) - 1, -1, -1):
            values[k] = self._valued(k, met, plans[k], values[k + 1])
        return values

    def law(self, plans: np.ndarray, first: np.ndarray) -> np.ndarray:
        """Shares of households in each state (nodes, ...), from those at the beginning."""
        masses = np.empty((len(plans) + 1, *first.shape))
        masses[0], incomes = first, first.shape[0]
        for k, saving in enumerate(plans):
            matrix = transposed(-self.chain.generator(saving), incomes)
            masses[k + 1] = self._solved(matrix, 1 / self.dt, masses[k] / self.dt)
        return masses
