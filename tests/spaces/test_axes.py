"""Axes of different widths: what edges mean, what is refused, refinement, and volumes in what uses them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.couplings.claims import random_crowd
from mfgsolve.errors import InputError
from mfgsolve.spaces import Choices, flat_volumes, integral

EDGES = [0.0, 0.1, 0.3, 0.6, 1.0]


def test_centres_widths_and_distances_follow_from_edges():
    axis = mfg.Axis.from_edges("x", EDGES)
    assert (axis.cells, axis.start, axis.stop, axis.even) == (4, 0.0, 1.0, False)
    np.testing.assert_allclose(axis.centres, [0.05, 0.2, 0.45, 0.8])
    np.testing.assert_allclose(axis.widths, [0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(axis.distances[:3], np.diff(axis.centres))
    ring = mfg.Axis.from_edges("x", EDGES, "periodic")
    assert ring.distances[3] == pytest.approx(0.05 + 0.2)
    assert ring.distances.sum() == pytest.approx(ring.length)
    assert axis.smallest == pytest.approx(0.1)
    np.testing.assert_allclose(axis.places([0.0, 0.05, 0.3, 0.8, 1.0, 1.4, -0.1]), [0, 0.5, 2, 3.5, 4, 5, -1])


def test_pace_is_the_way_to_the_cell_over_the_time():
    axis, ring = (mfg.Axis.from_edges("x", EDGES, kind) for kind in ("reflecting", "periodic"))
    np.testing.assert_allclose(axis.pace(1, 0.5), np.array([0.15, 0.25, 0.35, 0.4]) / 0.5)
    np.testing.assert_allclose(ring.pace(-1, 0.5), -np.array([0.25, 0.15, 0.25, 0.35]) / 0.5)
    assert mfg.Axis("x", 4).pace(-2, 0.5) == -1.0


def test_an_axis_is_told_by_its_edges():
    axis, other = mfg.Axis.from_edges("x", EDGES), mfg.Axis.from_edges("x", [0, 0.1, 0.3, 0.7, 1.0])
    assert axis == mfg.Axis.from_edges("x", tuple(EDGES))
    assert axis != other
    assert axis != mfg.Axis("x", 4)
    assert hash(axis) == hash(mfg.Axis.from_edges("x", np.array(EDGES)))
    assert pickle.loads(pickle.dumps(axis)) == axis
    assert "widths=0.1..0.4" in repr(axis)
    one, two = (mfg.Grid((a,)).identity for a in (axis, other))
    assert repr(one) != repr(two)
    assert repr(mfg.Grid.box(4).identity) == (
        "((Axis(name='x', cells=4, start=0.0, stop=1.0, boundary='reflecting', unit='1'),), b'')"
    )


@pytest.mark.parametrize(
    ("edges", "text"),
    [
        ([0.0, 0.5, 0.5, 1.0], r"edges of axis x must increase; entry 2 \(0\.5\) does not lie above entry 1"),
        ([0.0, np.nan, 1.0], "edges of axis x hold nan; every edge must be a finite number"),
        ([0.0, 1.0], "at least 3 increasing numbers"),
        ([[0.0, 1.0, 2.0]], r"shape \(1, 3\)"),
        ("0 1 2", "edges of axis x"),
    ],
)
def test_wrong_edges_are_refused(edges, text):
    with pytest.raises(InputError, match=text):
        mfg.Axis.from_edges("x", edges)


def test_what_has_no_single_number_says_so():
    axis = mfg.Axis.from_edges("x", EDGES)
    with pytest.raises(InputError, match=r"widths from 0\.1 to 0\.4.*use the arrays widths"):
        _ = axis.spacing
    with pytest.raises(InputError, match=r"volumes from 0\.1 to 0\.4.*density \* space\.volumes"):
        _ = mfg.Grid((axis,)).cell_volume
    with pytest.raises(InputError, match=r"Axis\.from_edges, or axis\.refined"):
        mfg.Axis("x", 5, uneven=tuple(EDGES))


def test_refinement_follows_a_smooth_map():
    s = np.linspace(0, 1, 65)
    stretch = lambda s: (np.exp(2 * s) - 1) / (np.exp(2) - 1)
    axis = mfg.Axis.from_edges("x", stretch(s), unit="km")
    assert axis.refined(64) == axis
    half = axis.refined(32)
    np.testing.assert_allclose(half.edges, stretch(s[::2]), atol=1e-15)
    np.testing.assert_allclose(axis.refined(128).edges, stretch(np.linspace(0, 1, 129)), atol=2e-5)
    assert (half.unit, half.boundary, half.start, half.stop) == ("km", "reflecting", 0.0, 1.0)
    ring = mfg.Axis.from_edges("x", s + 0.5 * np.sin(2 * np.pi * s) / (2 * np.pi), "periodic")
    fine = np.linspace(0, 1, 193)
    np.testing.assert_allclose(ring.refined(192).edges, fine + 0.5 * np.sin(2 * np.pi * fine) / (2 * np.pi), atol=3e-5)
    assert mfg.Axis("x", 8, 0.0, 3.0).refined(4) == mfg.Axis("x", 4, 0.0, 3.0)


def test_volumes_are_products_of_widths_on_every_space():
    y, x = mfg.Axis.from_edges("y", [0.0, 1.0, 3.0]), mfg.Axis.from_edges("x", EDGES)
    grid = mfg.Grid((y, x))
    np.testing.assert_allclose(grid.volumes, np.outer([1, 2], [0.1, 0.2, 0.3, 0.4]))
    assert grid.volumes.sum() == pytest.approx(3.0)
    assert not grid.volumes.flags.writeable
    two, choices = mfg.Populations(["a", "b"], grid), Choices(3, grid)
    assert two.volumes is grid.volumes
    assert flat_volumes(choices).shape == (24,)
    assert mfg.States(3).volumes == 1.0
    assert mfg.Grid.box((4, 8), [(0, 1), (0, 2)]).volumes == 0.25 * 0.25
    values = np.random.default_rng(0).random((2, 2, 4))
    np.testing.assert_allclose(integral(values, grid.volumes, (1, 2)), (values * grid.volumes).sum((1, 2)))
    mixed = mfg.Grid((mfg.Axis("y", 2), x))
    np.testing.assert_allclose(mixed.volumes, 0.5 * np.array([[0.1, 0.2, 0.3, 0.4]] * 2))


def test_densities_integrate_to_one():
    grid = mfg.Grid((mfg.Axis.from_edges("x", EDGES),))
    problem = mfg.Problem(
        grid=grid,
        time=mfg.TimeGrid(1.0, 4),
        dynamics=mfg.ControlledDiffusion(scheme="upwind"),
        coupling=0.0,
        initial=1.0,
    )
    np.testing.assert_allclose(problem.initial_mass(), grid.volumes)
    with pytest.raises(InputError, match=r"sums to 2 over the grid, expected 1 \(cell volume differs\)"):
        mfg.Problem(grid=grid, time=mfg.TimeGrid(1.0, 4), dynamics=mfg.ControlledDiffusion(scheme="upwind"),
                    coupling=0.0,
                    initial=2.0).initial_mass()  # fmt: skip
    crowd = random_crowd(mfg.Populations(["a", "b"], grid), np.random.default_rng(1))
    np.testing.assert_allclose((crowd * grid.volumes).sum(axis=1), 1.0)


UNEVEN = mfg.Grid((mfg.Axis.from_edges("y", [0.0, 0.4, 0.7, 1.0]), mfg.Axis.from_edges("x", EDGES)))
SIZE = UNEVEN.size
KERNEL = np.exp(-np.abs(np.subtract.outer(np.arange(SIZE), np.arange(SIZE))))
COUPLINGS = {
    "congestion": mfg.Congestion(2.0, 0.3),
    "aversion": mfg.CrowdAversion(1.5, 2.0),
    "log": mfg.LogCongestion(1.0, 1e-6),
    "nonlocal": mfg.Nonlocal(1.0, 0.4),
    "interaction": mfg.Interaction(KERNEL),
    "running": mfg.RunningCost(lambda t, c: c.x + t),
    "custom": mfg.CustomCoupling(
        cost=lambda t, c, rho: rho**3, potential=lambda t, c, rho: rho**4 / 4, derivative=lambda t, c, rho: 3 * rho**2,
        monotone=True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COUPLINGS)
def test_cost_is_the_derivative_of_the_potential_by_volume(name):
    """dF = sum f d rho volume, and the tangent is symmetric in that product; so is the social coupling."""
    rng = np.random.default_rng(5)
    for coupling in (COUPLINGS[name], mfg.couplings.social.marginal(COUPLINGS[name])):
        bound, level = coupling.bind(UNEVEN, np.array([0.0])), slice(0, 1)
        rho, u, v = rng.uniform(0.5, 2.0, (3, 1, *UNEVEN.shape))
        u, v = u - 1, v - 1
        rise = bound.potential(level, rho + 1e-5 * u) - bound.potential(level, rho - 1e-5 * u)
        paid = integral(bound.cost(level, rho) * u, UNEVEN.volumes, (1, 2))
        np.testing.assert_allclose(rise / 2e-5, paid, rtol=1e-7, atol=1e-9)
        one, two = (bound.tangent(level, rho, w) for w in (u, v))
        np.testing.assert_allclose(
            integral(one * v, UNEVEN.volumes, (1, 2)), integral(two * u, UNEVEN.volumes, (1, 2)), rtol=1e-6, atol=1e-9
        )


@pytest.mark.parametrize("name", COUPLINGS)
def test_claims_are_verified_by_volume(name):
    report = mfg.check_coupling(COUPLINGS[name], UNEVEN)
    assert report.is_potential
    assert report.potential_error < 1e-5


def test_a_kernel_of_displacements_needs_equal_cells():
    with pytest.raises(InputError, match="state a width instead, or an Interaction"):
        mfg.Nonlocal(1.0, kernel=lambda dx, dy: np.exp(-(dx**2) - dy**2)).bind(UNEVEN, np.array([0.0]))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: mfg.Axis("x", 2, uneven=0.1), r"edges of axis x have shape \(\)"),
        (lambda: mfg.Axis("x", 3, uneven=(0.0, 0.6, 0.1, 1.0)), r"entry 2 \(0\.1\) does not lie above entry 1"),
        (lambda: mfg.Axis("x", 2, uneven=(0.0, np.nan, 1.0)), "edges of axis x hold nan"),
        (lambda: mfg.Axis("x", 2, -1e308, 1e308), "longer than any float; take another unit of length"),
        (lambda: mfg.Axis.from_edges("x", [0, 1e-320, 1]), "too little to divide by; take another unit of length"),
        (lambda: mfg.Axis.from_edges("x", [0, 0.1, 1]).refined(1), "axis x has 1 cells; an axis needs"),
    ],
)
def test_what_is_no_axis(make, says):
    with pytest.raises(mfg.InputError, match=says):
        make()


def test_edges_as_a_list_can_be_told_apart_like_others():
    assert mfg.Axis("x", 2, uneven=[0, 0.1, 1]) == mfg.Axis.from_edges("x", [0, 0.1, 1])
    assert hash(mfg.Axis("x", 2, uneven=[0, 0.1, 1])) == hash(mfg.Axis.from_edges("x", [0, 0.1, 1]))
