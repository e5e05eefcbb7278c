"""Lattice moves and tabular dynamics: every way to state transitions gives the same game; bad ones are told."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.dynamics.lattice import move_name
from mfgsolve.games import make_game

STAY, SWAP = np.eye(2), np.eye(2)[::-1].copy()
NAN = math.nan
HALF = np.full((2, 2), 0.5)


def tabular(transitions: Any = None, states: Any = 2, steps: int = 3, **options: Any) -> Any:
    dynamics = mfg.Tabular([STAY, SWAP] if transitions is None else transitions, **options)
    count = states if isinstance(states, int) else 2
    return make_game(mfg.Problem(
        grid=mfg.States(count), time=mfg.TimeGrid(steps, steps), dynamics=dynamics, coupling=mfg.CrowdAversion(1.0),
        initial=np.eye(count)[0]))  # fmt: skip


def lattice(*moves: Any, shape: Any = (4,), **options: Any) -> Any:
    return make_game(mfg.Problem(
        grid=mfg.Grid.box(shape), time=mfg.TimeGrid(3, 3), coupling=0.0, initial=1.0,
        dynamics=mfg.LatticeMoves(*moves, **options)))  # fmt: skip


def matrices(game: Any) -> np.ndarray:
    """Transitions of all steps, (T, A, S, S)."""
    each = [game.transitions.matrix(t, game.states).toarray() for t in range(game.steps)]
    return np.array(each).reshape(game.steps, game.actions, game.states, game.states)


# -- ways to state the same ------------------------------------------------------------------------------------------

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
    assert game.action_names == ["0", "1"]
    first = np.zeros((3, 2, 2))
    first[:, 1] = 1.0
    np.testing.assert_array_equal(game.flow(first)[:, :2], [[1, 0], [0, 1], [1, 0], [0, 1]])


def test_transitions_and_costs_that_move_with_time():
    rng = np.random.default_rng(0)
    chance, cost = rng.dirichlet(np.ones(2), size=(3, 2, 2)), rng.normal(size=(3, 2, 2))
    game = tabular(chance, cost=cost)
    np.testing.assert_allclose(matrices(game), chance)
    np.testing.assert_array_equal(game.own_cost, cost)
    same = tabular([[sparse.csr_array(p) for p in step] for step in chance], cost=lambda t, c: cost[round(t)])
    np.testing.assert_array_equal(same.transitions.chance, game.transitions.chance)
    np.testing.assert_array_equal(same.own_cost, cost)
    np.testing.assert_array_equal(tabular(cost=2).own_cost, np.full((1, 2, 2), 2.0))
    named = tabular(cost=lambda t, c: np.array([c.state, 10 * t + c.state]))
    np.testing.assert_array_equal(named.own_cost[2], [[0, 1], [20, 21]])


def test_what_is_not_allowed_needs_no_transitions_and_costs_nothing():
    allowed = np.array([[True, True], [True, False]])
    broken = np.array([[0.0, 1.0], [0.0, 0.0]])
    game = tabular([STAY, broken], cost=[[0.0, 1.0], [-1.0, NAN]], allowed=allowed)
    assert game.own_cost[0, 1, 1] == 0.0
    np.testing.assert_array_equal(game.uniform()[0], [[0.5, 1.0], [0.5, 0.0]])
    # leave at once, and then stay for 1 a step; or stay for two steps and leave at the last one
    assert game.respond(np.zeros((4, 2))).mean_value == -1.0


def test_populations_may_have_different_actions_and_costs():
    """A population with fewer actions has the others forbidden, and states costs for its own alone."""
    space = mfg.Populations(["many", "few"], mfg.States(2))
    many = mfg.Tabular([STAY, SWAP, HALF], cost=np.arange(6.0).reshape(3, 2), actions=["stay", "swap", "toss"])
    few = mfg.Tabular([SWAP], cost=np.array([[7.0, 8.0]]))
    problem = mfg.Problem(grid=space, time=mfg.TimeGrid(2, 2), dynamics=[many, few], coupling=0.0, initial=np.eye(2))
    game = make_game(problem)
    assert (game.actions, game.states, game.action_names) == (3, 4, ["stay/0", "swap", "toss"])
    np.testing.assert_array_equal(game.allowed, [[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]])
    np.testing.assert_array_equal(game.own_cost[0], [[0, 1, 7, 8], [2, 3, 0, 0], [4, 5, 0, 0]])
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
    mass = game.mass(game.flow(game.uniform()))
    np.testing.assert_allclose(mass[:, 0], [[0.75, 0.25], [0.75, 0.25], [0.25, 0.75], [0.5, 0.5]])
    np.testing.assert_allclose(mass[:, 1], [[1.0, 0.0], [0.75, 0.25], [0.75, 0.25], [0.25, 0.75]])
    assert mfg.solve(problem).converged
    with pytest.raises(mfg.InputError, match="a crowd is needed to respond to"):
        game.respond(game.empty_crowd())


# -- lattices --------------------------------------------------------------------------------------------------------


def test_moves_are_named_and_written_like_points():
    names = [move_name(move) for move in ((0, 0), (1, 0), (0, -1), (-2, 1), (0, 0, 3))]
    assert names == ["stay", "x+", "y-", "x-2y+", "z+3"]
    game = lattice([(1, 0), (0, 1)], shape=(2, 3))  # (y, x)
    assert game.action_names == ["x+", "y+"]
    x_up, y_up = matrices(game)[0].argmax(axis=2)
    np.testing.assert_array_equal(x_up.reshape(2, 3), [[1, 2, 2], [4, 5, 5]])
    np.testing.assert_array_equal(y_up.reshape(2, 3), [[3, 4, 5], [3, 4, 5]])


def test_walls_stay_or_forbid():
    stay, forbid = lattice((0, 2)), lattice((0, 2), walls="forbid")
    np.testing.assert_array_equal(matrices(stay)[0, 1].argmax(axis=1), [2, 3, 3, 3])
    np.testing.assert_array_equal(forbid.allowed, [[1, 1, 1, 1], [1, 1, 0, 0]])
    around = make_game(mfg.Problem(
        grid=mfg.Grid.box((4,), boundary="periodic", blocked=np.array([False, False, True, False])),
        time=mfg.TimeGrid(1, 1), dynamics=mfg.LatticeMoves((0, 1, 2), walls="forbid", jumps=((-1, 1.0),)), coupling=0.0,
        initial=lambda t, c: 1.0, normalise=True))  # fmt: skip
    np.testing.assert_array_equal(around.allowed, [[1, 1, 1, 1], [1, 0, 1, 1], [0, 1, 1, 1]])
    np.testing.assert_array_equal(matrices(around)[0, 0].argmax(axis=1), [3, 0, 2, 3])  # a jump off 3 hits the block
    np.testing.assert_array_equal(matrices(around)[0, 2].argmax(axis=1), [3, 3, 2, 0])


def test_costs_of_moves_are_paid_once():
    game = make_game(mfg.Problem(
        grid=mfg.Grid.box((3,)), time=mfg.TimeGrid(0.5, 4), dynamics=mfg.LatticeMoves((0, 1), (0.0, 0.25)),
        coupling=0.0, terminal=lambda t, c: -c.x * 12, initial=np.array([3.0, 0.0, 0.0])))  # fmt: skip
    assert game.respond(np.zeros((5, 3))).mean_value == pytest.approx(2 * 0.25 - 10.0)
    assert mfg.LatticeMoves((0, 1), 3).costs == (3.0, 3.0)


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
    assert forbidden.uniform()[0, :, 0].tolist() == [1.0, 0.0]


# -- bad input -------------------------------------------------------------------------------------------------------

HOLES = np.ma.masked_array(STAY, mask=SWAP > 0)
NEGATIVE = np.array([[1.0, 0.0], [1.5, -0.5]])


def changing(t: float, mass: np.ndarray) -> Any:
    return [STAY, SWAP] if t == 0 else [STAY]


def walk(transitions: Any, **options: Any) -> Any:
    game = tabular(transitions, **options)
    return game.flow(game.uniform())


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
LATTICES = [
    (lambda: lattice(None), r"lattice moves are a NoneType; a list of moves"),
    (lambda: lattice(3), r"lattice moves are a int"),
    (lambda: lattice("ab"), r"move 'a' of a lattice is 'a'"),
    (lambda: lattice(()), r"lattice moves are an empty list"),
    (lambda: lattice((None,)), r"move None of a lattice is None"),
    (lambda: lattice((0.5,)), r"move 0\.5 of a lattice is 0\.5; a whole number"),
    (lambda: lattice((0, 0)), r"lattice move \(0,\) is listed twice"),
    (lambda: lattice(((0,), (1, 1))), r"have different lengths"),
    (lambda: lattice(((0, 0),)), r"lattice moves have 2 coordinates \(x, y, \.\.\.\); the grid has 1 axes"),
    (lambda: lattice((0, 1), (1,)), r"lattice has 2 moves and 1 costs"),
    (lambda: lattice((0, 1), None), r"cost of a move is None"),
    (lambda: lattice((0, 1), "ab"), r"cost of a move is 'a'"),
    (lambda: lattice((0, 1), NAN), r"costs of the moves are \(nan, nan\)"),
    (lambda: lattice((0, 1), (True, False)), r"cost of a move is True"),
    (lambda: lattice((0, 1), np.array([1j, 0])), r"cost of a move is .*complex128"),
    (lambda: lattice((0, 1), viscosity=-1), r"viscosity is -1\.0"),
    (lambda: lattice((0, 1), temperature=-1), r"temperature is -1\.0"),
    (lambda: lattice((0, 1), noise="expl"), r"unknown noise operator 'expl'; did you mean 'explicit'"),
    (lambda: lattice((0, 1), walls="forbidden"), r"unknown behaviour at walls 'forbidden'; did you mean 'forbid'"),
    (lambda: lattice((4, -4), walls="forbid"), r"state 0 has no allowed action; .*say one that stays"),
    (lambda: lattice(((0, 1),), shape=(2, 2), walls="forbid"), r"cell \(1, 0\) has no allowed action"),
    (
        lambda: lattice((0, 1), viscosity=1.0, noise="explicit"),
        r"explicit noise needs nu dt sum 2/h\^2 <= 1 and has 32",
    ),
    (lambda: lattice((0, 1), jumps={0: 0.5}), r"probabilities of the jumps sum to 0\.5"),
    (lambda: lattice((0, 1), jumps={}), r"probabilities of the jumps sum to 0"),
    (lambda: lattice((0, 1), jumps={0: 1.5, 1: -0.5}), r"jump \(1,\) has probability -0\.5"),
    (lambda: lattice((0, 1), jumps={(0, 0): 1.0}), r"jump \(0, 0\) has 2 coordinates; the moves have 1"),
    (lambda: lattice((0, 1), jumps={0: NAN}), r"jump \(0,\) has probability nan"),
    (lambda: lattice((0, 1), jumps=0.5), r"jumps of a lattice are 0\.5; \{offset: probability\} is needed"),
    (lambda: lattice((0, 1), jumps=[1, 2]), r"jumps of a lattice are \[1, 2\]"),
    (lambda: lattice((0, 1), jumps="no"), r"jumps of a lattice are 'no'"),
    (lambda: lattice((0, 1), jumps={None: 1.0}), r"jump None of a lattice is None"),
]


@pytest.mark.parametrize(("make", "message"), TRANSITIONS + OTHERS + LATTICES)
@pytest.mark.filterwarnings("error")
def test_bad_dynamics_are_told_in_a_sentence(make, message):
    with pytest.raises(mfg.InputError, match=message):
        make()


def test_lattices_need_a_grid_and_their_own_axes():
    parts = {"time": mfg.TimeGrid(1, 1), "coupling": 0.0}
    moves = mfg.LatticeMoves((0, 1))
    with pytest.raises(mfg.InputError, match="need a Grid; the space is States: use Tabular"):
        make_game(mfg.Problem(grid=mfg.States(2), dynamics=moves, initial=np.eye(2)[0], **parts))
    both = mfg.Populations(["a", "b"], mfg.Grid.box((2, 2)))
    with pytest.raises(mfg.InputError, match="moves of population 'b' have 1 coordinates"):
        make_game(mfg.Problem(grid=both, dynamics=[mfg.LatticeMoves([(0, 0)]), moves], initial=1.0, **parts))


def test_problems_state_dynamics_of_one_kind_and_temperature():
    parts = {"time": mfg.TimeGrid(1, 1), "coupling": 0.0, "initial": 1.0}
    both = mfg.Populations(["a", "b"], mfg.Grid.box((2,)))
    still = mfg.LatticeMoves((0,))
    with pytest.raises(mfg.InputError, match="cannot be mixed"):
        mfg.Problem(grid=both, dynamics=[still, mfg.ControlledDiffusion()], **parts)
    with pytest.raises(mfg.InputError, match=r"temperatures \[0\.0, 0\.5\]; one for all"):
        mfg.Problem(grid=both, dynamics=[still, mfg.LatticeMoves((0,), temperature=0.5)], **parts)
    with pytest.raises(mfg.InputError, match="dynamics of the problem is a str"):
        mfg.Problem(grid=both, dynamics="lattice", **parts)
    with pytest.raises(mfg.InputError, match="dynamics of the problem is a NoneType"):
        mfg.Problem(grid=both, dynamics=[], **parts)
    hot = mfg.Problem(grid=both, dynamics=[still, still], **parts).at_temperature(2.0)
    assert hot.temperature == 2.0
    assert all(one.temperature == 2.0 for one in hot.all_dynamics)


# -- what a user's function does, and what is printed -----------------------------------------------------------------


def failing(t: float, mass: np.ndarray) -> list[np.ndarray]:
    if t >= 1:
        raise KeyError("state 7")
    return [STAY, SWAP]


def test_transitions_that_raise_are_told_with_time_and_cause():
    game = tabular(failing)
    with pytest.raises(mfg.InputError, match=r"Tabular dynamics, function 'failing', raised KeyError at t = 1") as told:
        game.flow(game.uniform())
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


def test_a_cost_for_each_action_holds_in_every_state():
    each, all_states = tabular(cost=[0.1, 0.3]), tabular(cost=[[0.1, 0.1], [0.3, 0.3]])
    assert (each.own_cost == all_states.own_cost).all()
