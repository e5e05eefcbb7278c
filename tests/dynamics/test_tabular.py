"""Tables of somebody's own: populations, functions that raise, what is printed and stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from tabular_games import HALF, STAY, SWAP, matrices, tabular

import mfgsolve as mfg
from mfgsolve.games import make_game


def test_populations_may_have_different_actions_and_costs():
    """A population with fewer actions has the others forbidden, and states costs for its own alone."""
    space = mfg.Populations(["many", "few"], mfg.States(2))
    many = mfg.Tabular([STAY, SWAP, HALF], cost=np.arange(6.0).reshape(3, 2), actions=["stay", "swap", "toss"])
    few = mfg.Tabular([SWAP], cost=np.array([[7.0, 8.0]]))
    problem = mfg.Problem(grid=space, time=mfg.TimeGrid(2, 2), dynamics=[many, few], coupling=0.0, initial=np.eye(2))
    game = make_game(problem)
    assert (game.step.actions, game.cells, game.step.action_names) == (3, 4, ["stay/0", "swap", "toss"])
    np.testing.assert_array_equal(game.step.allowed, [[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]])
    np.testing.assert_array_equal(game.step.own_cost[0], [[0, 1, 7, 8], [2, 3, 0, 0], [4, 5, 0, 0]])
    np.testing.assert_array_equal(matrices(game)[1, 0], np.block([[STAY, 0 * STAY], [0 * STAY, SWAP]]))
    assert game.respond(np.zeros((3, 4))).mean_value == 0.0 + (8.0 + 7.0)
    with pytest.raises(mfg.InputError, match=r"own cost of population 'few' has shape \(3, 2\)"):
        make_game(mfg.Problem(grid=space, time=mfg.TimeGrid(2, 2), coupling=0.0, initial=np.eye(2),
                              dynamics=[many, mfg.Tabular([SWAP], cost=np.zeros((3, 2)))]))  # fmt: skip


def test_populations_may_mix_still_moving_and_coupled_dynamics():
    space = mfg.Populations(["a", "b"], mfg.States(2))
    timed = mfg.Tabular([[STAY], [SWAP], [HALF]])

    def follow(t: float, mass: np.ndarray) -> Any:
        assert mass.shape == (2, 2)
        with pytest.raises(ValueError, match="read-only"):
            mass[0, 0] = 1.0
        return [np.tile(mass[0], (2, 1))]  # go where the other population is

    problem = mfg.Problem(grid=space, time=mfg.TimeGrid(3, 3), dynamics=[timed, mfg.Tabular(follow)], coupling=0.0,
                          initial=np.array([[0.75, 0.25], [1.0, 0.0]]))  # fmt: skip
    game = make_game(problem)
    mass = game.mass(game.flow(game.step.uniform()))
    np.testing.assert_allclose(mass[:, 0], [[0.75, 0.25], [0.75, 0.25], [0.25, 0.75], [0.5, 0.5]])
    np.testing.assert_allclose(mass[:, 1], [[1.0, 0.0], [0.75, 0.25], [0.75, 0.25], [0.25, 0.75]])
    assert mfg.solve(problem).converged
    with pytest.raises(mfg.InputError, match="a crowd is needed to respond to"):
        game.respond(game.empty_crowd())


def failing(t: float, mass: np.ndarray) -> list[np.ndarray]:
    if t >= 1:
        raise KeyError("state 7")
    return [STAY, SWAP]


def test_transitions_that_raise_are_told_with_time_and_cause():
    game = tabular(failing)
    with pytest.raises(mfg.InputError, match=r"Tabular dynamics, function 'failing', raised KeyError at t = 1") as told:
        game.flow(game.step.uniform())
    assert isinstance(told.value.__cause__, KeyError)


def test_an_input_error_of_transitions_is_passed_on_as_it_is():
    def telling(t: float, mass: np.ndarray) -> Any:
        raise mfg.InputError("my own words")

    with pytest.raises(mfg.InputError, match=r"^my own words$"):
        tabular(telling)


def test_a_temperature_later_does_not_wrap_a_function_twice():
    dynamics = tabular(failing).problem.dynamics
    warmer = tabular(failing).problem.at_temperature(0.5).dynamics
    assert warmer.transitions.__wrapped__ is failing
    assert dynamics.transitions.__wrapped__ is failing


@pytest.mark.parametrize(("dynamics", "text"), [
    (mfg.Tabular([STAY, SWAP]), "Tabular(transitions=2 x (2, 2), cost=0.0, temperature=0.0)"),
    (mfg.Tabular(np.array([STAY, SWAP]), cost=[[0, 0], [1, 1]], temperature=1),
     "Tabular(transitions=(2, 2, 2), cost=(2, 2), temperature=1.0)"),
    (mfg.Tabular([[sparse.csr_array(STAY)]] * 3, cost=np.ones((3, 1, 2)), allowed=np.ones((1, 2), bool)),
     "Tabular(transitions=3 x 1 x (2, 2), cost=(3, 1, 2), temperature=0.0, allowed=(1, 2))"),
    (mfg.Tabular(failing, cost=np.float64(2.0), actions=["a", "b"]),
     "Tabular(transitions=function 'failing', cost=np.float64(2.0), temperature=0.0, actions=('a', 'b'))"),
])  # fmt: skip
def test_tables_are_printed_by_their_shapes(dynamics, text):
    assert repr(dynamics) == text


def test_coordinates_of_a_solution_say_what_they_are():
    price = mfg.CrowdAversion() + mfg.Price(mfg.QuadraticPotential(), amounts=[0.0, 1.0])
    problem = mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(2, 2), dynamics=mfg.Tabular([STAY, SWAP]), coupling=price,
        initial=np.array([1.0, 0.0]),
    )  # fmt: skip
    dataset = mfg.solve(problem).dataset
    assert all(dataset[name].attrs["long_name"] for name in ("iteration", "action", "aggregate", "time", "step"))
