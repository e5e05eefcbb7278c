"""The continuum itself, of two incomes: no grid of wealth, but polynomials through the Euler equations.

With V_j'(a) = u'(c_j(a)), and incomes 1 < 2 that change at the rates l_1 (up) and l_2 (down),

    (rho - r) u'(c_j) = u''(c_j) c_j' s_j + l_j (u'(c_k) - u'(c_j)),     s_j = w z_j + r a - c_j.

The poor spend down to the borrowing limit b, where s_1 falls like the square root of a - b; the rich save up to a
level A where s_2 = 0, and nobody has more.  In x = ((a - b) / (A - b))^(1/2) both are smooth, with s_1 = -x q(x), and
are found with A by Newton's method at Chebyshev points.  Densities follow in closed form: f = s_2 g_2 = -s_1 g_1 has

    f' = -f (l_1 / s_1 + l_2 / s_2),     f ~ (1 - x^2)^k at A,     atom at b: f(b) / l_1,

and are summed by Gauss and Jacobi's rule.  This shares nothing with the chain of `continuous` but what is stated, and
is what its limit is held against.

Source: Achdou, Han, Lasry, Lions, Moll, doi:10.1093/restud/rdab002 (propositions 1 to 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BarycentricInterpolator
from scipy.optimize import brentq
from scipy.special import roots_jacobi

from mfgsolve.errors import InputError
from mfgsolve.markets.economy import Primitives
from mfgsolve.markets.firm import Prices
from mfgsolve.markets.households import Households
from mfgsolve.markets.stationary import Stationary, stationary
from mfgsolve.markets.wealth import Wealth

__all__ = ["Continuum", "continuum"]

NODES = 50
STEPS = 30  # of Newton
FARTHEST = 0.1  # of the largest number, in a step of it
SMALL = 1e-7  # step of its derivatives
SUMMED = 80  # points of a quadrature
POINTS = 401  # of the chain that it begins with, which ends
ABOVE = 1.1  # times as far above the limit as the richest


@dataclass(frozen=True)
class Continuum:
    """An equilibrium without a grid.

    Attributes
    ----------
    price : r
    atom : share of all households that sits on the borrowing limit
    highest : A, what the richest have
    mean_wealth : of households
    shares : of households at either income, which the income chain alone decides: a check
    """

    price: float
    atom: float
    highest: float
    mean_wealth: float
    shares: tuple[float, float]


def continuum(economy: Primitives, nodes: int = NODES) -> Continuum:
    """The equilibrium of the continuous economy.

    Parameters
    ----------
    economy : of two incomes in continuous time, whose borrowing limit binds; its points of wealth do not matter
    nodes : Chebyshev points

    Raises
    ------
    InputError
        for other economies
    """
    households = economy.households
    if households.income.count != 2 or households.time != "continuous":
        raise InputError("collocation is for two incomes in continuous time; solve the chain on more points instead")
    limit = households.wealth.limit
    rough = _near(economy)
    saving = rough.response.saving
    if saving[0, 1] >= 0 or saving[1, 0] <= 0:
        raise InputError(
            f"households do not fall back on the borrowing limit {limit:g}, where collocation has its square root; "
            "solve the chain on more points instead"
        )
    known = [_solved(households, economy.prices(rough.price), _start(rough.economy.households, saving, nodes))]

    def excess(r: float) -> float:
        known[0] = _solved(households, economy.prices(r), known[0])
        return _law(households, known[0]).mean_wealth - economy.demand(r)

    distance = rough.discretisation
    near, width = distance.extrapolated_price, 5 * distance.extrapolated_price_error
    excess(near)
    price = float(brentq(excess, near - width, near + width, xtol=1e-16, rtol=1e-15))
    known[0] = _solved(households, economy.prices(price), known[0])
    law = _law(households, known[0])
    return Continuum(price, law.atom, law.highest, law.mean_wealth, law.shares)


def _near(economy: Primitives) -> Stationary:
    """The equilibrium of a chain on points that end a little above the richest."""
    limit, top = economy.households.wealth.limit, economy.households.wealth.highest
    for _ in range(2):
        rough = stationary(economy.on(Wealth.power(limit, top, POINTS)))
        top = limit + ABOVE * (_richest(rough) - limit)
    return stationary(economy.on(Wealth.power(limit, top, POINTS)))


def _richest(rough: Stationary) -> float:
    """The least wealth that those of high income do not save beyond."""
    return float(rough.economy.households.wealth.points[int(np.argmax(rough.response.saving[1] <= 0))])


# -- the plan ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Chebyshev points of [0, 1], from 1 down to 0, and the matrix that differentiates polynomials through them."""

    x: np.ndarray
    matrix: np.ndarray

    @classmethod
    def of(cls, count: int) -> _Nodes:
        k = np.arange(count)
        x, weight = 0.5 + 0.5 * np.cos(np.pi * k / (count - 1)), (-1.0) ** k
        weight[[0, -1]] *= 0.5
        apart = x[:, None] - x + np.eye(count)
        matrix = weight / weight[:, None] / apart
        matrix -= np.diag(matrix.sum(axis=1))
        return cls(x, matrix)


