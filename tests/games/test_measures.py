"""Measures of a plan by hand: what all pay, what the last node costs, lost mass, and what a coupling sees."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.games.measures import Block

STAY = mfg.Tabular([np.eye(2)])
TERMINAL = np.array([[1.0, 4.0], [-2.0, 3.0]])
CROWD = np.array([[1.0, 0.0, 0.5, 0.5], [0.75, 0.25, 0.0, 1.0], [0.25, 0.75, 0.5, 0.5]])  # (nodes, 2 populations x 2)
PRICE = np.array([[3.0, 1.0, -1.0, 2.0], [0.0, 2.0, 5.0, 4.0], [7.0, 7.0, 7.0, 7.0]])


@pytest.fixture(scope="module")
def game():
    return make_game(mfg.Problem(
        grid=mfg.Populations(["a", "b"], mfg.States(2)), time=mfg.TimeGrid(1.0, 2), dynamics=[STAY, STAY],
        coupling=mfg.CrowdAversion(1.0), terminal=TERMINAL, initial=CROWD[0].reshape(2, 2)))  # fmt: skip


def test_what_all_pay_what_of_it_is_above_the_least_and_its_size(game):
    totals = game.crowd_totals(PRICE, CROWD)  # weights 1/2, 1/2 and 0: there is no terminal coupling
    first, second = 3 * 1 + (-1 * 0.5 + 2 * 0.5), 2 * 0.25 + 4 * 1
    assert totals.cost == pytest.approx(0.5 * (first + second))
    least = (1 - 1) + (0 + 4)  # of each population at each node: its mass is 1
    assert totals.above == pytest.approx(0.5 * (first + second - least))
    assert totals.size == pytest.approx(0.5 * (3 + 0.5 + 1 + second))


def test_what_the_last_node_costs(game):
    totals = game.terminal_totals(CROWD)
    cost = 1 * 0.25 + 4 * 0.75 - 2 * 0.5 + 3 * 0.5
    assert totals.cost == pytest.approx(cost)
    assert game.terminal_total(CROWD) == pytest.approx(cost)
    assert totals.above == pytest.approx(cost - 1 - (-2))
    assert totals.size == pytest.approx(cost + 2 * 2 * 0.5)


def test_mass_that_is_lost_is_that_of_the_worst_population_and_time(game):
    assert game.mass_error(CROWD) == 0.0
    leaking = CROWD.copy()
    leaking[1, 3] -= 0.125  # of the second population,
    leaking[2, 0] += 0.0625  # and less of the first, elsewhere
    assert game.mass_error(leaking) == 0.125


def test_without_caps_nothing_is_exceeded(game):
    assert game.bounds() == []
    assert game.violation(CROWD) == 0.0
    assert game.slack_cost(PRICE, CROWD) == 0.0


def test_caps_that_are_exceeded_and_what_their_slack_costs():
    capped = make_game(mfg.Problem(
        grid=mfg.Grid.box((2,), bounds=[(0, 4)]), time=mfg.TimeGrid(1.0, 2), dynamics=mfg.LatticeMoves((0, 1)),
        coupling=mfg.Capacity(lambda t, c: np.array([0.125 + t, 4.0])), initial=0.25))  # fmt: skip
    crowd = np.array([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])  # cells have volume 2; what the end holds is not capped
    assert capped.violation(crowd) == pytest.approx(0.25 - 0.125)
    multiplier = np.array([[0.0, 3.0], [2.0, 0.0], [9.0, 9.0]])
    assert capped.slack_cost(multiplier, crowd) == pytest.approx(0.5 * (3 * (8 - 0.5) + 2 * (1.25 - 1)))
    wide = np.array([[0.5, 0.5], [-6.0, 7.0], [0.0, 1.0]])
    assert capped.violation(wide) == pytest.approx(3.0), "of a lower bound, relative to 1; 0.5 / 4 over the upper one"


def test_a_coupling_sees_its_columns_per_volume():
    block = Block(None, slice(1, 3), (2,), np.array([0.5, 0.25]), "state")
    np.testing.assert_array_equal(block.density(np.array([[9.0, 1.0, 2.0], [9.0, 3.0, 4.0]])), [[2, 8], [6, 16]])
