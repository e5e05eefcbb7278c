"""Distances of crowds: closed forms, another linear program, the axioms of a metric."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.csgraph import dijkstra
from scipy.stats import wasserstein_distance

import mfgsolve as mfg
from mfgsolve.agents.distances import l2, transport


def crowd(space: mfg.Grid | mfg.States, seed: int) -> np.ndarray:
    """A random density with empty cells."""
    rng = np.random.default_rng(seed)
    mass = rng.exponential(size=space.shape) * (rng.random(space.shape) < 0.6)
    mass.flat[np.flatnonzero(~space.mask)[seed % 2]] += 0.1
    mass[space.mask] = 0.0
    lead = tuple(range(space.ndim - getattr(space, "space", space).ndim, space.ndim))
    return mass / mass.sum(axis=lead, keepdims=True) / space.cell_volume


def by_plans(grid: mfg.Grid, one: np.ndarray, other: np.ndarray) -> float:
    """W1 from its definition: a plan between all pairs of free cells, ways by Dijkstra."""
    numbers, free = np.arange(grid.size).reshape(grid.shape), ~grid.mask.reshape(-1)
    ways = np.zeros((grid.size, grid.size))
    for k, axis in enumerate(grid.axes):
        for shift in [1] if axis.periodic else [0]:
            last = axis.cells if shift else axis.cells - 1
            tail = np.take(numbers, np.arange(last), axis=k).reshape(-1)
            head = np.take(numbers, (np.arange(last) + 1) % axis.cells, axis=k).reshape(-1)
            keep = free[tail] & free[head]
            ways[tail[keep], head[keep]] = axis.spacing
    costs = dijkstra(sparse.csr_array(ways), directed=False)[np.ix_(free, free)]
    n = int(free.sum())
    marginals = sparse.vstack(
        [sparse.kron(sparse.eye(n), np.ones((1, n))), sparse.kron(np.ones((1, n)), sparse.eye(n))]
    )
    masses = np.concatenate([one.reshape(-1)[free], other.reshape(-1)[free]]) * grid.cell_volume
    return float(linprog(costs.reshape(-1), A_eq=marginals.tocsr()[:-1], b_eq=masses[:-1]).fun)


def at(grid: mfg.Grid, *cell: int) -> np.ndarray:
    density = np.zeros(grid.shape)
    density[cell] = 1.0 / grid.cell_volume
    return density


def wall(c) -> np.ndarray:
    return (np.abs(c.x - 0.5) < 0.12) & (c.y < 0.65)


GRIDS = {
    "line": mfg.Grid.box(9, bounds=[(0, 2)]),
    "circle": mfg.Grid.box(8, boundary="periodic"),
    "odd circle": mfg.Grid.box(7, boundary="periodic"),
    "walled circle": mfg.Grid.box(9, boundary="periodic", blocked=lambda c: c.x < 0.1),
    "plane": mfg.Grid.box((4, 5), bounds=[(0, 1), (0, 3)]),
    "torus": mfg.Grid.box((3, 5), boundary="periodic"),
    "cylinder": mfg.Grid.box((4, 4), boundary=("reflecting", "periodic")),
    "walls": mfg.Grid.box((5, 5), blocked=wall),
    "space": mfg.Grid.box((2, 3, 3)),
    "two around": mfg.Grid.box((2, 3), boundary="periodic"),
}


@pytest.mark.parametrize("name", GRIDS)
def test_w1_is_the_least_cost_of_a_plan(name):
    grid = GRIDS[name]
    measure = transport(grid)
    assert measure.coarsening == 0.0
    for seed in range(4):
        one, other = crowd(grid, seed), crowd(grid, seed + 10)
        assert float(measure(one, other)) == pytest.approx(by_plans(grid, one, other), rel=1e-7, abs=1e-12)


def test_two_points_are_as_far_apart_as_the_way_between_them():
    plane, ring = mfg.Grid.box((6, 8), bounds=[(0, 3), (0, 4)]), mfg.Grid.box(10, boundary="periodic")
    assert float(transport(plane)(at(plane, 1, 2), at(plane, 4, 7))) == pytest.approx(3 * 0.5 + 5 * 0.5)
    assert float(transport(ring)(at(ring, 1), at(ring, 9))) == pytest.approx(0.2)
    around = mfg.Grid.box((5, 5), blocked=wall)  # column 2 is blocked up to row 2: over row 3 and back
    assert float(transport(around)(at(around, 0, 1), at(around, 0, 3))) == pytest.approx((2 + 2 * 3) / 5)


def test_a_shifted_uniform_crowd_is_its_shift_away():
    line = mfg.Grid.box(100, bounds=[(0, 5)])
    x = line.coordinates.x
    one, other = (((x > a) & (x < a + 1)).astype(float) for a in (1.0, 2.5))
    assert float(transport(line)(one, other)) == pytest.approx(1.5, rel=1e-12)
    assert float(l2(one, other, line)) == pytest.approx(math.sqrt(2), rel=1e-12)


def test_w1_of_gaussians_on_a_line():
    """Same centre, widths s and s': |s - s'| E|Z|; and SciPy's W1 of the same atoms to round-off."""
    line = mfg.Grid.box(4000, bounds=[(-8, 8)])
    x = line.coordinates.x
    one, other = (np.exp(-0.5 * (x / s) ** 2) / (s * math.sqrt(2 * math.pi)) for s in (1.0, 0.7))
    one, other = (d / (d.sum() * line.cell_volume) for d in (one, other))
    found = float(transport(line)(one, other))
    assert found == pytest.approx(0.3 * math.sqrt(2 / math.pi), rel=1e-5)
    assert found == pytest.approx(wasserstein_distance(x, x, one, other), rel=1e-10)


