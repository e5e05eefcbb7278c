"""N agents of the entropic step from outside: simulations, deviations, comparisons, files."""

import math

import numpy as np
import pytest
from entropic_agents import entropic, hole, play, values_ahead

import mfgsolve as mfg

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def plan():
    return mfg.solve(entropic((9, 8), steps=4, blocked=hole((9, 8))), tol=1e-9, check="ignore")


def within(interval, value):
    return float(interval[0]) <= value <= float(interval[1])


@pytest.mark.parametrize("agents", [2, 10, 100])
def test_simulated_cost_and_gain_agree_with_the_exact_ones(plan, agents):
    """Costs and regret lie in their 99% intervals; seeds are fixed."""
    exact = mfg.nash_gap(plan, [agents])
    tried = mfg.simulate_deviation(plan, agents, 400, rng=3)
    assert within(tried.gain_interval, float(exact.regret[0]))
    assert within(tried.cost_interval, float(exact.cost[0]))
    crowd = mfg.simulate(plan, agents, 400, rng=4, times=[0])
    spread = 2.588 * float(crowd.cost.std(ddof=1)) / math.sqrt(400)  # Student's t, 99%
    assert abs(float(crowd.cost.mean()) - float(exact.cost[0])) < spread


def test_who_deviates_to_the_plan_gains_nothing_and_to_any_policy_less_than_by_the_best(plan):
    tried = mfg.simulate_deviation(plan, agents=5, replicas=20, deviation=plan, rng=0)
    assert (tried.gain == 0).all()
    best = mfg.simulate_deviation(plan, agents=5, replicas=100, rng=0)
    other = values_ahead(play(plan.problem, seed=3))
    worse = mfg.simulate_deviation(plan, agents=5, replicas=100, deviation=other, rng=0)
    assert worse.plan_cost.equals(best.plan_cost)
    assert float(worse.mean_gain) < float(best.mean_gain)


@pytest.mark.parametrize("method", ["counts", "agents"])
def test_dataset_of_a_simulation(plan, method):
    crowd = mfg.simulate(plan, agents=1000, replicas=3, rng=0, method=method, tagged=4, times=[0, 2, 4])
    assert crowd.density.dims == ("replica", "time", "y", "x")
    per_agent = crowd.density.values / 72 * 1000
    assert np.allclose(per_agent.sum(axis=(2, 3)), 1000)
    assert np.abs(per_agent - np.round(per_agent)).max() < 1e-9
    assert not per_agent[:, :, hole((9, 8))].any()
    assert np.allclose(crowd.mean_field_density, np.nan_to_num(plan.dataset.density[[0, 2, 4]]), atol=1e-12)
    assert float(crowd.mean_field_cost) == pytest.approx(plan.certificate.cost, rel=1e-12)
    x, y = (crowd.tagged_position.sel(axis=axis).values for axis in "xy")
    assert (crowd.tagged_cell.values == np.floor(y * 9) * 8 + np.floor(x * 8)).all()


def test_the_result_depends_on_the_seed_alone(plan):
    options = {"agents": 200, "tagged": 2, "rng": 5}
    one = mfg.simulate(plan, replicas=5, threads=1, **options)
    assert one.identical(mfg.simulate(plan, replicas=5, threads=3, **options))
    assert one.density[:2].equals(mfg.simulate(plan, replicas=2, **options).density)
    assert not one.density.equals(mfg.simulate(plan, replicas=5, agents=200, tagged=2, rng=6).density)


@pytest.mark.parametrize("method", ["counts", "agents"])
def test_agents_start_where_they_are_told_and_leave_at_exits(plan, method):
    points = [[0.3, 0.9], [0.3, 0.9], [0.05, 0.6]] * 200
    crowd = mfg.simulate(plan, start=points, exits=lambda c: c.x > 0.7, replicas=20, rng=1, method=method, tagged=3)
    present = crowd.density.sum(["y", "x"]).values / 72 * 600
    assert np.allclose(present + crowd.left.values, 600)
    limit = crowd.mean_field_density.sum(["y", "x"]).values / 72
    assert limit[0] == pytest.approx(1.0)
    assert 0.05 < limit[-1] < 0.95
    assert np.abs(present.mean(axis=0) / 600 - limit).max() < 5 * 0.5 / math.sqrt(20 * 600)
    assert not crowd.density.values[..., crowd.x.values > 0.7].any()
    gone = crowd.tagged_cell.values == -1
    assert gone.any()
    assert (np.diff(gone.astype(int), axis=-1) >= 0).all()


def test_a_loaded_plan_gives_the_same(plan, tmp_path):
    loaded = mfg.load(plan.save(tmp_path / "plan.nc"))
    one, two = (mfg.simulate(kept, 50, rng=0, problem=plan.problem) for kept in (plan, loaded))
    assert one.identical(two)
    np.testing.assert_allclose(
        mfg.nash_gap(loaded, [10], problem=plan.problem).regret, mfg.nash_gap(plan, [10]).regret, rtol=1e-12
    )


def test_comparison_with_the_mean_field(plan):
    data = mfg.compare(plan, [100, 1000, 10_000], replicas=40, transports=0)
    assert "regret_unknown" not in data.attrs
    assert float(data.slope.sel(measure="l2")) == pytest.approx(-0.5, abs=0.03)
    assert float(data.slope_last.sel(measure="regret")) == pytest.approx(-2.0, abs=0.1)
    assert float(data.slope.sel(measure="cost_difference")) == pytest.approx(-1.0, abs=0.05)
    exact = mfg.nash_gap(plan, [100, 1000, 10_000])
    assert data.regret.equals(exact.regret)
    error = data.simulated_cost.std("replica", ddof=1) / math.sqrt(40)
    assert (abs(data.simulated_cost_mean - exact.cost) < 3.5 * error).all()
