"""The numerical test of couplings: what it measures, and what it refutes; flags of couplings tell the truth."""

from __future__ import annotations

import numpy as np
import pytest
from coupling_kinds import BOX, COUPLINGS

import mfgsolve as mfg
from mfgsolve.couplings import check_coupling
from mfgsolve.couplings.social import marginal


@pytest.mark.parametrize("name", COUPLINGS)
def test_flags_agree_with_the_numerical_test(name):
    coupling = COUPLINGS[name]
    report = check_coupling(coupling, BOX, t=0.3)
    assert report.is_potential == coupling.is_potential
    assert report.is_monotone or not coupling.is_monotone
    assert report.potential_error < 1e-6


def test_the_numerical_test_refutes_crowd_seeking_and_asymmetric_couplings():
    grid = mfg.Grid.box((12,))
    seeking = mfg.CustomCoupling(lambda t, c, rho: -rho, potential=lambda t, c, rho: -(rho**2) / 2, monotone=True)
    assert not check_coupling(seeking, grid).is_monotone
    drag = mfg.CustomCoupling(lambda t, c, rho: np.cumsum(rho))
    report = check_coupling(drag, grid)
    assert not report.is_potential
    assert np.isnan(report.potential_error)


@pytest.mark.parametrize("name", ["congestion", "linear", "power", "log"])
def test_marginal_costs_said_to_be_monotone_are(name):
    coupling = marginal(COUPLINGS[name])
    assert coupling.is_monotone
    assert check_coupling(coupling, BOX).is_monotone
    assert not marginal(COUPLINGS["custom"]).is_monotone  # nobody knows
