"""Masses, arrivals and groups: against closed forms, dense matrices, counting, and simulation."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.agents.play import play_of
from mfgsolve.errors import InputError
from mfgsolve.studies.answers import arrival, by_start, mass


@pytest.fixture(scope="module", params=["entropic", "upwind"])
def plan(request) -> mfg.Solution:
    steps = {"entropic": 16, "upwind": 48}[request.param]
    problem = mfg.problems.supply_demand(shape=(12, 12), steps=steps, viscosity=0.05, scheme=request.param)
    return mfg.solve(problem, check="ignore")


@pytest.fixture(scope="module")
def roads() -> mfg.Solution:
    return mfg.solve(mfg.problems.braess())


def test_parts_make_the_whole(plan: mfg.Solution):
    west, east = mass(plan, "x<0.41"), mass(plan, "x>0.41")
    np.testing.assert_allclose(west + east, 1.0, atol=1e-13)
    assert mass(plan).dims == ("time",)
    assert float(mass(plan, "x<0.41", 0.5)) == pytest.approx(float(west.interp(time=0.5)), abs=1e-3)
    assert mass(plan, None, [0.0, 0.3]).sizes == {"time": 2}


def test_mass_counts_by_hand(plan: mfg.Solution, roads: mfg.Solution):
    density = plan.density.values
    assert float(mass(plan, "x<0.5 & y>0.25", 1.0)) == pytest.approx(density[-1][3:, :6].sum() / 144, abs=1e-14)
    np.testing.assert_allclose(mass(roads, ["B", "D"]), [0.0, 0.75, 0.0, 1.0], atol=1e-12)


def test_populations_stay_apart_unless_they_are_named():
    solution = mfg.solve(mfg.problems.predator_prey(), max_iterations=3, check="ignore")
    names = [str(name) for name in solution.dataset.population.values]
    apart = mass(solution, "x>0.5")
    assert apart.dims == ("time", "population")
    one = mass(solution, f"x>0.5 & population == {names[1]}")
    np.testing.assert_allclose(one, apart.sel(population=names[1]))
    assert arrival(solution, "x>0.5").arrived.dims == ("time", "population")


@pytest.mark.slow
def test_arrivals_are_those_of_the_dense_matrices(plan: mfg.Solution):
    play = play_of(plan)
    chain, cells = play.game.step.chain(play.policy), 144
    away = (plan.dataset.x.values < 0.5)[None, :].repeat(12, 0).reshape(-1)
    left = play.game.initial_mass.reshape(-1) * away
    seen = [1 - left.sum()]
    for t in range(play.game.steps):
        matrix = np.array([chain.expect(t, unit) for unit in np.eye(cells)])
        left = left @ matrix * away
        seen.append(1 - left.sum())
    found = arrival(plan, "x>0.5")
    np.testing.assert_allclose(found.arrived, seen, atol=1e-12)
    steps = np.diff(seen, prepend=0.0)
    assert float(found.mean_time) == pytest.approx((steps * plan.dataset.time.values).sum() / seen[-1])
    median = float(found.quantile_time.sel(quantile=0.5))
    assert np.interp(median, plan.dataset.time.values, seen) == pytest.approx(0.5 * seen[-1])


def test_discrete_steps_arrive_at_nodes(roads: mfg.Solution):
    found = arrival(roads, ["B"], quantiles=[0.1, 0.9])
    np.testing.assert_allclose(found.arrived, [0.0, 0.75, 0.75, 0.75], atol=1e-9)
    assert found.quantile_time.values.tolist() == [1.0, 1.0]
    assert float(found.mean_time) == 1.0
    assert np.isnan(arrival(roads, ["A"], quantiles=[0.5]).mean_time) == (float(roads.density[0, 0]) == 0)


def test_transitions_that_feel_the_crowd_arrive_with_it():
    """Who is not ill yet meets the whole crowd, not only those who are not ill yet, among whom nobody infects."""
    solution = mfg.solve(mfg.problems.susceptible_infected(), max_iterations=3, check="ignore")
    ill = str(solution.dataset.state.values[1])
    found = arrival(solution, [ill]).arrived.values
    play = play_of(solution)
    chain, flow = play.game.step.chain(play.policy), play.game.mass(play.crowd).reshape(-1, 2)
    left = [float(flow[0, 0])]
    for t in range(play.game.steps):
        stay = float(chain.expect(t, np.array([1.0, 0.0]), flow[t])[0])  # of a healthy agent in that crowd
        left.append(left[-1] * stay)
    np.testing.assert_allclose(found, 1.0 - np.array(left), atol=1e-12)
    assert found[-1] > found[0] + 0.1


def test_groups_pay_what_all_pay(plan: mfg.Solution):
    groups = by_start(plan, {"west": "x<0.2", "rest": "x>0.2"})
    assert float(groups.mass.sum()) == pytest.approx(1.0)
    assert float((groups.mass * groups.cost).sum()) == pytest.approx(plan.certificate.cost, abs=1e-7)
    whole = by_start(plan)
    np.testing.assert_allclose((groups.mass * groups.speed).sum("group"), whole.speed.isel(group=0), atol=1e-12)
    pace = np.sqrt((plan.velocity**2).sum("direction")) * plan.density.values[:-1]
    np.testing.assert_allclose(whole.speed[0], pace.sum(["x", "y"]) / 144, atol=1e-12)


def test_finite_games_have_costs_and_no_speeds(roads: mfg.Solution):
    groups = by_start(roads)
    assert float(groups.cost[0]) == pytest.approx(3.75)
    assert "speed" not in groups
    assert np.isnan(by_start(roads, ["B"]).cost).all()


def test_fields_of_a_solution_are_arrays_with_labels(plan: mfg.Solution, roads: mfg.Solution):
    assert plan.density.dims == plan.value.dims == ("time", "y", "x")
    assert plan.velocity.dims == ("step", "direction", "y", "x")
    assert roads.policy.dims == ("step", "action", "state")
    with pytest.raises(InputError, match=r"solution\.velocity"):
        _ = plan.policy
    with pytest.raises(InputError, match=r"solution\.policy"):
        _ = roads.velocity
    if "speed" in plan.dataset:
        gap = plan.dataset.speed.sel(move="x+") - plan.dataset.speed.sel(move="x-")
        np.testing.assert_array_equal(plan.velocity.sel(direction="x"), gap)


def test_what_makes_no_sense_is_told(plan: mfg.Solution):
    with pytest.raises(InputError, match="a Solution is needed"):
        mass(plan.dataset, "x<1")
    with pytest.raises(InputError, match="quantiles"):
        arrival(plan, "x>0.5", quantiles=[1.5])
    with pytest.raises(InputError, match="no groups"):
        by_start(plan, {})
    with pytest.raises(InputError, match="group 'far'"):
        by_start(plan, {"far": "x>7"})
    with pytest.raises(InputError, match="outside the horizon"):
        mass(plan, None, 2.0)
