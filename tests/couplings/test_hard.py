"""Hard caps and prices, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.spaces import Choices

THREE = mfg.Populations(["a", "b", "c"], mfg.Grid.box((2,), bounds=[(0, 4)]))


def test_prices_by_hand():
    price = mfg.Price(mfg.QuadraticPotential(2.0, lambda t: 10 * t), bounds=(lambda t: -t, None), amounts=[1.0, -3.0])
    bound, nodes = price.bind(mfg.States(2), np.array([0.0, 0.5])), slice(0, 2)
    amount = np.array([[1.0], [3.0]])
    np.testing.assert_allclose(bound.cost(nodes, amount), [[2.0], [2 * (3 - 5)]])
    np.testing.assert_allclose(bound.potential(nodes, amount), [1.0, 4.0])
    np.testing.assert_allclose(bound.slope(nodes, amount), [[2.0], [2.0]])
    np.testing.assert_array_equal(bound.second(nodes, amount), [[0.0], [0.0]])
    low, high = bound.bounds(nodes)
    assert low.tolist() == [[0.0], [-0.5]]
    assert high.tolist() == [[math.inf], [math.inf]]
    assert price.is_hard
    assert not mfg.Price(mfg.QuadraticPotential(), amounts=[1.0]).is_hard
    assert not mfg.Price(mfg.QuadraticPotential(), (None, None), [1.0]).is_hard
    choices = Choices(2, THREE)
    np.testing.assert_array_equal(price.amounts_on(choices, np.zeros(1), None)[0, 1], np.full((3, 2), -3.0))
    assert price.amounts_on(choices, np.zeros(1), None).shape == (1, 2, 3, 2)


def test_the_amount_of_a_lattice_is_its_speed():
    """Moves of 1 and -2 cells of width 0.5 in steps of 0.25 have speeds 2 and -4."""
    game = make_game(mfg.Problem(
        grid=mfg.Grid.box((4,), bounds=[(0, 2)]), time=mfg.TimeGrid(0.5, 2), dynamics=mfg.LatticeMoves((0, 1, -2)),
        coupling=mfg.Price(mfg.QuadraticPotential(3.0)), initial=0.5))  # fmt: skip
    np.testing.assert_allclose(game.amounts[0][0], np.array([0.0, 2.0, -4.0])[:, None] * np.ones(4))
    policy = np.zeros((2, 3, 4))
    policy[0, 1] = policy[1, 2] = 1.0
    crowd = game.flow(policy)
    np.testing.assert_allclose(crowd[:, 4], [2.0, -4.0, 0.0])
    np.testing.assert_allclose(game.price(crowd)[:, 4], [6.0, -12.0, 0.0])
    np.testing.assert_allclose(game.price(crowd)[:, :4], 0.0)


def test_capacities_and_violations():
    problem = mfg.Problem(
        grid=mfg.States(3), time=mfg.TimeGrid(2, 2), dynamics=mfg.Tabular([np.eye(3)]),
        initial=np.array([0.7, 0.2, 0.1]),
        coupling=mfg.Capacity(lambda t, c: np.array([0.5 + t, np.inf, 0.05])) + mfg.CrowdAversion(1.0),
        terminal_coupling=mfg.Capacity(0.6),
    )  # fmt: skip
    game = make_game(problem)
    crowd = game.flow(game.step.uniform())
    assert problem.is_hard
    assert game.violation(crowd) == pytest.approx(0.2)  # 0.7 over 0.5 at node 0, relative to max(cap, 1)
    (running, nodes, low, high), (_, last, _, end) = game.bounds()
    assert (nodes, last, running.on) == (slice(0, 2), slice(2, 3), "state")
    np.testing.assert_array_equal(low, 0.0)
    np.testing.assert_array_equal(high, [[0.5, np.inf, 0.05], [1.5, np.inf, 0.05]])
    np.testing.assert_array_equal(end, np.full((1, 3), 0.6))
    multiplier = np.zeros((3, 3))
    multiplier[1, 0], multiplier[2, 0] = 2.0, 3.0  # dt 2 (1.5 - 0.7) + 3 (0.6 - 0.7)
    assert game.slack_cost(multiplier, crowd) == pytest.approx(1.6 - 0.3)
    for method in ("newton", "frank-wolfe", "fictitious-play"):
        with pytest.raises(mfg.InputError, match="hard bounds"):
            mfg.solve(problem, method=method)
