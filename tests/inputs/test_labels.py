"""Arrays with names are read by their names, everywhere an array is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.identity import fingerprint
from mfgsolve.inputs.labels import aligned, labelled

GRID = mfg.Grid.box((4, 4))  # square: a shape alone would not tell x from y
TIME = mfg.TimeGrid(1.0, 8)
X, Y = GRID.coordinates.x, GRID.coordinates.y
FIELD = np.exp(-((X - 0.2) ** 2) / 0.02 - (Y - 0.6) ** 2 / 0.08)
PLACES = {"x": GRID.axes[1].centres, "y": GRID.axes[0].centres}


def room(**parts: Any) -> mfg.Problem:
    stated: dict[str, Any] = {
        "grid": GRID, "time": TIME, "dynamics": mfg.ControlledDiffusion(0.02, 1.0, scheme="upwind"),
        "coupling": mfg.CrowdAversion(0.3), "initial": 1.0, "normalise": True,
    }  # fmt: skip
    return mfg.Problem(**(stated | parts))


NAMED = mfg.States(["up", "down", "out"])
MATRICES = np.random.default_rng(0).dirichlet(np.ones(3), (2, 3))
COST = np.arange(6.0).reshape(2, 3) / 10


def table(dynamics: Any = None, **parts: Any) -> mfg.Problem:
    stated: dict[str, Any] = {
        "grid": NAMED, "time": TIME, "coupling": mfg.CrowdAversion(0.3), "initial": np.array([0.5, 0.3, 0.2]),
        "dynamics": mfg.Tabular(MATRICES, cost=COST, actions=["stay", "go"]) if dynamics is None else dynamics,
    }  # fmt: skip
    return mfg.Problem(**(stated | parts))


def tabular(transitions: Any = MATRICES, cost: Any = COST, actions: Any = ("stay", "go"), **parts: Any) -> mfg.Tabular:
    return mfg.Tabular(transitions, cost=cost, actions=actions, **parts)


def named(values: Any, *dims: str, **coords: Any) -> xr.DataArray:
    return xr.DataArray(values, coords, dims)


def shuffled(values: Any, *dims: str, **coords: Any) -> xr.DataArray:
    """The same array with its dimensions and its labels in another order."""
    array = xr.DataArray(values, coords, dims).transpose(*dims[::-1])
    for name in coords:
        array = array.isel({name: slice(None, None, -1)})
    return array


STATES = {"state": ["up", "down", "out"]}
ACTIONS = {"action": ["stay", "go"]}
NEXT = {"next_state": ["up", "down", "out"]}
ALLOWED = np.array([[True, True, True], [True, False, True]])
LATE = np.arange(9.0)[:, None, None] * X
STEPS = np.tile(MATRICES, (8, 1, 1, 1))
STEPS[3:, 1] = np.eye(3)
EACH = mfg.Populations(["fox", "hen"], NAMED)
PAYOFF = np.array([[0.0, -1.0], [2.0, 0.0]])


def pair(coupling: Any = None, initial: Any = None) -> mfg.Problem:
    initial = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]) if initial is None else initial
    coupling = mfg.CrowdAversion(0.3) if coupling is None else coupling
    return table([tabular(), tabular()], grid=EACH, coupling=coupling, initial=initial)


QUADRATIC = mfg.QuadraticPotential(1.0, 0.3)
FOXES = {"population": ["fox", "hen"]}
SAME = {  # by position, and by name
    "initial": (room(initial=FIELD), room(initial=shuffled(FIELD, "y", "x", **PLACES))),
    "initial without coordinates": (room(initial=FIELD), room(initial=named(FIELD.T, "x", "y"))),
    "initial, a function": (room(initial=FIELD), room(initial=lambda t, c: named(FIELD.T, "x", "y"))),
    "initial, a table": (room(initial=FIELD), room(initial=named(FIELD.T, "x", "y", **PLACES).to_pandas())),
    "initial, a series": (table(), table(initial=pd.Series({"out": 0.2, "up": 0.5, "down": 0.3}))),
    "initial, a long series": (room(initial=FIELD), room(initial=named(FIELD.T, "x", "y", **PLACES).to_series())),
    "initial of populations": (pair(), pair(initial=shuffled([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], "population", "state",
                                                             **FOXES, **STATES))),
    "terminal": (room(terminal=X), room(terminal=named(X.T, "x", "y"))),
    "terminal along x": (room(terminal=X), room(terminal=named(PLACES["x"], "x"))),
    "terminal along y": (room(terminal=Y), room(terminal=named(PLACES["y"], "y"))),
    "blocked": (room(grid=mfg.Grid.box((4, 4), blocked=X > Y + 0.5)),
                room(grid=mfg.Grid.box((4, 4), blocked=named((X > Y + 0.5).T, "x", "y")))),
    "blocked, a function": (room(grid=mfg.Grid.box((4, 4), blocked=X > Y + 0.5)),
                            room(grid=mfg.Grid.box((4, 4), blocked=lambda c: named((X > Y + 0.5).T, "x", "y")))),
    "blocked along x": (room(grid=mfg.Grid.box((4, 4), blocked=X > 0.7)),
                        room(grid=mfg.Grid.box((4, 4), blocked=named(PLACES["x"] > 0.7, "x")))),
    "running cost": (room(coupling=mfg.RunningCost(FIELD)), room(coupling=mfg.RunningCost(named(FIELD.T, "x", "y")))),
    "running cost in time": (room(coupling=mfg.RunningCost(lambda t, c: round(8 * t) * c.x)),
                             room(coupling=mfg.RunningCost(shuffled(LATE, "time", "y", "x", time=TIME.nodes)))),
    "running cost, a function": (room(coupling=lambda t, c: FIELD),
                                 room(coupling=lambda t, c: named(FIELD.T, "x", "y"))),
    "strength": (room(coupling=mfg.CrowdAversion(FIELD)),
                 room(coupling=mfg.CrowdAversion(shuffled(FIELD, "y", "x", **PLACES)))),
    "reward": (room(coupling=mfg.Congestion(FIELD)), room(coupling=mfg.Congestion(named(FIELD.T, "x", "y")))),
    "custom": (room(coupling=mfg.CustomCoupling(lambda t, c, rho: FIELD * rho)),
               room(coupling=mfg.CustomCoupling(lambda t, c, rho: named((FIELD * rho).T, "x", "y")))),
    "cap": (table(coupling=mfg.Capacity(np.array([0.9, 0.8, 0.7]))),
            table(coupling=mfg.Capacity(shuffled([0.9, 0.8, 0.7], "state", **STATES)))),
    "amounts": (table(coupling=mfg.Price(QUADRATIC, amounts=COST)),
                table(coupling=mfg.Price(QUADRATIC, amounts=shuffled(COST, "action", "state", **ACTIONS, **STATES)))),
    "amounts of actions": (table(coupling=mfg.Price(QUADRATIC, amounts=[0.0, 1.0])),
                           table(coupling=mfg.Price(QUADRATIC, amounts=pd.Series({"go": 1.0, "stay": 0.0})))),
    "transitions": (table(), table(tabular(shuffled(MATRICES, "action", "state", "next_state", **ACTIONS, **STATES,
                                                    **NEXT)))),
    "transitions name the actions": (table(), table(tabular(named(MATRICES, "action", "state", "next_state", **ACTIONS),
                                                            actions=None))),
    "transitions in time": (table(tabular(STEPS)),
                            table(tabular(shuffled(STEPS, "time", "action", "state", "next_state",
                                                   time=TIME.nodes[:8])))),
    "transitions, a list": (table(), table(tabular([named(m.T, "next_state", "state") for m in MATRICES]))),
    "transitions of a crowd": (table(tabular(lambda t, m: MATRICES)),
                               table(tabular(lambda t, m: shuffled(MATRICES, "action", "state", "next_state", **ACTIONS,
                                                                   **STATES, **NEXT)))),
    "own cost": (table(), table(tabular(cost=shuffled(COST, "action", "state", **ACTIONS, **STATES)))),
    "own cost, a table": (table(), table(tabular(cost=pd.DataFrame(COST.T, STATES["state"], ACTIONS["action"])
                                                 .rename_axis(index="state", columns="action")))),
    "own cost of actions": (table(tabular(cost=[0.0, 0.1])),
                            table(tabular(cost=shuffled([0.0, 0.1], "action", **ACTIONS)))),
    "own cost of states": (table(tabular(cost=np.tile([0.1, 0.2, 0.3], (2, 1)))),
                           table(tabular(cost=shuffled([0.1, 0.2, 0.3], "state", **STATES)))),
    "own cost, a function": (table(), table(tabular(cost=lambda t, c: shuffled(COST, "action", "state", **ACTIONS)))),
    "allowed": (table(tabular(allowed=ALLOWED)),
                table(tabular(allowed=shuffled(ALLOWED, "action", "state", **ACTIONS, **STATES)))),
    "matrix": (pair(mfg.Interaction(PAYOFF, between="populations")),
               pair(mfg.Interaction(pd.DataFrame(PAYOFF, FOXES["population"], FOXES["population"])[::-1],
                                    between="populations"))),
    "matrix by its rows": (pair(mfg.Interaction(PAYOFF, between="populations")),
                           pair(mfg.Interaction(named(PAYOFF.T, "other", "population"), between="populations"))),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
@pytest.mark.filterwarnings("error")
def test_names_tell_the_order(name):
    by_position, by_name = SAME[name]
    assert fingerprint(by_position) == fingerprint(by_name)
    assert by_position.cautions == by_name.cautions == ()


def test_a_transposed_start_on_a_square_grid_starts_where_it_says():
    mean = float((room(initial=named(FIELD.T, "x", "y")).initial_mass() * X).sum())
    assert mean == pytest.approx(float((FIELD * X).sum() / FIELD.sum()))
    assert mean < 0.3


WRONG = {
    r"initial density has the dimensions \('lat', 'lon'\); .*\('y', 'x'\)":
        lambda: room(initial=named(X, "lat", "lon")),
    r"initial density has the coordinate x = \[1, 2, 3, 4\], and \[0.125, .*drop_vars\('x'\)":
        lambda: room(initial=named(X, "y", "x", x=[1, 2, 3, 4])),
    r"initial density has the coordinate y = .*4.0\], and":
        lambda: room(initial=named(np.ones((5, 4)), "y", "x", y=np.arange(5.0))),
    r"initial density is a Dataset with the variables \['here', 'there'\]; pass one of them":
        lambda: room(initial=xr.Dataset({"here": 1.0, "there": 2.0})),
    r"initial density has shape \(4, 3\)": lambda: make_game(room(initial=named(np.ones((3, 4)), "x", "y"))),
    "terminal cost has the dimensions": lambda: room(terminal=named(np.ones(4), "z")),
    "initial density has the coordinate state = .*'left'":
        lambda: table(initial=pd.Series({"up": 0.5, "down": 0.3, "left": 0.2})),
    "running cost has the dimensions": lambda: make_game(room(coupling=mfg.RunningCost(named(X, "a", "b")))),
    "running cost has no values at t = 0.125": lambda: make_game(
        room(coupling=mfg.RunningCost(named(LATE[:3], "time", "y", "x", time=[0.0, 0.5, 1.0])))),
    "running cost has 3 times without a coordinate": lambda: make_game(
        room(coupling=mfg.RunningCost(named(LATE[:3], "time", "y", "x")))),
    "running cost has times of the kind datetime64": lambda: make_game(room(coupling=mfg.RunningCost(
        named(LATE, "time", "y", "x", time=pd.date_range("2020", periods=9))))),
    "array of blocked cells has the dimensions": lambda: mfg.Grid.box((4, 4), blocked=named(X > 0.7, "a", "b")),
    r"transitions has the dimensions \('a', 'b', 'c'\)": lambda: table(tabular(named(MATRICES, "a", "b", "c"))),
    r"transitions has the coordinate action = \['go', 'run'\]":
        lambda: table(tabular(named(MATRICES, "action", "state", "next_state", action=["go", "run"]))),
    r"own cost has the coordinate action = \['stay', 'go'\], and \[0, 1\]":
        lambda: table(tabular(cost=named(COST, "action", "state", **ACTIONS), actions=None)),
    "transitions at t = 0 has the dimensions": lambda: make_game(table(tabular(lambda t, m: named(MATRICES, *"abc")))),
    "own cost is a list of labelled arrays": lambda: tabular(cost=[named(row, "state") for row in COST]),
    "allowed actions has the coordinate": lambda: table(
        tabular(allowed=named(ALLOWED, "action", "state", state=["a", "b", "c"]))),
    "matrix of the interaction has the dimensions": lambda: mfg.Interaction(named(PAYOFF, "a", "b"), "populations"),
    "names its rows or its columns alone": lambda: mfg.Interaction(
        named(PAYOFF, "population", "other", **FOXES), "populations"),
    r"matrix of the interaction has the coordinate population = \['cat', 'dog'\]": lambda: make_game(pair(
        mfg.Interaction(pd.DataFrame(PAYOFF, ["cat", "dog"], ["cat", "dog"]), "populations"))),
    r"array of amounts of the price has the dimensions \('\(no name\)',\)": lambda: make_game(
        table(coupling=mfg.Price(QUADRATIC, amounts=pd.Series({"go": 1.0, "rest": 0.0})))),
    "capacity has the dimensions": lambda: make_game(table(coupling=mfg.Capacity(named(np.ones(3), "x")))),
    "initial density names 15 of 16 entries": lambda: room(
        initial=named(FIELD, "y", "x", **PLACES).to_series().iloc[:-1]),
}  # fmt: skip


@pytest.mark.parametrize("message", WRONG)
def test_other_names_are_refused(message):
    with pytest.raises(mfg.InputError, match=message):
        WRONG[message]()


# -- policies, starts and guesses ------------------------------------------------------------------------------------


def test_policies_are_read_by_name():
    problem = table()
    plan = mfg.solve(problem)
    policy = plan.dataset["policy"]
    wanted = mfg.exploitability(problem, policy.values * 0.5 + 0.25).exploitability
    mixed = policy * 0.5 + 0.25
    for given in (mixed.transpose("state", "action", "step"), mixed[:, ::-1], mixed[:, :, ::-1], mixed[::-1]):
        assert mfg.exploitability(problem, given).exploitability == pytest.approx(wanted, rel=1e-12) != 0
    gap = mfg.nash_gap(problem, policy=mixed[:, ::-1, ::-1], agents=[10]).regret.item()
    assert gap == pytest.approx(mfg.nash_gap(problem, policy=mixed, agents=[10]).regret.item(), rel=1e-9)
    crowds = [mfg.simulate(problem, policy=given, agents=50, rng=0).density for given in (mixed, mixed[:, ::-1])]
    np.testing.assert_array_equal(crowds[0], crowds[1])
    for wrong, message in (
        (mixed.rename(state="place"), r"policy has the dimensions .*'place'"),
        (mixed.assign_coords(state=["a", "b", "c"]), "policy has the coordinate state"),
        (mixed.assign_coords(step=mixed.step * 2), "policy has the coordinate step"),
        (mixed.drop_vars("action"), "policy has no coordinate action"),
        (mixed.isel(step=slice(4)), "policy has the coordinate step"),
    ):
        with pytest.raises(mfg.InputError, match=message):
            mfg.exploitability(problem, wrong)


def test_speeds_are_read_by_name():
    problem = room(initial=FIELD)
    speed = mfg.solve(problem, check="ignore").dataset["speed"]
    wanted = mfg.exploitability(problem, speed.values).exploitability
    swapped = speed.transpose("x", "move", "y", "step")[:, ::-1]
    assert mfg.exploitability(problem, swapped).exploitability == wanted
    with pytest.raises(mfg.InputError, match="policy has the coordinate x"):
        mfg.exploitability(problem, speed.assign_coords(x=speed.x + 0.1))


def test_starts_are_read_by_the_names_of_their_axes():
    plan = mfg.solve(room(), check="ignore")
    points = np.array([[0.1, 0.9], [0.4, 0.6], [0.9, 0.2]])
    wanted = mfg.simulate(plan, start=points, rng=0).density.values
    columns = pd.DataFrame(points[:, ::-1], columns=["y", "x"]).assign(size=1)
    for given in (columns, named(points.T[::-1], "axis", "agent", axis=["y", "x"]), named(points, "agent", "axis")):
        np.testing.assert_array_equal(mfg.simulate(plan, start=given, rng=0).density.values, wanted)
    for wrong, message in (
        (columns.drop(columns="y"), r"columns \['x', 'size'\]; \['y'\] are missing"),
        (named(points, "agent", "place"), "none of them has the labels"),
    ):
        with pytest.raises(mfg.InputError, match=message):
            mfg.simulate(plan, start=wrong, rng=0)
    both = mfg.solve(pair())
    rows = pd.DataFrame({"state": ["up", "out", "down"], "population": ["hen", "fox", "hen"]})
    one, other = (mfg.simulate(both, start=s, rng=0) for s in (rows, {"fox": ["out"], "hen": ["up", "down"]}))
    assert one.density.equals(other.density)


def test_guesses_are_compared_with_the_game():
    problem = table()
    plan = mfg.solve(problem)
    swapped = mfg.Problem(grid=mfg.States(["out", "down", "up"]), time=TIME, coupling=mfg.CrowdAversion(0.3),
                          dynamics=tabular(MATRICES[:, ::-1, ::-1], COST[:, ::-1]),
                          initial=np.array([0.2, 0.3, 0.5]))  # fmt: skip
    again = mfg.solve(swapped, start=plan)  # the same game with its states in another order
    assert again.potential == pytest.approx(plan.potential, rel=1e-9)
    with pytest.raises(mfg.InputError, match="start has the coordinate state"):
        mfg.solve(table(grid=mfg.States(["a", "b", "c"])), start=plan)
    with pytest.raises(mfg.InputError, match="start is a DataArray"):
        mfg.solve(problem, start=plan.dataset["density"])


# -- the mechanism ---------------------------------------------------------------------------------------------------


def test_places_may_differ_by_a_thousandth_of_a_cell():
    near = PLACES["x"] + 0.9e-3 * 0.25
    array = named(FIELD, "y", "x", x=near.astype(np.float32))
    np.testing.assert_array_equal(aligned(array, ("y", "x"), PLACES, "field"), FIELD)
    with pytest.raises(mfg.InputError, match="coordinate x"):
        aligned(array.assign_coords(x=PLACES["x"] + 1.2e-3 * 0.25), ("y", "x"), PLACES, "field")


def test_plain_values_go_by_position():
    for value in (FIELD, FIELD.tolist(), 1.0, None, pd.Series([1.0, 2.0])):
        assert labelled(value, "field") is None
        assert aligned(value, ("y", "x"), PLACES, "field") is value


def test_names_are_numbers_or_texts_alike():
    array = named([1.0, 2.0, 3.0], "state", state=[2.0, 0.0, 1.0])
    np.testing.assert_array_equal(aligned(array, ("state",), {"state": ["0", "1", "2"]}, "cost"), [2, 3, 1])
    with pytest.raises(mfg.InputError, match=r"state = \[0, 0, 1\]"):
        aligned(array.assign_coords(state=[0, 0, 1]), ("state",), {"state": np.arange(3)}, "cost")


def test_a_coordinate_that_differs_where_nobody_sees_it_is_told_there():
    line = mfg.Grid.box((8,))
    x = line.axes[0].centres.copy()
    x[4] += 0.01
    with pytest.raises(mfg.InputError, match=r"is needed \(entry 4 is 0\.5725, not 0\.5625\); bring it in line"):
        mfg.Problem(line, TIME, mfg.ControlledDiffusion(0.1), 0.0, xr.DataArray(np.ones(8), {"x": x}, ("x",)))
