"""Pictures of exits: doors on the ground, curves of who has left."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgba

import mfgsolve as mfg
from mfgsolve.errors import InputError


@pytest.fixture(scope="module")
def hall() -> mfg.Solution:
    grid = mfg.Grid.box((6, 8), exits={"west": "x-low", "hole": lambda c: (c.x > 0.8) & (c.y > 0.8)})
    problem = mfg.Problem(grid, mfg.TimeGrid(1.0, 12), mfg.ControlledDiffusion(0.1, scheme="entropic"),
                          mfg.CrowdAversion(1.0), 1.0, normalise=True, terminal=2.0, name="hall")  # fmt: skip
    return mfg.solve(problem)


def test_curves_are_the_shares_that_left(hall: mfg.Solution):
    figure = mfg.plots.exits(hall)
    left, right = figure.axes
    curves = {line.get_label(): line.get_ydata() for line in left.lines}
    np.testing.assert_allclose(curves["west"], hall.exited[:, 0])
    np.testing.assert_allclose(curves["all"], hall.exited.sum("exit"))
    rates = {line.get_label(): line for line in right.lines}
    whole = np.trapezoid(rates["hole"].get_ydata(), rates["hole"].get_xdata())
    assert whole == pytest.approx(float(hall.exited[-1, 1]), rel=0.15)
    median = hall.evacuation().percentiles[50]
    assert any(line.get_xdata()[0] == pytest.approx(median) for line in left.lines if line.get_label().startswith("_"))


@pytest.mark.slow
def test_doors_are_drawn_on_plans(hall: mfg.Solution):
    figure = mfg.plots.plan(hall, times=[0.5])
    meshes = [mesh for mesh in [*figure.axes[0].collections, *figure.axes[0].images]
              if mesh.cmap.N == 1 and mesh.cmap(0) == to_rgba("#009e73")]  # fmt: skip
    assert len(meshes) == 1
    assert int((~np.ma.getmaskarray(meshes[0].get_array())).sum()) == int((hall.dataset["exit_number"] >= 0).sum())
    for kind in ("value", "speed", "exits"):
        mfg.plots.draw(hall, kind, width=3.5)


def test_rounds_are_steps():
    chances = np.array([[[0.5, 0.5], [0, 1]]])
    game = mfg.Problem(
        mfg.States(2, exits={"out": 1}), mfg.TimeGrid(4.0, 4), mfg.Tabular(chances), 0.0, np.array([1.0, 0])
    )
    figure = mfg.plots.exits(mfg.solve(game))
    assert figure.axes[0].lines[0].get_drawstyle() == "steps-post"
    assert figure.axes[1].patches[0].get_data().values == pytest.approx([0.5, 0.25, 0.125, 0.0625])


def test_two_populations_have_a_row_each():
    space = mfg.Populations(["a", "b"], mfg.States(2, exits={"out": 1}))
    moves = mfg.Tabular(np.array([[[0.5, 0.5], [0, 1]]]))
    game = mfg.Problem(space, mfg.TimeGrid(4.0, 4), [moves, moves], 0.0, np.array([[1.0, 0]] * 2))
    figure = mfg.plots.exits(mfg.solve(game))
    assert len(figure.axes) == 4


def test_games_without_exits_and_times():
    with pytest.raises(InputError, match="nobody leaves"):
        mfg.plots.exits(mfg.solve(mfg.problems.left_right()))


def test_times_are_all(hall: mfg.Solution):
    with pytest.raises(InputError, match="leave times out"):
        mfg.plots.exits(hall, times=[0.5])


def test_who_leaves_at_all_times_alike_has_no_curves():
    with pytest.raises(InputError, match=r"leave braess-traffic at all times alike.*evacuation\(\)"):
        mfg.plots.exits(mfg.solve("braess-traffic"))
