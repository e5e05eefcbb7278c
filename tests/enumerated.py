"""Games of a few agents enumerated agent by agent, and games and policies to try them on."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace

import numpy as np
from scipy import stats

import mfgsolve as mfg
from mfgsolve.games import make_game

# -- binomial sums ---------------------------------------------------------------------------------------------


def brute(function, trials, chance):
    """E f(B) by scipy's probabilities; ten standard deviations and fifty are left of many agents."""
    reach = 10 * np.sqrt(trials * chance * (1 - chance)) + 50
    k = np.arange(max(0, int(trials * chance - reach)), min(trials, int(trials * chance + reach)) + 1)
    weight = stats.binom.pmf(k, trials, chance)
    return float((weight * function(k.astype(float))).sum() / weight.sum())


# -- the game of N agents, enumerated --------------------------------------------------------------------------


class Enumerated:
    """All joint states and choices of the others of one agent; costs by the couplings at the empirical measure, and
    discounted here: the game itself is the one without a rate."""

    def __init__(self, problem, policy, agents):
        self.late = np.exp(-problem.time.discount * problem.time.nodes)
        problem = replace(problem, time=replace(problem.time, discount=0.0))
        self.problem, self.game, self.agents = problem, make_game(problem), agents
        game = self.game
        self.count = game.grid.populations
        self.policy = np.asarray(policy, dtype=float).reshape(game.steps, game.step.actions, game.cells)
        self.kernel = self._kernel()
        mass = np.repeat(game.initial_mass.reshape(self.count, 1, -1), self.count, axis=1)
        mass[~np.eye(self.count, dtype=bool)] = 0
        self.start = mass.reshape(self.count, -1)
        times = problem.time.nodes[:-1]
        running = problem.couplings[0]
        choices = mfg.spaces.Choices(game.step.actions, game.grid)
        self.terms = []
        for term in running.terms if hasattr(running, "terms") else (running,):
            space = choices if term.on == "occupation" else game.grid
            amounts = None
            if term.on == "aggregate":
                amounts = term.amounts_on(choices, times, None).reshape(-1, game.step.actions, game.cells)
            self.terms.append((term.on, term.bind(space, times), space.shape, amounts))
        self.last = problem.couplings[1].bind(game.grid, np.array([problem.time.horizon])) if len(
            problem.couplings) > 1 else None  # fmt: skip

    def _kernel(self):
        """P[t, a, x, y], by pushing one agent at a time."""
        kernel = np.zeros((self.game.steps, self.game.step.actions, self.game.cells, self.game.cells))
        for t, a, x in np.ndindex(kernel.shape[:3]):
            lone = make_game(self.problem)
            lone.initial_mass, first = np.eye(lone.cells)[x], lone.step.transitions.first
            rows = first[[min(t, len(first) - 1)] * lone.steps]
            lone.step.transitions = type(lone.step.transitions)(
                rows, lone.step.transitions.successor, lone.step.transitions.chance
            )
            always = lone.step.uniform()
            always[:, :, x] = np.eye(lone.step.actions)[a]
            kernel[t, a, x] = lone.flow(always)[1, : lone.cells]
        return kernel

    def empirical(self, t, places, choices):
        """What everybody's being there costs an agent: per unit time, for the one listed first."""
        game, per_agent = self.game, 1.0 / (self.agents * self.game.grid.cell_volume)
        x, a = places[0], choices[0]
        total = 0.0
        for on, bound, shape, amounts in self.terms:
            nodes = slice(t, t + 1)
            if on == "state":
                rho = np.bincount(places, minlength=game.cells) * per_agent
                total += bound.cost(nodes, rho.reshape(1, *shape)).reshape(-1)[x]
            elif on == "occupation":
                flat = np.array(choices) * game.cells + np.array(places)
                rho = np.bincount(flat, minlength=game.cells * game.step.actions) * per_agent
                total += bound.cost(nodes, rho.reshape(1, *shape)).reshape(-1)[a * game.cells + x]
            else:
                alpha = amounts[min(t, len(amounts) - 1)]
                amount = sum(alpha[b, y] for b, y in zip(choices, places, strict=True)) / self.agents
                total += bound.cost(nodes, np.array([[amount]]))[0, 0] * alpha[a, x]
        return total

    def final(self, places):
        rho = np.bincount(places, minlength=self.game.cells) / (self.agents * self.game.grid.cell_volume)
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
        running = np.zeros((game.steps, game.step.actions, game.cells))
        own = range(population * game.cells // self.count, (population + 1) * game.cells // self.count)
        for t in range(game.steps):
            moves = [mass[None] * self.policy[t] for mass in law]
            lists = [np.argwhere(move > 0) for move in moves]
            for combination in itertools.product(*lists):
                chance = np.prod([move[a, x] for move, (a, x) in zip(moves, combination, strict=True)])
                for a, x in itertools.product(range(game.step.actions), own):
                    where, what = [x, *(y for _, y in combination)], [a, *(b for b, _ in combination)]
                    running[t, a, x] += chance * self.empirical(t, where, what)
            law = [np.einsum("ax,axy->y", move, self.kernel[t]) for move in moves]
        last = np.zeros(game.cells)
        if self.last is not None:
            for combination in itertools.product(*(np.flatnonzero(mass) for mass in law)):
                chance = np.prod([mass[y] for mass, y in zip(law, combination, strict=True)])
                for x in own:
                    last[x] += chance * self.final([x, *combination])
        return running, last

    def cost_and_best(self, population):
        """Of an agent that follows the plan, and of one that answers best, by dynamic programming."""
        game, late = self.game, self.late
        running, last = self.prices(population)
        plan = best = late[-1] * (game.terminal_cost + last)
        for t in range(game.steps - 1, -1, -1):
            here = late[t] * (game.step.own_cost[min(t, len(game.step.own_cost) - 1)] + game.dt * running[t])
            tau = late[t] * game.step.entropy_cost[0]
            q, least = here + self.kernel[t] @ plan, here + self.kernel[t] @ best
            pi = self.policy[t]
            heat = tau * np.where(pi > 0, np.log(np.where(pi > 0, pi, 1)), 0)
            plan = (pi * (q + heat)).sum(axis=0)
            least = np.where(game.step.allowed, least, np.inf)
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
                for acts in itertools.product(range(game.step.actions), repeat=len(states)):
                    share = chance * np.prod([table[t, a, x] for table, a, x in zip(tables, acts, states, strict=True)])
                    if share == 0:
                        continue
                    own = game.step.own_cost[min(t, len(game.step.own_cost) - 1), acts[0], states[0]]
                    total += share * self.late[t] * (own + game.dt * self.empirical(t, list(states), list(acts)))
                    rows = [self.kernel[t, a, x] for a, x in zip(acts, states, strict=True)]
                    for ends in itertools.product(*(np.flatnonzero(row) for row in rows)):
                        move = np.prod([row[y] for row, y in zip(rows, ends, strict=True)])
                        following[ends] = following.get(ends, 0.0) + share * move
            law = following
        for states, chance in law.items():
            end = game.terminal_cost[states[0]] + (self.final(list(states)) if self.last else 0.0)
            total += chance * self.late[-1] * end
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


AMOUNTS = RNG.uniform(size=(2, 3))


def any_policy(problem, rng=5):
    game = make_game(problem)
    table = np.random.default_rng(rng).uniform(size=(game.steps, game.step.actions, game.cells)) * game.step.allowed
    return (table / table.sum(axis=1, keepdims=True)).reshape(game.steps, game.step.actions, *game.grid.shape)


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


@functools.cache
def flagship() -> mfg.Solution:
    """The flagship on 16 x 16 cells, solved once for all files."""
    return mfg.solve(mfg.problems.supply_demand(shape=(16, 16), steps=128, scheme="upwind"), tol=1e-12)
