"""Factors in single precision: refined to the exact solution, and left where they are not enough."""

from __future__ import annotations

import numpy as np
import pytest
from lattice_games import moving, published, random_game

from mfgsolve.games import Game, make_game
from mfgsolve.solvers import band_cholesky
from mfgsolve.solvers.band_cholesky import BandCholesky
from mfgsolve.solvers.interior_point import InteriorPoint
from mfgsolve.solvers.newton_systems import FlowMaps, NewtonMatrix


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
    monkeypatch.setattr(band_cholesky, "WIDE", 1)
    game, solver = make_game(moving((8,), 12)), InteriorPoint()
    state, kinds = solver.init(game, 1e-9), []
    while state.best.score > 1e-9 and len(kinds) < 40:
        state = solver.step(state)
        kinds.append(state.system.single)
    assert state.best.score <= 1e-9
    assert kinds[:5] == [True] * 5
    assert kinds == sorted(kinds, reverse=True)


def test_a_packed_state_keeps_its_precision(monkeypatch):
    """What goes on from a checkpoint has factors of the same precision, before and after the change, bit for bit."""
    monkeypatch.setattr(band_cholesky, "WIDE", 1)
    game, solver = make_game(moving((8,), 12)), InteriorPoint()
    state, stored = solver.init(game, 1e-12), []
    for _ in range(24):
        arrays, numbers = state.pack()
        stored.append(({name: array.copy() for name, array in arrays.items()}, numbers, state.measure))
        state = solver.step(state)
    singles = [numbers.get("single") for _, numbers, _ in stored]
    assert singles[0] is None
    assert {1.0, 0.0} <= set(singles)
    arrays, numbers, measure = stored[3]
    for single in (True, False):
        again = solver.unpack(make_game(moving((8,), 12)), 1e-12, arrays, numbers | {"single": float(single)}, measure)
        assert solver.step(again).system.single is single
    for k in (3, singles.index(0.0)):
        arrays, numbers, measure = stored[k]
        again = solver.unpack(make_game(moving((8,), 12)), 1e-12, arrays, dict(numbers), measure)
        again = solver.step(again)
        after = stored[k + 1]
        assert again.measure == after[2]
        for name, array in again.pack()[0].items():
            np.testing.assert_array_equal(array, after[0][name], err_msg=name)
