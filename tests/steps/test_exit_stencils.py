"""Stencils that end at exits: chances of reflected and absorbed motion."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.steps.exit_stencils import exit_line, exit_stencils
from mfgsolve.steps.stencils import gaussian_logs, stencils

INSIDE = 0.474487460379749  # exits at 0 and 1, nu = 0.1, from 1/2, at t = 1


def chances(kinds: list[int], reach: int, variance: float = 4.0, periodic: bool = False) -> np.ndarray:
    """(cells, cells); 0 free, 1 wall, 2 exit."""
    kind, noise = np.array(kinds), np.exp(gaussian_logs(1.0, variance, reach))
    near, chance = exit_line(kind == 0, kind == 2, periodic, noise)
    matrix = np.zeros((len(kinds), len(kinds)))
    np.add.at(matrix, (np.arange(len(kinds))[:, None], near), chance)
    return matrix


@pytest.mark.parametrize("reach", [1, 3, 8, 20])
@pytest.mark.parametrize("ends", [(2, 2), (2, 1), (1, 2), (1, 1)])
@pytest.mark.parametrize("cells", [1, 2, 5, 12])
def test_rows_are_chances(reach: int, ends: tuple[int, int], cells: int):
    matrix = chances([ends[0], *[0] * cells, ends[1]], reach)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-14)
    assert matrix.min() >= 0
    inside = matrix[1:-1, 1:-1]
    np.testing.assert_allclose(inside, inside.T, atol=1e-15)
    assert matrix[0, 0] == pytest.approx(1, abs=1e-15)
    assert (matrix[1:-1, 0] == 0).all() == (ends[0] == 1)
    if ends[0] == ends[1]:
        np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-15)


def test_two_short_steps_are_a_long_one():
    short, long = chances([2, *[0] * 10, 2], 30, 2.0), chances([2, *[0] * 10, 2], 40, 4.0)
    np.testing.assert_allclose((short @ short)[1:-1, 1:-1], long[1:-1, 1:-1], atol=1e-6)


def test_one_exit_leaves_as_two_do_in_a_mirror():
    """A wall is a mirror: n cells before it are as 2n between two exits."""
    half, whole = chances([2, *[0] * 6, 1], 9), chances([2, *[0] * 12, 2], 9)
    np.testing.assert_allclose(half[1:7, 0], whole[1:7, 0] + whole[1:7, -1], atol=1e-14)
    np.testing.assert_allclose(half[1:7, 1:7], whole[1:7, 1:7] + whole[1:7, 12:6:-1], atol=1e-14)


def test_far_chances_are_small_and_not_round_off():
    matrix = chances([2, *[0] * 40, 1], 40, 4.0)
    expected = [math.erfc(x / math.sqrt(8.0)) for x in (20.5, 30.5)]
    assert matrix[[21, 31], 0] == pytest.approx(expected, rel=1.0)  # 1e-24 and 1e-52


def test_noise_alone_leaves_as_brownian_motion_does():
    errors = []
    for cells in (9, 17, 33):
        grid = mfg.Grid.box((cells,), exits={"low": "x-low", "high": "x-high"})
        (stencil,) = exit_stencils(grid, 0.2 / 64, (3 * cells,))
        matrix = np.zeros((cells + 2, cells + 2))
        np.add.at(matrix, (np.arange(cells + 2)[:, None], stencil.near), stencil.taps)
        mass = np.zeros(cells + 2)
        mass[1 + cells // 2] = 1.0
        errors.append(abs((np.linalg.matrix_power(matrix.T, 64) @ mass)[1:-1].sum() - INSIDE))
    assert errors[-1] < 1e-3
    assert math.log2(errors[1] / errors[2]) == pytest.approx(2, abs=0.3)


def test_rings_are_cut_at_exits_and_walls():
    matrix = chances([0, 0, 0, 2, 0, 0], 3, periodic=True)
    np.testing.assert_allclose(matrix, np.roll(chances([2, 0, 0, 0, 0, 0], 3, periodic=True), 3, (0, 1)), atol=1e-16)
    assert matrix[0, 5] > 0
    line = chances([2, 0, 0, 0, 0, 0, 2], 3)  # both sides of the one exit
    np.testing.assert_allclose(matrix[[4, 5, 0, 1, 2], 3], line[1:-1, 0] + line[1:-1, -1], atol=1e-15)


def test_lines_without_exits_are_what_they_were():
    blocked = np.zeros((5, 6), dtype=bool)
    blocked[2, 2] = True
    gone = np.zeros((5, 6), dtype=bool)
    gone[4, 5] = True
    plain, other = mfg.Grid.box((5, 6), blocked=blocked), mfg.Grid.box((5, 6), blocked=blocked, exits=gone)
    for one, two in zip(stencils(plain, 0.02, (3, 3)), exit_stencils(other, 0.02, (3, 3)), strict=True):
        matrices = np.zeros((2, 30, 30))
        for matrix, stencil in zip(matrices, (one, two), strict=True):
            np.add.at(matrix, (np.arange(30)[:, None], stencil.near), np.broadcast_to(stencil.taps, stencil.near.shape))
        far = ~gone.reshape(-1) & ~gone.any(axis=1).repeat(6) & ~np.tile(gone.any(axis=0), 5)
        np.testing.assert_allclose(matrices[1][far], matrices[0][far], atol=1e-15)
