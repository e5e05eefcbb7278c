"""Lattice moves: names, walls, costs, and what bad ones are told."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.dynamics.lattice import move_name
from mfgsolve.games import make_game

NAN = math.nan


def lattice(*moves: Any, shape: Any = (4,), **options: Any) -> Any:
    return make_game(mfg.Problem(
        grid=mfg.Grid.box(shape), time=mfg.TimeGrid(3, 3), coupling=0.0, initial=1.0,
        dynamics=mfg.LatticeMoves(*moves, **options)))  # fmt: skip


def matrices(game: Any) -> np.ndarray:
    """Transitions of all steps, (T, A, S, S)."""
    each = [game.step.transitions.matrix(t, game.cells).toarray() for t in range(game.steps)]
    return np.array(each).reshape(game.steps, game.step.actions, game.cells, game.cells)


def test_moves_are_named_and_written_like_points():
    names = [move_name(move) for move in ((0, 0), (1, 0), (0, -1), (-2, 1), (0, 0, 3))]
    assert names == ["stay", "x+", "y-", "x-2y+", "z+3"]
    game = lattice([(1, 0), (0, 1)], shape=(2, 3))  # (y, x)
    assert game.step.action_names == ["x+", "y+"]
    x_up, y_up = matrices(game)[0].argmax(axis=2)
    np.testing.assert_array_equal(x_up.reshape(2, 3), [[1, 2, 2], [4, 5, 5]])
    np.testing.assert_array_equal(y_up.reshape(2, 3), [[3, 4, 5], [3, 4, 5]])


def test_walls_stay_or_forbid():
    stay, forbid = lattice((0, 2)), lattice((0, 2), walls="forbid")
    np.testing.assert_array_equal(matrices(stay)[0, 1].argmax(axis=1), [2, 3, 3, 3])
    np.testing.assert_array_equal(forbid.step.allowed, [[1, 1, 1, 1], [1, 1, 0, 0]])
    around = make_game(mfg.Problem(
        grid=mfg.Grid.box((4,), boundary="periodic", blocked=np.array([False, False, True, False])),
        time=mfg.TimeGrid(1, 1), dynamics=mfg.LatticeMoves((0, 1, 2), walls="forbid", jumps=((-1, 1.0),)), coupling=0.0,
        initial=lambda t, c: 1.0, normalise=True))  # fmt: skip
    np.testing.assert_array_equal(around.step.allowed, [[1, 1, 1, 1], [1, 0, 1, 1], [0, 1, 1, 1]])
    np.testing.assert_array_equal(matrices(around)[0, 0].argmax(axis=1), [3, 0, 2, 3])  # a jump off 3 hits the block
    np.testing.assert_array_equal(matrices(around)[0, 2].argmax(axis=1), [3, 3, 2, 0])


def test_costs_of_moves_are_paid_once():
    game = make_game(mfg.Problem(
        grid=mfg.Grid.box((3,)), time=mfg.TimeGrid(0.5, 4), dynamics=mfg.LatticeMoves((0, 1), (0.0, 0.25)),
        coupling=0.0, terminal=lambda t, c: -c.x * 12, initial=np.array([3.0, 0.0, 0.0])))  # fmt: skip
    assert game.respond(np.zeros((5, 3))).mean_value == pytest.approx(2 * 0.25 - 10.0)
    assert mfg.LatticeMoves((0, 1), 3).costs == (3.0, 3.0)


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


@pytest.mark.parametrize(("make", "message"), LATTICES)
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
