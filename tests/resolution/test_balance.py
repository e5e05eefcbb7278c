"""Error in time and by noise, measured on coarse cells: their orders, and what they are on the flagship."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.resolution.balance import Balance, balanced, clear_viscosity


@pytest.fixture(scope="module")
def problem() -> mfg.Problem:
    return mfg.problems.supply_demand(shape=(64, 64), scheme="entropic")


@pytest.fixture(scope="module")
def measured(problem: mfg.Problem) -> Balance:
    found = balanced(problem)
    assert found is not None
    return found


def test_the_coarse_game_has_nodes_on_the_kinks_and_noise_wide_enough(measured: Balance) -> None:
    game = measured.plan.game
    assert game.grid.shape == (16, 16)
    assert game.steps == 20  # a multiple of ten, and so is its half
    assert measured.viscosity == pytest.approx(0.245 / 16**2 * 20)
    assert measured.viscosity == clear_viscosity(game.grid, game.dt)  # type: ignore[arg-type]
    assert game.step.viscosity == measured.viscosity  # type: ignore[attr-defined]


def test_error_in_time_is_of_second_order_beyond_and_measured_below(measured: Balance) -> None:
    for steps in (20, 40, 80):
        assert measured.time_error(steps).potential == pytest.approx(
            measured.in_time.potential * (20 / steps) ** 2, rel=1e-12
        )
    assert measured.time_error(10).flow == pytest.approx(2 * measured.in_time.flow, rel=1e-3)  # solved once more
    assert 0.1 < measured.time_error(4).flow < 1


def test_error_by_noise_is_that_of_the_kernel_or_of_the_viscosity_that_the_scheme_takes(
    problem: mfg.Problem, measured: Balance
) -> None:
    sampled = measured.noise_error(problem, 40)
    assert sampled.flow == pytest.approx(6.16e-4, rel=1e-2)  # 2 exp(-2 pi^2 sigma^2 / h^2)
    own = [measured.noise_error(problem, steps).potential for steps in (256, 512)]
    assert own[1] / own[0] == pytest.approx((0.0225 - 0.002) / (0.01125 - 0.002))
    assert own[1] == pytest.approx(0.043, rel=0.5)  # what 512 steps are off by


def test_a_game_without_a_coarse_form_has_none() -> None:
    finite = mfg.problems.beach_bar()
    assert balanced(finite) is None


def test_a_coarse_game_takes_as_many_steps_as_its_prices_have_turns() -> None:
    def rounds(number: int) -> mfg.Problem:
        cost = mfg.RunningCost(lambda t, c: np.cos(2 * number * np.pi * t) * c.x)
        dynamics = mfg.ControlledDiffusion(0.01, scheme="entropic")
        return mfg.Problem(mfg.Grid.box((16,)), mfg.TimeGrid(1.0), dynamics, cost, 1.0)

    found = [balanced(rounds(number)) for number in (0, 3, 16)]
    steps = [0 if each is None else each.plan.steps for each in found]
    assert steps[:2] == [16, 16]
    assert steps[2] >= 4 * 16
