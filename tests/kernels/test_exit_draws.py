"""Draws whose noise differs from cell to cell: against plain NumPy, gentle and steep, with and without the compiler."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.kernels import exit_draws as kernel
from mfgsolve.kernels.draws import Draw
from mfgsolve.steps.exit_stencils import exit_line
from mfgsolve.steps.stencils import gaussian_logs

CELLS = 9


def draw_of(steepness: float, seed: int = 0) -> Draw:
    kind = np.array([2, *[0] * (CELLS - 2), 1])
    near, noise = exit_line(kind == 0, kind == 2, False, np.exp(gaussian_logs(1.0, 1.5, 4)))
    with np.errstate(divide="ignore"):
        logs = np.log(noise)
    after = steepness * np.random.default_rng(seed).normal(size=CELLS)
    before, weight, norm = kernel.soften(after, near, noise, logs, 0.1)
    return Draw(near, noise, logs, before, after, 0.1, weight, norm)


def dense(draw: Draw) -> np.ndarray:
    """Chances (cells, cells) by the definition."""
    with np.errstate(over="ignore"):
        each = np.exp(draw.logs + (draw.before[:, None] - draw.after[draw.near]) / draw.entropy)
    matrix = np.zeros((CELLS, CELLS))
    np.add.at(matrix, (np.arange(CELLS)[:, None], draw.near), each)
    return matrix


@pytest.mark.kernel
@pytest.mark.parametrize("steepness", [0.0, 0.1, 10.0, 1000.0])
def test_chances_are_the_tilted_noise(steepness: float):
    draw, rng = draw_of(steepness), np.random.default_rng(1)
    matrix = dense(draw)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-12)
    mass, value = rng.random(CELLS), rng.normal(size=CELLS)
    np.testing.assert_allclose(kernel.push_draw(mass, draw), matrix.T @ mass, atol=1e-12)
    np.testing.assert_allclose(kernel.expect_draw(value, draw), matrix @ value, atol=1e-12)
    assert kernel.push_draw(-mass, draw) == pytest.approx(-matrix.T @ mass)
    assert draw.before[0] == pytest.approx(draw.after[0], abs=1e-12 * (1 + steepness))  # who has left stays


@pytest.mark.kernel
def test_noise_alone_goes_nowhere_on_average():
    draw = draw_of(0.0)
    assert kernel.mean_move(draw)[4] == pytest.approx(0, abs=0.01)
    edges = kernel.edge_draw(np.eye(CELLS)[4], draw)
    assert edges == pytest.approx(draw.noise[4, 0])  # to the exit; beyond the wall is the same cell again


@pytest.mark.kernel
def test_divergence_is_that_of_the_chances():
    one, other, mass = draw_of(0.1), draw_of(0.1, 5), np.random.default_rng(2).random(CELLS)
    p, q = dense(one), dense(other)
    ratio = np.where(p > 0, np.log(np.where(p > 0, p, 1.0) / np.where(p > 0, q, 1.0)), 0.0)
    assert kernel.diverge(mass, one, other) == pytest.approx(float(mass @ (p * ratio).sum(axis=1)), rel=1e-9)
    near = one._replace(after=one.after + 1e-7 * np.arange(CELLS) ** 2)
    before, weight, norm = kernel.soften(near.after, near.near, near.noise, near.logs, 0.1)
    near = near._replace(before=before, weight=weight, norm=norm)
    small = kernel.diverge(mass, one, near)
    assert 0 < small < 1e-10
    twice = one._replace(after=one.after + 2e-7 * np.arange(CELLS) ** 2)
    before, weight, norm = kernel.soften(twice.after, twice.near, twice.noise, twice.logs, 0.1)
    assert kernel.diverge(mass, one, twice._replace(before=before, weight=weight, norm=norm)) == pytest.approx(
        4 * small, rel=1e-3
    )


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # meant; told without compiler
@pytest.mark.parametrize("steepness", [0.1, 1000.0])
def test_agents_land_by_these_chances(steepness: float):
    draw = draw_of(steepness)
    matrix, number = dense(draw), 20000
    counts = np.full(CELLS, number, dtype=np.int64)
    stream = np.array([1, 2, 3, 4], dtype=np.uint64)
    moved = kernel.split_draw(counts, draw, stream)
    assert moved.sum() == counts.sum()
    expected = number * matrix.sum(axis=0)
    assert (np.abs(moved - expected) < 6 * np.sqrt(expected + 1)).all()
    cells = np.repeat(np.arange(CELLS, dtype=np.int32), number)
    cells = np.append(cells, np.int32(-1))
    table, known = np.empty((CELLS, draw.near.shape[1] + 1)), np.zeros(CELLS, dtype=bool)
    kernel.walk_draw(cells, draw, table, known, stream)
    assert cells[-1] == -1
    assert (np.abs(np.bincount(cells[:-1], minlength=CELLS) - expected) < 6 * np.sqrt(expected + 1)).all()
    few = np.zeros(CELLS, dtype=np.int64)
    few[3] = 2
    assert kernel.split_draw(few, draw, stream).sum() == 2