def test_empirical_crowds_come_closer_as_the_root_of_their_number():
    """E W1 of N uniform points on a line: int sqrt(F (1 - F)) E|Z| / sqrt N = (pi / 8) sqrt(2 / pi) / sqrt N."""
    line, rng = mfg.Grid.box(400), np.random.default_rng(0)
    counts = rng.multinomial(10_000, np.full(400, 1 / 400), size=400)
    found = transport(line)(counts / 10_000 / line.cell_volume, np.ones(400)).mean()
    assert found == pytest.approx(math.pi / 8 * math.sqrt(2 / math.pi) / 100, rel=0.1)


def test_states_have_no_distance_but_being_different():
    three = mfg.States(3)
    assert float(transport(three)(np.array([0.5, 0.5, 0]), np.array([0.5, 0, 0.5]))) == 0.5
    assert transport(three).quick
    assert "discrete" in transport(three).metric


def test_populations_add_up():
    line = mfg.Grid.box(6)
    both = mfg.Populations(["cat", "mouse"], line)
    one, other = np.stack([at(line, 0), at(line, 1)]), np.stack([at(line, 3), at(line, 2)])
    assert float(transport(both)(one, other)) == pytest.approx(3 / 6 + 1 / 6)
    parts = [float(l2(a, b, line)) for a, b in zip(one, other, strict=True)]
    assert float(l2(one, other, both)) == pytest.approx(math.hypot(*parts))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(GRIDS)), st.integers(0, 10_000))
def test_it_is_a_metric(name, seed):
    grid = GRIDS[name]
    a, b, c = (crowd(grid, seed + k) for k in range(3))
    for measure in (transport(grid), lambda p, q: l2(p, q, grid)):
        ab, bc, ac, ba = (float(measure(*pair)) for pair in ((a, b), (b, c), (a, c), (b, a)))
        assert ab == pytest.approx(ba, rel=1e-7, abs=1e-12)
        assert ac <= ab + bc + 1e-9
        assert ab > 0
        assert float(measure(a, a)) == 0.0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 40), st.sampled_from(["reflecting", "periodic"]))
def test_blocks_change_w1_by_no_more_than_their_bound(seed, nodes, boundary):
    grid = mfg.Grid.box((7, 8), bounds=[(0, 1), (0, 2)], boundary=boundary)
    coarse, fine = transport(grid, nodes=nodes), transport(grid)
    assert coarse.coarsening > 0
    assert "blocks" in coarse.metric
    one, other = crowd(grid, seed), crowd(grid, seed + 1)
    assert abs(float(coarse(one, other)) - float(fine(one, other))) <= coarse.coarsening + 1e-9


def test_nobody_walks_through_a_wall_inside_a_block():
    """One column of wall with a gap on top: blocks of 2x2 are parted by it, and the way leads over the top."""
    grid = mfg.Grid.box((8, 8), blocked=lambda c: (np.abs(c.x - 0.44) < 0.05) & (c.y < 0.87))
    assert grid.mask[:, 3].sum() == 7
    coarse = transport(grid, nodes=16)
    assert math.isnan(coarse.coarsening)
    across = float(coarse(at(grid, 0, 2), at(grid, 0, 4)))
    assert across > 1.2
    assert across == pytest.approx(float(transport(grid)(at(grid, 0, 2), at(grid, 0, 4))), abs=0.5)


def test_many_pairs_at_once_and_tiny_differences():
    grid = mfg.Grid.box((4, 4))
    ones = np.stack([crowd(grid, k) for k in range(6)]).reshape(2, 3, 4, 4)
    measure = transport(grid)
    found = measure(ones, crowd(grid, 99))
    assert found.shape == l2(ones, crowd(grid, 99), grid).shape == (2, 3)
    assert found[1, 2] == pytest.approx(float(measure(ones[1, 2], crowd(grid, 99))), rel=1e-9)
    base = crowd(grid, 99)
    small = base + 1e-10 * (ones[0, 0] - base)  # far below the tolerances of the linear program
    assert float(measure(small, base)) == pytest.approx(1e-10 * float(found[0, 0]), rel=1e-4)


def test_what_has_no_distance_is_refused():
    parted = mfg.Grid.box((4, 4), blocked=lambda c: np.abs(c.x - 0.4) < 0.1)
    with pytest.raises(mfg.InputError, match="walls part the grid"):
        transport(parted)
    line = mfg.Grid.box(4)
    with pytest.raises(mfg.InputError, match=r"masses differ by 0\.5"):
        transport(line)(np.ones(4), np.full(4, 0.5))
    with pytest.raises(mfg.InputError, match="shape"):
        l2(np.ones(5), np.ones(5), line)
