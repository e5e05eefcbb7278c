"""Pictures of games without a final time: one level in place of a course in time."""

from __future__ import annotations

import numpy as np
import pytest
from stationary_games import TIMES, chain, two_populations

import mfgsolve as mfg
from mfgsolve import plots


@pytest.fixture(scope="module")
def solution() -> mfg.Solution:
    return mfg.solve(chain("invariant"))


def test_density_and_policy_as_bars(solution: mfg.Solution) -> None:
    bars = plots.plan(solution).axes[0].patches
    np.testing.assert_allclose([bar.get_height() for bar in bars], solution.density)
    axes = plots.policy(solution).axes[0]
    heights = np.array([bar.get_height() for bar in axes.patches]).reshape(-1, 7)
    np.testing.assert_allclose(heights.sum(axis=0), 1.0)
    np.testing.assert_allclose(heights[:3, 3], solution.policy[:, 3])
    assert axes.get_ylabel() == "probability of the action"


def test_values_are_told_for_what_they_are(solution: mfg.Solution) -> None:
    axes = plots.value(solution).axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), solution.value)
    assert "discounted" in axes.get_ylabel()
    assert "beside the average" in plots.value(mfg.solve(chain("ergodic"))).axes[0].get_ylabel()
    assert plots.convergence(solution).axes


def test_several_populations_have_panels() -> None:
    figure = plots.plan(mfg.solve(two_populations(TIMES["ergodic"], 0.3), tol=1e-8))
    assert [ax.get_title() for ax in figure.axes] == ["west", "east"]


def test_planes_have_one_panel_without_a_time() -> None:
    grid = mfg.Grid.box((6, 6))
    moves = mfg.LatticeMoves([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)], 0.1, temperature=0.2)
    coupling = mfg.CrowdAversion(1.0) + mfg.RunningCost(lambda t, c: c.x)
    plan = mfg.solve(mfg.Problem(grid, mfg.Ergodic(), moves, coupling), tol=1e-8)
    for draw in (plots.plan, plots.policy, plots.value):
        axes = draw(plan).axes
        assert len(axes) == 2  # with the colour bar
        assert axes[0].get_title() == ""


def test_a_line_of_agents_with_speeds() -> None:
    dynamics = mfg.ControlledDiffusion(0.1, scheme="upwind")
    coupling = mfg.CrowdAversion(1.0) + mfg.RunningCost(lambda t, c: c.x)
    problem = mfg.Problem(mfg.Grid.box((12,)), mfg.Discounted(rate=1.0, dt=0.02), dynamics, coupling)
    line = mfg.solve(problem, tol=1e-8)
    speeds = plots.speed(line).axes[0].lines[0].get_ydata()
    assert np.nanmax(np.asarray(speeds, dtype=float)) <= 0.0  # all go to where it costs less
    assert plots.plan(line).axes[0].get_ylabel().startswith("density")


def test_times_and_films_are_refused(solution: mfg.Solution, tmp_path: object) -> None:
    for draw in (plots.plan, plots.policy, plots.value):
        with pytest.raises(mfg.InputError, match="no final time: leave times out"):
            draw(solution, times=[0.0])
    with pytest.raises(mfg.InputError, match="stands still"):
        plots.animate(solution, f"{tmp_path}/film.gif")


def test_many_actions_show_the_likeliest() -> None:
    chances = np.random.default_rng(0).dirichlet(np.ones(4), size=(25, 4))
    problem = mfg.Problem(mfg.States(4), mfg.Ergodic(), mfg.Tabular(chances, temperature=0.5), mfg.CrowdAversion(1.0))
    assert plots.policy(mfg.solve(problem, tol=1e-8)).axes[0].get_ylabel() == "number of the action"
