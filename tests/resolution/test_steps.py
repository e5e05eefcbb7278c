"""Time steps that nobody stated: accepted everywhere, settled once, carried along; and the nodes they make."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
from command_line import refused, run
from hypothesis import given, settings
from hypothesis import strategies as st

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.problemfile import problem_from_toml, problem_to_toml
from mfgsolve.resolution import settle

DECLARED = """
name = "hill"
[grid]
shape = [32]
[time]
horizon = 1.0
[dynamics]
scheme = "upwind"
viscosity = 0.01
[[coupling]]
kind = "crowd-aversion"
strength = 0.2
[initial]
density = {bump = {width = 0.1, centre = [0.2]}}
normalise = true
[terminal]
cost = {quadratic = {weight = 2.0, centre = [0.8]}}
"""
STAY, SWAP = np.eye(2), np.eye(2)[::-1]


def two_places(horizon: float, transitions: object = (STAY, SWAP), **words: object) -> mfg.Problem:
    return mfg.Problem(
        mfg.States(2), mfg.TimeGrid(horizon), mfg.Tabular(transitions, **words), mfg.CrowdAversion(1.0),
        np.array([1.0, 0.0]),
    )  # fmt: skip


class TestNodes:
    def test_the_last_node_is_the_horizon_for_every_number_of_steps(self) -> None:
        for steps in range(1, 2001):
            nodes = mfg.TimeGrid(1.0, steps).nodes
            assert nodes[0] == 0.0
            assert nodes[-1] == 1.0
            np.testing.assert_array_equal(nodes, np.arange(steps + 1) / steps)

    @settings(max_examples=300, deadline=None)
    @given(st.floats(1e-6, 1e6), st.integers(1, 5000))
    def test_whatever_the_horizon(self, horizon: float, steps: int) -> None:
        nodes = mfg.TimeGrid(horizon, steps).nodes
        assert nodes[-1] == horizon
        assert (np.diff(nodes) > 0).all()
        np.testing.assert_allclose(nodes, np.linspace(0, horizon, steps + 1), rtol=1e-15, atol=1e-15 * horizon)

    def test_whole_times_are_whole(self) -> None:
        for steps in range(1, 500):
            np.testing.assert_array_equal(mfg.TimeGrid(steps, steps).nodes, np.arange(steps + 1))

    def test_terminal_and_running_costs_are_asked_at_it(self) -> None:
        asked = []

        def cost(t: float, c: object) -> float:
            asked.append(t)
            return 0.0

        problem = mfg.Problem(
            mfg.Grid.box((8,)), mfg.TimeGrid(0.7, 93), mfg.ControlledDiffusion(0.1, scheme="upwind"),
            mfg.RunningCost(cost), 1.0,
            terminal=cost,
        )  # fmt: skip
        make_game(problem)
        assert max(asked) == 0.7


class TestStated:
    @pytest.mark.parametrize("steps", [0, -1, 2.5, True, "64", float("nan"), [64]])
    def test_no_number_of_steps(self, steps: object) -> None:
        with pytest.raises(mfg.InputError, match="step"):
            mfg.TimeGrid(1.0, steps)
        with pytest.raises(mfg.InputError, match="step"):
            mfg.problems.supply_demand(shape=(8, 8), steps=steps, scheme="upwind")
        with pytest.raises(mfg.InputError, match="step"):
            mfg.problems.beach_bar(steps=steps)

    @pytest.mark.parametrize("steps", ["0", "-1", "2.5", "true", '"64"'])
    def test_nor_in_a_file(self, steps: str) -> None:
        with pytest.raises(mfg.InputError):
            problem_from_toml(DECLARED.replace("horizon = 1.0", f"horizon = 1.0\nsteps = {steps}"))

    def test_nor_on_the_command_line(self) -> None:
        assert "step" in refused("solve", "cole-hopf", "--steps", "0")
        run("solve", "cole-hopf", "--steps", "2.5", code=2)

    def test_a_stated_number_stays(self) -> None:
        problem = mfg.problems.supply_demand(shape=(8, 8), steps=7, scheme="upwind")
        assert settle(problem) is problem
        assert not problem.time.chosen


class TestUnsettled:
    def test_no_game_is_made_without_a_number(self) -> None:
        problem = mfg.problems.supply_demand(shape=(8, 8), scheme="upwind")
        assert problem.time.steps is None
        for make in (lambda: make_game(problem), lambda: problem.time.dt, lambda: problem.time.nodes):
            with pytest.raises(mfg.InputError, match=r"resolution\.settle"):
                make()

    def test_every_named_diffusion_leaves_it_to_the_game_and_no_finite_one_does(self) -> None:
        for name in mfg.problems.names("game"):
            problem = mfg.problems.get(name).build()
            assert problem.time.settled == problem.is_finite, name
            assert mfg.problems.get(name).build(**{"steps": None}).time == problem.time

    def test_it_survives_pickle_and_replace(self) -> None:
        for problem in (
            mfg.problems.supply_demand(shape=(8, 8), scheme="upwind"),
            settle(mfg.problems.supply_demand(shape=(8, 8), scheme="upwind")),
        ):
            again = pickle.loads(pickle.dumps(problem))
            for other in (again, replace(problem, source="elsewhere"), problem.social()):
                assert other.time == problem.time
                assert other.time.chosen == problem.time.chosen

    def test_verbs_take_it(self) -> None:
        problem = mfg.problems.linear_quadratic(shape=(16,), scheme="upwind")
        steps = settle(problem).time.steps
        data = mfg.convergence(problem, ["newton"], max_sweeps=20)
        assert int(data.cell_steps.max()) == 16 * steps
        start = mfg.Bump(1.0, 0.1, (0.3,))
        line = mfg.Problem(
            mfg.Grid.box((16,)), mfg.TimeGrid(1.0), mfg.ControlledDiffusion(0.05, scheme="upwind"),
            mfg.CrowdAversion(1.0), start,
            normalise=True,
        )  # fmt: skip
        found = mfg.price_of_anarchy(line)
        assert found.equilibrium.dataset.sizes["step"] == found.optimum.dataset.sizes["step"]
        assert found.ratio >= 1
        learned = mfg.learn(two_places(3.0), agents=10, episodes=5, rng=0)
        assert learned.dataset.sizes["step"] == 3

    def test_a_policy_brings_its_own(self) -> None:
        problem = mfg.problems.supply_demand(shape=(8, 8), scheme="upwind")
        speed = np.zeros((40, 4, 8, 8))
        stated = mfg.exploitability(mfg.problems.supply_demand(shape=(8, 8), steps=40, scheme="upwind"), speed)
        assert mfg.exploitability(problem, speed) == stated
        plan = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), steps=64, scheme="upwind"), check="ignore")
        for policy in (plan, plan.dataset, plan.dataset.speed, plan.dataset.speed.values):
            assert mfg.exploitability(problem, policy).relative_exploitability < 1e-10
        assert mfg.nash_gap(problem, [10], policy=plan).sizes["agents"] == 1

    def test_resume_goes_on_in_the_same_number(self, tmp_path) -> None:
        problem, file = mfg.problems.supply_demand(shape=(16, 16), scheme="upwind"), tmp_path / "half.nc"
        whole = mfg.solve(problem)
        mfg.solve(problem, max_iterations=4, checkpoint=file, check="ignore")
        resumed, stated = mfg.resume(file), mfg.resume(file, problem=problem)
        for other in (resumed, stated):
            np.testing.assert_array_equal(other.dataset.density, whole.dataset.density)
            assert other.dataset.attrs["steps_chosen"] == 1


class TestFiniteGames:
    def test_transitions_or_costs_that_change_with_time_count_the_steps(self) -> None:
        array = np.stack([[STAY, SWAP]] * 5)
        for transitions in (array, array.tolist(), [[STAY, SWAP]] * 5):
            assert settle(two_places(2.5, transitions)).time.steps == 5
        assert settle(two_places(2.5, cost=np.zeros((4, 2, 2)))).time.steps == 4
        with pytest.raises(mfg.InputError, match="4 and 5 steps"):
            settle(two_places(2.5, array, cost=np.zeros((4, 2, 2))))

    def test_a_whole_horizon_is_as_many_steps_of_one(self) -> None:
        settled = settle(two_places(6.0))
        assert settled.time.steps == 6
        assert settled.time.chosen
        solution = mfg.solve(two_places(6.0))
        assert solution.dataset.sizes["step"] == 6
        assert solution.dataset.attrs["steps_chosen"] == 1
        with pytest.raises(mfg.InputError, match=r"horizon 2\.5 is no whole.*TimeGrid"):
            settle(two_places(2.5))

    @pytest.mark.parametrize(
        ("moves", "boundary", "steps"),
        [
            ((-1, 0, 1), "reflecting", 19),
            ((-1, 0, 1), "periodic", 10),
            ((-2, 0, 2), "reflecting", 10),
            ((0,), "reflecting", 1),
        ],
    )
    def test_an_agent_on_a_lattice_can_cross_it(self, moves: tuple[int, ...], boundary: str, steps: int) -> None:
        grid = mfg.Grid.box((20,), boundary=boundary)
        problem = mfg.Problem(grid, mfg.TimeGrid(0.7), mfg.LatticeMoves(moves), mfg.CrowdAversion(1.0), 1.0)
        assert settle(problem).time.steps == steps

    def test_and_explicit_noise_is_stable_there(self) -> None:
        dynamics = mfg.LatticeMoves((-1, 0, 1), viscosity=0.5, noise="explicit")
        problem = mfg.Problem(mfg.Grid.box((20,)), mfg.TimeGrid(1.0), dynamics, mfg.CrowdAversion(1.0), 1.0)
        assert settle(problem).time.steps == 400
        make_game(settle(problem))


class TestFilesAndCommand:
    def test_a_file_without_steps_comes_back_settled(self) -> None:
        problem = problem_from_toml(DECLARED)
        assert problem.time.steps is None
        assert problem_to_toml(problem) == DECLARED
        settled = settle(problem)
        again = problem_from_toml(problem_to_toml(settled))
        assert again.time == settled.time
        assert again.time.chosen
        assert problem_from_toml(DECLARED, steps=48).time.steps == 48
        named = settle(problem_from_toml('problem = "cole-hopf"\nshape = [16]\n[dynamics]\nscheme = "upwind"'))
        assert problem_from_toml(problem_to_toml(named)).time == named.time
        assert problem_from_toml(problem_to_toml(named)).time.chosen

    def test_costs_over_time_need_a_stated_number(self) -> None:
        moving = "[" + ", ".join(["[" + ", ".join(["1.0"] * 32) + "]"] * 3) + "]"
        text = DECLARED + f'[[coupling]]\nkind = "running-cost"\ncost = {moving}\n'
        with pytest.raises(mfg.InputError, match=r"number of steps under \[time\]"):
            problem_from_toml(text)

    def test_the_command_chooses_and_the_file_knows(self, tmp_path) -> None:
        file, plan = tmp_path / "hill.toml", tmp_path / "plan.nc"
        file.write_text(DECLARED)
        told = json.loads(run("solve", file, "-o", plan, "--json").stdout)
        assert told["status"] == "converged"
        solution = mfg.load(plan)
        assert solution.dataset.attrs["steps_chosen"] == 1
        text = solution.dataset.attrs["problem"]
        assert problem_from_toml(text).time.steps == solution.dataset.sizes["step"]
        run("solve", "cole-hopf", "--shape", "16", "--json")
        run("convergence", "cole-hopf", "--shape", "16", "--solvers", "newton", "--max-sweeps", "5", "--json")
        assert re.search(r"^--steps +chosen +time steps; by default as many as", run("list", "cole-hopf").stdout, re.M)
