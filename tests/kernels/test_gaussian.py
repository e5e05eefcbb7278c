"""Convolutions along each axis against the stencils that they are, in any scales, and their transposes."""

import numpy as np
import pytest
from scaled_games import GAMES, entropic_game

from mfgsolve.kernels import gaussian


@pytest.mark.parametrize("name", ["line", "ring", "torus", "walls", "ring with walls", "box"])
@pytest.mark.parametrize("transpose", [False, True])
def test_a_pass_is_its_stencil_in_scales(name, transpose):
    g = entropic_game(**GAMES[name])
    step, arrays, random = g.step, g.step.arrays, np.random.default_rng(4)
    free, eps = arrays.free, step.entropy[0]
    for number, stencil in enumerate(step.stencils):
        axis = 3 - len(step.stencils) + number
        for p in range(len(arrays.tiles)):
            level, out = random.random(free.shape) * free, np.empty(free.shape)
            before, after = random.random((2, len(free), free.shape[1])) * eps
            gaussian.apply(out, level, axis, after, before, transpose, eps, p, arrays)
            low, high = (scale[:, arrays.tile[p]].reshape(-1) for scale in (before, after))
            gap = high[stencil.near] - low[:, None] if transpose else high[:, None] - low[stencil.near]
            wanted = (stencil.taps * np.exp(gap / eps) * level.reshape(-1)[stencil.near]).sum(axis=1)
            np.testing.assert_allclose(out, wanted.reshape(free.shape) * free, rtol=1e-13)


def test_axes_alternate():
    g = entropic_game((4, 5, 6))
    axes = [[gaussian.axis_of(t, k, g.step.arrays) for k in range(3)] for t in (0, 1)]
    assert axes == [[2, 1, 0], [0, 1, 2]]
