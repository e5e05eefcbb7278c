"""Coarse games: what they are averaged or sampled from, and games that none of them shows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.dynamics.diffusion import Slowed
from mfgsolve.resolution import judge, settle
from mfgsolve.resolution.coarse import AVERAGED, Averaged, Cells, coarsened


class TestCoarseGames:
    def test_a_bump_between_coarse_centres_is_not_overlooked(self) -> None:
        thin = mfg.problems.supply_demand(shape=(64, 64), width=0.02, steps=16, scheme="upwind")
        coarse = coarsened(thin)
        assert coarse is not None
        assert isinstance(coarse(15).coupling, Averaged)
        assert judge(thin).cautions

    def test_arrays_are_averaged(self) -> None:
        density = np.random.default_rng(0).random((48,)) + 0.5
        density /= density.mean()
        problem = mfg.Problem(
            mfg.Grid.box((48,)), mfg.TimeGrid(1.0), mfg.ControlledDiffusion(0.01, scheme="upwind"),
            mfg.CrowdAversion(0.2) + mfg.RunningCost(lambda t, c: 4 * (c.x - 0.8) ** 2), density,
            terminal=np.linspace(0, 1, 48),
        )  # fmt: skip
        coarse = coarsened(problem)
        assert coarse is not None
        np.testing.assert_allclose(coarse(8).initial_mass(), problem.initial_mass().reshape(12, 4).sum(axis=1))
        np.testing.assert_allclose(coarse(8).terminal_cost(), np.linspace(0, 1, 48).reshape(12, 4).mean(axis=1))
        assert settle(problem).time.steps > 32

    @pytest.mark.parametrize("cells", [61, 64])
    def test_functions_tied_to_their_grid_are_averaged(self, cells: int) -> None:
        slope = 4 * ((np.arange(cells) + 0.5) / cells - 0.8) ** 2
        tied, free = (
            mfg.Problem(
                mfg.Grid.box((cells,)), mfg.TimeGrid(1.0), mfg.ControlledDiffusion(0.01, scheme="upwind"),
                mfg.CrowdAversion(0.2) + mfg.RunningCost(cost), mfg.Bump(1.0, 0.1, (0.2,)), normalise=True,
            )
            for cost in (lambda t, c: slope, lambda t, c: 4 * (c.x - 0.8) ** 2)
        )  # fmt: skip
        assert settle(tied).time.steps == settle(free).time.steps

    def test_averages_keep_mass_and_are_adjoint(self) -> None:
        cells, rng = Cells(mfg.Grid.box((13, 9)), (5, 4)), np.random.default_rng(1)
        real, coarse = rng.random((2, 13, 9)), rng.random((2, 5, 4))
        assert cells.spread(coarse).mean() == pytest.approx(coarse.mean())
        assert (cells.mean(real) * coarse).mean() == pytest.approx((real * cells.spread(coarse)).mean())

    def test_a_game_that_no_coarse_grid_shows_is_not_passed_over_in_silence(self) -> None:
        board = np.indices((66, 66)).sum(axis=0) % 2  # alternates from cell to cell: means over coarse cells are even
        assert AVERAGED > 0.01
        problem = mfg.Problem(
            mfg.Grid.box((66, 66)), mfg.TimeGrid(1.0, 64), mfg.ControlledDiffusion(0.01, scheme="upwind"),
            mfg.RunningCost(lambda t, c: board.astype(float)), 1.0,
        )  # fmt: skip
        found = judge(problem)
        assert math.isnan(found.potential_change)
        assert math.isnan(found.flow_change)
        assert [caution.code for caution in found.cautions] == ["steps-not-measured"]
        with pytest.raises(mfg.InputError, match="state it"):
            settle(problem.with_steps(None))
        with pytest.raises(mfg.InputError, match="initial density is negative"):
            settle(replace(problem.with_steps(None), initial=-1.0))

    def test_a_user_function_that_fails_on_other_grids_or_times_does_no_harm(self) -> None:
        def picky(t: float, c: mfg.Problem) -> np.ndarray:
            if round(t * 64) != t * 64:
                raise ZeroDivisionError("not a time of mine")
            return (c.x - 0.5) ** 2

        problem = mfg.Problem(
            mfg.Grid.box((16,)),
            mfg.TimeGrid(1.0, 64),
            mfg.ControlledDiffusion(0.01, scheme="upwind"),
            mfg.RunningCost(picky),
            1.0,
        )
        assert judge(problem).cautions[0].code == "steps-not-measured"
        assert mfg.solve(problem, check="ignore").converged

    def test_slowed_agents_keep_to_the_cap_of_the_other_grid(self) -> None:
        problem = mfg.problems.supply_demand(shape=(8, 8), steps=64, scheme="upwind")
        slow = mfg.Problem(
            problem.grid, problem.time, Slowed(0.002, 0.5, caps=(0.3, 0.4)), problem.coupling, problem.initial,
            normalise=True,
        )  # fmt: skip
        speed = mfg.solve(slow, check="ignore").dataset.speed.max(("step", "y", "x"))
        np.testing.assert_allclose(speed, [0.4, 0.4, 0.3, 0.3])
