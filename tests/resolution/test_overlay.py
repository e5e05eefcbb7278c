"""Two meshes laid over each other: exact where cells are nested, a spline elsewhere, mirrored at walls."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.resolution.overlay import Flow, apart, interpolated


def wave(cells: int, steps: int, boundary: str = "reflecting", phase: float = 0.0) -> Flow:
    """1 + cos(k x) e^-t / 2 on the unit interval, sampled at centres."""
    grid, k = mfg.Grid.box((cells,), boundary=boundary), np.pi * (2 if boundary == "periodic" else 1)
    times = np.linspace(0, 1, steps + 1)[:, None]
    return Flow(grid, (1 + 0.5 * np.cos(k * grid.coordinates.x + phase) * np.exp(-times)) / cells)


def test_nested_cells_add_up_to_the_coarser_ones() -> None:
    generator = np.random.default_rng(1)
    fine = Flow(mfg.Grid.box((4, 6)), generator.dirichlet(np.ones(24), size=5).reshape(5, 4, 6))
    sums = fine.mass[::2].reshape(3, 2, 2, 3, 2).sum(axis=(2, 4))
    assert apart(fine, Flow(mfg.Grid.box((2, 3)), sums)) < 1e-15
    moved = sums[:, :, ::-1]
    by_hand = np.abs(moved - sums).sum(axis=(1, 2)).mean()
    assert apart(fine, Flow(mfg.Grid.box((2, 3)), moved)) == pytest.approx(by_hand, rel=1e-14)


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_a_spline_is_of_fourth_order_at_walls_and_around(boundary: str) -> None:
    errors = [apart(wave(3 * n, 8, boundary, 0.0), wave(2 * n, 4, boundary, 0.0), smooth=True) for n in (8, 16)]
    assert errors[0] < 2e-3
    assert 12 < errors[0] / errors[1] < 40


def test_a_spline_on_two_axes_is_that_of_each() -> None:
    grid, fine = mfg.Grid.box((12, 10)), mfg.Grid.box((18, 15))
    field = lambda c: np.cos(np.pi * c.x) * (2 + np.cos(np.pi * c.y))
    flow = Flow(grid, np.stack([field(grid.coordinates) * grid.volumes] * 2))
    assert np.abs(interpolated(flow, fine, 0.5) - field(fine.coordinates)).max() < 2e-3


def test_times_that_the_finer_mesh_does_not_have_are_between_its_nodes() -> None:
    fine, coarse = wave(12, 9), wave(6, 4)
    level = fine.at(0.25)  # node 2.25
    np.testing.assert_allclose(level, 0.75 * fine.mass[2] + 0.25 * fine.mass[3], rtol=1e-14)
    assert 0 < apart(fine, coarse, smooth=True) < 5e-3


def test_walls_and_uneven_cells_are_added_up() -> None:
    walled = mfg.Grid.box((6,), blocked=lambda c: c.x > 0.7)
    small = mfg.Grid.box((4,), blocked=lambda c: c.x > 0.7)
    fine = np.tile(np.where(walled.mask, 0, 1 / 4), (3, 1))
    coarse = np.tile(np.where(small.mask, 0, 1 / 3), (3, 1))
    # two thirds of an interval of 4/6 against an even 3/4: cells of a quarter hold 0.375, 0.375, 0.25 (0) of the mass
    assert apart(Flow(walled, fine), Flow(small, coarse)) == pytest.approx(1 / 24 + 1 / 24 + 1 / 12)
    axis = mfg.Axis.from_edges("x", [0.0, 0.1, 0.3, 0.6, 1.0])
    uneven, half = mfg.Grid((axis,)), mfg.Grid((axis.refined(2),))
    mass = np.tile([0.1, 0.2, 0.3, 0.4], (2, 1))
    sums = np.tile([0.3, 0.7], (2, 1))
    assert apart(Flow(uneven, mass), Flow(half, sums)) < 1e-14
