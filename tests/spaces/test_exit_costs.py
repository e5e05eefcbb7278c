"""What leaving costs: stated for all exits or for each, at every time; who starts in one is told."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.exit_costs import exit_costs

SPACE = mfg.States(["in", "left", "right"], exits={"a": "left", "b": "right"})
STAY = np.stack([np.eye(3)])


def stated(**more: object) -> mfg.Problem:
    given = {"grid": SPACE, "initial": np.array([1.0, 0, 0])} | more
    return mfg.Problem(time=mfg.TimeGrid(2.0, 2), dynamics=mfg.Tabular(STAY), coupling=0.0, **given)  # type: ignore[arg-type]


def test_costs_for_all_and_for_each_exit():
    times = np.array([0.0, 1.0, 2.0])
    assert exit_costs(2.0, times, SPACE).tolist() == [[0, 2, 2]] * 3
    each = {"b": lambda t, c: 1 + t}
    assert exit_costs(each, times, SPACE)[:, 1:].tolist() == [[0, 1], [0, 2], [0, 3]]
    assert exit_costs(np.array([9.0, 1.0, 3.0]), times, SPACE).tolist() == [[0, 1, 3]] * 3


def test_the_end_costs_what_leaving_costs_then():
    problem = stated(terminal=5.0, exit_cost={"a": lambda t, c: t})
    assert problem.terminal_cost().tolist() == [5, 2, 0]
    discounted = mfg.Problem(SPACE, mfg.TimeGrid(2.0, 2, discount=0.5), mfg.Tabular(STAY), 0.0, np.array([1.0, 0, 0]),
                             exit_cost=lambda t, c: 1 + t + 0 * c.state)  # fmt: skip
    step = discounted.bind(discounted.initial_mass())
    worth = [1, 2 * np.exp(-0.5), 3 * np.exp(-1.0)]
    assert step.own_cost[:, 0, 1] == pytest.approx(-np.diff(worth))


BAD = {
    "has an exit cost and its space has no exits": {"grid": mfg.States(3), "exit_cost": 1.0},
    "unknown exit of the exit cost 'aa'": {"exit_cost": {"aa": 1.0}},
    "exit cost of the problem is .*None": {"exit_cost": None},
    "exit cost of the problem at 'a' is True": {"exit_cost": {"a": True}},
}


@pytest.mark.parametrize("message", BAD)
def test_costs_that_are_none(message: str):
    with pytest.raises(InputError, match=message):
        stated(**BAD[message])


@pytest.mark.parametrize("cost", [np.nan, np.array([0.0, np.inf, 0.0]), lambda t, c: np.nan * c.state])
def test_costs_must_be_finite(cost: object):
    with pytest.raises(InputError, match=r"exit cost of the problem is (nan|inf)"):
        mfg.solve(stated(exit_cost=cost))


def test_nobody_starts_in_an_exit():
    with pytest.raises(InputError, match=r"not zero in cell \(1,\) of the exit 'a'; who starts there has left"):
        stated(initial=np.array([0.5, 0.5, 0])).initial_mass()
    even = stated(initial=1.0, normalise=True)  # a function or a number says nothing of exits
    assert even.initial_mass().tolist() == [1, 0, 0]


def test_games_that_nobody_can_leave():
    with pytest.raises(InputError, match="the grid has exits, and Ergodic"):
        mfg.Problem(SPACE, mfg.Ergodic(), mfg.Tabular(STAY), 0.0)
    with pytest.raises(InputError, match="final of the problem is given, and its space has exits"):
        stated(final=np.array([1.0, 0, 0]))


@pytest.mark.parametrize("steps", [1, 3])
def test_levels_of_nodes_without_times_are_those_of_the_nodes(steps: int):
    grid = mfg.Grid.box((4,), exits=lambda c: c.x > 0.8)
    levels = xr.DataArray(np.arange(steps + 1.0), dims="time")
    problem = mfg.Problem(
        grid=grid, time=mfg.TimeGrid(1.0, steps), dynamics=mfg.ControlledDiffusion(0.1), coupling=0.0,
        initial=lambda t, c: 1.0, normalise=True, exit_cost=levels,
    )  # fmt: skip
    assert exit_costs(problem.exit_cost, problem.time.nodes, grid)[:, -1].tolist() == levels.values.tolist()
    assert problem.terminal_cost()[-1] == steps  # was the first level, of a single step
