"""Exact regret on the entropic step: against enumerated agents, lattice games of the same costs, and its own limits."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from entropic_agents import CROWDED, ENTROPIC, entropic, play, values_ahead
from scipy import stats

import mfgsolve as mfg
from mfgsolve.agents.price import price_among
from mfgsolve.games import make_game

# -- every joint path of a few agents ----------------------------------------------------------------------------


class Enumerated:
    """Two cells on a ring, two steps: all joint paths of N agents, in plain NumPy from the formulas of the step."""

    h, dt, nu, c, eps = 0.5, 0.25, 0.1, 0.7, 2 * 0.1 * 0.7

    def __init__(self, agents, discount, after):
        self.agents, self.late = agents, np.exp(-discount * self.dt * np.arange(3))
        self.middle = self.late[:2] * np.exp(-0.5 * discount * self.dt)
        wide = np.exp(-((self.h) ** 2) / (4 * self.nu * self.dt))  # one cell to either side is the other cell
        self.noise = np.array([[1.0, 2 * wide], [2 * wide, 1.0]]) / (1 + 2 * wide)
        self.plan = [self.law(after[t], t) for t in (0, 1)]
        start = np.exp(-8 * (np.array([0.25, 0.75]) - 0.3) ** 2)
        self.start = start / start.sum()
        self.end = self.late[2] * (np.array([0.25, 0.75]) - 0.8) ** 2

    def law(self, after, t):
        weight = self.noise * np.exp(-after / (self.eps * self.middle[t]))
        return weight / weight.sum(axis=1, keepdims=True)

    def price(self, t, x, there):
        """What node t costs an agent in cell x where ``there`` agents are: trapezoid, and a coupling at the end."""
        rho = there / (self.agents * self.h)
        weight = self.dt * self.late[t] * (0.5 if t in (0, 2) else 1.0)
        cost = weight * (0.5 * rho**2 - (1 + self.dt * t + (0.25, 0.75)[x]) / (1 + 0.4 * rho))
        return cost + (self.end[x] + self.late[2] * 0.3 * rho if t == 2 else 0.0)

    def paid(self, laws, path):
        """What the agent pays itself on its path: the divergence of its laws."""
        apart = [(q * np.log(q / self.noise)).sum(axis=1) for q in laws]
        return sum(self.eps * self.middle[t] * apart[t][path[t]] for t in (0, 1))

    def paths(self, laws):
        for path in itertools.product((0, 1), repeat=3):
            yield path, self.start[path[0]] * laws[0][path[0], path[1]] * laws[1][path[1], path[2]]

    def cost(self, laws):
        """Of the first agent, which follows ``laws`` among others on the plan: all joint paths."""
        total = 0.0
        for path, chance in self.paths(laws):
            for rest in itertools.product(self.paths(self.plan), repeat=self.agents - 1):
                share = chance * np.prod([p for _, p in rest])
                cost = self.paid(laws, path)
                for t in range(3):
                    there = 1 + sum(other[t] == path[t] for other, _ in rest)
                    cost += self.price(t, path[t], there)
                total += share * cost
        return total

    def best(self):
        """Laws of the best answer, by soft minima against the expected price."""
        price = np.zeros((3, 2))
        for rest in itertools.product(self.paths(self.plan), repeat=self.agents - 1):
            share = np.prod([p for _, p in rest])
            for t, x in itertools.product(range(3), (0, 1)):
                price[t, x] += share * self.price(t, x, 1 + sum(other[t] == x for other, _ in rest))
        value, laws = price[2], [None, None]
        for t in (1, 0):
            laws[t], eps = self.law(value, t), self.eps * self.middle[t]
            value = price[t] - eps * np.log(self.noise @ np.exp(-value / eps))
        return laws


@pytest.mark.parametrize("discount", [0.0, 1.2])
def test_cost_and_regret_of_enumerated_agents(discount):
    problem = entropic(
        (2,), "periodic", steps=2, viscosity=0.1, reach=1, discount=discount, terminal_coupling=mfg.CrowdAversion(0.3)
    )
    after = np.array([[0.3, -0.2], [0.1, 0.4]])
    found = mfg.nash_gap(problem, [1, 2, 3], policy=after)
    rng = np.random.default_rng(0)
    for agents, regret, cost in zip((1, 2, 3), found.regret.values, found.cost.values, strict=True):
        game = Enumerated(agents, discount, after)
        least = game.cost(game.best())
        assert cost == pytest.approx(game.cost(game.plan), rel=1e-12)
        assert regret == pytest.approx(cost - least, rel=1e-11)
        for _ in range(5):  # no other law gains more
            first = rng.uniform(0.05, 0.95, size=(2, 2))
            assert game.cost([np.stack([p, 1 - p], axis=1) for p in first]) > least


# -- lattice games of the same costs -------------------------------------------------------------------------------


def reward(t, c):
    return 1 + t + c.x


@pytest.mark.parametrize("shape", [(7,), (5, 6)])
@pytest.mark.parametrize("discount", [0.0, 1.5])
def test_the_same_numbers_as_of_a_lattice_game(shape, discount):
    """Moves by k cells at c |k h|^2 / (2 dt), temperature 2 nu c / dt; the trapezoid rule by a coupling at the end."""
    nu, c, dt, reach, steps = 0.02, 0.7, 0.5 / 3, 2, 3
    middle = c * np.exp(-0.5 * discount * dt)  # a lattice discounts what is paid in a step from its start
    here = play(entropic(shape, "periodic", steps=steps, reach=reach, discount=discount,
                         coupling=mfg.Congestion(reward, 0.4)))  # fmt: skip
    span = range(-reach, reach + 1)
    moves = list(itertools.product(span, repeat=len(shape)))  # x first
    way = [sum((k / n) ** 2 for k, n in zip(move, shape[::-1], strict=True)) for move in moves]
    lattice = replace(
        here.game.stated,
        dynamics=mfg.LatticeMoves(
            tuple(moves), costs=middle * np.array(way) / (2 * dt), temperature=2 * nu * middle / dt
        ),
        coupling=mfg.Congestion(lambda t, c: reward(t, c) * (0.5 if t == 0 else 1.0), 0.4),
        terminal_coupling=mfg.Congestion(lambda t, c: 0.5 * dt * reward(t, c), 0.4),
    )
    table = np.zeros((steps, len(moves), here.game.cells))
    for t in range(steps):
        draws = list(here.game.step.chances(t, here.policy.array[t]))
        for a, move in enumerate(moves):
            place, chance = np.arange(here.game.cells), 1.0
            order = move[::-1] if t % 2 == 0 else move  # axes in array order in even steps
            for (near, p), k in zip(draws, order, strict=True):
                chance = chance * p[place, k + reach]
                place = near[place, k + reach]
            table[t, a] = chance
    numbers = [1, 2, 50, 10**6]
    one = mfg.nash_gap(here.game.stated, numbers, policy=values_ahead(here))
    other = mfg.nash_gap(lattice, numbers, policy=table.reshape(steps, len(moves), *shape))
    np.testing.assert_allclose(one.regret, other.regret, rtol=1e-9)
    sums = [np.exp(-((np.arange(-reach, reach + 1) / n) ** 2) / (4 * nu * dt)).sum() for n in shape]
    shift = 2 * nu * middle * np.log(sums).sum() * np.exp(-discount * dt * np.arange(steps)).sum()  # N is normalised
    np.testing.assert_allclose(one.cost, other.cost + shift, rtol=1e-12)
    assert one.exploitability == pytest.approx(other.exploitability, rel=1e-10)


# -- one agent in a price of its own -------------------------------------------------------------------------------


def lonely(problem, price):
    """The game of one agent that pays a given price (T+1, *shape)."""
    nodes = list(problem.time.nodes)
    return replace(problem, coupling=mfg.RunningCost(lambda t, c: price[nodes.index(t)]), name="custom")


@pytest.mark.parametrize("agents", [1, 2, 40, 300])
@pytest.mark.parametrize("name", ["line", "walls", "room", "discount"])
def test_regret_is_the_exploitability_against_scipys_price(name, agents):
    """Two roads to the price, at the last node too, and to the gap: by costs here, by divergences there."""
    problem = ENTROPIC[name]()
    here = play(problem)
    game, volume = here.game, problem.grid.cell_volume
    mass = game.flat(here.crowd).reshape(here.crowd.shape)
    price = np.zeros_like(mass)
    for k in range(agents):
        seen = np.full_like(mass, (1 + k) / (agents * volume))
        paid = sum(block.bound.cost(slice(0, game.steps + 1), seen) for block in game.blocks)
        price += stats.binom.pmf(k, agents - 1, mass) * paid
    found = mfg.nash_gap(problem, [agents], policy=values_ahead(here))
    alone = mfg.exploitability(lonely(problem, price), values_ahead(here))
    assert float(found.regret[0]) == pytest.approx(alone.exploitability, rel=1e-8, abs=1e-14)
    assert float(found.cost[0]) == pytest.approx(alone.cost, rel=1e-11)
    if agents == 1:
        single = make_game(lonely(problem, price))
        best = single.respond(single.price(here.crowd)).mean_value
        assert float((found.cost - found.regret)[0]) == pytest.approx(best, rel=1e-12)


# -- many agents ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plan():
    return mfg.solve(entropic((16,), steps=6, coupling=CROWDED, reach=6), tol=1e-14, check="ignore")


def test_regret_falls_as_the_square_and_the_cost_as_the_number_of_agents(plan):
    found = mfg.nash_gap(plan, [10**3, 10**4, 10**5, 10**6, 10**12])
    regret, difference = found.regret.values, found.cost_difference.values
    np.testing.assert_allclose(np.log10(regret[1:4] / regret[:3]), -2.0, atol=0.02)
    assert np.log10(regret[2] / regret[1]) == pytest.approx(-2.0, abs=2e-3)
    assert difference[1] / difference[2] == pytest.approx(10, rel=1e-2)
    assert regret[-1] == pytest.approx(plan.exploitability, abs=1e-15)
    assert found.attrs["mean_field_cost"] == pytest.approx(plan.certificate.cost, rel=1e-12)
    assert found.attrs["exploitability"] == pytest.approx(plan.exploitability, abs=1e-15)
    assert (found.regret_error.values < 1e-12).all()


def test_a_coupling_at_the_end_counts_beside_the_last_node():
    """Its expected price among N, per unit weight: dt / 2 of the running cost and 1 of the terminal one."""
    problem = entropic((9,), coupling=mfg.CrowdAversion(0.4), terminal_coupling=mfg.CrowdAversion(0.3))
    here, agents = play(problem), 7
    expected = price_among(here, agents)
    mass, h = here.game.flat(here.crowd), 1 / 9
    seen = (1 + (agents - 1) * mass) / (agents * h)  # linear couplings: the mean of what an agent sees
    np.testing.assert_allclose(expected.price[:-1], 0.4 * seen[:-1], rtol=1e-12)
    np.testing.assert_allclose(here.game.weights[-1] * expected.price[-1], (0.4 * 0.0625 + 0.3) * seen[-1], rtol=1e-12)
