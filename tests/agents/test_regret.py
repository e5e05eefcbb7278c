"""Exact regret among N agents, against games enumerated agent by agent, closed forms and textbook sums."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import trapezoid

import mfgsolve as mfg
from mfgsolve.agents.binomial import expectation
from mfgsolve.agents.play import play_of
from mfgsolve.agents.price import price_among
from mfgsolve.agents.regret import _excess
from mfgsolve.games import make_game
from mfgsolve.problems.linear_quadratic import MeanAttraction

CHANCES = np.array([0, 1e-300, 1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 0.005, 0.01, 0.03, 0.1, 0.3, 0.5, 0.6, 0.9, 0.99, 0.999,
                    1 - 1e-6, 1 - 1e-12, 1])  # fmt: skip
TRIALS = (0, 1, 2, 7, 30, 100, 1000, 10**4, 10**5, 10**6)


# -- binomial sums ---------------------------------------------------------------------------------------------


def brute(function, trials, chance):
    """E f(B) by scipy's probabilities; ten standard deviations and fifty are left of many agents."""
    reach = 10 * np.sqrt(trials * chance * (1 - chance)) + 50
    k = np.arange(max(0, int(trials * chance - reach)), min(trials, int(trials * chance + reach)) + 1)
    weight = stats.binom.pmf(k, trials, chance)
    return float((weight * function(k.astype(float))).sum() / weight.sum())


