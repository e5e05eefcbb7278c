"""From hot to cold: where a game is hot, and the levels that lead down from there."""

import itertools
import math

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solvers.cooling import CAREFUL, COLDEST, dearer, heat, heats, temperatures
from tests.own_steps import hopping

MOVES = np.eye(2), np.eye(2)[::-1]


def finite(temperature=0.0, transitions=MOVES, goal=1.0):
    """Stay or go to the other of two places; being in the second one costs ``goal`` at the end; dt = 1/2."""
    return make_game(
        mfg.Problem(
            mfg.States(2),
            mfg.TimeGrid(1.0, 2),
            mfg.Tabular(transitions, temperature=temperature),
            0.0,
            np.array([0.5, 0.5]),
            terminal=np.array([0.0, goal]),
        )
    )


def test_heat_is_the_largest_difference_of_two_actions_per_time():
    assert heat(finite(goal=0.7)) == pytest.approx(0.7 / 0.5)


def test_temperatures_fall_by_the_same_factor_to_the_own_one():
    game = finite(0.1)  # 0.1, 0.4, 1.6 and the first one at which nothing matters: above 1 / dt = 2
    np.testing.assert_allclose(temperatures(game, 0.25), [6.4, 1.6, 0.4, 0.1])
    assert temperatures(finite(5.0), 0.25) == [5.0]


def test_a_sharp_game_ends_where_round_off_would_decide():
    found = temperatures(finite(), 0.1)
    assert found[-1] == pytest.approx(2 * COLDEST)
    assert all(0 < colder < warmer for warmer, colder in itertools.pairwise(found))


def test_coupled_games_cool_with_care():
    found = temperatures(finite(1.0, lambda t, mass: MOVES), 0.25)
    np.testing.assert_allclose(np.diff(np.log(found)), math.log(CAREFUL))


def diffusion(gain, viscosity=0.01):
    return make_game(
        mfg.Problem(
            mfg.Grid.box((4,)),
            mfg.TimeGrid(1.0, 8),
            mfg.ControlledDiffusion(viscosity, control_cost=0.5, scheme="upwind"),
            0.0,
            1.0,
            terminal=lambda t, c: gain * (c.x > 0.5),
        )
    )


def test_moving_is_made_dearer_in_a_game_that_shares_its_arrays():
    game = diffusion(1.0)
    other = dearer(game, 4.0)
    np.testing.assert_array_equal(other.step.scheme.control_cost, 2.0)
    np.testing.assert_array_equal(game.step.scheme.control_cost, 0.5)
    assert other.terminal_cost is game.terminal_cost


def test_heats_start_where_what_is_gained_does_not_pay_a_cell():
    """Gain 3, a unit of c max(8 nu, h^2 / 2T) = 0.5 max(0.08, 1/32): seven halvings from 128 >= 3 / 0.04."""
    np.testing.assert_allclose(heats(diffusion(3.0), 0.5), 2.0 ** np.arange(7, -1, -1))
    np.testing.assert_allclose(heats(diffusion(3.0, viscosity=0.0), 0.5), 2.0 ** np.arange(8, -1, -1))  # 192 cells
    assert heats(diffusion(0.0), 0.5) == [1.0]


def test_a_step_whose_cost_of_moving_nobody_knows_is_not_heated():
    assert heats(make_game(hopping()), 0.5) == [1.0]


def test_an_entropic_step_is_made_dearer_as_it_would_have_been_bound():
    def made(cost):
        dynamics = mfg.ControlledDiffusion(0.02, cost, scheme="entropic", reach=4)
        bump = mfg.Bump(1.0, 0.3, (0.4,))
        return make_game(mfg.Problem(mfg.Grid.box(9), mfg.TimeGrid(1.0, 5, discount=0.7), dynamics, bump, 1.0))

    game, other = dearer(made(0.3), 4.0), made(1.2)
    price = other.price(other.resting_crowd(other.empty_crowd()))
    np.testing.assert_allclose(game.values(price), other.values(price), rtol=1e-13)
    assert game.step.cost_of_moving == pytest.approx(other.step.cost_of_moving)
    assert heats(made(0.3), 0.5)[-1] == 1.0
    assert len(heats(made(1e-3), 0.5)) > len(heats(made(0.3), 0.5))