def _start(households: Households, saving: np.ndarray, count: int) -> np.ndarray:
    """q, s_2 and A - b of the chain's plan, as one vector."""
    points = households.wealth.points
    length = points[int(np.argmax(saving[1] <= 0))] - points[0]
    x = _Nodes.of(count).x
    at = points[0] + length * x**2
    inside = np.maximum(x, 0.05)  # at 0 the quotient is 0 / 0
    q = -np.interp(points[0] + length * inside**2, points, saving[0]) / inside
    return np.concatenate([q, np.interp(at, points, saving[1])[1:], [length]])


def _residual(households: Households, prices: Prices, unknown: np.ndarray, nodes: _Nodes) -> np.ndarray:
    """Both Euler equations, that of the rich times 2 L x, of one or several vectors of unknowns (..., 2 nodes)."""
    x, count, u = nodes.x, nodes.x.size, households.utility
    q, length = unknown[..., :count], unknown[..., -1:]
    rich = np.concatenate([0.0 * length, unknown[..., count:-1]], axis=-1)
    up, down = households.income.matrix[0, 1], households.income.matrix[1, 0]
    poor_income, rich_income = prices.w * households.income.levels
    interest = prices.r * (households.wealth.limit + length * x**2)
    first, second = poor_income + interest + x * q, rich_income + interest - rich  # c_1, c_2
    gap = households.impatience - prices.r
    moved = -q * (2 * length * x * prices.r + q + x * (q @ nodes.matrix.T)) / (2 * length)  # c_1' s_1
    poor = gap * u.marginal(first) - u.curvature(first) * moved - up * (u.marginal(second) - u.marginal(first))
    moved = rich * (2 * length * x * prices.r - rich @ nodes.matrix.T)  # 2 L x c_2' s_2
    other = gap * u.marginal(second) - down * (u.marginal(first) - u.marginal(second))
    return np.concatenate([poor, 2 * length * x * other - u.curvature(second) * moved], axis=-1)


def _solved(households: Households, prices: Prices, unknown: np.ndarray) -> np.ndarray:
    """Newton's method, with a derivative by differences."""
    nodes, best = _Nodes.of((unknown.size) // 2), np.inf
    for _ in range(STEPS):
        value = _residual(households, prices, unknown, nodes)
        size = float(np.abs(value).max())
        if size >= 0.5 * best and best < 1e-8:
            break
        best = min(best, size)
        step = SMALL * np.maximum(np.abs(unknown), 1e-3)
        above, below = (_residual(households, prices, unknown + sign * np.diag(step), nodes) for sign in (1, -1))
        change = np.linalg.solve(((above - below) / (2 * step[:, None])).T, value)
        share = min(1.0, FARTHEST / float(np.abs(change / np.abs(unknown).max()).max()))
        unknown = unknown - share * change
    if not best < 1e-6:
        raise InputError(f"collocation came to no plan at r = {prices.r:g}; give more points of wealth, or more nodes")
    return unknown


# -- the law -----------------------------------------------------------------------------------------------------------


def _law(households: Households, unknown: np.ndarray) -> Continuum:
    """Who has what under a plan; the price is not told here."""
    count, length = unknown.size // 2, float(unknown[-1])
    nodes = _Nodes.of(count)
    x, up, down = nodes.x, households.income.matrix[0, 1], households.income.matrix[1, 0]
    q, rich = unknown[:count], np.concatenate([[0.0], unknown[count:-1]])
    slope = nodes.matrix @ rich
    p = np.concatenate([[-slope[0] / 2], rich[1:] / (1 - x[1:] ** 2)])  # s_2 = (1 - x^2) p
    power = length * down / p[0]
    smooth = np.empty(count)
    smooth[1:] = (1 / p[1:] - 1 / p[0]) / (1 - x[1:] ** 2)
    smooth[0] = (nodes.matrix @ (1 / p))[0] / -2
    log = _primitive(2 * length * (up / q - down * x * smooth), nodes)
    atom = 1.0 / up
    poor = _integrals(lambda at: 2 * length * np.exp(log(at)) / BarycentricInterpolator(x, q)(at), power)
    wealthy = _integrals(lambda at: 2 * length * at * np.exp(log(at)) / BarycentricInterpolator(x, p)(at), power - 1)
    total = atom + poor[0] + wealthy[0]
    mean = households.wealth.limit + length * (poor[1] + wealthy[1]) / total
    shares = ((atom + poor[0]) / total, wealthy[0] / total)
    return Continuum(np.nan, atom / total, households.wealth.limit + length, mean, shares)


def _primitive(values: np.ndarray, nodes: _Nodes):  # type: ignore[no-untyped-def]
    """The polynomial that is 0 at 0 with these derivatives, as a function."""
    matrix = nodes.matrix.copy()
    matrix[-1] = 0.0
    matrix[-1, -1] = 1.0  # the last node is 0
    return BarycentricInterpolator(nodes.x, np.linalg.solve(matrix, np.append(values[:-1], 0.0)))


def _integrals(function, power: float) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """int (1 - x^2)^power F(x) dx and int x^2 (1 - x^2)^power F(x) dx over [0, 1]."""
    at, weight = roots_jacobi(SUMMED, power, 0.0)
    x = 0.5 * (at + 1)
    weight = weight * 0.5 ** (power + 1) * (1 + x) ** power * function(x)
    return float(weight.sum()), float((weight * x**2).sum())
