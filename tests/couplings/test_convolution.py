"""Nonlocal couplings: two roads to one convolution, and claims about kernels."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_separable_smoothing_agrees_with_the_fourier_transform(boundary):
    """Two roads to one convolution: a matrix per axis, and FFT of the same Gaussian."""
    grid = mfg.Grid.box((12, 10), boundary=boundary)
    width = 0.08

    def gaussian(dx, dy):
        total = 0.0
        for i in (-1, 0, 1) if boundary == "periodic" else (0,):
            for j in (-1, 0, 1) if boundary == "periodic" else (0,):
                total = total + np.exp(-((dx + i) ** 2 + (dy + j) ** 2) / (2 * width**2))
        return total / (2 * np.pi * width**2)

    rho = np.random.default_rng(0).uniform(size=(2, 12, 10))
    both = [c.bind(grid, np.zeros(2)).cost(slice(0, 2), rho) for c in (mfg.Nonlocal(width=width),
                                                                         mfg.Nonlocal(kernel=gaussian))]  # fmt: skip
    np.testing.assert_allclose(both[0], both[1], rtol=1e-10, atol=1e-12)


def test_a_kernel_that_is_not_even_is_refused():
    with pytest.raises(mfg.InputError, match="not even"):
        mfg.Nonlocal(kernel=lambda dx: np.exp(-((dx - 0.1) ** 2))).bind(mfg.Grid.box((8,)), np.zeros(1))


def test_what_a_nonlocal_coupling_claims_is_checked():
    grid = mfg.Grid.box((32,))
    with pytest.raises(mfg.InputError, match="half the spacing"):
        mfg.Nonlocal(width=1e-3).bind(grid, np.zeros(1))
    hat = mfg.Nonlocal(kernel=lambda dx: 1.0 * (np.abs(dx) < 0.2), monotone=True)
    with pytest.raises(mfg.InputError, match="leave monotone=False"):
        hat.bind(grid, np.zeros(1))
    wide = mfg.Nonlocal(width=10.0).bind(mfg.Grid.box((32,), boundary="periodic"), np.zeros(1))
    np.testing.assert_allclose(wide.cost(slice(0, 1), np.ones((1, 32))), 1.0, rtol=1e-12)


@pytest.mark.parametrize("stated", ["width", "kernel"])
def test_one_agent_alone_minds_itself_where_it_is(stated):
    """Among N agents one sees itself, and N - 1 others in expectation: its own kernel / N, and (N - 1) / N of K rho."""
    grid, width, one = mfg.Grid.box((6, 5), bounds=[(0, 1), (0, 2)]), 0.3, slice(0, 1)
    options = {"width": {"width": width}, "kernel": {"kernel": lambda dx, dy: np.exp(-(dx**2 + dy**2) / 2 / width**2)}}
    bound = mfg.Nonlocal(0.8, **options[stated]).bind(grid, np.zeros(1))
    rho = np.random.default_rng(0).uniform(size=(1, 6, 5))
    for cell in ((0, 0), (3, 2)):
        alone = np.zeros((1, 6, 5))
        alone[(0, *cell)] = 1 / grid.cell_volume
        itself = bound.cost(one, alone)[(0, *cell)]
        expected = itself / 4 + 0.75 * bound.cost(one, rho)[(0, *cell)]
        assert bound.cost_among(one, rho, 4)[(0, *cell)] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(bound.potential(one, rho), (rho * bound.cost(one, rho)).sum() * grid.cell_volume / 2)
