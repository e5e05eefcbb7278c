"""Bad input: one sentence that names the object, what came, what is allowed and the remedy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from plain_games import SHAPE, STEPS, problem

import mfgsolve as mfg


def initial(values: Any, **changes: Any) -> Any:
    return problem(initial=values, **changes).initial_mass()


def one_cell(value: float) -> np.ndarray:
    density = np.ones(SHAPE)
    density[1, 2] = value
    return density


WALL = mfg.Grid.box(SHAPE, blocked=lambda c: (c.x > 0.7) & (c.y > 0.7))
GRIDS = [
    (lambda: mfg.Grid.box((0, 4)), r"axis y has 0 cells; .*at least 2"),
    (lambda: mfg.Grid.box((4, 1)), r"axis x has 1 cells; .*at least 2"),
    (lambda: mfg.Grid.box((4, -3)), r"axis x has -3 cells"),
    (lambda: mfg.Grid.box((4.5, 4)), r"number of cells of axis y is 4\.5; a whole number"),
    (lambda: mfg.Grid.box((4,) * 4), r"shape \(4, 4, 4, 4\) has 4 axes; 1, 2 or 3"),
    (lambda: mfg.Grid.box(()), r"shape \(\) has 0 axes; 1, 2 or 3"),
    (lambda: mfg.Grid.box((4,), bounds=[(1, 0)]), r"axis x goes from 1\.0 to 0\.0; start must lie below stop"),
    (lambda: mfg.Grid.box((4,), bounds=[(0, math.inf)]), r"axis x goes from 0\.0 to inf"),
    (lambda: mfg.Grid.box((4, 4), bounds=[(0, 1)]), r"bounds has 1 entries for a grid of 2 axes"),
    (lambda: mfg.Grid.box((4,), boundary="periodc"), r"boundary of axis x 'periodc'; did you mean 'periodic'"),
    (lambda: mfg.Grid.box((4,), blocked=np.ones(4, bool)), r"every cell of the grid is blocked; leave some free"),
    (lambda: mfg.Grid.box((4,), blocked=np.zeros(5, bool)), r"blocked cells have shape \(5,\); the grid has \(4,\)"),
    (lambda: mfg.Grid.box((4,), blocked=np.zeros(4)), r"blocked cells came as float64; a boolean array"),
    (lambda: mfg.TimeGrid(1.0, 0), r"time grid has 0 steps; .*at least 1"),
    (lambda: mfg.TimeGrid(1.0, -5), r"time grid has -5 steps"),
    (lambda: mfg.TimeGrid(1.0, 2.5), r"number of time steps is 2\.5; a whole number"),
    (lambda: mfg.TimeGrid(0.0, 5), r"time horizon is 0\.0; it must be positive"),
    (lambda: mfg.TimeGrid(math.nan, 5), r"time horizon is nan; it must be positive and finite"),
]
DYNAMICS = [
    (lambda: mfg.ControlledDiffusion(viscosity=-0.1), r"viscosity is -0\.1; it must be zero or positive"),
    (lambda: mfg.ControlledDiffusion(viscosity=math.nan), r"viscosity is nan; .*finite"),
    (lambda: mfg.ControlledDiffusion(control_cost=0.0), r"control cost is 0\.0; it must be positive"),
    (lambda: mfg.ControlledDiffusion(noise="implcit"), r"noise operator 'implcit'; did you mean 'implicit'"),
    (
        lambda: mfg.solve(problem(dynamics=mfg.ControlledDiffusion(10.0, noise="explicit"))),
        r"explicit noise needs .*take a time step at most .* or noise='implicit'",
    ),
]
COUPLINGS = [
    (lambda: mfg.Congestion(1.0, congestion=0.0), r"congestion is 0\.0; it must be positive"),
    (lambda: mfg.solve(problem(coupling=mfg.Congestion(-1.0, 0.1))), r"congestion reward is negative"),
    (lambda: mfg.CrowdAversion(1.0, power=0.0), r"power 0\.0; it must be positive"),
    (lambda: mfg.solve(problem(coupling=mfg.CrowdAversion(math.nan))), r"crowd aversion is nan .*must be finite"),
    (lambda: mfg.LogCongestion(-1.0), r"log congestion has strength -1\.0; it must be zero or positive"),
    (lambda: mfg.Nonlocal(1.0), r"either a width or a kernel"),
    (lambda: mfg.solve(problem(coupling="congestion")), r"(gives str|coupling of the problem is a str).*needed"),
    (lambda: problem(coupling=[1.0]), r"coupling of the problem is a list; a Coupling, a number or a function"),
    (lambda: problem(terminal_coupling=1.0), r"terminal coupling is a float; a Coupling is needed"),
    (lambda: mfg.solve(problem(coupling=lambda t, c: np.zeros(3))), r"shape \(3,\); numbers of the grid's shape"),
    (lambda: mfg.solve(problem(coupling=lambda t, c: c.x / 0)), r"is inf at t = 0, cell .*must be finite"),
]
PROBLEMS = [
    (lambda: problem(grid=SHAPE), r"grid of the problem is a tuple; a Grid, States or Populations is needed"),
    (lambda: problem(time=STEPS), r"time of the problem is a int; a TimeGrid is needed"),
    (
        lambda: problem(dynamics=0.1),
        r"dynamics of the problem is a float; a ControlledDiffusion, LatticeMoves or Tabular is needed",
    ),
    (lambda: initial(np.ones((6, 4))), r"initial density has shape \(6, 4\); the grid has \(4, 6\)"),
    (
        lambda: initial(one_cell(math.nan)),
        r"initial density is nan at t = 0, cell \(1, 2\); every value must be finite",
    ),
    (lambda: initial(one_cell(-0.5)), r"initial density is negative \(-0\.5 at cell \(1, 2\)\); .*zero or positive"),
    (lambda: initial(1.21), r"initial density sums to 1\.21 .*expected 1 .*pass normalise=True .*or scale it"),
    (lambda: initial(0.0), r"initial density is zero in every free cell; put some mass there"),
    (lambda: initial(0.0, normalise=True), r"initial density is zero in every free cell"),
    (lambda: initial(np.ones(SHAPE), grid=WALL), r"initial density is not zero in \d+ blocked cells; take it away"),
    (lambda: initial(lambda t, c: "dense"), r"initial density gives str .*numbers of the grid's shape"),
    (lambda: initial(mfg.Bump(1.0, 0.1, (0.5,))), r"initial density: point \[0\.5\] has 1 coordinates; the grid has"),
    (lambda: mfg.solve(problem(terminal=np.ones(3))), r"terminal cost has shape \(3,\); the grid has \(4, 6\)"),
    (lambda: mfg.solve(problem(terminal=math.inf)), r"terminal cost is inf at t = 1"),
    (lambda: mfg.Bump(1.0, 0.0, (0.5,)), r"bump width is 0\.0; it must be positive"),
    (lambda: mfg.Bump(1.0, 0.1), r"either a centre or a path"),
]
NAMED = [
    (lambda: mfg.problems.build("suply-demand"), r"unknown problem 'suply-demand'; did you mean 'supply-demand'"),
    (lambda: mfg.problems.build("supply-demand", {"rewrd": 1}), r"'rewrd'; did you mean 'reward'"),
    (lambda: mfg.problems.supply_demand(steps=0), r"0 steps; a whole number of at least 1"),
    (lambda: mfg.problems.supply_demand(shape=(8,)), r"shape of supply-demand is \(8,\); this problem has 2 axes"),
    (lambda: mfg.problems.supply_demand(viscosity=-1.0), r"viscosity is -1\.0; it must be zero or positive"),
    (lambda: mfg.problems.supply_demand(reward="abc"), r"reward of supply-demand is 'abc'; a number is needed"),
]
TABLE = [*GRIDS, *DYNAMICS, *COUPLINGS, *PROBLEMS, *NAMED]


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize(("state", "words"), TABLE, ids=[words for _, words in TABLE])
def test_bad_input_is_one_sentence(state: Callable[[], Any], words: str) -> None:
    with pytest.raises(mfg.InputError, match=words) as caught:
        state()
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None, "the sentence stands alone, without a chain of tracebacks"


def test_the_valid_neighbours_pass() -> None:
    """Each refusal above is of the change, not of the game that was changed."""
    assert initial(1.0).sum() == pytest.approx(1.0)
    assert initial(1.21, normalise=True).sum() == pytest.approx(1.0)
    assert problem(grid=WALL, normalise=True).initial_mass()[WALL.mask].sum() == 0
