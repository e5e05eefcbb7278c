"""Constant relative risk aversion: derivatives and inverses agree, the logarithm is its limit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mfgsolve as mfg

C = np.array([0.05, 0.3, 1.0, 7.0])


@given(st.floats(0.2, 8.0))
def test_marginal_utility_and_curvature_are_derivatives_and_the_inverse_inverts(gamma):
    utility, step = mfg.CRRA(gamma), 1e-5 * C
    slope = (utility.of(C + step) - utility.of(C - step)) / (2 * step)
    assert utility.marginal(C) == pytest.approx(slope, rel=1e-6)
    bend = (utility.marginal(C + step) - utility.marginal(C - step)) / (2 * step)
    assert utility.curvature(C) == pytest.approx(bend, rel=1e-6)
    assert utility.consumption(utility.marginal(C)) == pytest.approx(C, rel=1e-12)


def test_one_is_the_logarithm_and_its_neighbours_are_near():
    assert mfg.CRRA(1).of(C) == pytest.approx(np.log(C))
    near = mfg.CRRA(1 + 1e-7)
    assert near.of(C) - near.of(np.array(1.0)) == pytest.approx(np.log(C), abs=1e-5)


@pytest.mark.parametrize("gamma", [0, -1.0, math.nan, math.inf])
def test_gamma_must_be_positive(gamma):
    with pytest.raises(
        mfg.InputError, match=r"gamma of the utility is .* a positive number is needed, and 1 is the log"
    ):
        mfg.CRRA(gamma)
