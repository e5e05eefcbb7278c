"""The density between two nodes of the entropic step: mass, sign, ends, and closed forms."""

import numpy as np
import pytest
from scipy.special import erfc

import mfgsolve as mfg
from mfgsolve.steps.bridge import Bridge
from mfgsolve.steps.entropic_policies import pass_axes
from mfgsolve.steps.stencils import stencils

SHARES = np.array([0.0, 1e-6, 0.01, 0.1, 0.3, 0.5, 0.77, 0.99, 1 - 1e-6, 1.0])


def step_of(grid, mass, ahead, variance, reach=9, first=None):
    """One step made of the matrices of the noise, and its bridge."""
    axes = pass_axes(grid.ndim, 0) if first is None else first
    noise = np.eye(grid.size)
    for number in axes:
        stencil = stencils(grid, variance, (reach,) * grid.ndim)[number]
        matrix = np.zeros((grid.size, grid.size))
        np.add.at(matrix, (np.arange(grid.size)[:, None], stencil.near), stencil.taps)
        noise = noise @ matrix
    free = ~grid.mask.reshape(-1)
    phi = np.where(free, np.exp(-np.where(free, ahead.reshape(-1), 0.0)), 0.0)
    psi = np.where(free, noise @ phi, 1.0)
    landed = phi * (noise.T @ (mass.reshape(-1) / psi))
    return Bridge(grid, mass, landed.reshape(grid.shape), ahead, variance, axes)


def gaussian(x, mean, deviation):
    density = np.exp(-0.5 * ((x - mean) / deviation) ** 2)
    return density / density.sum()


@pytest.mark.parametrize("sigma", [0.75, 1.0, 2.0])
@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_free_diffusion_of_a_gaussian(sigma, boundary):
    """Without control the variance grows by theta sigma^2."""
    grid = mfg.Grid.box((48,), boundary=boundary)
    x, h = grid.coordinates.x, 1 / 48
    bridge = step_of(grid, gaussian(x, 0.45, 0.06), np.zeros(48), (sigma * h) ** 2)
    off = 4 * np.exp(-2 * np.pi**2 * sigma**2)  # of the sums of the step itself
    for share in SHARES:
        exact = gaussian(x, 0.45, np.sqrt(0.06**2 + share * (sigma * h) ** 2))
        assert np.abs(bridge.at(share) - exact).sum() < 2e-5 + off * share


@pytest.mark.parametrize("slope", [30.0, 150.0])
def test_a_slope_of_the_value_carries_the_crowd_at_constant_speed(slope):
    """phi = exp(p x): the law is the noise, moved by p sigma^2, and between the nodes by a share of it."""
    grid = mfg.Grid.box((64,), bounds=[(0, 4)])
    x, variance = grid.coordinates.x, (0.9 / 16) ** 2
    bridge = step_of(grid, gaussian(x, 1.5, 0.2), -slope * x, variance, reach=14)
    for share in SHARES:
        exact = gaussian(x, 1.5 + share * slope * variance, np.sqrt(0.2**2 + share * variance))
        assert np.abs(bridge.at(share) - exact).sum() < 1e-4


def test_a_bridge_to_a_point_is_a_brownian_bridge():
    """phi that leaves one Gaussian place to go to: means go straight there, and the spread is that of a bridge."""
    grid = mfg.Grid.box((96,), bounds=[(0, 2)])
    x, h = grid.coordinates.x, 1 / 48
    variance, target, width = (2.5 * h) ** 2, 1.1, 0.04
    bridge = step_of(grid, gaussian(x, 0.95, 0.05), 0.5 * ((x - target) / width) ** 2, variance, reach=30)
    precision = 1 / variance + 1 / width**2  # of the end, given the start
    for share in SHARES:
        pull = variance / (variance + width**2)
        mean = 0.95 + share * pull * (target - 0.95)
        spread = (1 - share * pull) ** 2 * 0.05**2 + share * (1 - share) * variance + share**2 / precision
        assert np.abs(bridge.at(share) - gaussian(x, mean, np.sqrt(spread))).sum() < 3e-6


def test_tails_that_a_short_reach_cuts_off_do_not_spoil_the_rest():
    """Far from the place that all go to, a stencil too short for it leaves agents where there should be none."""
    grid = mfg.Grid.box((96,), bounds=[(0, 2)])
    x, variance = grid.coordinates.x, (2.5 / 48) ** 2
    bridge = step_of(grid, gaussian(x, 0.95, 0.05), 0.5 * ((x - 1.1) / 0.02) ** 2, variance, reach=22)
    pull = variance / (variance + 0.02**2)
    spread = (1 - pull / 2) ** 2 * 0.05**2 + variance / 4 + 0.25 / (1 / variance + 1 / 0.02**2)
    exact = gaussian(x, 0.95 + pull / 2 * 0.15, np.sqrt(spread))
    assert np.abs(bridge.at(0.5) - exact).sum() < 1e-2


