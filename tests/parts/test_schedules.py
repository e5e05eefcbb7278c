"""Step sizes: running means, visits entry by entry."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.errors import InputError
from mfgsolve.parts.schedules import Constant, Harmonic, Visits


def test_harmonic_steps_make_the_running_mean():
    targets, mean = np.random.default_rng(2).normal(size=50), 7.0
    for k, target in enumerate(targets, start=1):
        mean += Harmonic()(k) * (target - mean)
    assert mean == pytest.approx(targets.mean(), rel=1e-13)
    assert Harmonic(0.5, delay=3)(13) == pytest.approx(0.5)
    np.testing.assert_allclose(Constant(0.1)(np.array([1, 9])), 0.1)


def test_visits_count_every_entry():
    visits = Visits(Harmonic(), (3, 2))
    np.testing.assert_allclose(visits.visit((np.array([0, 2]), np.array([1, 0]))), [1, 1])
    np.testing.assert_allclose(visits.visit((np.array([0, 1]), np.array([1, 1]))), [0.5, 1])
    np.testing.assert_allclose(visits.visit((np.array([2, 2]), np.array([0, 0]))), 1 / 3)
    np.testing.assert_array_equal(visits.counts, [[0, 2], [0, 1], [3, 0]])


def test_bad_step_sizes():
    for wrong, match in (
        (lambda: Constant(0.0), "step size is 0"),
        (lambda: Harmonic(1.5), "power is 1.5"),
        (lambda: Harmonic(1.0, -1.0), "delay is -1"),
        (lambda: Harmonic()(0), "from 1 on"),
        (lambda: Visits(0.1, 3), "StepSize"),  # type: ignore[arg-type]
    ):
        with pytest.raises(InputError, match=match):
            wrong()
