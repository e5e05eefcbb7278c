"""Levels of Newton's method, and games that were made otherwise than by a problem alone."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import Game, make_game
from mfgsolve.solvers import SOLVERS, Newton
from mfgsolve.solvers.base import Budget, run
from mfgsolve.solvers.levels import Grids, Heats, Temperatures

BAR = mfg.problems.beach_bar(shape=(8,), steps=6)
FINE = mfg.problems.linear_quadratic(shape=(64,), steps=32)
LINE = mfg.problems.linear_quadratic(shape=(32,), steps=64, scheme="upwind")


def test_a_game_at_another_temperature_shares_arrays_and_is_the_one_that_is_made_anew():
    game = make_game(BAR)
    warm, anew = game.at_temperature(0.3), make_game(BAR.at_temperature(0.3))
    assert warm.step.transitions is game.step.transitions
    assert warm.step.own_cost is game.step.own_cost
    assert (game.temperature, game.step.entropy_cost.max(), game.is_smooth) == (0.0, 0.0, False)
    assert (warm.temperature, warm.step.entropy_cost[0], warm.is_smooth) == (0.3, anew.step.entropy_cost[0], True)
    assert warm.problem.temperature == 0.3
    price = game.price(game.flow(game.step.uniform()))
    np.testing.assert_array_equal(warm.respond(price).policy, anew.respond(price).policy)
    back = pickle.loads(pickle.dumps(warm))
    assert (back.temperature, back.step.entropy_cost[0]) == (0.3, anew.step.entropy_cost[0])
    other = game.with_costs(game.step.own_cost + 1.0).at_temperature(0.3)  # costs stay what they are
    np.testing.assert_array_equal(other.step.own_cost, game.step.own_cost + 1.0)


def test_temperatures_fall_to_that_of_the_game():
    game = make_game(BAR.at_temperature(0.1))
    levels = Temperatures(game, 0.25)
    found = [levels.game(k).temperature for k in range(len(levels))]
    assert levels.game(len(levels) - 1) is game
    assert found[-1] == 0.1
    np.testing.assert_allclose(found, 0.1 * 4.0 ** np.arange(len(found) - 1, -1, -1))
    assert levels.share(2) == pytest.approx(0.25)  # (4^-1 - 4^-2) / (1 - 4^-1)
    assert levels.is_one_grid
    last = Temperatures(game, 0.25).last(2)
    assert [last.game(k).temperature for k in range(len(last))] == found[-2:]
    assert last.share(1) == pytest.approx(0.25)


def test_a_sharp_game_is_approached_at_next_to_no_temperature():
    levels = Temperatures(make_game(BAR), 0.25)
    assert 0 < levels.game(len(levels) - 1).temperature < 1e-6
    assert levels.final.temperature == 0


def test_grids_are_halved_and_the_last_is_the_game_itself():
    game = make_game(LINE)
    levels = Grids(game, True)
    cells = [levels.game(k).grid.size for k in range(len(levels))]
    assert cells[-2:] == [16, 32]
    assert levels.game(len(levels) - 1) is game
    assert levels.share(2) == 0.5
    assert not levels.is_one_grid
    assert len(Grids(game, False)) == 1


def test_heats_fall_to_the_cost_of_moving_itself():
    problem = mfg.Problem(
        mfg.Grid.box((16,)), mfg.TimeGrid(1.0, 16), mfg.ControlledDiffusion(0.02, control_cost=0.7, scheme="upwind"),
        mfg.CrowdAversion(1e3), lambda t, c: np.exp(-50 * (c.x - 0.3) ** 2), normalise=True,
    )  # fmt: skip
    game = make_game(problem)
    levels = Heats(game, 0.5)
    costs = [levels.game(k).step.scheme.control_cost[0] for k in range(len(levels))]
    np.testing.assert_allclose(costs, 0.7 * 2.0 ** np.arange(len(costs) - 1, -1, -1))
    assert len(costs) > 3
    assert (game.step.scheme.control_cost == 0.7).all()
    assert levels.share(3) == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["newton", "interior-point", "complementarity", "frank-wolfe", "prior-descent"])
def test_a_game_made_otherwise_is_the_one_that_is_solved(name):
    """Own costs that no problem states: the first two actions cost more, by 0.2 a step; the same game, stated."""
    temperature = 0.2 if name == "newton" else 0.0
    stay, right, left = np.eye(3), np.roll(np.eye(3), 1, axis=1), np.roll(np.eye(3), -1, axis=1)
    dear = np.array([0.2, 0.2, 0.0])[:, None] * np.ones((3, 3))

    def problem(costs):
        dynamics = mfg.Tabular((stay, right, left), cost=costs, temperature=temperature)
        return mfg.Problem(
            mfg.States(3), mfg.TimeGrid(4.0, 4), dynamics, mfg.CrowdAversion(1.0), np.array([0.6, 0.3, 0.1])
        )

    solver, plain, stated = SOLVERS[name](), make_game(problem(0.0 * dear)), make_game(problem(dear))
    np.testing.assert_allclose(stated.step.own_cost, plain.step.own_cost + dear[None])
    made = plain.with_costs(plain.step.own_cost + dear[None])
    crowds = []
    for game in (made, stated):
        state = run(solver, solver.init(game, 1e-8), 1e-8, Budget(200)).state
        outcome = solver.finish(copy.copy(state))
        np.testing.assert_array_equal(outcome.game.step.own_cost, game.step.own_cost)
        crowds.append(outcome.crowd)
    np.testing.assert_array_equal(*crowds)


def test_newton_of_a_game_of_its_own_starts_from_no_coarse_grid_unless_asked():
    """Coarse grids are those of the game's problem."""
    game = make_game(LINE)
    state = Newton(coarse_grids=False).init(game, 1e-10)
    assert state.game is game
    assert len(state.levels) == 1


@pytest.mark.parametrize("scheme", ["upwind", "entropic"])
def test_a_game_of_each_level_is_made_once(scheme, monkeypatch):
    made, make = [], Game.__init__

    def counted(self, problem, threads=None):
        made.append(problem.grid.shape)
        make(self, problem, threads)

    monkeypatch.setattr(Game, "__init__", counted)
    game = make_game(FINE.with_scheme(scheme))
    run(Newton(), Newton().init(game, 1e-8), 1e-8, Budget())
    assert len(made) > 2
    assert len(set(made)) == len(made)


def test_a_game_that_was_given_away_is_made_again():
    levels = Newton()._levels(make_game(FINE.with_scheme("entropic")))
    first, again = levels.game(0), levels.game(0)
    assert again is not first
    np.testing.assert_array_equal(again.initial_mass, first.initial_mass)