FUNCTIONS = {
    "shared reward": lambda k, n: -2 / (1 + 1e3 * (k + 1) / (n + 1)),
    "logarithm": lambda k, n: np.log((k + 1) / (n + 1)),
    "cube": lambda k, n: ((k + 1) / (n + 1)) ** 3,
    "root": lambda k, n: np.sqrt((k + 1) / (n + 1)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_expectations_of_smooth_functions(name):
    for trials in TRIALS:
        wanted = np.array([brute(lambda k, n=trials: FUNCTIONS[name](k, n), trials, p) for p in CHANCES])
        mean, error = expectation(lambda k, n=trials: FUNCTIONS[name](k, n), CHANCES, trials)
        np.testing.assert_allclose(mean, wanted, rtol=2e-12, atol=1e-15)
        assert (error <= 3e-12 * np.abs(wanted).max()).all()


@pytest.mark.parametrize("where", [0.0, 0.25, 0.5, -1.0, 7.3])
@pytest.mark.parametrize("shape", ["kink", "step"])
def test_expectations_of_functions_with_a_kink_or_a_step_at_the_crowd(where, shape):
    """Nodes and strided sums do not see them right, notice it, and end in a whole sum."""
    for trials in TRIALS[2:]:
        for chance in CHANCES[4:-1]:
            level = np.floor(trials * chance) + where
            f = {"kink": lambda k, at=level: np.maximum(k - at, 0.0), "step": lambda k, at=level: 1.0 * (k > at)}[shape]
            mean, error = expectation(f, np.array([chance]), trials)
            assert mean[0] == pytest.approx(brute(f, trials, chance), rel=1e-11, abs=2 * error[0] + 1e-15)


def test_round_off_around_0_and_1_is_round_off():
    chance = np.array([-1e-18, 0.0, 1.0, 1 + 1e-15])
    np.testing.assert_array_equal(expectation(lambda k: k, chance, 10**12)[0], [0, 0, 1e12, 1e12])
    for wrong in (1.1, -0.1, np.nan):
        with pytest.raises(mfg.InputError, match="from 0 to 1"):
            expectation(lambda k: k, np.array([wrong]), 3)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**12), st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_mean_and_variance(trials, chances):
    p = np.array(chances)
    scale = max(1.0, trials)
    mean, _ = expectation(lambda k: (3 + k) / scale, p, trials)
    np.testing.assert_allclose(mean, (3 + trials * p) / scale, rtol=1e-11)
    centre, spread = trials * p, np.maximum(np.sqrt(trials * p * (1 - p)), 1e-3)
    variance, _ = expectation(lambda k: ((k - centre) / spread) ** 2, p, trials)
    np.testing.assert_allclose(variance, trials * p * (1 - p) / spread**2, rtol=1e-6, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.floats(1e-3, 0.999), st.integers(0, 3000), st.floats(-3, 3))
def test_any_cell_for_itself(trials, chance, at, height):
    """Arbitrary values at arbitrary places: an item does not disturb its neighbours."""
    at = min(at, trials)
    f = lambda k: np.exp(-k / (trials + 1)) + height * (k >= at)
    both = np.array([chance, 0.5 * chance])
    mean, _ = expectation(f, both, trials)
    np.testing.assert_allclose(mean, [brute(f, trials, p) for p in both], rtol=1e-11, atol=1e-11)


# -- the game of N agents, enumerated --------------------------------------------------------------------------


class Enumerated:
    """All joint states and choices of the others of one agent; costs by the couplings at the empirical measure."""

    def __init__(self, problem, policy, agents):
        self.problem, self.game, self.agents = problem, make_game(problem), agents
        game = self.game
        self.count = game.grid.populations
        self.policy = np.asarray(policy, dtype=float).reshape(game.steps, game.actions, game.states)
        self.kernel = self._kernel()
        mass = np.repeat(game.initial_mass.reshape(self.count, 1, -1), self.count, axis=1)
        mass[~np.eye(self.count, dtype=bool)] = 0
        self.start = mass.reshape(self.count, -1)
        times = problem.time.nodes[:-1]
        running = problem.couplings[0]
        choices = mfg.spaces.Choices(game.actions, game.grid)
        self.terms = []
        for term in running.terms if hasattr(running, "terms") else (running,):
            space = choices if term.on == "occupation" else game.grid
            amounts = None
            if term.on == "aggregate":
                amounts = term.amounts_on(choices, times, None).reshape(-1, game.actions, game.states)
            self.terms.append((term.on, term.bind(space, times), space.shape, amounts))
        self.last = problem.couplings[1].bind(game.grid, np.array([problem.time.horizon])) if len(
            problem.couplings) > 1 else None  # fmt: skip

    def _kernel(self):
        """P[t, a, x, y], by pushing one agent at a time."""
        kernel = np.zeros((self.game.steps, self.game.actions, self.game.states, self.game.states))
        for t, a, x in np.ndindex(kernel.shape[:3]):
            lone = make_game(self.problem)
            lone.initial_mass, first = np.eye(lone.states)[x], lone.transitions.first
            rows = first[[min(t, len(first) - 1)] * lone.steps]
            lone.step.transitions = type(lone.transitions)(rows, lone.transitions.successor, lone.transitions.chance)
            always = lone.uniform()
            always[:, :, x] = np.eye(lone.actions)[a]
            kernel[t, a, x] = lone.flow(always)[1, : lone.states]
        return kernel

    def empirical(self, t, places, choices):
        """What everybody's being there costs an agent: per unit time, for the one listed first."""
        game, per_agent = self.game, 1.0 / (self.agents * self.game.volume)
        x, a = places[0], choices[0]
        total = 0.0
        for on, bound, shape, amounts in self.terms:
            nodes = slice(t, t + 1)
            if on == "state":
                rho = np.bincount(places, minlength=game.states) * per_agent
                total += bound.cost(nodes, rho.reshape(1, *shape)).reshape(-1)[x]
            elif on == "occupation":
                flat = np.array(choices) * game.states + np.array(places)
                rho = np.bincount(flat, minlength=game.states * game.actions) * per_agent
                total += bound.cost(nodes, rho.reshape(1, *shape)).reshape(-1)[a * game.states + x]
            else:
                alpha = amounts[min(t, len(amounts) - 1)]
                amount = sum(alpha[b, y] for b, y in zip(choices, places, strict=True)) / self.agents
                total += bound.cost(nodes, np.array([[amount]]))[0, 0] * alpha[a, x]
        return total

    def final(self, places):
        rho = np.bincount(places, minlength=self.game.states) / (self.agents * self.game.volume)
        return self.last.cost(slice(0, 1), rho.reshape(1, *self.game.grid.shape)).reshape(-1)[places[0]]

    def others(self, population):
        """Who else plays: populations of the other agents."""
        everybody = [p for p in range(self.count) for _ in range(self.agents)]
        everybody.remove(population)
        return everybody

    def prices(self, population):
        """Expected crowd cost of (t, a, x), and of x at the end, over all joint states and choices of the others."""
        game, others = self.game, self.others(population)
        law = [self.start[p] for p in others]
        running = np.zeros((game.steps, game.actions, game.states))
        own = range(population * game.states // self.count, (population + 1) * game.states // self.count)
        for t in range(game.steps):
            moves = [mass[None] * self.policy[t] for mass in law]
            lists = [np.argwhere(move > 0) for move in moves]
            for combination in itertools.product(*lists):
                chance = np.prod([move[a, x] for move, (a, x) in zip(moves, combination, strict=True)])
                for a, x in itertools.product(range(game.actions), own):
                    where, what = [x, *(y for _, y in combination)], [a, *(b for b, _ in combination)]
                    running[t, a, x] += chance * self.empirical(t, where, what)
            law = [np.einsum("ax,axy->y", move, self.kernel[t]) for move in moves]
        last = np.zeros(game.states)
        if self.last is not None:
            for combination in itertools.product(*(np.flatnonzero(mass) for mass in law)):
                chance = np.prod([mass[y] for mass, y in zip(law, combination, strict=True)])
                for x in own:
                    last[x] += chance * self.final([x, *combination])
        return running, last

    def cost_and_best(self, population):
        """Of an agent that follows the plan, and of one that answers best, by dynamic programming."""
        game, tau = self.game, self.game.tau
        running, last = self.prices(population)
        plan, best = game.terminal_cost + last, game.terminal_cost + last
        for t in range(game.steps - 1, -1, -1):
            here = game.own_cost[min(t, len(game.own_cost) - 1)] + game.dt * running[t]
            q, least = here + self.kernel[t] @ plan, here + self.kernel[t] @ best
            pi = self.policy[t]
            heat = tau * np.where(pi > 0, np.log(np.where(pi > 0, pi, 1)), 0)
            plan = (pi * (q + heat)).sum(axis=0)
            least = np.where(game.allowed, least, np.inf)
            best = least.min(axis=0)
            if tau:
                best = best - tau * np.log(np.exp(-(least - best) / tau).sum(axis=0))
        return self.start[population] @ plan, self.start[population] @ best

    def joint_cost(self, deviation):
        """Expected cost of the first of all agents, from the joint law of everybody; it plays ``deviation``."""
        game = self.game
        tables = [deviation] + [self.policy] * (self.agents - 1)
        law, total = {(): 1.0}, 0.0
        for _ in tables:
            law = {(*s, x): c * self.start[0, x] for s, c in law.items() for x in np.flatnonzero(self.start[0])}
        for t in range(game.steps):
            following = {}
            for states, chance in law.items():
                for acts in itertools.product(range(game.actions), repeat=len(states)):
                    share = chance * np.prod([table[t, a, x] for table, a, x in zip(tables, acts, states, strict=True)])
                    if share == 0:
                        continue
                    own = game.own_cost[min(t, len(game.own_cost) - 1), acts[0], states[0]]
                    total += share * (own + game.dt * self.empirical(t, list(states), list(acts)))
                    rows = [self.kernel[t, a, x] for a, x in zip(acts, states, strict=True)]
                    for ends in itertools.product(*(np.flatnonzero(row) for row in rows)):
                        move = np.prod([row[y] for row, y in zip(rows, ends, strict=True)])
                        following[ends] = following.get(ends, 0.0) + share * move
            law = following
        for states, chance in law.items():
            total += chance * (game.terminal_cost[states[0]] + (self.final(list(states)) if self.last else 0.0))
        return total


RNG = np.random.default_rng(11)


def stochastic(*shape):
    table = RNG.uniform(size=shape) ** 2
    return table / table.sum(axis=-1, keepdims=True)


def tabular(coupling, *, states=3, actions=2, steps=2, temperature=0.0, horizon=None, **more):
    initial = stochastic(states)
    return mfg.Problem(
        grid=mfg.States(states), time=mfg.TimeGrid(horizon or steps, steps), coupling=coupling, initial=initial,
        dynamics=mfg.Tabular(stochastic(actions, states, states), cost=RNG.uniform(size=(actions, states)),
                             temperature=temperature),
        **more,
    )  # fmt: skip


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
AMOUNTS = RNG.uniform(size=(2, 3))
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


def any_policy(problem, rng=5):
    game = make_game(problem)
    table = np.random.default_rng(rng).uniform(size=(game.steps, game.actions, game.states)) * game.allowed
    return (table / table.sum(axis=1, keepdims=True)).reshape(game.steps, game.actions, *game.grid.shape)


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
        np.testing.assert_allclose(_excess(chosen, best, q, tau), (chosen * (q + heat)).sum(axis=0) - least, atol=1e-14)
        assert (_excess(best, best, q, tau) >= 0).all()
        assert (_excess(best, best, q, tau) <= 1e-30).all()


# -- controlled diffusions -------------------------------------------------------------------------------------


def lonely(problem, crowd_cost):
    """The game of one agent that pays a given price (steps, *shape)."""
    nodes = list(problem.time.nodes)
    at = lambda t, c: crowd_cost[min(nodes.index(t), len(crowd_cost) - 1)]
    return replace(problem, coupling=mfg.RunningCost(at), terminal_coupling=None, name="custom")


@pytest.fixture(scope="module")
def plan():
    return mfg.solve(mfg.problems.supply_demand(shape=(16, 16), steps=128), tol=1e-12)


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
        grid=grid, time=mfg.TimeGrid(0.5, 40), dynamics=mfg.ControlledDiffusion(0.02, 0.3),
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


# -- linear-quadratic: closed forms ----------------------------------------------------------------------------


def test_linear_quadratic_regret_and_cost_of_the_continuous_game():
    """A deviator faces kappa (1 - 1/N)^2: its gain solves a Riccati equation of its own."""
    problem = mfg.problems.linear_quadratic(shape=(192,), steps=384)
    exact, plan = mfg.problems.closed_form(problem), mfg.solve(problem, tol=1e-12)
    numbers = [1, 2, 10, 1000, 10**5]
    found = mfg.nash_gap(plan, numbers)
    assert (found.regret_error == 0).all()
    t = problem.time.nodes
    mass, x = plan.dataset.density * problem.grid.cell_volume, plan.dataset.x
    variance = ((mass * x**2).sum("x") - (mass * x).sum("x") ** 2).values
    near = 0.5 * (exact.kappa * problem.time.dt * variance[:-1].sum() + exact.terminal * variance[-1])
    for n, regret, difference in zip(numbers, found.regret.values, found.cost_difference.values, strict=True):
        if n == 1:
            gap = np.array([exact.eta(s) for s in t])
        else:
            alone = replace(exact, kappa=exact.kappa * (1 - 1 / n) ** 2, terminal=exact.terminal * (1 - 1 / n) ** 2)
            gap = np.array([exact.eta(s) - alone.eta(s) for s in t])
        assert regret == pytest.approx(0.5 * trapezoid(gap**2 * variance, t), rel=0.05)
        assert difference == pytest.approx(-near / n, rel=1e-9)


def test_linear_quadratic_equilibrium_of_n_players():
    exact = mfg.problems.closed_form(mfg.problems.linear_quadratic())
    for n in (1, 2, 7, 1000):
        finite = exact.among(n)
        for t in (0.0, 0.7, 1.9):
            slope = (finite.eta(t + 1e-5) - finite.eta(t - 1e-5)) / 2e-5
            assert slope == pytest.approx((1 - 1 / n**2) * finite.eta(t) ** 2 - exact.kappa, rel=1e-7, abs=1e-8)
            assert finite.gain(t) == pytest.approx((1 - 1 / n) * finite.eta(t))
        assert finite.eta(exact.horizon) == pytest.approx(exact.terminal)
        t = np.linspace(0, exact.horizon, 4001)
        heat = exact.viscosity * (1 - 1 / n) * trapezoid([finite.eta(s) for s in t], t)
        assert finite.cost == pytest.approx(0.5 * (1 - 1 / n) * exact.spread**2 * finite.eta(0) + heat, rel=1e-7)
    assert exact.among(10**9).cost == pytest.approx(exact.value(0, {"x": np.array(exact.spread)}), rel=1e-8)
    with pytest.raises(mfg.InputError, match="agents"):
        exact.among(0)


def test_the_mean_field_plan_costs_as_much_as_the_equilibrium_of_many_players():
    problem = mfg.problems.linear_quadratic(shape=(192,), steps=384)
    exact, plan = mfg.problems.closed_form(problem), mfg.solve(problem, tol=1e-12)
    numbers = np.array([10, 100, 1000])
    found = mfg.nash_gap(plan, numbers.tolist())
    exact_difference = np.array([exact.among(int(n)).cost - exact.among(10**12).cost for n in numbers])
    gap = numbers * (found.cost_difference.values - exact_difference)
    assert (np.abs(gap) < 0.3).all()  # of order 1 / N
    np.testing.assert_allclose(gap[1:], gap[2], rtol=0.05)


# -- three regimes ---------------------------------------------------------------------------------------------


def roads(left, right, temperature=0.0):
    """From home to one of two roads; what they cost is told by couplings on the two."""
    go = [np.eye(3)[[1, 1, 2]], np.eye(3)[[2, 1, 2]]]
    there = lambda t, c: 1.0 * (t > 0) * (c.state == 1)
    other = lambda t, c: right * (t > 0) * (c.state == 2)
    return mfg.Problem(
        grid=mfg.States(["home", "left", "right"]), time=mfg.TimeGrid(2, 2), initial=np.array([1.0, 0, 0]),
        dynamics=mfg.Tabular(go, temperature=temperature),
        coupling=mfg.CrowdAversion(there) + mfg.CrowdAversion(other) + left,
    )  # fmt: skip


def split(share):
    policy = np.zeros((2, 2, 3))
    policy[:] = 0.5
    policy[0, :, 0] = share, 1 - share
    return policy


def test_bang_bang_answers_regret_one_over_n():
    """Costs rho and 2 rho: 2/3 go left; the empty right side of a road counts 1 - m more, so 1 / (3 N) is gained."""
    numbers = [1, 2, 10, 1000, 10**6, 10**9]
    found = mfg.nash_gap(roads(mfg.RunningCost(0.0), 2.0), numbers, policy=split(2 / 3))
    np.testing.assert_allclose(found.regret, 1 / (3 * np.array(numbers)), rtol=1e-6)


def test_kinked_costs_regret_one_over_the_root_of_n():
    kink = mfg.CustomCoupling(
        lambda t, c, rho: 4 * (t > 0) * (c.state == 1) * np.maximum(rho - 0.5, 0.0),
        derivative=lambda t, c, rho: 4.0 * (t > 0) * (c.state == 1) * (rho > 0.5),
    )
    numbers = [10, 1000, 10**5, 10**6]
    found = mfg.nash_gap(roads(kink, 1.0), numbers, policy=split(0.5))
    for n, regret in zip(numbers, found.regret.values, strict=True):
        excess = brute(lambda k, n=n: np.maximum((k + 1) / n - 0.5, 0.0), n - 1, 0.5)
        assert regret == pytest.approx(0.5 * 4 * excess, rel=1e-9)
    assert found.regret.values[2] / found.regret.values[3] == pytest.approx(np.sqrt(10), rel=0.01)


def test_soft_answers_to_smooth_costs_regret_one_over_n_squared():
    plan = mfg.solve(roads(mfg.RunningCost(0.0), 2.0, temperature=0.3), tol=1e-14, check="ignore")
    regret = mfg.nash_gap(plan, [100, 1000, 10_000]).regret.values
    np.testing.assert_allclose(regret[:-1] / regret[1:], 100, rtol=0.03)


# -- hard bounds, and what is refused --------------------------------------------------------------------------


def test_tolls_are_paid_as_prices_that_stay():
    """0.6 fit left, where 2/3 would be: they pay 0.2; one more on the left counts 0.4 / N there, and 1.2 / N right."""
    problem = roads(mfg.Capacity(lambda t, c: np.where((t > 0) & (c.state == 1), 0.6, np.inf)), 2.0)
    plan = mfg.solve(problem, tol=1e-10)
    found = mfg.nash_gap(plan, [10, 1000, 10**9])
    assert float(plan.dataset.density.sel(state="left")[1]) == pytest.approx(0.6, abs=1e-8)
    toll = float(plan.dataset.capacity_multiplier.sel(state="left")[1])
    assert toll == pytest.approx(0.2, abs=1e-6)
    np.testing.assert_allclose(found.regret, 0.4 * (2 * 0.6 - 0.4) / np.array([10, 1000, 10**9]), rtol=1e-5, atol=1e-8)
    assert found.attrs["mean_field_cost"] == pytest.approx(0.8, abs=1e-6)


def test_bounds_of_a_price_too():
    price = mfg.Price(mfg.QuadraticPotential(1.0), bounds=(None, 0.5), amounts=np.array([[1.0, 0, 0], [0.0, 0, 0]]))
    plan = mfg.solve(roads(price, 3.0), tol=1e-8)
    found = mfg.nash_gap(plan, [10**9])
    assert float(found.regret[0]) == pytest.approx(0, abs=1e-7)
    assert found.attrs["mean_field_cost"] == pytest.approx(plan.certificate.cost, rel=1e-9)


@pytest.mark.parametrize("agents", [[], 0, [0], [-3], [1.5], "many", ["many"], [True], [10, None], [10**13], {3: 4}])
def test_numbers_that_are_none(plan, agents):
    with pytest.raises(mfg.InputError, match="agents"):
        mfg.nash_gap(plan, agents)


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


def test_games_without_an_exact_law_name_the_simulation():
    follow = mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(2, 2), coupling=mfg.CrowdAversion(1.0), initial=0.5,
        dynamics=mfg.Tabular(lambda t, mass: [np.eye(2), np.tile(mass, (2, 1))]),
    )  # fmt: skip
    distant = tabular(mfg.CustomCoupling(lambda t, c, rho: np.roll(rho, 1)))
    bent = tabular(mfg.Price(Quartic(), amounts=AMOUNTS))
    for problem, word in ((follow, "independent"), (distant, "CustomCoupling"), (bent, "Quartic")):
        with pytest.raises(mfg.InputError, match=rf"(?s){word}.*mfg\.simulate"):
            mfg.nash_gap(problem, [10], policy=any_policy(problem))


class Quartic:
    """phi = A^4 / 4."""

    def value(self, t, amount):
        return amount**4 / 4

    def derivative(self, t, amount):
        return amount**3

    def second(self, t, amount):
        return 3 * amount**2


def test_a_cap_far_beyond_the_crowd_is_not_overlooked():
    """A cost that bends five standard deviations away: the full binomial sum, and an honest bound."""
    cap = mfg.CustomCoupling(
        cost=lambda t, c, rho: 1e6 * np.maximum(rho - 1.15, 0),
        derivative=lambda t, c, rho: 1e6 * (rho > 1.15), monotone=True,
    )  # fmt: skip
    problem = mfg.Problem(mfg.Grid.box((8,)), mfg.TimeGrid(1.0, 16), mfg.ControlledDiffusion(viscosity=0.5), cap, 1.0)
    found = mfg.nash_gap(problem, [5000, 6500, 8000], policy=np.zeros((16, 2, 8)))
    for n, cost in zip(found.agents.values, found.cost.values, strict=True):
        wanted = brute(lambda k, n=n: 1e6 * np.maximum(8 * (k + 1) / n - 1.15, 0), n - 1, 1 / 8)
        assert cost == pytest.approx(wanted, rel=1e-9)


def test_a_coupling_that_wrongly_says_it_is_local_is_found_out():
    space = mfg.Populations(["a", "b"], mfg.Grid.box((4,)))
    both = mfg.CustomCoupling(
        cost=lambda t, c, rho: np.broadcast_to(rho.sum(0) ** 2, rho.shape),
        derivative=lambda t, c, rho: np.broadcast_to(2 * rho.sum(0), rho.shape),
    )
    moves = [mfg.LatticeMoves((-1, 0, 1), costs=0.01, temperature=0.1)] * 2
    problem = mfg.Problem(space, mfg.TimeGrid(1.0, 4), moves, both, 1.0)
    with pytest.raises(mfg.InputError, match="its cost changes with the density elsewhere"):
        mfg.nash_gap(problem, 10, policy=np.full((4, 3, 2, 4), 1 / 3))


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
