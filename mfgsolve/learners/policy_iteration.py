"""The textbook fixed points: best action values against a frozen crowd, their softmax, its crowd, and again.

With q_k(t, x, a) the cost of action a, and of the best actions afterwards, against the crowd m_k,

    pi_k = softmax(-q_k / eta),    m_{k+1} = (1 - w) m_k + w flow(pi_k).

Where q comes from dynamic programming this is Boltzmann iteration (`BoltzmannIteration`; Cui and Koeppl,
arXiv:2102.01585, section 4); where it comes from Q-learning on sampled episodes it is GMF-Q (`GMFQ`; Guo, Hu, Xu and
Zhang, Learning mean-field games, NeurIPS 2019, arXiv:1901.09585, Algorithm 1), of which the former is the limit
without noise.  Both are solvers of the core, so that `mfgsolve.solve` drives, certifies and stores them:

    mfg.solve(problem, method=BoltzmannIteration(softness=0.5), tol=0.05)
    gmf_q(problem, softness=0.5, agents=100, episodes=1000, rng=0)

The fixed point is no equilibrium of the game: it is one of agents who err by eta, and its exploitability says how much
they lose.  A high eta makes the map a contraction, a low one brings the fixed point near the equilibrium and lets the
iteration turn in circles; w < 1 damps these.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.errors import InputError, unknown, whole
from mfgsolve.games import Game
from mfgsolve.inputs.options import typed_options
from mfgsolve.kernels import finite
from mfgsolve.learners.sampler import Sampler
from mfgsolve.parts.exploration import draw
from mfgsolve.problem import Problem
from mfgsolve.solution import Solution
from mfgsolve.solution.learning import Played
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.needs import SOFT, TABLES
from mfgsolve.solvers.stored import STORED, Stored
from mfgsolve.solving import solve
from mfgsolve.watch import look

__all__ = ["BoltzmannIteration", "GMFQ", "gmf_q"]

FURTHER = ("block", "empirical", "exploration", "power")


@dataclass
class ValueState(State):
    """Action values q (T, actions, states), the policy they make, its crowd, and the crowd that was believed."""

    replaced = True

    game: Game
    q: np.ndarray = field(metadata=STORED)
    policy: np.ndarray
    crowd: np.ndarray
    believed: np.ndarray = field(metadata=STORED)


@dataclass(frozen=True)
class _Iteration(Solver):
    softness: float = 1.0
    weight: float = 1.0

    needs = (TABLES, SOFT)

    def __post_init__(self) -> None:
        typed_options(type(self), {part.name: getattr(self, part.name) for part in fields(self)}, self.name)
        if not (math.isfinite(self.softness) and self.softness > 0):
            raise InputError(f"softness of {self.name} is {self.softness}; a positive cost is needed")
        if not 0 < self.weight <= 1:
            raise InputError(f"weight of {self.name} is {self.weight}; above 0 and at most 1 is needed")

    def init(self, game: Game, tol: float, start: Guess | None = None) -> ValueState:
        policy = game.step.uniform()
        crowd = game.flow(policy)
        believed = crowd.copy() if start is None else start(game)
        state = ValueState(0, 0.5, UNMEASURED, game, np.zeros_like(policy), policy, crowd, believed)
        return self._measured(state)

    def revive(self, game: Game, tol: float, stored: Stored) -> ValueState:
        values = stored.of(ValueState)
        policy = game.step.uniform() if stored.iteration == 0 else self._softmax(game, values["q"])
        state = ValueState(0, 0.0, UNMEASURED, game, policy=policy, crowd=game.flow(policy), **values)
        state.finished = self.is_over(stored.iteration)
        return state

    def step(self, state: ValueState) -> ValueState:
        game = state.game
        self._value(state)
        state.policy = self._softmax(game, state.q)
        game.flow(state.policy, state.crowd)
        seen = self._seen(state)
        state.believed = game.clip((1.0 - self.weight) * state.believed + self.weight * seen)
        state.iteration, state.sweeps = state.iteration + 1, state.sweeps + 1.0
        return self._measured(state)

    def finish(self, state: ValueState) -> Outcome:
        return Outcome(state.game, state.game.policy_of(state.policy), state.crowd, sweeps=state.sweeps)

    def is_over(self, iteration: int) -> bool:
        """Whether there is nothing left to do by then."""
        return False

    @abstractmethod
    def _value(self, state: ValueState) -> None:
        """Fill q with the action values against the crowd believed."""

    def _seen(self, state: ValueState) -> np.ndarray:
        """What is seen of the crowd of the policy."""
        return state.crowd

    def _softmax(self, game: Game, q: np.ndarray) -> np.ndarray:
        policy = np.empty_like(q)
        finite.softmax(-game.unweighed(q, slice(0, game.steps)) / self.softness, game.step.allowed, policy)
        return policy

    def _measured(self, state: ValueState) -> ValueState:
        """Certificate of the policy in the game as it is stated.  Half a sweep."""
        certificate = certify(state.game, state.game.policy_of(state.policy), state.crowd)
        state.sweeps += 0.5
        state.note(certificate, state.game.cell_steps)
        state.finished = self.is_over(state.iteration)
        return state


@dataclass(frozen=True)
class BoltzmannIteration(_Iteration):
    """Softmax of exact action values, see the module.

    At a temperature tau > 0 of the game q is that of the softened Bellman equation; ``softness`` = tau dt then iterates
    best responses (Cui and Koeppl's iteration with relative entropy), whose fixed point is the equilibrium.

    Parameters
    ----------
    softness : eta > 0, a cost as of its own time: actions that differ by it have probabilities that differ by a factor
        e
    weight : w, share of the newest crowd in the crowd believed
    """

    name = "boltzmann-iteration"
    source = (
        "Cui and Koeppl, Approximately solving mean field games via entropy-regularized deep reinforcement learning, "
        "arXiv:2102.01585"
    )

    def _value(self, state: ValueState) -> None:
        game = state.game
        price = game.price(state.believed)
        response = game.respond(price, crowd=state.believed).policy
        state.q = game.evaluate(response, price, state.believed)[1]


@dataclass(frozen=True)
class GMFQ(_Iteration):
    """Softmax of action values learned from sampled episodes against the frozen crowd, see the module.

    An agent chooses by its present policy, evenly among the allowed actions with probability ``exploration``, and
    learns, from the last step of its episode to the first,

        Q(t, x, a) <- (1 - alpha) Q(t, x, a) + alpha [cost of a + f_{t+1}(x') + min_b Q(t+1, x', b)]

    with alpha = (1 + visits)^-power and f weighted as in the game (the soft minimum where the game has a temperature).
    Visits are counted anew for each crowd; values stay.  All agents of a population share a table.

    Parameters
    ----------
    softness, weight : as of `BoltzmannIteration`
    agents : how many play each episode (of each population)
    episodes : how often they play in all
    block : episodes against one crowd; then comes the next one
    exploration : probability of an even choice
    power : of the step size, above 1/2 and at most 1 (Even-Dar and Mansour, JMLR 5, 2003)
    empirical : whether the crowd is seen of one more episode of these agents, in place of its exact flow
    seed : of all random numbers
    """

    agents: int = 100
    episodes: int = 1000
    block: int = 25
    exploration: float = 0.2
    power: float = 0.75
    empirical: bool = False
    seed: int = 0

    name = "gmf-q"
    source = "Guo, Hu, Xu and Zhang, Learning mean-field games, arXiv:1901.09585"
    learns = True
    before = 0  # episodes before the first certificate

    def __post_init__(self) -> None:
        super().__post_init__()
        for what, least in (("agents", 1), ("episodes", 1), ("block", 1), ("seed", 0)):
            value = whole(getattr(self, what), f"{what} of gmf-q")
            object.__setattr__(self, what, value)
            if value < least:
                raise InputError(f"{what} of gmf-q is {value}; a whole number of at least {least} is needed")
        if not 0 < self.exploration <= 1:
            raise InputError(f"exploration of gmf-q is {self.exploration}; above 0 and at most 1 is needed")
        if not 0.5 < self.power <= 1:
            raise InputError(f"power of gmf-q is {self.power}; above 1/2 and at most 1 is needed")

    def finish(self, state: ValueState) -> Outcome:
        return replace(super().finish(state), played=Played(self.agents, self.episodes, self.block, self.before))

    def is_over(self, iteration: int) -> bool:
        """Whether all episodes have been played by then."""
        return iteration * self.block >= self.episodes

    def _stream(self, state: ValueState, use: int) -> np.random.Generator:
        """Random numbers of this iteration: the same ones after a resume."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(state.iteration, use)))

    def _value(self, state: ValueState) -> None:
        game, sampler, rng = state.game, Sampler(state.game), self._stream(state, 0)
        price = game.price(state.believed)
        action_cost = [sampler.action_cost(t, price[t]) for t in range(game.steps)]
        state_cost = [sampler.state_cost(t, price[t]) for t in range(game.steps + 1)]
        visits = np.zeros(state.q.shape, dtype=np.int64)
        policy, state.q = state.policy, state.q.copy()
        for _ in range(min(self.block, self.episodes - state.iteration * self.block)):
            look()
            behaviour = (1.0 - self.exploration) * policy + self.exploration * game.step.uniform()
            played = _episode(sampler, behaviour, state.believed, self.agents, rng)
            self._learn(state, action_cost, state_cost, visits, played)
            policy = self._softmax(game, state.q)

    def _learn(
        self, state: ValueState, action_cost: list[np.ndarray], state_cost: list[np.ndarray], visits: np.ndarray,
        played: tuple[np.ndarray, np.ndarray],
    ) -> None:  # fmt: skip
        game, q, (cells, actions) = state.game, state.q, played
        value, taus = state_cost[-1], game.step.entropy_cost
        for t in reversed(range(game.steps)):
            chosen = actions[t], cells[t]
            targets = action_cost[t][chosen] + value[cells[t + 1]]
            counts, sums = np.zeros((2, game.step.actions, game.cells))
            np.add.at(counts, chosen, 1.0)
            np.add.at(sums, chosen, targets)
            seen = counts > 0
            step = (1.0 + visits[t][seen]) ** -self.power
            share = 1.0 - (1.0 - step) ** counts[seen]  # of so many updates in a row with their mean
            q[t][seen] += share * (sums[seen] / counts[seen] - q[t][seen])
            visits[t][seen] += counts[seen].astype(np.int64)
            value = state_cost[t] + _least(q[t], game.step.allowed, taus[t])

    def _seen(self, state: ValueState) -> np.ndarray:
        if not self.empirical:
            return state.crowd
        game, sampler, rng = state.game, Sampler(state.game), self._stream(state, 1)
        cells, actions = _episode(sampler, state.policy, None, self.agents, rng)
        crowd = game.empty_crowd()
        for t in range(game.steps + 1):
            mass = np.bincount(cells[t], minlength=game.cells) / self.agents
            choices = np.zeros((game.step.actions, game.cells))
            if t < game.steps:
                np.add.at(choices, (actions[t], cells[t]), 1.0 / self.agents)
            crowd[t] = sampler.level(t, mass, choices)
        return crowd


def gmf_q(
    problem: Problem,
    *,
    softness: float = 1.0,
    weight: float = 1.0,
    agents: int = 100,
    episodes: int = 1000,
    tol: float = 0.0,
    rng: int = 0,
    **options: Any,
) -> Solution:
    """GMF-Q: Q-learning against a frozen crowd, softmax, the crowd of that, and again.

    Parameters
    ----------
    problem : a game with a finite list of actions
    softness, weight, agents, episodes : see `GMFQ`; further options by name (block, exploration, power, empirical)
    tol : relative exploitability to stop at; the agents never see it
    rng : seed

    Returns
    -------
    Solution
        of the last policy; its history holds the exploitability of every one

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> from mfgsolve.learners.policy_iteration import gmf_q
    >>> learned = gmf_q(mfg.problems.left_right(), softness=0.2, weight=0.3, agents=20, episodes=200, block=10, rng=0)
    >>> learned.relative_exploitability < 0.2
    True
    """
    for name in options:
        if name not in FURTHER:
            raise InputError(unknown("option of gmf_q", name, FURTHER))
    method = GMFQ(softness, weight, agents=agents, episodes=episodes, seed=rng, **options)
    return solve(problem, method=method, tol=tol, check="ignore")


def _episode(
    sampler: Sampler, policy: np.ndarray, crowd: np.ndarray | None, agents: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cells (T+1, all) and actions (T, all) of so many agents of every population, who follow a policy; where the
    dynamics need a crowd and none is given, they are it."""
    game = sampler.game
    population = np.repeat(np.arange(sampler.populations), agents)
    number = population.size
    cells, actions = np.empty((game.steps + 1, number), np.int64), np.empty((game.steps, number), np.int64)
    cells[0] = sampler.start(population, rng)
    for t in range(game.steps):
        actions[t] = draw(policy[t].T[cells[t]], rng)
        mass = np.bincount(cells[t], minlength=game.cells) / agents if crowd is None else crowd[t, : game.cells]
        cells[t + 1] = sampler.move(t, cells[t], actions[t], mass, rng)
    return cells, actions


def _least(q: np.ndarray, allowed: np.ndarray, tau: float) -> np.ndarray:
    """min_a q, or -tau log sum exp(-q / tau) where the game has a temperature, (states,)."""
    open_ = np.where(allowed, q, np.inf)
    low = open_.min(axis=0)
    low = np.where(np.isfinite(low), low, 0.0)
    if tau == 0:
        return low
    return low - tau * np.log(np.exp(-(open_ - low) / tau).sum(axis=0))
