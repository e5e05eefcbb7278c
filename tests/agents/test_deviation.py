"""The exact numbers of the game of N agents, seen from outside by simulation."""

import math

import numpy as np
import pytest

import mfgsolve as mfg

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def beach():
    return mfg.solve(mfg.problems.beach_bar(shape=(8,), steps=6))


@pytest.fixture(scope="module")
def flagship():
    return mfg.solve(mfg.problems.supply_demand(shape=(10, 10), steps=50, scheme="upwind"), tol=1e-9, check="ignore")


def within(interval, value):
    return float(interval[0]) <= value <= float(interval[1])


@pytest.mark.parametrize("agents", [2, 10, 100])
@pytest.mark.parametrize("name", ["beach", "flagship"])
def test_simulated_cost_and_gain_agree_with_the_exact_ones(name, agents, request):
    """Costs and regret lie in their 99% intervals; seeds are fixed."""
    plan = request.getfixturevalue(name)
    exact = mfg.nash_gap(plan, agents=[agents])
    tried = mfg.simulate_deviation(plan, agents=agents, replicas=200, rng=3)
    assert within(tried.gain_interval, float(exact.regret[0]))
    assert within(tried.cost_interval, float(exact.cost[0]))
    crowd = mfg.simulate(plan, agents=agents, replicas=200, rng=4, times=[0])
    spread = 2.6006 * float(crowd.cost.std(ddof=1)) / math.sqrt(200)  # Student's t, 99%
    assert abs(float(crowd.cost.mean()) - float(exact.cost[0])) < spread


def test_common_random_numbers_narrow_the_interval(flagship):
    tried = mfg.simulate_deviation(flagship, agents=10, replicas=200, rng=0)
    apart = math.hypot(float(tried.plan_cost.std()), float(tried.deviation_cost.std()))
    assert float(tried.gain.std()) < 0.8 * apart


def test_who_deviates_to_the_plan_gains_nothing(beach):
    tried = mfg.simulate_deviation(beach, agents=5, replicas=20, deviation=beach, rng=0)
    assert (tried.gain == 0).all()
    assert tried.attrs["agents"] == 5


def test_a_deviation_of_ones_own(flagship):
    """Staying at home, against the exact cost of it: the gain of nobody's best answer lies below the regret."""
    still = np.zeros((50, 4, 10, 10))
    tried = mfg.simulate_deviation(flagship, agents=10, replicas=100, deviation=still, rng=0)
    best = mfg.simulate_deviation(flagship, agents=10, replicas=100, rng=0)
    assert float(tried.mean_gain) < float(best.mean_gain)
    assert tried.plan_cost.equals(best.plan_cost)


def test_one_population_deviates_alone():
    rng = np.random.default_rng(0)
    dynamics = [mfg.Tabular([rng.dirichlet(np.ones(3), size=3) for _ in range(2)], cost=c) for c in (0.0, 0.1)]
    game = mfg.Problem(
        grid=mfg.Populations(["red", "blue"], mfg.States(3)), time=mfg.TimeGrid(3.0, 3), dynamics=dynamics,
        coupling=mfg.CrowdAversion(1.0) + mfg.Interaction([[0.0, 1.0], [1.0, 0.0]], between="populations"),
        initial=np.full((2, 3), 1 / 3),
    )  # fmt: skip
    plan = mfg.solve(game, method="fictitious-play", max_iterations=2, check="ignore")
    exact = mfg.nash_gap(plan, agents=[4])
    for name in ("red", "blue"):
        tried = mfg.simulate_deviation(plan, agents=4, replicas=600, population=name, rng=1)
        assert within(tried.gain_interval, float(exact.regret.sel(population=name)[0]))
        assert within(tried.cost_interval, float(exact.cost.sel(population=name)[0]))
    with pytest.raises(mfg.InputError, match="say which one"):
        mfg.simulate_deviation(plan, agents=4)
    with pytest.raises(mfg.InputError, match="unknown population 'reds'; did you mean 'red'"):
        mfg.simulate_deviation(plan, agents=4, population="reds")


def test_coupled_dynamics_are_simulated_and_have_no_exact_answer():
    plan = mfg.solve(mfg.problems.susceptible_infected(), max_iterations=10, check="ignore")
    with pytest.raises(mfg.InputError, match="simulate"):
        mfg.nash_gap(plan, agents=[10])
    with pytest.raises(mfg.InputError, match="coupled"):
        mfg.simulate_deviation(plan, agents=10)
    game = plan.problem
    careless = np.zeros((game.time.steps, 2, *game.grid.shape))
    careless[:, 0] = 1.0
    tried = mfg.simulate_deviation(plan, agents=10, replicas=50, deviation=careless, rng=0)
    assert np.isfinite(tried.gain).all()


BAD = {
    "replicas is 1; at least 2": {"replicas": 1},
    "replicas is -3": {"replicas": -3},
    "confidence is 1": {"confidence": 1.0},
    "confidence is 'high'": {"confidence": "high"},
    r"policy has shape \(3, 3\)": {"deviation": np.ones((3, 3))},
    "agents is 0": {"agents": 0},
    "unknown population 'red'": {"population": "red"},
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input(beach, message):
    with pytest.raises(mfg.InputError, match=message):
        mfg.simulate_deviation(beach, **({"agents": 5} | BAD[message]))
