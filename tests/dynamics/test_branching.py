"""Games with common noise: a line whose numbers are known, three steps by brute force, limits without news."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import noisy_worlds as worlds
import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.dynamics.branching import Branching


@pytest.mark.parametrize("method", ["interior-point", "complementarity"])
def test_the_line_costs_what_it_should(method: str) -> None:
    solution = mfg.solve(worlds.line(), method=method, tol=1e-12, check="ignore")
    assert solution.potential == pytest.approx(worlds.POTENTIAL, abs=1e-11)
    assert solution.certificate.mass_error < 1e-13


def test_who_knows_the_news_at_the_start_pays_less() -> None:
    each = [mfg.solve(worlds.line(None, goal), tol=1e-13, check="ignore").potential for goal in (0, 4)]
    assert 0.6 * each[0] + 0.4 * each[1] == pytest.approx(worlds.KNOWN, abs=1e-11)


def test_no_plan_of_all_that_there_are_costs_less() -> None:
    problem = worlds.small()
    solution = mfg.solve(problem, tol=1e-13, check="ignore")
    least, plans = worlds.enumerated(solution.density.values)
    assert plans == 2**15
    assert solution.certificate.cost == pytest.approx(least, abs=1e-11)
    policy = np.full((3, 2, 3, 3), 0.5)
    other = mfg.exploitability(problem, policy)
    crowd = np.zeros((4, 3, 3))  # conditional densities of agents that toss coins
    moves = 0.5 * (np.eye(3) + worlds.SWAP)
    crowd[0, 0] = worlds.START
    for t in range(3):
        for n in (1, 2):
            crowd[t + 1, n] = (crowd[t, n] if t else crowd[0, 0]) @ moves
    assert other.exploitability == pytest.approx(other.cost - worlds.enumerated(crowd)[0], abs=1e-12)


def test_news_of_one_outcome_changes_nothing() -> None:
    alone = mfg.solve(worlds.line(None, 0), tol=1e-12, check="ignore")
    sure = mfg.ScenarioTree([3.0], [1.0], ["left"])
    told = mfg.solve(worlds.line(sure), tol=1e-12, check="ignore")
    assert told.potential == pytest.approx(alone.potential, abs=1e-11)
    np.testing.assert_allclose(told.density.values[4:, 1], alone.density.values[4:], atol=1e-9)
    assert (told.density.values[4:, 0] == 0).all()


def test_outcomes_that_differ_in_nothing_are_one_world() -> None:
    def same(t: float, c: object) -> np.ndarray:
        return 0.1 * np.asarray(c.state, dtype=float)  # type: ignore[attr-defined]

    stated = {"coupling": mfg.CrowdAversion(1.0) + mfg.RunningCost(same), "terminal": 0.0}
    problem = worlds.line(None, 0, **stated)
    tree = mfg.ScenarioTree([2.0, 4.0], [[0.5, 0.5], [0.2, 0.3, 0.5]])
    one, many = (mfg.solve(each, tol=1e-12, check="ignore") for each in (problem, worlds.line(tree, **stated)))
    assert many.potential == pytest.approx(one.potential, abs=1e-10)
    for n in tree.leaves:
        np.testing.assert_allclose(many.density.values[-1, n], one.density.values[-1], atol=1e-6)


def test_smooth_games_and_lattices_too() -> None:
    soft = mfg.solve(worlds.small(0.2), tol=1e-12)
    assert soft.dataset.attrs["solver"] == "newton"
    tree = mfg.ScenarioTree([0.5], [0.25, 0.75])
    grid = mfg.Grid.box((6,))
    moves = mfg.LatticeMoves((-1, 0, 1), costs=(0.02, 0.0, 0.02), temperature=0.05)
    kernel = mfg.Nonlocal(0.5, 0.2)
    problem = mfg.Problem(
        grid, mfg.TimeGrid(1.0, 6), moves, kernel + mfg.RunningCost(lambda t, c: (c.x - 0.9 * (c.scenario == 2)) ** 2),
        1.0, scenarios=tree,
    )  # fmt: skip
    solution = mfg.solve(problem, tol=1e-11)
    right = [float((solution.density[-1, n] * grid.coordinates.x).sum() / 6) for n in (1, 2)]
    assert right[1] > right[0] + 0.1
    social = mfg.solve(problem, objective="social", tol=1e-10, check="ignore")
    assert social.potential > 0


def test_what_is_not_offered_is_refused_in_a_sentence(tmp_path: Path) -> None:
    tree = mfg.ScenarioTree([0.5], [0.5, 0.5])
    box, time = mfg.Grid.box((8,)), mfg.TimeGrid(1.0, 4)
    with pytest.raises(mfg.InputError, match="ControlledDiffusion are not offered"):
        mfg.Problem(box, time, mfg.ControlledDiffusion(0.1), 0.0, 1.0, scenarios=tree)
    with pytest.raises(mfg.InputError, match="implicit noise"):
        mfg.solve(mfg.Problem(box, time, mfg.LatticeMoves((0, 1), viscosity=0.01), 0.0, 1.0, scenarios=tree))
    price = mfg.Price(mfg.QuadraticPotential(), amounts=[0.0, 1.0])
    with pytest.raises(mfg.InputError, match="a price adds up"):
        mfg.Problem(box, time, mfg.LatticeMoves((0, 1)), price, 1.0, scenarios=tree)
    with pytest.raises(mfg.InputError, match="final of the problem"):
        mfg.Problem(box, time, mfg.LatticeMoves((0, 1)), 0.0, 1.0, final=np.ones(8), scenarios=tree)
    with pytest.raises(mfg.InputError, match="no node"):
        worlds.line(mfg.ScenarioTree([2.5], [0.5, 0.5]))
    with pytest.raises(mfg.InputError, match="a ScenarioTree is needed"):
        worlds.line([0.5, 0.5])  # type: ignore[arg-type]
    solution = mfg.solve(worlds.small(0.2))
    for play in (lambda: mfg.simulate(solution, 10), lambda: mfg.nash_gap(solution, 10)):
        with pytest.raises(mfg.InputError, match="not offered with scenarios"):
            play()


def test_a_problem_with_scenarios_may_be_stated_again() -> None:
    problem = worlds.line()
    again = replace(problem, name="again")
    assert again.grid is problem.grid
    assert isinstance(again.dynamics, Branching)
    warm = problem.at_temperature(0.1)
    assert warm.temperature == 0.1


def test_a_file_is_read_back(tmp_path: Path) -> None:
    solution = mfg.solve(worlds.small(0.2))
    again = mfg.load(solution.save(tmp_path / "plan.nc"))
    np.testing.assert_array_equal(again.density, solution.density)
    assert again.dataset["scenario"].values.tolist() == ["start", "up", "down"]
    np.testing.assert_allclose(again.dataset["scenario_probability"], [1.0, 0.3, 0.7])


def costs_at(cost: object, steps: int | None = 3) -> np.ndarray:
    """Of three actions on two states, in the three scenarios of one date."""
    game = mfg.Problem(
        grid=mfg.States(2),
        time=mfg.TimeGrid(3.0, steps),
        dynamics=mfg.Tabular([np.eye(2)] * 3, cost=cost),
        coupling=0.0,
        initial=np.array([1.0, 0.0]),
        scenarios=mfg.ScenarioTree([1.0], [0.5, 0.5]),
    )
    assert game.all_dynamics[0].listed_steps(game.grid) <= {3}
    return game.all_dynamics[0].step_costs(game.grid, np.arange(3.0), 3)


@pytest.mark.parametrize("steps", [3, None])
def test_costs_of_steps_are_not_taken_for_those_of_scenarios(steps: int | None) -> None:
    by_step = np.arange(3.0)[:, None, None] + np.zeros((3, 3, 2))
    wanted = np.broadcast_to(by_step[:, :, None], (3, 3, 3, 2))
    dims = ("step", "action", "state")
    np.testing.assert_array_equal(costs_at(xr.DataArray(by_step, dims=dims), steps), wanted)
    np.testing.assert_array_equal(costs_at(by_step[:, :, None], steps), wanted)
    each = by_step[None]  # (step, action, scenario, state)
    assert (costs_at(each, steps) == each).all()
    with pytest.raises(
        mfg.InputError, match=r"own cost has shape \(3, 3, 2\), which may be \(step, action, state\) or"
    ):
        costs_at(by_step, steps)


def test_costs_of_moves_say_whether_they_change_with_time_or_news() -> None:
    levels = np.arange(3.0)[:, None] + np.zeros((3, 4))

    def costs(stated: object) -> np.ndarray:
        game = mfg.Problem(
            grid=mfg.Grid.box((4,)),
            time=mfg.TimeGrid(3.0, 3),
            dynamics=mfg.LatticeMoves([0, 1], costs=[stated, 0.0]),
            coupling=0.0,
            initial=1.0,
            scenarios=mfg.ScenarioTree([1.0], [0.5, 0.5]),
        )
        return game.all_dynamics[0].step_costs(game.grid, np.arange(3.0), 2)[:, 0]

    by_news, by_time = (costs(xr.DataArray(levels, dims=(name, "x"))) for name in ("scenario", "time"))
    np.testing.assert_array_equal(by_news, levels[None])
    np.testing.assert_array_equal(by_time, np.broadcast_to(levels[:, None], (3, 3, 4)))
    with pytest.raises(mfg.InputError, match=r"has shape \(3, 4\), which may be levels of time or of scenarios"):
        costs(levels)
