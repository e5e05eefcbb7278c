"""Exact regret among N agents, against games enumerated agent by agent and closed forms."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from enumerated import AMOUNTS, RNG, Enumerated, any_policy, flagship, roads, stochastic, tabular
from scipy import stats

import mfgsolve as mfg
from mfgsolve.agents.play import play_of
from mfgsolve.agents.price import price_among
from mfgsolve.games import make_game
from mfgsolve.problems.linear_quadratic import MeanAttraction
from mfgsolve.steps.excess import excess_of_choices


def lattice(coupling, shape=(4,), **more):
    moves = [(1,), (0,), (-1,)] if len(shape) == 1 else [(1, 0), (0, 1), (0, 0)]
    temperature = more.pop("temperature", 0.0)
    dynamics = mfg.LatticeMoves(moves, [0.3, 0.0, 0.3] if len(shape) == 1 else [0.2, 0.2, 0.0], viscosity=0.01,
                                temperature=temperature)  # fmt: skip
    return mfg.Problem(grid=mfg.Grid.box(shape), time=mfg.TimeGrid(0.8, 2), dynamics=dynamics, coupling=coupling,
                       initial=lambda t, c: 1 + c.x, normalise=True, **more)  # fmt: skip


def two_populations(coupling, **more):
    dynamics = [mfg.Tabular(stochastic(2, 2, 2), cost=RNG.uniform(size=(2, 2))) for _ in range(2)]
    return mfg.Problem(
        grid=mfg.Populations(["a", "b"], mfg.States(2)), time=mfg.TimeGrid(1.0, 2), dynamics=dynamics,
        coupling=coupling, initial=stochastic(2, 2), **more,
    )  # fmt: skip


CUBIC = mfg.CustomCoupling(lambda t, c, rho: (1 + t) * rho**3, derivative=lambda t, c, rho: 3 * (1 + t) * rho**2)


KINK = mfg.CustomCoupling(lambda t, c, rho: np.maximum(rho - 0.4, 0), derivative=lambda t, c, rho: 1.0 * (rho > 0.4))


GAMES = {
    "congestion": lambda: tabular(mfg.Congestion(lambda t, c: 1 + c.state + t, 2.0), steps=3),
    "moving": lambda: mfg.Problem(
        grid=mfg.States(3), time=mfg.TimeGrid(3, 3), coupling=mfg.Congestion(lambda t, c: t + c.state, 3.0),
        dynamics=mfg.Tabular(stochastic(3, 2, 3, 3), cost=RNG.uniform(size=(3, 2, 3))), initial=stochastic(3)),
    "sum": lambda: tabular(mfg.Congestion(1.0, 3.0) + mfg.CrowdAversion(0.7, power=2) + CUBIC + mfg.RunningCost(0.3)),
    "log": lambda: tabular(mfg.LogCongestion(0.6), temperature=0.2),
    "kink": lambda: tabular(KINK),
    "long steps": lambda: tabular(mfg.CrowdAversion(1.3), horizon=5.0, terminal=np.arange(3.0)),
    "terminal": lambda: tabular(mfg.CrowdAversion(0.4), terminal_coupling=mfg.Congestion(2.0, 4.0), terminal=0.5),
    "occupation": lambda: tabular(mfg.Congestion(1.5, 2.0, on="occupation") + mfg.CrowdAversion(0.2)),
    "heat": lambda: tabular(mfg.CrowdAversion(0.7, power=3, on="occupation"), temperature=0.3, horizon=1.5),
    "interaction": lambda: tabular(mfg.Interaction(RNG.normal(size=(3, 3)))),
    "interaction of choices": lambda: tabular(mfg.Interaction(RNG.normal(size=(6, 6)), on="occupation")),
    "lattice": lambda: lattice(mfg.CrowdAversion(0.5, power=1.5), temperature=0.1),
    "plane": lambda: lattice(mfg.Congestion(lambda t, c: c.x + c.y, 0.5), (2, 2)),
    "nonlocal": lambda: lattice(mfg.Nonlocal(0.8, width=0.2)),
    "kernel": lambda: lattice(mfg.Nonlocal(0.8, kernel=lambda dx: np.exp(-np.abs(dx))), terminal_coupling=CUBIC),
    "mean": lambda: lattice(MeanAttraction(2.0), terminal_coupling=MeanAttraction(1.0)),
    "mean in the plane": lambda: lattice(MeanAttraction(2.0) + mfg.CrowdAversion(0.1), (2, 2)),
    "price": lambda: tabular(mfg.Price(mfg.QuadraticPotential(1.5, lambda t: 0.2 + t), amounts=AMOUNTS), steps=3),
    "warm price": lambda: tabular(mfg.Price(mfg.QuadraticPotential(0.5), amounts=AMOUNTS) + mfg.CrowdAversion(0.3),
                                  temperature=0.4, horizon=1.0),
    "moving price": lambda: tabular(
        mfg.Price(mfg.QuadraticPotential(1.5, 0.1), amounts=lambda t, c: (1 + t) * (c.action - 0.3 * c.state))
        + mfg.Price(mfg.QuadraticPotential(0.4), amounts=AMOUNTS), steps=3),
    "two": lambda: two_populations(mfg.Congestion(lambda t, c: 1 + c.population, 2.0)),
    "predators": lambda: two_populations(mfg.Interaction(np.array([[0.5, -1.0], [2.0, 0.3]]), between="populations")),
    "two of states": lambda: two_populations(mfg.Interaction(RNG.normal(size=(4, 4)))),
    "two with a price": lambda: two_populations(
        mfg.Price(mfg.QuadraticPotential(1.5, 0.4), amounts=RNG.uniform(size=(2, 2, 2))) + mfg.CrowdAversion(0.2)),
}  # fmt: skip


@pytest.mark.parametrize("name", GAMES)
def test_cost_and_regret_of_enumerated_games(name):
    problem = GAMES[name]()
    policy = any_policy(problem)
    several = problem.grid.populations > 1
    found = mfg.nash_gap(problem, agents=[1, 2] if several else [1, 2, 3], policy=policy)
    for agents in found.agents.values:
        here = found.sel(agents=agents)
        game = Enumerated(problem, policy, int(agents))
        for p in range(problem.grid.populations):
            cost, best = game.cost_and_best(p)
            one = here.isel(population=p) if several else here
            assert float(one.cost) == pytest.approx(cost, rel=1e-12, abs=1e-13)
            assert float(one.regret) == pytest.approx(cost - best, rel=1e-11, abs=1e-13)
            assert float(one.regret_error) <= 1e-13 * float(found.scale)


@pytest.mark.parametrize("coupling", [mfg.Congestion(2.0, 3.0), mfg.CrowdAversion(1.0, on="occupation")])
def test_no_policy_of_the_own_state_gains_more(coupling):
    """Every deterministic deviation, each with the joint law of everybody."""
    problem = tabular(coupling, states=2, steps=2)
    policy = any_policy(problem)
    game = Enumerated(problem, policy, 3)
    costs = []
    for choices in itertools.product(range(2), repeat=4):
        deviation = np.zeros((2, 2, 2))
        for (t, x), a in zip(itertools.product(range(2), range(2)), choices, strict=True):
            deviation[t, a, x] = 1
        costs.append(game.joint_cost(deviation))
    found = mfg.nash_gap(problem, [3], policy=policy)
    assert float(found.cost[0]) == pytest.approx(game.joint_cost(game.policy), rel=1e-12)
    assert float(found.regret[0]) == pytest.approx(game.joint_cost(game.policy) - min(costs), rel=1e-12)


def test_excess_is_what_a_choice_costs_more_than_the_best():
    rng = np.random.default_rng(2)
    q, chosen = rng.normal(size=(4, 50)), rng.dirichlet(np.ones(4), 50).T
    chosen[0, :10], chosen[1:, 10:20] = 0, 0
    chosen[0, 10:20] = 1
    chosen /= chosen.sum(axis=0)
    for tau in (0.0, 0.3, 1e-3):
        least = q.min(axis=0)
        best = np.exp((least - q) / tau) if tau else 1.0 * (q == least)
        least = least - tau * np.log(best.sum(axis=0))
        best /= best.sum(axis=0)
        heat = tau * np.where(chosen > 0, np.log(np.where(chosen > 0, chosen, 1)), 0)
        np.testing.assert_allclose(
            excess_of_choices(chosen, best, q, tau), (chosen * (q + heat)).sum(axis=0) - least, atol=1e-14
        )
        assert (excess_of_choices(best, best, q, tau) >= 0).all()
        assert (excess_of_choices(best, best, q, tau) <= 1e-30).all()


# -- controlled diffusions -------------------------------------------------------------------------------------


def lonely(problem, crowd_cost):
    """The game of one agent that pays a given price (steps, *shape)."""
    nodes = list(problem.time.nodes)
    at = lambda t, c: crowd_cost[min(nodes.index(t), len(crowd_cost) - 1)]
    return replace(problem, coupling=mfg.RunningCost(at), terminal_coupling=None, name="custom")


@pytest.fixture(scope="module")
def plan():
    return flagship()


def test_one_agent_alone_is_the_single_agent_problem(plan):
    problem, found = plan.problem, mfg.nash_gap(plan, [1])
    alone = problem.coupling.bind(problem.grid, problem.time.nodes[:-1]).cost(
        slice(0, 128), np.full((128, 16, 16), 1 / problem.grid.cell_volume))  # fmt: skip
    best = mfg.solve(lonely(problem, alone), tol=1e-13)
    assert float((found.cost - found.regret)[0]) == pytest.approx(best.certificate.cost, rel=1e-12)
    stay = mfg.exploitability(lonely(problem, alone), plan)
    assert float(found.regret[0]) == pytest.approx(stay.exploitability, rel=1e-12)
    assert float(found.cost[0]) == pytest.approx(stay.cost, rel=1e-12)


@pytest.mark.parametrize("agents", [2, 40, 300])
def test_regret_of_a_diffusion_is_the_exploitability_against_scipys_price(plan, agents):
    """Two roads to the price and to the gap; the gap by costs here, by the performance difference there."""
    problem, volume = plan.problem, plan.problem.grid.cell_volume
    mass = plan.dataset.density.values[:-1] * volume
    bound = problem.coupling.bind(problem.grid, problem.time.nodes[:-1])
    price = np.zeros_like(mass)
    for k in range(agents):
        weight = stats.binom.pmf(k, agents - 1, mass)
        price += weight * bound.cost(slice(0, 128), np.full_like(mass, (1 + k) / (agents * volume)))
    certificate = mfg.exploitability(lonely(problem, price), plan)
    found = mfg.nash_gap(plan, [agents])
    assert float(found.regret[0]) == pytest.approx(certificate.exploitability, rel=1e-9, abs=1e-14)
    assert float(found.cost[0]) == pytest.approx(certificate.cost, rel=1e-11)
    np.testing.assert_allclose(price_among(play_of(plan), agents).price[:-1, 0], price, rtol=1e-10)


def test_regret_falls_as_the_square_and_the_cost_as_the_number_of_agents(plan):
    found = mfg.nash_gap(plan, [1, 10**4, 10**5, 10**6, 10**12])
    regret, difference = found.regret.values, found.cost_difference.values
    assert regret[1] / regret[2] == pytest.approx(100, rel=0.15)
    assert regret[2] / regret[3] == pytest.approx(100, rel=0.02)
    assert difference[2] / difference[3] == pytest.approx(10, rel=1e-3)
    assert regret[-1] == pytest.approx(plan.exploitability, abs=1e-14)
    assert (regret > 0).all()
    assert (found.regret_error.values < 1e-11).all()
    np.testing.assert_allclose(found.relative_regret, regret / found.attrs["scale"])
    assert found.attrs["mean_field_cost"] == pytest.approx(plan.certificate.cost, rel=1e-12)
    assert found.attrs["exploitability"] == pytest.approx(plan.exploitability, abs=1e-15)


def test_walls_rings_obstacles_and_terminal_couplings():
    wall = lambda c: (np.abs(c.x - 0.5) < 0.1) & (c.y > 0.5)
    grid = mfg.Grid.box((6, 7), boundary=("reflecting", "periodic"), blocked=wall)
    problem = mfg.Problem(
        grid=grid, time=mfg.TimeGrid(0.5, 40), dynamics=mfg.ControlledDiffusion(0.02, 0.3, scheme="upwind"),
        coupling=mfg.CrowdAversion(0.5, power=2) + mfg.Nonlocal(0.3, width=0.2) + mfg.LogCongestion(0.1),
        initial=lambda t, c: (1 + c.x) * ~grid.mask, normalise=True, terminal=lambda t, c: c.y,
        terminal_coupling=mfg.CrowdAversion(0.2),
    )  # fmt: skip
    plan = mfg.solve(problem, tol=1e-11, check="ignore")
    found = mfg.nash_gap(plan, [3, 10**9])
    game, play = make_game(problem), play_of(plan)
    for agents, regret, cost in zip((3, 10**9), found.regret.values, found.cost.values, strict=True):
        price = price_among(play, agents).price
        own = play.game.cost(play.policy, play.crowd)[0]
        total = own + game.crowd_totals(price, play.crowd)[0] + game.terminal_total(play.crowd)
        assert cost == pytest.approx(total, rel=1e-12)
        assert regret == pytest.approx(total - game.respond(price).mean_value, rel=1e-9, abs=1e-14)


def test_the_order_of_numbers_is_kept(plan):
    found = mfg.nash_gap(plan, [50.0, 2, 50, np.int64(7)])
    assert found.agents.values.tolist() == [50, 2, 50, 7]
    np.testing.assert_array_equal(found.regret[0], found.regret[2])
    np.testing.assert_array_equal(found.regret[[1, 3]], mfg.nash_gap(plan, (2, 7)).regret)


def test_a_loaded_plan_gives_the_same(plan, tmp_path):
    loaded = mfg.load(plan.save(tmp_path / "plan.nc"))
    np.testing.assert_array_equal(mfg.nash_gap(loaded, [10]).regret, mfg.nash_gap(plan, [10]).regret)


def test_what_is_no_plan_is_refused(plan, tmp_path):
    path = plan.save(tmp_path / "plan.nc")
    for wrong in (path, str(path), plan.dataset, None, plan.problem):
        with pytest.raises(mfg.InputError, match=r"[Ss]olution|policy"):
            mfg.nash_gap(wrong, [10])
    with pytest.raises(mfg.InputError, match="shape"):
        mfg.nash_gap(plan, [10], policy=np.zeros((3, 4)))


def test_numbers_of_agents_come_in_any_form():
    plan = mfg.solve(roads(mfg.RunningCost(0.0), 2.0))
    listed = mfg.nash_gap(plan, [10, 100])
    for numbers in ((10, 100), np.array([10, 100]), listed.agents, (n for n in (10, 100))):
        assert mfg.nash_gap(plan, numbers).regret.equals(listed.regret)
    assert float(mfg.nash_gap(plan, 10).regret[0]) == float(listed.regret[0])
    with pytest.raises(mfg.InputError, match="a Problem is needed, the game of the plan"):
        mfg.nash_gap(plan, [3], problem=5)
    with pytest.raises(mfg.InputError, match="leave problem= out"):
        mfg.nash_gap(plan.problem, [3], policy=plan, problem=plan.problem)
