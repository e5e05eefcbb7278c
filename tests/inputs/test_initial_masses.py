"""Where agents begin: masses of stated densities, and of none."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.initial_masses import initial_mass


def test_a_density_becomes_mass() -> None:
    grid = mfg.Grid.box((4,), bounds=((0.0, 2.0),))
    np.testing.assert_allclose(initial_mass(0.5, grid), 0.25)
    np.testing.assert_allclose(initial_mass(lambda t, c: 3.0 * c.x, grid, True), np.array([1, 3, 5, 7]) / 16)


def test_without_a_density_it_is_even_over_what_is_free() -> None:
    grid = mfg.Grid.box((4,), blocked=lambda c: c.x < 0.25)
    np.testing.assert_allclose(initial_mass(None, grid), [0.0, 1 / 3, 1 / 3, 1 / 3])
    both = mfg.Populations(["a", "b"], mfg.States(2))
    np.testing.assert_allclose(initial_mass(None, both), 0.5)


@pytest.mark.parametrize(
    ("density", "match"),
    [
        (0.7, "sums to 0.7"),
        (np.array([1.0, -1.0]), "negative"),
        (np.zeros(2), "zero in every free cell"),
        (np.ones(3), r"has shape \(3,\)"),
    ],
)
def test_what_is_no_density(density: object, match: str) -> None:
    with pytest.raises(mfg.InputError, match=match):
        initial_mass(density, mfg.Grid.box((2,)))
