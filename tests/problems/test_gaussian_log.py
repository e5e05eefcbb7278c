"""The Gaussian game with a logarithm: its mean against a boundary value solver."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_bvp

from mfgsolve import problems


def test_gaussian_log_mean_against_a_boundary_value_solver() -> None:
    problem = problems.build("gaussian-log", {"strength": 0.4, "viscosity": 0.1}, shape=(16, 16), scheme="upwind")
    form, end = problems.closed_form(problem), problem.time.horizon
    v, a = form.variance, form.curvature
    assert v == pytest.approx((0.4 + math.sqrt(0.4**2 + 2.0 * 0.2**2)) / 4.0)
    for axis in (0, 1):
        well = np.vectorize(lambda t, axis=axis: problem.track(t)[axis])
        found = solve_bvp(
            lambda t, y: [-a * y[0] - y[1], a * y[1] + 2.0 * well(t) - 0.4 / v * y[0]],  # noqa: B023
            lambda y0, y1: [y0[0] - problem.track(0.0)[axis], y1[1] + a * problem.track(end)[axis]],  # noqa: B023
            np.linspace(0, end, 50),
            np.zeros((2, 50)),
            tol=1e-9,
        )
        assert found.success
        for t in (0.0, 0.6, 1.3, end):
            assert form.mean(t)[axis] == pytest.approx(found.sol(t)[0], abs=1e-7)
            assert form.tilt(t)[axis] == pytest.approx(found.sol(t)[1], abs=1e-7)


def test_the_mean_cuts_the_corner_of_the_wells_path() -> None:
    problem = problems.build("gaussian-log", shape=(8, 8), scheme="upwind")
    form, times = problems.closed_form(problem), np.linspace(0, problem.time.horizon, 400)

    def length(path) -> float:
        return float(np.linalg.norm(np.diff([path(t) for t in times], axis=0), axis=1).sum())

    assert length(form.mean) < 0.8 * length(problem.track)
