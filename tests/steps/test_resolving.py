"""What is known of an entropic step before anything is solved: its error in space, its viscosity, its reach."""

import math

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.steps.resolving import lost_variance, own_viscosity, reach_for, space_error, steps_for_noise
from mfgsolve.steps.stencils import gaussian_logs


def test_the_error_in_space_is_that_of_the_second_moment():
    grid = mfg.Grid.box((64,))
    for steps in (45, 64, 90):
        h, variance = 1 / 64, 2 * 0.002 / steps
        k = np.arange(-40, 41) * h
        moment = (np.exp(gaussian_logs(h, variance, 40)) * k**2).sum() / variance - 1.0
        scale = 4 * math.pi**2 * variance / h**2  # of the first term of the Poisson sum of the second moment
        e_s = space_error(0.002, grid, 1 / steps)
        assert -moment / scale == pytest.approx(e_s, rel=0.1)
        assert lost_variance(e_s) == pytest.approx(scale * e_s, rel=1e-12)
    assert lost_variance(0.0) == 0.0


def test_the_rule_for_steps():
    assert steps_for_noise(0.002, mfg.Grid.box((64, 64)), 1.0) == pytest.approx(45.5, abs=0.1)
    assert steps_for_noise(0.002, mfg.Grid.box((128, 128)), 1.0) == pytest.approx(182, abs=0.1)


def test_a_viscosity_of_its_own_where_the_noise_is_too_small():
    grid = mfg.Grid.box((64, 64))
    assert own_viscosity(0.002, grid, 1 / 48) == 0.002
    assert own_viscosity(0.0, grid, 1 / 48) == pytest.approx(0.18 * 48 / 64**2)
    assert own_viscosity(0.002, grid, 1 / 512) == pytest.approx(0.18 * 512 / 64**2)


def test_the_reach_is_the_way_of_the_fastest_and_the_tail_of_the_noise():
    grid = mfg.Grid.box((20, 40))
    sigma = math.sqrt(2 * 0.01 * 0.1)
    wanted = (1.25 * 2.0 * 0.1 + 5.5 * sigma) * np.array([20, 40])
    assert reach_for(2.0, 0.01, grid, 0.1) == tuple(np.ceil(wanted).astype(int))


def test_nobody_needs_to_reach_farther_than_from_end_to_end():
    grid = mfg.Grid.box((20, 40), bounds=[(0, 1), (0, 2)])
    tail = 5.5 * math.sqrt(2 * 0.01 * 0.1)
    wanted = (np.array([1, 2]) + tail) * 20
    assert reach_for(1e300, 0.01, grid, 0.1) == tuple(np.ceil(wanted).astype(int))
