"""Couplings do not see who has left."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.couplings.inside import BoundInside, seen_inside

GRID = mfg.Grid.box((6,))
GONE = np.array([False, True, False, False, True, False])
NODES, ALL = np.array([0.0, 1.0]), slice(0, 2)
KINDS = {
    "aversion": mfg.CrowdAversion(2.0),
    "sum": mfg.CrowdAversion(1.0) + mfg.RunningCost(lambda t, c: t + c.x),
    "congestion": mfg.Congestion(lambda t, c: 1 + c.x, 0.5),
    "capacity": mfg.Capacity(2.0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_depends_on_the_density_at_exits_and_nothing_is_paid_there(kind: str):
    rng = np.random.default_rng(0)
    plain = KINDS[kind].bind(GRID, NODES)
    bound, rho = seen_inside(plain, GONE), rng.random((2, 6))
    inside = np.where(GONE, 0.0, rho)
    for verb in ("cost", "slope", "second"):
        wanted = getattr(plain, verb)(ALL, inside)
        if wanted is not None:
            np.testing.assert_array_equal(getattr(bound, verb)(ALL, rho), np.where(GONE, 0.0, wanted))
    np.testing.assert_array_equal(bound.potential(ALL, rho), plain.potential(ALL, inside))
    change = rng.random((2, 6))
    np.testing.assert_array_equal(
        bound.tangent(ALL, rho, change), np.where(GONE, 0.0, plain.tangent(ALL, inside, change))
    )
    assert len(bound.parts) == len(plain.parts)
    assert all(isinstance(part, BoundInside) for part in bound.parts)
    limits = bound.bounds(ALL)
    assert (limits is None) == (plain.bounds(ALL) is None)
    if limits is not None:
        assert (limits[1][:, GONE] == np.inf).all()
        assert (limits[1][:, ~GONE] == 2.0).all()


def test_the_kernel_of_a_coupling_tells_the_same():
    rng = np.random.default_rng(1)
    bound = seen_inside(KINDS["congestion"].bind(GRID, NODES), GONE)
    assert bound.is_fused
    mass, kept = (m := rng.random((2, 6))), m.copy()
    cost, slope, factors, weights = np.empty((2, 6)), np.empty((2, 6)), np.ones(2), np.array([0.3, 0.7])
    total = bound.fused(ALL, mass, cost, None, None, weights)
    bound.fused(ALL, mass, None, slope, factors, None)
    rho = mass / GRID.cell_volume
    assert total == pytest.approx(float(weights @ bound.potential(ALL, rho)))
    np.testing.assert_allclose(cost, bound.cost(ALL, rho), rtol=1e-12)
    np.testing.assert_allclose(slope, bound.slope(ALL, rho), rtol=1e-12)
    np.testing.assert_array_equal(mass, kept)


def test_without_exits_a_coupling_is_itself():
    bound = KINDS["sum"].bind(GRID, NODES)
    assert seen_inside(bound, None) is bound
