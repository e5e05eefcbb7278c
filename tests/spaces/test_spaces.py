"""Spaces: shapes, coordinates, names, and what bad spaces and starts are told."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from plain_games import game

import mfgsolve as mfg
from mfgsolve.spaces import Choices

BOX = mfg.Grid.box(
    (2, 3), bounds=[(0, 2), (0, 6)], boundary=("reflecting", "periodic"), blocked=lambda c: c.x * c.y > 7
)
TYPES = mfg.Populations(["car", "bus"], BOX)
NAN = math.nan


def test_states():
    five, named = mfg.States(5.0), mfg.States(["S", "I"])
    assert (five.shape, five.size, five.ndim, five.dims, five.names) == ((5,), 5, 1, ("state",), None)
    assert (named.shape, named.names, named.cell_volume, named.populations) == ((2,), ("S", "I"), 1.0, 1)
    np.testing.assert_array_equal(five.coordinates.state, np.arange(5))
    assert not five.mask.any()
    assert five.identity == mfg.States(5).identity != mfg.States(4).identity
    assert named.identity == mfg.States(("S", "I")).identity != mfg.States(2).identity
    assert named.dimension_coordinates["state"][0].tolist() == ["S", "I"]
    for array in (five.mask, five.coordinates.state):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(mfg.InputError, match="no cells to refine"):
        five.refined((4,))


def test_populations_are_a_leading_axis():
    assert (TYPES.shape, TYPES.dims, TYPES.size) == ((2, 2, 3), ("population", "y", "x"), 12)
    assert (TYPES.cell_volume, TYPES.populations) == (BOX.cell_volume, 2)
    c = TYPES.coordinates
    assert set(c) == {"x", "y"}
    assert len(c) == 2
    for p in range(2):
        np.testing.assert_array_equal(c.x[p], BOX.coordinates.x)
        np.testing.assert_array_equal(TYPES.mask[p], BOX.mask)
        assert (c.population[p] == p).all()
    assert BOX.mask.sum() == 1
    assert c.periods == {"x": 6.0}
    assert c.gap("x", 6.0).tolist()[0][0] == [1.0, 3.0, -1.0] or c.gap("x", 6.0).tolist()[0][0] == [1.0, -3.0, -1.0]
    assert TYPES.dimension_coordinates["population"][0].tolist() == ["car", "bus"]
    assert list(TYPES.dimension_coordinates) == ["population", "y", "x"]
    others = [mfg.Populations(["bus", "car"], BOX), mfg.Populations(["car", "bus"], mfg.Grid.box((2, 3)))]
    assert all(other.identity != TYPES.identity for other in others)
    with pytest.raises(AttributeError, match=r"unknown coordinate 'populations'; did you mean 'population'"):
        _ = c.populations


def test_choices_put_actions_before_everything():
    choices = Choices(4, TYPES)
    assert (choices.shape, choices.dims) == ((4, 2, 2, 3), ("action", "population", "y", "x"))
    c = choices.coordinates
    index = np.indices(choices.shape)
    np.testing.assert_array_equal(c.action, index[0])
    np.testing.assert_array_equal(c.population, index[1])
    np.testing.assert_array_equal(c.y[3, 1], BOX.coordinates.y)
    np.testing.assert_array_equal(choices.mask, np.broadcast_to(BOX.mask, choices.shape))
    assert choices.cell_volume == BOX.cell_volume
    assert Choices(4, BOX).identity != Choices(3, BOX).identity
    assert set(Choices(2, mfg.States(3)).coordinates) == {"state"}


def test_the_mass_of_every_population_is_one():
    def start(values, **options):
        problem = mfg.Problem(grid=TYPES, time=mfg.TimeGrid(1, 1), coupling=0.0, initial=values,
                              dynamics=[mfg.LatticeMoves([(0, 0)])] * 2, **options)  # fmt: skip
        return problem.initial_mass()

    mass = start(lambda t, c: (1 + c.population) * c.x, normalise=True)
    np.testing.assert_allclose(mass.sum(axis=(1, 2)), 1.0, atol=1e-15)
    np.testing.assert_allclose(mass[0], mass[1], atol=1e-15)  # the second has twice the density, until it is normalised
    assert (mass[:, BOX.mask] == 0).all()
    density = np.where(BOX.mask, 0.0, 1 / (5 * BOX.cell_volume)) * np.ones((2, 1, 1))
    np.testing.assert_allclose(start(density), density * BOX.cell_volume)
    with pytest.raises(mfg.InputError, match=r"density of population 'bus' sums to 0\.5 over the grid, expected 1"):
        start(density * np.array([1.0, 0.5]).reshape(2, 1, 1))
    with pytest.raises(mfg.InputError, match=r"density of population 'bus' is zero in every free cell"):
        start(density * np.array([1.0, 0.0]).reshape(2, 1, 1), normalise=True)


TWO = {"grid": mfg.Populations(["a", "b"], mfg.States(2)), "initial": np.eye(2)}
HOLES = np.ma.masked_array(np.eye(2), mask=np.eye(2) > 0)


class Odd(mfg.Coupling):
    on = "prices"

    def bind(self, grid: Any, times: np.ndarray) -> Any:
        raise NotImplementedError


SPACES = [
    (lambda: mfg.States(0), r"a list of 0 states came; at least 1"),
    (lambda: mfg.States(-2), r"-2 states"),
    (lambda: mfg.States(2.5), r"number of states is 2\.5; a whole number"),
    (lambda: mfg.States(True), r"number of states is True \(bool\)"),
    (lambda: mfg.States([]), r"0 states came"),
    (lambda: mfg.States("ab"), r"states is the text 'ab'"),
    (lambda: mfg.States(None), r"states is a NoneType; a number or a list of names"),
    (lambda: mfg.States(1j), r"states is a complex"),
    (lambda: mfg.States(["a", "a"]), r"state 'a' is named twice"),
    (lambda: mfg.States([1, 2]), r"state name 1 is a int; a text"),
    (lambda: mfg.Populations("ab", BOX), r"populations are named 'ab'; a list of texts"),
    (lambda: mfg.Populations(2, BOX), r"populations are named 2; a list of texts"),
    (lambda: mfg.Populations(None, BOX), r"populations are named None"),
    (lambda: mfg.Populations([], BOX), r"at least one"),
    (lambda: mfg.Populations(["a", "a"], BOX), r"each with a name of its own"),
    (lambda: mfg.Populations(["a"], 3), r"populations live on a int; a Grid or States"),
    (lambda: mfg.Populations(["a"], TYPES), r"populations live on a Populations"),
]
PROBLEMS = [
    (lambda: game(**TWO), r"has 2 populations and dynamics are given for 1; give one for each"),
    (lambda: game(**TWO, dynamics=[mfg.Tabular([np.eye(2)])] * 3), r"dynamics are given for 3"),
    (lambda: game(grid=TWO["grid"], dynamics=[mfg.Tabular([np.eye(2)])] * 2), r"initial density has shape \(2,\)"),
    (lambda: game(initial=np.array([1j, 0])), r"initial of the problem holds complex128; real numbers or a function"),
    (lambda: game(initial=np.array([True, False])), r"initial of the problem holds bool"),
    (lambda: game(initial=np.ma.masked_array([1.0, 0.0], mask=[0, 1])), r"initial of the problem has masked entries"),
    (lambda: game(initial=[[1], [1, 2]]), r"initial of the problem is no array of numbers"),
    (lambda: game(initial="uniform"), r"initial of the problem holds <U7"),
    (lambda: game(initial=True, normalise=True), r"initial of the problem is True \(bool\)"),
    (lambda: game(terminal=True), r"terminal of the problem is True"),
    (lambda: game(terminal=np.ones(3)), r"terminal cost has shape \(3,\)"),
    (lambda: game(initial=np.array([1.5, -0.5])), r"initial density is negative \(-0\.5 at cell \(1,\)\)"),
    (lambda: game(initial=np.array([NAN, 1.0])), r"initial density is nan"),
    (lambda: game(initial=lambda t, c: c.x), r"unknown coordinate 'x'; allowed: state"),
    (lambda: game(coupling=True), r"coupling of the problem is True"),
    (lambda: game(coupling=1j), r"coupling of the problem is a complex"),
    (lambda: game(coupling=Odd()), r"target of the coupling Odd 'prices'; allowed: aggregate, occupation, state"),
    (lambda: game(coupling=mfg.Nonlocal(width=0.1)), r"needs distances, which a States has not; use Interaction"),
    (lambda: game(terminal_coupling=mfg.CrowdAversion(on="occupation")), r"terminal coupling acts on 'occupation'"),
    (lambda: game(terminal_coupling=mfg.Price(mfg.QuadraticPotential(), amounts=[0, 1])), r"acts on 'aggregate'"),
    (lambda: mfg.solve(mfg.Problem(grid=mfg.Grid.box((4,)), time=mfg.TimeGrid(1, 4), initial=1.0,
                                   dynamics=mfg.ControlledDiffusion(), coupling=mfg.CrowdAversion(on="occupation"))),
     r"needs a finite list of actions"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), SPACES + PROBLEMS)
@pytest.mark.filterwarnings("error")
def test_bad_input_is_told_in_a_sentence(make, message):
    with pytest.raises(mfg.InputError, match=message):
        make()


def test_a_list_of_numbers_is_as_good_as_an_array():
    for value in ([1, 0], (1, 0), np.array([1, 0]), np.ma.masked_array([1, 0]), np.array([1, 0], dtype=np.float32)):
        np.testing.assert_array_equal(game(initial=value).initial_mass, [1.0, 0.0])


def test_names_come_in_an_order():
    with pytest.raises(mfg.InputError, match="states is a set; a number or a list of names is needed"):
        mfg.States({"sick", "well"})
    with pytest.raises(mfg.InputError, match=r"populations are named .*; a list of texts is needed"):
        mfg.Populations({"fox", "hen"}, mfg.States(2))
