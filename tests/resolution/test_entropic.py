"""How many entropic steps a game takes, and what is said of a stated number: against solutions in many and in few."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.resolution import balance, entropic, judge, settle
from mfgsolve.steps.resolving import steps_for_noise

LINES = {"linear-quadratic": (48,), "gaussian-log": (64,), "cole-hopf": (32,)}


def posed(name: str, shape: tuple[int, ...], steps: int | None = None, **parameters: float) -> mfg.Problem:
    return mfg.problems.get(name).build(shape=shape, steps=steps, scheme="entropic", **parameters)


def codes(problem: mfg.Problem) -> list[str]:
    return [caution.code for caution in judge(problem).cautions]


@pytest.fixture(scope="module")
def flagship() -> mfg.Problem:
    """64x64, settled."""
    return settle(posed("supply-demand", (64, 64)))


class TestTheRule:
    def test_the_flagship_takes_the_most_that_its_noise_bears_with_a_node_on_its_kink(
        self, flagship: mfg.Problem
    ) -> None:
        assert flagship.time.steps == 40
        assert flagship.time.chosen
        told = judge(flagship)
        assert not told.cautions
        assert told.kink_miss == 0
        assert told.space_error == pytest.approx(2 * math.exp(-2 * math.pi**2 * 2 * 0.002 / 40 * 64**2), rel=1e-9)
        assert math.isnan(told.own_viscosity)
        assert 2.1e-4 < told.potential_change < 2e-3  # it is 2.1e-4 off the continuum
        assert "chosen from the noise of the game" in told.sentence

    def test_a_game_that_is_smooth_in_time_takes_fewer(self) -> None:
        """Cole and Hopf's is exact in any number of steps; the most that noise bears would be 284."""
        assert settle(posed("cole-hopf", (32,))).time.steps == entropic.LEAST

    @pytest.mark.parametrize("name", LINES)
    def test_its_number_keeps_its_promise(self, name: str) -> None:
        problem = settle(posed(name, LINES[name]))
        told, exact = judge(problem), mfg.problems.closed_form(problem)
        solution = mfg.solve(problem, tol=1e-8)
        density, volume = solution.dataset.density.values, problem.grid.cell_volume
        times = problem.time.nodes
        apart = [
            0.5 * float(np.abs(level - exact.density(t, problem.coordinates)).sum()) * volume
            for t, level in zip(times, density, strict=True)
        ]
        assert not told.cautions
        assert np.mean(apart) <= 1.5 * told.flow_change + 1e-5  # the closed forms are of games without walls

    def test_without_viscosity_it_balances_time_and_a_viscosity_of_its_own(self) -> None:
        """dt ~ h^(2/3), so that four times as many cells take about 2.5 times as many steps."""
        few, many = (settle(posed("linear-quadratic", (n,), viscosity=0.0)) for n in (64, 256))
        assert 2.0 <= many.time.steps / few.time.steps <= 3.2
        told, h = judge(few), few.grid.axes[0].spacing
        assert told.own_viscosity == pytest.approx(0.18 * h**2 / few.time.dt)

    def test_a_viscosity_of_its_own_that_changes_the_plan_is_told(self) -> None:
        told = judge(settle(posed("supply-demand", (16, 16))))
        assert [caution.code for caution in told.cautions] == ["own-viscosity"]
        assert f"{told.own_viscosity:.3g} for 0.002" in told.cautions[0].sentence

    def test_and_neither_half_nor_twice_as_many_do_better_by_much(self) -> None:
        problem = settle(posed("linear-quadratic", (64,), viscosity=0.0))
        exact = mfg.problems.closed_form(problem)

        def off(steps: int) -> float:
            solution = mfg.solve(problem.with_steps(steps), tol=1e-8, check="ignore")
            density = solution.dataset.density.values[-1]
            return float(np.abs(density - exact.density(2.0, problem.coordinates)).sum())

        best = min(off(problem.time.steps // 2), off(2 * problem.time.steps))
        assert off(problem.time.steps) < 2 * best

    def test_where_nothing_can_be_measured_noise_or_speed_decide(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(entropic, "balanced", lambda problem: None)
        told = settle(posed("supply-demand", (64, 64)))
        assert told.time.steps == 40
        assert codes(told) == ["steps-not-measured"]
        still = settle(posed("linear-quadratic", (64,), viscosity=0.0))
        assert 8 <= still.time.steps <= 16  # 8 where it is measured
        assert set(codes(still)) == {"steps-not-measured", "own-viscosity"}

    @pytest.mark.parametrize("rounds", [6, 10, 16])
    def test_costs_that_change_fast_ask_for_more_than_noise_bears(self, rounds: int) -> None:
        """16 steps would see nothing of 16 rounds, and 10 as 6."""
        cost = mfg.RunningCost(lambda t, c: 3 * np.cos(2 * rounds * np.pi * t) * np.cos(np.pi * c.x))
        problem = mfg.Problem(
            mfg.Grid.box((32,)), mfg.TimeGrid(1.0), mfg.ControlledDiffusion(0.004, 0.1, scheme="entropic"),
            mfg.CrowdAversion(0.1) + cost, mfg.Bump(1.0, 0.1, (0.5,)), normalise=True,
        )  # fmt: skip
        settled = settle(problem)
        bound = 2 * 0.004 * 32**2 / 0.6**2
        fine = problem.rescaled((128,), 256)
        assert fine is not None
        exact = mfg.solve(fine, tol=1e-8, check="ignore").potential
        off, by_noise = (
            abs(mfg.solve(problem.with_steps(n), tol=1e-8, check="ignore").potential - exact)
            for n in (settled.time.steps, int(bound))
        )
        assert settled.time.steps > 1.5 * bound
        assert off < by_noise / 4

    def test_huge_costs_ask_for_no_endless_number(self) -> None:
        settled = settle(posed("supply-demand", (8, 8), reward=1e6))
        assert entropic.LEAST <= settled.time.steps <= 1.25 * entropic.MOST
        assert max(make_game(settled).step.reach) < 16

    def test_kinks_that_no_number_fits_are_told(self) -> None:
        problem = replace(posed("linear-quadratic", (48,)), kinks=(0.1234567, 1.7654321, 0.6180339))
        settled = settle(problem)
        told = judge(settled)
        assert told.kink_miss > entropic.MISSED
        assert codes(settled) == ["kinks-off-nodes"]
        assert f"{told.kink_miss:.2g} of a step" in told.cautions[0].sentence


class TestStatedNumbers:
    @pytest.mark.parametrize(
        ("steps", "code"), [(4, "too-few"), (8, "too-few"), (48, "kinks-off"), (96, "too-many"), (512, "too-many")]
    )
    def test_the_flagship(self, steps: int, code: str, flagship: mfg.Problem) -> None:
        told = judge(flagship.with_steps(steps))
        assert [caution.code.startswith(code) for caution in told.cautions] == [True]
        assert told.steps_advised == 40
        assert "take 40 steps" in told.cautions[0].sentence

    def test_what_the_scheme_takes_for_viscosity_is_told(self, flagship: mfg.Problem) -> None:
        told = judge(flagship.with_steps(512))
        assert told.own_viscosity == pytest.approx(0.0225)
        assert "a viscosity of its own, 0.0225 for 0.002" in told.cautions[0].sentence
        assert told.flow_change > 0.2

    def test_multiples_near_the_rule_are_fine(self, flagship: mfg.Problem) -> None:
        for steps in (30, 50):
            assert not judge(flagship.with_steps(steps)).cautions

    def test_estimates_are_of_the_right_size(self) -> None:
        """Of the error in time alone: sigma >= 0.6 h in all of these."""
        problem = posed("gaussian-log", (128,))
        fine = mfg.solve(problem.with_steps(160), tol=1e-8)
        for steps in (4, 8, 16, 32):
            solution = mfg.solve(problem.with_steps(steps), tol=1e-8, check="ignore")
            told, off = judge(problem.with_steps(steps)), abs(solution.potential - fine.potential)
            assert off / 2 < told.potential_change < 8 * off

    def test_a_solve_says_it(self) -> None:
        with pytest.warns(UserWarning, match="5 entropic steps are too few"):
            solution = mfg.solve(posed("supply-demand", (32, 32), steps=5), tol=1e-6)
        assert solution.dataset.attrs["steps_chosen"] == 0
        assert solution.dataset.attrs["steps_space_error"] < 1e-3

    def test_upwind_games_are_judged_as_before(self) -> None:
        told = judge(mfg.problems.supply_demand(shape=(32, 32), steps=32, scheme="upwind"))
        assert [caution.code for caution in told.cautions] == ["too-few-steps"]
        assert told.steps_advised == 256
        assert math.isnan(told.space_error)
        assert "steps_space_error" not in told.attributes


def test_a_coarse_game_that_fails_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance, "solved", lambda problem, start=None: None)
    assert balance.balanced(posed("linear-quadratic", (48,))) is None


@pytest.mark.slow
def test_fine_meshes_take_fewer_steps_than_their_noise_bears() -> None:
    """Every step has its error e_s: in as many steps as the noise serves the potential is farther off than in fewer."""
    thick = {"viscosity": 0.02, "shape": (48, 48)}
    chosen = settle(mfg.problems.supply_demand(scheme="entropic", **thick))
    bound = steps_for_noise(0.02, chosen.grid, 1.0)
    assert chosen.time.steps < 0.75 * bound
    near, far = (
        mfg.solve(mfg.problems.supply_demand(scheme="entropic", steps=steps, **thick), check="ignore")
        for steps in (chosen.time.steps, 10 * int(bound / 10))
    )
    fine = mfg.solve(mfg.problems.supply_demand(scheme="entropic", steps=100, viscosity=0.02, shape=(72, 72)))
    assert abs(near.potential - fine.potential) < 0.5 * abs(far.potential - fine.potential)
    assert far.discretisation.potential > abs(far.potential - fine.potential)
