"""Transitions, costs and allowed choices: ways to state the same, and what bad ones are told."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from tabular_games import STAY, SWAP, matrices, tabular

import mfgsolve as mfg
from mfgsolve.games import make_game

NAN = math.nan
WAYS = {
    "matrices": [STAY, SWAP],
    "tuple": (STAY, SWAP),
    "lists": [[[1, 0], [0, 1]], [[0, 1], [1, 0]]],
    "array": np.array([STAY, SWAP]),
    "whole numbers": np.array([STAY, SWAP]).astype(int),
    "sparse": [sparse.csr_array(STAY), sparse.coo_matrix(SWAP)],
    "list over steps": [[STAY, SWAP]] * 3,
    "lists over steps": [[[[1, 0], [0, 1]], [[0, 1], [1, 0]]]] * 3,
    "arrays over steps": [np.array([STAY, SWAP])] * 3,
    "sparse over steps": [[sparse.csc_array(STAY), sparse.csr_array(SWAP)]] * 3,
    "one step": [[STAY, SWAP]],
    "array over steps": np.array([[STAY, SWAP]] * 3),
    "function": lambda t, mass: [STAY, SWAP],
}


@pytest.mark.parametrize("name", WAYS)
def test_transitions_can_be_stated_in_many_ways(name):
    game = tabular(WAYS[name], cost=[[0.0, 0.0], [0.1, 0.2]])
    np.testing.assert_array_equal(matrices(game), np.array([[STAY, SWAP]] * 3))
    assert game.step.action_names == ["0", "1"]
    first = np.zeros((3, 2, 2))
    first[:, 1] = 1.0
    np.testing.assert_array_equal(game.flow(first)[:, :2], [[1, 0], [0, 1], [1, 0], [0, 1]])


def test_transitions_and_costs_that_move_with_time():
    rng = np.random.default_rng(0)
    chance, cost = rng.dirichlet(np.ones(2), size=(3, 2, 2)), rng.normal(size=(3, 2, 2))
    game = tabular(chance, cost=cost)
    np.testing.assert_allclose(matrices(game), chance)
    np.testing.assert_array_equal(game.step.own_cost, cost)
    same = tabular([[sparse.csr_array(p) for p in step] for step in chance], cost=lambda t, c: cost[round(t)])
    np.testing.assert_array_equal(same.step.transitions.chance, game.step.transitions.chance)
    np.testing.assert_array_equal(same.step.own_cost, cost)
    np.testing.assert_array_equal(tabular(cost=2).step.own_cost, np.full((1, 2, 2), 2.0))
    named = tabular(cost=lambda t, c: np.array([c.state, 10 * t + c.state]))
    np.testing.assert_array_equal(named.step.own_cost[2], [[0, 1], [20, 21]])


def test_what_is_not_allowed_needs_no_transitions_and_costs_nothing():
    allowed = np.array([[True, True], [True, False]])
    broken = np.array([[0.0, 1.0], [0.0, 0.0]])
    game = tabular([STAY, broken], cost=[[0.0, 1.0], [-1.0, NAN]], allowed=allowed)
    assert game.step.own_cost[0, 1, 1] == 0.0
    np.testing.assert_array_equal(game.step.uniform()[0], [[0.5, 1.0], [0.5, 0.0]])
    # leave at once, and then stay for 1 a step; or stay for two steps and leave at the last one
    assert game.respond(np.zeros((4, 2))).mean_value == -1.0


def test_tables_on_a_grid_keep_out_of_blocked_cells():
    wall = mfg.Grid.box((3,), blocked=np.array([False, True, False]))
    ring = np.roll(np.eye(3), 1, axis=1)

    def game(table: Any, **options: Any) -> Any:
        return make_game(mfg.Problem(grid=wall, time=mfg.TimeGrid(2, 2), dynamics=mfg.Tabular(table, **options),
                                     coupling=0.0, initial=np.array([3.0, 0.0, 0.0])))  # fmt: skip

    with pytest.raises(mfg.InputError, match="action 1 from state 0 enter blocked cells with probability 1; nobody"):
        game([np.eye(3), ring])
    around = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(game([around]).flow(np.ones((2, 1, 3))), [[1, 0, 0], [0, 0, 1], [1, 0, 0]])
    forbidden = game([np.eye(3), ring], allowed=np.array([[1, 1, 1], [0, 1, 1]], bool))
    assert forbidden.step.uniform()[0, :, 0].tolist() == [1.0, 0.0]


HOLES = np.ma.masked_array(STAY, mask=SWAP > 0)
NEGATIVE = np.array([[1.0, 0.0], [1.5, -0.5]])


def changing(t: float, mass: np.ndarray) -> Any:
    return [STAY, SWAP] if t == 0 else [STAY]


def walk(transitions: Any, **options: Any) -> Any:
    game = tabular(transitions, **options)
    return game.flow(game.step.uniform())


TRANSITIONS = [
    (lambda: tabular([STAY, 0.5 * SWAP]), r"transitions of action 1 from state 0 sum to 0\.5; they must sum to 1"),
    (
        lambda: tabular([[STAY, SWAP], [STAY, SWAP], [STAY, np.diag([1.0, 0.9])]], actions=["stay", "swap"]),
        r"transitions of action swap at step 2 from state 1 sum to 0\.9",
    ),
    (lambda: tabular([STAY, NEGATIVE]), r"action 1 from state 1 to state 1 have probability -0\.5; .*zero or positive"),
    (
        lambda: tabular([[STAY], [NEGATIVE], [STAY]]),
        r"action 0 at step 1 from state 1 to state 1 have probability -0\.5",
    ),
    (lambda: tabular([STAY, np.array([[1, 0], [NAN, 1]])]), r"action 1 from state 1 are not finite"),
    (lambda: tabular([sparse.csr_array(np.array([[1, 0], [math.inf, 1]]))]), r"action 0 from state 1 are not finite"),
    (lambda: tabular([STAY, np.eye(3)]), r"transition matrix of action 1 has shape \(3, 3\); \(2, 2\) is needed"),
    (lambda: tabular([1, 2]), r"transition matrix of action 0 has shape \(\)"),
    (lambda: tabular(np.ones(2)), r"transitions have shape \(2,\); \(action, state, next state\)"),
    (lambda: tabular(np.eye(2)), r"transitions have shape \(2, 2\)"),
    (lambda: tabular(np.ones((1, 1, 1, 2, 2))), r"transitions have shape \(1, 1, 1, 2, 2\)"),
    (lambda: tabular([[[1, 0], [0]], [[1, 0], [0, 1]]]), r"transition matrix of action 0 is no array of numbers"),
    (lambda: tabular([[[[1, 0], [0]]]] * 3), r"transition matrix of action 0 at step 0 is no array of numbers"),
    (lambda: tabular([[STAY, SWAP]] * 2), r"transitions are given for 2 steps; the game has 3"),
    (lambda: tabular(np.array([[STAY, SWAP]] * 4)), r"transitions are given for 4 steps; the game has 3"),
    (lambda: tabular([[STAY, SWAP], [STAY], [STAY, SWAP]]), r"at step 1 have 1 actions and those before 2"),
    (lambda: tabular([]), r"transitions are an empty list"),
    (lambda: tabular(3), r"transitions are a int; one matrix for each action"),
    (lambda: tabular(lambda t, m: {0: STAY}), r"transitions at step 0 are a dict"),
    (
        lambda: make_game(mfg.Problem(mfg.States(2), mfg.TimeGrid(1, 1), mfg.Tabular(None), 0.0, STAY[0])),
        r"transitions are a NoneType",
    ),
    (lambda: tabular([None]), r"transition matrix of action 0 holds object"),
    (lambda: tabular("stay"), r"transitions are a str"),
    (lambda: tabular(["stay"]), r"transition matrix of action 0 holds <U4"),
    (lambda: tabular([[["1", "0"], ["0", "1"]]]), r"matrix of action 0 at step 0 holds <U1"),
    (lambda: tabular(iter([STAY, SWAP])), r"transitions are a list_iterator"),
    (lambda: tabular({0: STAY}), r"transitions are a dict"),
    (lambda: tabular(sparse.csr_array(STAY)), r"transitions are a csr_array"),
    (lambda: tabular([STAY, SWAP + 0j]), r"transition matrix of action 1 holds complex128"),
    (lambda: tabular([sparse.csr_array(STAY + 0j)]), r"transition matrix of action 0 holds complex128"),
    (lambda: tabular([STAY > 0]), r"transition matrix of action 0 holds bool"),
    (lambda: tabular([sparse.csr_array(STAY > 0)]), r"transition matrix of action 0 holds bool"),
    (lambda: tabular([HOLES]), r"transition matrix of action 0 has masked entries"),
    (lambda: tabular(np.ma.masked_array([STAY, SWAP], mask=True)), r"transitions have masked entries"),
    (lambda: walk(changing), r"at step 1 have \[1\] actions, and \[2\] at the start"),
    (lambda: walk(lambda t, m: [STAY * (1 if t < 2 else 0.5)]), r"action 0 at step 2 from state 0 sum to 0\.5"),
    (lambda: tabular(lambda t, m: None), r"transitions at step 0 are a NoneType"),
    (lambda: tabular(lambda m: [STAY]), r"transitions is a function called as f\(t, mass\), and this one cannot be"),
]
OTHERS = [
    (lambda: tabular(actions=["stay"]), r"transitions have 2 actions and 1 names"),
    (lambda: tabular(actions=["a", "b", "c"]), r"have 2 actions and 3 names"),
    (lambda: tabular(actions=["a", "a"]), r"every action needs a name of its own"),
    (lambda: tabular(actions="ab"), r"actions are named 'ab'; a list of texts"),
    (lambda: tabular(actions=2), r"actions are named 2; a list of texts"),
    (lambda: tabular(actions=[1, 2]), r"a list of texts"),
    (lambda: tabular(cost=np.zeros((3, 2))), r"own cost has shape \(3, 2\); a number, \(action,\) = \(2,\), \(action"),
    (lambda: tabular(cost=np.zeros((2, 2, 2))), r"\(step, action, state\) = \(3, 2, 2\) is needed"),
    (lambda: tabular(cost=np.zeros((2, 2)) * 1j), r"own cost holds complex128"),
    (lambda: tabular(cost=np.zeros((2, 2), bool)), r"own cost holds bool"),
    (lambda: tabular(cost=HOLES), r"own cost has masked entries"),
    (lambda: tabular(cost=True), r"own cost holds bool"),
    (lambda: tabular(cost="dear"), r"own cost holds <U4"),
    (lambda: tabular(cost=None), r"own cost holds object"),
    (lambda: tabular(cost=[[0, 1], [0]]), r"own cost is no array of numbers"),
    (lambda: tabular(cost=NAN), r"own cost of action 0 in state 0 at step 0 is nan; every cost must be finite"),
    (
        lambda: tabular(cost=lambda t, c: np.array([[0, 1], [2, math.inf if t > 1 else 3]])),
        r"own cost of action 1 in state 1 at step 2 is inf",
    ),
    (lambda: tabular(cost=lambda t: 0.0), r"own cost is a function called as f\(t, coordinates\)"),
    (lambda: tabular(cost=lambda t, c: np.zeros((2, 3))), r"own cost has shape \(3, 2, 3\)"),
    (lambda: tabular(cost=lambda t, c: np.zeros((2, 2 + (t > 1)))), r"own cost gives arrays of the shapes"),
    (lambda: tabular(allowed=np.array([[False, True], [False, True]])), r"state 0 has no allowed action"),
    (lambda: tabular(allowed=np.ones(2, bool)), r"allowed actions came as bool of shape \(2,\); booleans of shape"),
    (lambda: tabular(allowed=np.ones((2, 2))), r"allowed actions came as float64"),
    (lambda: tabular(allowed=[[True], [True, False]]), r"allowed actions are no array of booleans"),
    (lambda: tabular(allowed=np.ma.masked_array(STAY > 0, mask=SWAP > 0)), r"allowed actions have masked entries"),
    (lambda: tabular(temperature=-1), r"temperature is -1\.0; it must be zero or positive"),
    (lambda: tabular(temperature=NAN), r"temperature is nan"),
    (lambda: tabular(temperature="hot"), r"temperature is 'hot'"),
    (lambda: tabular(temperature=True), r"temperature is True"),
]


@pytest.mark.parametrize(("make", "message"), TRANSITIONS + OTHERS)
@pytest.mark.filterwarnings("error")
def test_bad_dynamics_are_told_in_a_sentence(make, message):
    with pytest.raises(mfg.InputError, match=message):
        make()


def test_a_cost_for_each_action_holds_in_every_state():
    each, all_states = tabular(cost=[0.1, 0.3]), tabular(cost=[[0.1, 0.1], [0.3, 0.3]])
    assert (each.step.own_cost == all_states.step.own_cost).all()
