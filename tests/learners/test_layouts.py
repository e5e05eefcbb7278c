"""How a game is written down for learners: shares, counts, labelled masses, and the space that a file tells."""

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.learners.layouts import actions_of, check_mass, counted, even_shares, game_of, joint, labelled, space_of


@pytest.fixture(scope="module")
def game():
    """Two places, two steps; nobody may go in the second."""
    dynamics = mfg.Tabular((np.eye(2), np.eye(2)[::-1]), actions=["stay", "go"], allowed=[[True, True], [True, False]])
    return make_game(
        mfg.Problem(mfg.States(2), mfg.TimeGrid(2.0, 2), dynamics, mfg.CrowdAversion(), np.array([0.5, 0.5]))
    )


def test_actions_of_tables_and_of_diffusions(game):
    names, allowed = actions_of(game)
    assert names == ["stay", "go"]
    np.testing.assert_array_equal(allowed, [[1, 1], [1, 0]])
    line = mfg.Problem(
        mfg.Grid.box(3), mfg.TimeGrid(1.0, 9), mfg.ControlledDiffusion(0.0, scheme="upwind"), mfg.CrowdAversion(), 1.0
    )
    names, allowed = actions_of(game_of(line))
    assert names == ["stay", "x+", "x-"]
    np.testing.assert_array_equal(allowed, [[1, 1, 1], [1, 1, 0], [0, 1, 1]])
    free = mfg.ControlledDiffusion(0.1, scheme="entropic")
    with pytest.raises(mfg.InputError, match=r"no finite list of actions .* any law .*scheme='upwind'"):
        actions_of(game_of(mfg.Problem(mfg.Grid.box(3), mfg.TimeGrid(1.0, 2), free, mfg.CrowdAversion(), 1.0)))
    assert game_of(game) is game
    with pytest.raises(mfg.InputError, match="a Problem or its game"):
        game_of("beach-bar")


def test_shares_are_even_over_what_is_allowed():
    allowed = np.array([[True, True, False], [True, False, False]])
    np.testing.assert_array_equal(even_shares(allowed), [[0.5, 1.0, 0.5], [0.5, 0.0, 0.5]])


def test_masses_times_choices_end_evenly(game):
    mass = np.array([[0.5, 0.5], [0.8, 0.2], [0.4, 0.6]])
    choices = np.array([[[0.4, 0.6], [1.0, 0.0]]] * 2)
    levels = joint(game, mass, choices)
    np.testing.assert_allclose(levels[1], [[0.32, 0.48], [0.2, 0.0]])
    np.testing.assert_allclose(levels[-1], [[0.2, 0.2], [0.6, 0.0]])


def test_agents_are_counted_as_long_as_they_are_there(game):
    """Four agents; the last one leaves after the first step."""
    cells = np.array([[0, 0, 1, 1], [1, 0, 1, -1], [1, 1, 1, -1]])
    actions = np.array([[1, 0, 0, 0], [0, 1, 0, 0]])
    mass = counted(game, cells, actions)
    np.testing.assert_array_equal(mass[0], [[0.25, 0.25], [0.5, 0]])
    np.testing.assert_array_equal(mass[1], [[0, 0.25], [0.5, 0]])
    np.testing.assert_array_equal(mass[2], [[0, 0], [0.75, 0]])


@pytest.mark.parametrize(
    ("cells", "actions", "says"),
    [
        (np.zeros((2, 4), int), np.zeros((2, 4), int), "cells came as int64 of shape"),
        (np.zeros((3, 4), int), np.zeros((2, 3), int), "of 4 agents and actions of 3"),
        (np.full((3, 4), 2), np.zeros((2, 4), int), "0..1 are cells"),
        (np.full((3, 4), -1), np.zeros((2, 4), int), "has left after the start"),
        (np.zeros((3, 4), int), np.full((2, 4), 5), "0..1 are some"),
    ],
)
def test_counts_that_are_none(game, cells, actions, says):
    with pytest.raises(mfg.InputError, match=says):
        counted(game, cells, actions)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([[0.5, np.inf], [0, 0]], "not finite"), ([[0.5, -0.1], [0, 0]], "negative somewhere"),
        ([[0.7, 0.7], [0, 0]], "sums to 1.4"), ([[0.1, 0.1], [0.1, 0.1]], r"chooses action 'go' in cell \(1,\)"),
    ],
)  # fmt: skip
def test_masses_that_are_none(values, says):
    space, allowed = mfg.States(2), np.array([[True, True], [True, False]])
    mass = labelled(np.array(values), space, ["stay", "go"], None, "1")
    with pytest.raises(mfg.InputError, match=says):
        check_mass(mass, space, allowed)
    check_mass(labelled(np.array([[0.5, 0.3], [0.2, 0]]), space, ["stay", "go"], None, "1"), space, allowed)


@pytest.mark.parametrize(
    "space",
    [
        mfg.States(["a", "b", "c"]),
        mfg.Grid.box((3, 4), bounds=[(0.0, 2.0), (-1.0, 1.0)], boundary=["periodic", "reflecting"],
                     blocked=np.eye(3, 4) > 0),
        mfg.Grid((mfg.Axis.from_edges("x", [0.0, 0.1, 0.5, 1.0]),)),
        mfg.Populations(["red", "blue"], mfg.Grid.box(4)),
    ],
)  # fmt: skip
def test_a_space_comes_back_from_its_coordinates(space):
    mass = labelled(np.zeros((*space.shape, 2)), space, ["l", "r"], None, "1")
    data = xr.Dataset({"mass": mass, "blocked": (space.dims, space.mask.astype(np.int8))})
    back = space_of(data)
    assert back.identity == space.identity
    np.testing.assert_array_equal(back.mask, space.mask)
