"""The noise operator against dense inverses."""

from __future__ import annotations

import numpy as np
import pytest
from dense import dense_noise, games, properties
from hypothesis import given

from mfgsolve.kernels import noise

pytestmark = pytest.mark.kernel


@properties
@given(games())
def test_noise_is_product_of_inverses(case):
    game, rng = case
    matrix, field = dense_noise(game), rng.standard_normal(game.step.shape)
    out, back, kept = np.empty(game.step.shape), np.empty(game.step.shape), field.copy()
    exact, transposed = matrix @ field.ravel(), matrix.T @ field.ravel()
    noise.noise(field, out, game.step.scheme, False)
    noise.noise(kept, back, game.step.scheme, True)
    np.testing.assert_allclose(out.ravel(), exact, atol=1e-12)
    np.testing.assert_allclose(back.ravel(), transposed, atol=1e-12)
    noise.noise(np.ones(game.step.shape), out, game.step.scheme, False)
    np.testing.assert_allclose(out, 1.0, atol=1e-13)
