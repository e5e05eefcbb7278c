"""Newton systems of finite games: band, products and conjugate gradients are one symmetric matrix."""

from __future__ import annotations

import numpy as np
import pytest
from lattice_games import moving, published, random_game

from mfgsolve.games import Game, make_game
from mfgsolve.solvers.band_cholesky import BandCholesky
from mfgsolve.solvers.interior_point import InteriorPoint
from mfgsolve.solvers.newton_systems import ConjugateGradients, FlowMaps, NewtonMatrix


def dense_matrix(matrix: NewtonMatrix) -> np.ndarray:
    size = matrix.maps.steps * matrix.maps.width
    columns = [matrix.apply(unit.reshape(matrix.maps.steps, -1)).reshape(-1) for unit in np.eye(size)]
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("problem", [random_game(), moving((5,), 4, 0.05), published(2, 6, 5)])
def test_band_and_products_are_the_same_symmetric_matrix(problem):
    game, rng = Game(problem), np.random.default_rng(2)
    maps = FlowMaps(game)
    theta = rng.random((game.steps, game.step.actions, game.cells)) * game.step.allowed
    total = np.concatenate([theta.sum(axis=1), rng.random((1, game.cells)) + 0.1])
    weight = rng.random(total.shape) + 0.1
    weight[0] = 0.0
    weight = np.minimum(weight, total)  # J <= D
    matrix = NewtonMatrix(
        maps, theta, total, weight, rng.random((game.steps, maps.prices)), np.ones(total.shape, dtype=bool)
    )
    dense = dense_matrix(matrix)
    assert np.abs(dense - dense.T).max() < 1e-12 * np.abs(dense).max()
    assert np.linalg.eigvalsh(dense).min() > 0
    right = rng.random((game.steps, maps.width))
    exact = np.linalg.solve(dense, right.reshape(-1)).reshape(right.shape)
    band, iterative = BandCholesky(maps, matrix.reach), ConjugateGradients(maps, 1e-12, 2000)
    for system in (band, iterative):
        system.factor(matrix)
        assert system.solve(right) == pytest.approx(exact, rel=1e-7, abs=1e-7 * np.abs(exact).max())


def test_noise_is_the_one_of_the_game():
    game = Game(moving((5, 4), 4, 0.05))
    maps, mass = FlowMaps(game), np.random.default_rng(1).random(20)
    assert maps.sharpen(game.step.diffuse(mass, True)) == pytest.approx(mass)
    assert maps.lift(game.step.diffuse(mass, False)) == pytest.approx(mass)


def test_what_does_not_fit_in_memory_goes_to_conjugate_gradients():
    problem = moving((6,), 4)
    for memory, kind in ((1.0, BandCholesky), (1e-9, ConjugateGradients)):
        solver = InteriorPoint(memory=memory)
        state = solver.step(solver.init(make_game(problem), 1e-9))
        assert isinstance(state.system, kind)
    size = BandCholesky(state.maps, state.reach)
    assert size.gibibytes(False) * 2**30 / 8 >= 4 * 6
