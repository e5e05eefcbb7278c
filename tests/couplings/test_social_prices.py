"""Marginal prices: when they rise, and when that is known."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.couplings.social import marginal


class Reciprocal:
    """phi = 1 / A, convex; A phi' = -1 / A is concave."""

    def value(self, t: float, a: float) -> float:
        return 1 / a

    def derivative(self, t: float, a: float) -> float:
        return -1 / a**2

    def second(self, t: float, a: float) -> float:
        return 2 / a**3

    def third(self, t: float, a: float) -> float:
        return -6 / a**4


class Declared(Reciprocal):
    total_is_convex = True


@pytest.mark.parametrize(("potential", "known"), [
    (mfg.QuadraticPotential(2.0, 0.3), True), (Reciprocal(), False), (Declared(), True),
])  # fmt: skip
def test_a_marginal_price_is_monotone_only_where_that_is_known(potential, known):
    assert marginal(mfg.Price(potential, amounts=[1.0])).is_monotone is known


@pytest.mark.parametrize(("potential", "rises"), [(mfg.QuadraticPotential(2.0, 0.3), True), (Reciprocal(), False)])
def test_whether_a_marginal_price_rises(potential, rises):
    bound = marginal(mfg.Price(potential, amounts=[1.0])).bind(mfg.States(1), np.array([0.0]))
    price = [bound.cost(slice(0, 1), np.array([[a]]))[0, 0] for a in (0.5, 1.0, 2.0)]
    assert bool(np.all(np.diff(price) > 0)) is rises
    total = [bound.potential(slice(0, 1), np.array([[1 + h]]))[0] for h in (-1e-5, 1e-5)]
    assert price[1] == pytest.approx((total[1] - total[0]) / 2e-5, rel=1e-6)