@pytest.mark.parametrize("least", [0.0, 1e-25])
def test_a_crowd_with_an_edge_spreads_as_heat_does(least):
    """All in the left half, as densely as can be; right of it nobody, or next to nobody."""
    grid = mfg.Grid.box((48,))
    x, h = grid.coordinates.x, 1 / 48
    mass = np.where(x < 0.5, 1.0, least)
    bridge = step_of(grid, mass / mass.sum(), np.zeros(48), h**2)
    away = np.linspace(-0.5, 0.5, 49)  # edges of cells, from the edge of the crowd
    for share in (0.05, 0.2, 0.5, 0.9):
        width = np.sqrt(2 * share) * h
        exact = np.diff(away * erfc(away / width) - width / np.sqrt(np.pi) * np.exp(-((away / width) ** 2)))
        assert np.abs(bridge.at(share) - exact / exact.sum()).sum() < 0.01


def test_a_kink_of_the_value_is_no_overshoot():
    """Who is left of a place stays, who is right of it goes on: |p| = 10 a cell, from one side to the other."""
    grid = mfg.Grid.box((48,))
    x, h = grid.coordinates.x, 1 / 48
    slope = 2.5 / h
    bridge = step_of(grid, gaussian(x, 0.4, 0.1), -slope * np.maximum(x - 0.5, 0.0), (1.2 * h) ** 2, 12)
    phi = lambda z, s2: (
        0.5 * erfc((z - 0.5) / np.sqrt(2 * s2))
        + np.exp(  # N of it, exactly
            slope * (z - 0.5) + slope**2 * s2 / 2
        )
        * 0.5
        * erfc(-(z - 0.5 + slope * s2) / np.sqrt(2 * s2))
    )
    fine = np.linspace(-2, 3, 20_001)
    start = np.exp(-0.5 * ((fine - 0.4) / 0.1) ** 2) / phi(fine, (1.2 * h) ** 2)
    for share in (0.1, 0.5, 0.8):
        noise = np.exp(-((x[:, None] - fine) ** 2) / (2 * share * (1.2 * h) ** 2))
        exact = phi(x, (1 - share) * (1.2 * h) ** 2) * (noise @ start)
        assert np.abs(bridge.at(share) - exact / exact.sum()).sum() < 0.01


def room(boundary, blocked=True):
    def wall(c):
        return (np.abs(c.x - 0.5) < 0.1) & (c.y > 0.4)

    return mfg.Grid.box((8, 10), boundary=boundary, blocked=wall if blocked else None)


@pytest.mark.parametrize("first", [(0, 1), (1, 0)])
@pytest.mark.parametrize("blocked", [False, True])
@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_mass_is_kept_nothing_is_negative_and_the_ends_are_the_nodes(boundary, blocked, first):
    grid, random = room(boundary, blocked), np.random.default_rng(2)
    mass = random.random(grid.shape) * ~grid.mask
    mass[:2] = 0.0  # nobody is there at first
    mass /= mass.sum()
    ahead = np.where(grid.mask, np.nan, 20 * random.random(grid.shape))
    bridge = step_of(grid, mass, ahead, (0.8 / 8) ** 2, 3, first)
    assert np.array_equal(bridge.at(0.0), mass)
    assert np.array_equal(bridge.at(1.0), bridge.landed)
    for share in SHARES:
        level = bridge.at(share)
        assert level.sum() == pytest.approx(1.0, abs=1e-14)
        assert (level >= 0).all()
        assert not level[grid.mask].any()
    smooth = step_of(grid, np.where(grid.mask, 0, 1 / (~grid.mask).sum()), 0.05 * ahead, (0.8 / 8) ** 2, 3, first)
    for share, end in ((1e-9, smooth.mass), (1 - 1e-9, smooth.landed)):
        assert smooth.at(share) == pytest.approx(end, rel=1e-3, abs=1e-7)  # no jump at a node


def test_axes_without_walls_are_independent():
    """A product of crowds and of values stays one."""
    grid, line = mfg.Grid.box((12, 12), boundary="periodic"), mfg.Grid.box((12,), boundary="periodic")
    x, variance = line.coordinates.x, (0.8 / 12) ** 2
    crowd, value = gaussian(x, 0.5, 0.12), 3 * np.cos(2 * np.pi * x)
    alone = step_of(line, crowd, value, variance, 5)
    both = step_of(grid, np.multiply.outer(crowd, crowd), value[:, None] + value, variance, 5)
    for share in SHARES:
        assert both.at(share) == pytest.approx(np.multiply.outer(alone.at(share), alone.at(share)), rel=1e-9)


def test_three_axes_and_a_crowd_that_starts_in_one_cell():
    grid = mfg.Grid.box((5, 6, 7))
    mass = np.zeros(grid.shape)
    mass[2, 3, 3] = 1.0
    bridge = step_of(grid, mass, np.zeros(grid.shape), 0.2**2, 4)
    spreads = []
    for share in SHARES:
        level = bridge.at(share)
        assert level.sum() == pytest.approx(1.0, abs=1e-14)
        spreads.append(level.max())
    assert (np.diff(spreads) <= 1e-12).all()
    assert spreads[0] == 1.0
    assert spreads[-1] == bridge.landed.max()


def test_huge_ranges_make_no_infinity():
    grid = mfg.Grid.box((32,))
    x = grid.coordinates.x
    bridge = step_of(grid, gaussian(x, 0.2, 0.05), np.zeros(32), (1.0 / 32) ** 2, 6)
    bridge.log_phi = 4000.0 * x  # exp of it is no float
    bridge.landed = gaussian(x, 0.8, 0.05)
    level = bridge.at(0.5)
    assert np.isfinite(level).all()
    assert level.sum() == pytest.approx(1.0, abs=1e-14)
