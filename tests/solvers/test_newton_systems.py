"""Newton systems of finite games: band, products and conjugate gradients are one symmetric matrix."""

from __future__ import annotations

import numpy as np
import pytest
from lattice_games import moving, published, random_game

from mfgsolve.games import Game, make_game
from mfgsolve.solvers import newton_systems
from mfgsolve.solvers.interior_point import InteriorPoint
from mfgsolve.solvers.newton_systems import BandCholesky, ConjugateGradients, FlowMaps, NewtonMatrix


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


def at_a_point(problem, spread=1.0):
    """A Newton matrix with weights of many sizes."""
    game, rng = Game(problem), np.random.default_rng(3)
    maps = FlowMaps(game)
    theta = 10.0 ** (spread * rng.normal(size=(game.steps, game.step.actions, game.cells))) * game.step.allowed
    total = np.concatenate([theta.sum(axis=1), rng.random((1, game.cells)) + 0.1])
    weight = total * rng.random(total.shape)
    weight[0] = 0.0
    stretch, reach = rng.random((game.steps, maps.prices)), np.ones(total.shape, dtype=bool)
    return NewtonMatrix(maps, theta, total, weight, stretch, reach), rng.normal(size=(game.steps, maps.width))


@pytest.mark.parametrize("problem", [random_game(), moving((5, 4), 4), published(2, 6, 5)])
def test_a_factor_in_single_precision_is_refined(problem):
    matrix, right = at_a_point(problem)
    single, double = (BandCholesky(matrix.maps, matrix.reach, single=one) for one in (True, False))
    for system in (single, double):
        system.factor(matrix)
    assert single.gibibytes(True) == double.gibibytes(False) / 2
    assert single._factor.dtype == np.float32
    exact = double.solve(right)
    for guess in (None, exact + 0.1):
        found = single.solve(right, guess)
        assert np.abs(matrix.apply(found) - right).max() < 1e-3 * np.abs(right).max()
        np.testing.assert_allclose(found, exact, atol=1e-3 * np.abs(exact).max())
    assert 0 < single.passes < 16
    assert single.single


@pytest.mark.parametrize("memory", [np.inf, 1e-6])
def test_what_is_too_much_for_single_precision(memory):
    """Double precision from there on; where that does not fit, more passes with a factor of a shifted matrix."""
    matrix, right = at_a_point(moving((5, 4), 4), spread=5.0)
    system = BandCholesky(matrix.maps, matrix.reach, memory, single=True)
    exact = BandCholesky(matrix.maps, matrix.reach, single=False)
    for one in (system, exact):
        one.factor(matrix)
    found = system.solve(right)
    assert system.single == (memory < 1)
    scale = np.sqrt(np.maximum(exact._diagonal, 1e-300))[system._rank[1:]]
    missed = np.linalg.norm((matrix.apply(found) - right) / scale) / np.linalg.norm(right / scale)
    assert missed < 1e-4
    if memory > 1:
        np.testing.assert_array_equal(found, exact.solve(right))


def test_a_solve_with_factors_in_single_precision(monkeypatch):
    """The same certificate, and double precision only at the end."""
    monkeypatch.setattr(newton_systems, "WIDE", 1)
    game, solver = make_game(moving((8,), 12)), InteriorPoint()
    state, kinds = solver.init(game, 1e-9), []
    while state.best.score > 1e-9 and len(kinds) < 40:
        state = solver.step(state)
        kinds.append(state.system.single)
    assert state.best.score <= 1e-9
    assert kinds[:5] == [True] * 5
    assert kinds == sorted(kinds, reverse=True)


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
