"""The sequence-space Jacobian: what mean wealth at every time does when prices move a little at any other time.

Around the steady state everything depends on distances of time alone.  If prices move in step s by (dr, dw), then

    savings of step s - j change by   d^j = d(earnings) [j = 0] - (slope of dV^j) / u''(c)        (0 where s = 0)
    and of all later steps by nothing, and the law after one such step by D^j = dt P (d^j . dQ)' m,

    dV^0 = M dt u'(c) (z dw + a dr),   dV^j = M dV^{j-1},   M = (1 + rho dt - dt Q)^-1,   P = (1 - dt Q')^-1.

With E^i = (P')^i a, what wealth is expected after i steps, the *fake news* F(i, j) = <E^i, D^j> are the response of
wealth i steps after news at time 0 of prices that move at j, if the news turn out to be false at once; and

    dS_{k+1} / dx_s = J(k, s) = J(k - 1, s - 1) + F(k, s).

Source: Auclert, Bardoczy, Rognlie, Straub, Using the sequence-space Jacobian to solve and estimate heterogeneous-agent
models, Econometrica 89 (2021), doi:10.3982/ECTA17434.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dgbtrf as gbtrf
from scipy.linalg.lapack import dgbtrs as gbtrs

from mfgsolve.markets.continuous import ContinuousChain
from mfgsolve.markets.response import Response

__all__ = ["wealth_jacobian"]


def wealth_jacobian(
    chain: ContinuousChain, response: Response, dt: float, steps: int, change: tuple[float, float]
) -> np.ndarray:
    """dS_{k+1} / dx_s (steps, steps), where x moves prices (r, w) by ``change``; rows are wealth after step k."""
    plans = _plans(chain, response, dt, steps, change)
    laws = _laws(chain, response, dt, plans)
    fake = _expected(chain, response, dt, steps) @ laws.T
    jacobian = fake
    for k in range(1, steps):
        jacobian[k, 1:] += jacobian[k - 1, :-1]
    return jacobian


def _plans(
    chain: ContinuousChain, response: Response, dt: float, steps: int, change: tuple[float, float]
) -> np.ndarray:
    """d^j (steps, incomes, wealth)."""
    households, saving = chain.households, response.saving
    utility, distances = households.utility, households.wealth.distances
    earned = change[1] * households.income.levels[:, None] + change[0] * households.wealth.points
    moved = np.empty((steps, *saving.shape))
    solve = _solver(chain, response.plan, dt, households.impatience)
    value = dt * utility.marginal(response.consumption) * earned
    for j in range(steps):
        value = solve(value)
        slope, steep = np.diff(value, axis=1) / distances, np.zeros_like(value)
        steep[:, :-1] = np.where(saving[:, :-1] > 0, slope, 0.0)
        steep[:, 1:] += np.where(saving[:, 1:] < 0, slope, 0.0)
        moved[j] = -steep / utility.curvature(response.consumption)
        if j == 0:
            moved[j] += earned * (saving != 0)
    return moved


def _laws(chain: ContinuousChain, response: Response, dt: float, plans: np.ndarray) -> np.ndarray:
    """D^j (steps, states): flows of households across each gap, in excess of those of the steady state."""
    saving, mass, gaps = response.saving, response.mass, chain.households.wealth.distances
    solve, laws = _solver(chain, response.plan, dt, 0.0, transpose=True), []
    for plan in plans:
        up = mass[:, :-1] * np.where(saving[:, :-1] > 0, plan[:, :-1], 0.0) / gaps
        down = -mass[:, 1:] * np.where(saving[:, 1:] < 0, plan[:, 1:], 0.0) / gaps
        flux, left = up - down, np.zeros_like(mass)
        left[:, :-1] -= flux
        left[:, 1:] += flux
        laws.append(solve(dt * left).ravel())
    return np.array(laws)


def _expected(chain: ContinuousChain, response: Response, dt: float, steps: int) -> np.ndarray:
    """E^i (steps, states)."""
    solve = _solver(chain, response.plan, dt, 0.0)
    wealth = np.broadcast_to(chain.households.wealth.points, chain.households.shape)
    expected = np.empty((steps, wealth.size))
    for i in range(steps):
        expected[i] = wealth.ravel()
        wealth = solve(wealth)
    return expected


def _solver(chain: ContinuousChain, plan: np.ndarray, dt: float, impatience: float, transpose: bool = False):  # type: ignore[no-untyped-def]
    """x -> (1 + rho dt - dt Q)^-1 x, or its transpose; x is (incomes, wealth)."""
    incomes, points = chain.households.shape
    matrix = -dt * chain.generator(plan)
    matrix[incomes] += 1.0 + impatience * dt
    factors, pivots, _ = gbtrf(np.vstack([np.zeros((incomes, incomes * points)), matrix]), incomes, incomes)

    def solve(right: np.ndarray) -> np.ndarray:
        flat = gbtrs(factors, incomes, incomes, right.T.ravel(), pivots, trans=int(transpose))[0]
        return np.asarray(flat.reshape(points, incomes).T)

    return solve
