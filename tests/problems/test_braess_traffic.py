"""Braess's network as traffic, against its closed form: 386, 552, 498, 92/83."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import problems


def test_equilibrium_and_optimum_are_exact() -> None:
    solution = mfg.solve("braess-traffic", tol=1e-13)
    assert solution.potential == pytest.approx(386, abs=1e-9)
    assert solution.certificate.cost == pytest.approx(552, abs=1e-9)
    assert solution.dataset.attrs["cost_until_exit"] == pytest.approx(92, abs=1e-10)
    assert solution.dataset.attrs["time_until_exit"] == pytest.approx(7 / 3, abs=1e-11)  # roads taken
    np.testing.assert_allclose(solution.density.values[0], [6, 4, 4, 0], atol=1e-10)
    anarchy = mfg.price_of_anarchy(problems.braess_traffic(), tol=1e-12)
    assert anarchy.optimal_cost == pytest.approx(498, abs=1e-7)
    assert anarchy.ratio == pytest.approx(float(Fraction(92, 83)), abs=1e-9)


def test_a_bridge_harms() -> None:
    assert mfg.solve("braess-traffic", closed=True, tol=1e-12).certificate.cost == pytest.approx(498, abs=1e-8)


def test_a_demand_is_positive() -> None:
    with pytest.raises(mfg.InputError, match=r"demand of 0\.0 drivers"):
        problems.braess_traffic(demand=0.0)
