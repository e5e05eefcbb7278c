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
from functools import partial
from typing import Any

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.errors import InputError, unknown, whole
from mfgsolve.games import Game
from mfgsolve.inputs.memory import affordable
from mfgsolve.inputs.options import typed_options
from mfgsolve.kernels import finite
from mfgsolve.learners.communication import LATER, LOOSE, Network, check_network, checked_course, checked_links
from mfgsolve.learners.mixed_crowd import mean_policy, regrets
from mfgsolve.learners.sampled_values import Heard, Prices, episode, expected_returns, learn_values
from mfgsolve.learners.sampler import Sampler
from mfgsolve.parts.combine import disagreement
from mfgsolve.problem import Problem
from mfgsolve.solution import Solution
from mfgsolve.solution.learning import Played
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.needs import SOFT, TABLES
from mfgsolve.solvers.stored import STORED, Stored
from mfgsolve.solving import solve
from mfgsolve.watch import look

__all__ = ["BoltzmannIteration", "GMFQ", "gmf_q"]

TABLE_BYTES = 8 * 5  # of an entry of a table: the value, its copy, visits, the policy, the one agents behave by
FURTHER = ("block", "empirical", "exploration", "power", "shared", "graph", "hops", "combine", "connected")


@dataclass
class ValueState(State):
    """Action values q (T, actions, states), the policy they make, its crowd, and the crowd that was believed.

    Where agents have tables of their own q is (agents, T, actions, states), and the policy that of their mean.
    """

    replaced = True

    game: Game
    q: np.ndarray = field(metadata=STORED)
    policy: np.ndarray
    crowd: np.ndarray
    believed: np.ndarray = field(metadata=STORED)
    links: np.ndarray | None = field(default=None, metadata=STORED)  # (links, 2), of agents with tables of their own
    apart: np.ndarray | None = field(default=None, metadata=STORED)  # their disagreement at all certificates
    network: Network | None = None


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
        self._equip(state, fresh=True)
        return self._measured(state)

    def revive(self, game: Game, tol: float, stored: Stored) -> ValueState:
        values = stored.of(ValueState)
        policy = game.step.uniform() if stored.iteration == 0 else self._policy(game, values["q"])
        state = ValueState(0, 0.0, UNMEASURED, game, policy=policy, crowd=game.flow(policy), **values)
        self._equip(state, fresh=False)
        state.finished = self.is_over(stored.iteration)
        return state

    def step(self, state: ValueState) -> ValueState:
        game = state.game
        self._value(state)
        state.policy = self._policy(game, state.q)
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

    def _equip(self, state: ValueState, fresh: bool) -> None:
        """Give a state what it has besides, from the start or from what was stored."""

    def _policy(self, game: Game, q: np.ndarray) -> np.ndarray:
        """The policy that action values make."""
        return self._softmax(game, q)

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
    Visits are counted anew for each crowd; values stay.  All agents of a population share a table; or each has its own,
    talks to its neighbours (`mfgsolve.learners.communication`), and the plan is the mean of what they do.

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
    shared : whether all agents of a population share a table
    graph, hops, combine, connected : of agents with tables of their own, as of `mfgsolve.learners.Mguni`
    """

    agents: int = 100
    episodes: int = 1000
    block: int = 25
    exploration: float = 0.2
    power: float = 0.75
    empirical: bool = False
    seed: int = 0
    shared: bool = field(default=True, metadata=LATER)
    graph: str = field(default="none", metadata=LOOSE)
    hops: int = field(default=1, metadata=LATER)
    combine: str = field(default="episodes", metadata=LATER)
    connected: bool = field(default=True, metadata=LATER)

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
        check_network(self)

    def finish(self, state: ValueState) -> Outcome:
        gaps = None if state.network is None else regrets(state.game, self._policies(state))
        played = Played(self.agents, self.episodes, self.block, self.before, state.apart, gaps)
        return replace(super().finish(state), played=played)

    def _equip(self, state: ValueState, fresh: bool) -> None:
        state.network = Network.of(self, state.links)
        if state.network is not None and fresh:
            shape = (self.agents, *state.policy.shape)
            affordable(math.prod(shape), TABLE_BYTES, f"a learner of {self.agents} agents with tables of their own")
            state.q, state.links, state.apart = np.zeros(shape), state.network.pairs, np.empty(0)

    def revive(self, game: Game, tol: float, stored: Stored) -> ValueState:
        wanted = game.step.uniform().shape if self.shared else (self.agents, *game.step.uniform().shape)
        q = stored.arrays["q"]
        if q.shape != wanted or not np.isfinite(q).all():
            raise ValueError(f"q of shape {q.shape}, where finite numbers {wanted} should be")
        checked_links(stored.arrays.get("links"), self.agents)
        if not self.shared:
            checked_course(stored.arrays["apart"], stored.iteration)
        return super().revive(game, tol, stored)

    def _policies(self, state: ValueState) -> np.ndarray:
        """Of each agent, or the one of all, (owners, T, actions, states)."""
        if state.network is None:
            return state.policy[None]
        return np.stack([self._softmax(state.game, q) for q in state.q])

    def _policy(self, game: Game, q: np.ndarray) -> np.ndarray:
        if self.shared:
            return self._softmax(game, q)
        return mean_policy(game, np.stack([self._softmax(game, one) for one in q]))

    def _measured(self, state: ValueState) -> ValueState:
        if state.network is not None:
            assert state.apart is not None
            state.apart = np.append(state.apart, disagreement(state.q))
            state.sweeps += self.agents if state.iteration else 0  # the flow of each
        return super()._measured(state)

    def is_over(self, iteration: int) -> bool:
        """Whether all episodes have been played by then."""
        return iteration * self.block >= self.episodes

    def _stream(self, state: ValueState, use: int) -> np.random.Generator:
        """Random numbers of this iteration: the same ones after a resume."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(state.iteration, use)))

    def _value(self, state: ValueState) -> None:
        game, sampler, rng = state.game, Sampler(state.game), self._stream(state, 0)
        prices, uniform = Prices.of(sampler, game.price(state.believed)), game.step.uniform()
        policies, q = self._policies(state), state.q.reshape(-1, *state.policy.shape).copy()
        visits, heard = np.zeros(q.shape, dtype=np.int64), self._heard(state)
        for _ in range(min(self.block, self.episodes - state.iteration * self.block)):
            look()
            behaviour = (1.0 - self.exploration) * policies + self.exploration * uniform
            played = episode(sampler, behaviour, state.believed, self.agents, rng)
            learn_values(sampler, prices, q, visits, played, heard, self.power)
            policies = np.stack([self._softmax(game, one) for one in q])
            if state.network is not None and state.network.combine != "episodes":
                returns = partial(expected_returns, q, visits, policies, game.step.entropy_cost[0])
                q, visits = state.network.told([q, visits], returns)
                policies = np.stack([self._softmax(game, one) for one in q])
        state.q = q.reshape(state.q.shape)

    def _heard(self, state: ValueState) -> Heard:
        populations = state.game.grid.populations
        if state.network is None:
            return Heard.by_one(self.agents * populations)
        return Heard.by_agents(*state.network.heard, populations)

    def _seen(self, state: ValueState) -> np.ndarray:
        if not self.empirical:
            return state.crowd
        game, sampler, rng = state.game, Sampler(state.game), self._stream(state, 1)
        cells, actions = episode(sampler, self._policies(state), None, self.agents, rng)
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
