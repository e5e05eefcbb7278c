"""N agents of a discounted game: against the game enumerated, the exact flow, and their own limit."""

from dataclasses import replace

import numpy as np
import pytest
from enumerated import AMOUNTS, Enumerated, any_policy, tabular

import mfgsolve as mfg
from mfgsolve.agents.play import play_of
from mfgsolve.agents.walk import Walk
from tests.games.test_discount import GAMES, RATE, discounted, line_game, table_game

FEW = {
    "sharp": lambda: tabular(mfg.CrowdAversion(0.8) + mfg.RunningCost(lambda t, c: c.state - 2.0 * t)),
    "temperature": lambda: tabular(mfg.CrowdAversion(0.8, on="occupation"), temperature=0.4, horizon=3.0),
    "price": lambda: tabular(mfg.Price(mfg.QuadraticPotential(0.7, 0.3), amounts=AMOUNTS), temperature=0.2),
    "end": lambda: tabular(
        mfg.CrowdAversion(0.3), terminal=np.array([0.5, -1.0, 0.2]), terminal_coupling=mfg.CrowdAversion(0.6)
    ),
}


@pytest.mark.parametrize("name", FEW)
def test_cost_and_regret_of_enumerated_games(name):
    problem = discounted(FEW[name](), 0.4)
    policy = any_policy(problem)
    for agents in (1, 2, 3):
        cost, best = Enumerated(problem, policy, agents).cost_and_best(0)
        gap = mfg.nash_gap(problem, agents=[agents], policy=policy)
        assert float(gap.cost[0]) == pytest.approx(cost, rel=1e-12)
        assert float(gap.regret[0]) == pytest.approx(cost - best, rel=1e-11)


@pytest.mark.parametrize("name", GAMES)
def test_agents_pay_on_the_average_what_the_certificate_says(name):
    """The chain of one agent, pushed exactly: its costs are those of the flow, speeds and entropy included."""
    problem = GAMES[name](RATE)
    plan = mfg.solve(problem, tol=1e-6, check="ignore")
    play = play_of(plan, None, None)
    walk = Walk(play)
    mass = np.stack([play.game.initial_mass.reshape(-1)] * (walk.steps + 1))
    for t in range(walk.steps):
        mass[t + 1] = walk.chain.expect(t, mass[t])
    paid = walk.mean_costs(mass)
    assert paid.total.sum() == pytest.approx(plan.certificate.cost, rel=1e-11)


@pytest.mark.parametrize(("name", "agents"), [("diffusion", 20_000), ("tables", 20_000)])
def test_what_agents_pay_in_the_crowd_that_they_are(name, agents):
    problem = GAMES[name](RATE)
    plan = mfg.solve(problem, tol=1e-8, check="ignore")
    crowd = mfg.simulate(plan, agents=agents, replicas=8, rng=3)
    assert float(crowd.mean_field_cost) == pytest.approx(plan.certificate.cost, rel=1e-10)
    spread = float(crowd.cost.std()) / np.sqrt(8)
    assert abs(float(crowd.cost.mean()) - plan.certificate.cost) < 4 * spread + 1e-3
    plain = mfg.solve(replace(problem, time=replace(problem.time, discount=0.0)), tol=1e-8, check="ignore")
    assert abs(plain.certificate.cost - plan.certificate.cost) > 40 * spread


def test_regrets_fall_to_the_exploitability():
    for problem in (line_game(), table_game(temperature=0.4)):
        plan = mfg.solve(problem, tol=1e-10, check="ignore")
        gap = mfg.nash_gap(plan, agents=[100, 10**12])
        assert gap.attrs["mean_field_cost"] == pytest.approx(plan.certificate.cost, rel=1e-11)
        assert float(gap.cost[1]) == pytest.approx(plan.certificate.cost, rel=1e-9)
        assert 0 <= float(gap.regret[1]) < 1e-3 * float(gap.regret[0])


def test_the_regret_of_speeds_by_values():
    """Cost of a plan of half the best speeds in a crowd that costs nothing: its certificate, by another road."""
    problem = replace(line_game(), coupling=mfg.RunningCost(lambda t, c: np.cos(3 * c.x)), terminal_coupling=None)
    plan = 0.5 * mfg.solve(problem, check="ignore").dataset["speed"].values
    gap = mfg.nash_gap(problem, agents=[7], policy=plan)
    assert float(gap.regret[0]) == pytest.approx(mfg.exploitability(problem, plan).exploitability, rel=1e-9)


def test_one_who_leaves_pays_and_gains_in_present_values():
    problem = discounted(FEW["temperature"](), 0.4)
    policy = any_policy(problem)
    tried = mfg.simulate_deviation(problem, agents=3, replicas=1500, policy=policy, rng=0, confidence=0.999)
    regret = float(mfg.nash_gap(problem, agents=[3], policy=policy).regret[0])
    assert tried.gain_interval[0] <= regret <= tried.gain_interval[1]
    cost = float(mfg.nash_gap(problem, agents=[3], policy=policy).cost[0])
    assert tried.cost_interval[0] <= cost <= tried.cost_interval[1]


def test_a_comparison_of_a_discounted_game():
    plan = mfg.solve(table_game(temperature=0.4), tol=1e-10)
    table = mfg.compare(plan, agents=[10, 100], replicas=20, rng=1)
    exact = mfg.nash_gap(plan, agents=[10, 100])
    np.testing.assert_allclose(table["cost"], exact.cost)


def test_datasets_of_agents_say_their_rate():
    late, plain = (mfg.solve(table_game(rate), tol=1e-6) for rate in (RATE, 0.0))
    for ask in (
        lambda plan: mfg.nash_gap(plan, agents=[2]),
        lambda plan: mfg.simulate(plan, agents=5, rng=0),
        lambda plan: mfg.simulate_deviation(plan, agents=5, replicas=2, rng=0),
        lambda plan: mfg.compare(plan, agents=[2], replicas=2, rng=0),
    ):
        assert ask(late).attrs["discount"] == RATE
        assert "discount" not in ask(plain).attrs
