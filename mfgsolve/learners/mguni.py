"""Decentralised learning by actor-critic inside fictitious play on the density.

Many agents play the game over and over.  An agent observes its own state, the time and the reward it realises, nothing
else: not the crowd, not the costs, not the transitions.  Rewards come from the *belief*, the mean of the crowds of all
episodes so far (fictitious play); against it every agent improves its policy by an actor and a critic,

    q(t, x, a)  +=  rate (r + V(t+1, x') - q(t, x, a)),     V(t, x) = sum_a pi(a | t, x) (q - tau log pi)
    H(t, x, .)  +=  actor (q(t, x, .) - V(t, x) - tau H),   pi = softmax(H)
    belief      +=  weight (crowd of the episode - belief)

(the actor is the natural gradient of a softmax policy; tau = 0 in a sharp game; H stays within a bound of its largest
entry).  The plan that is learned is the mean occupation of the agents,
as in the belief.  Some agents explore in each episode; nobody counts them.  Agents with tables of their own may talk to
neighbours on a graph, see `mfgsolve.learners.communication`.

Source: Mguni, Jennings and Munoz de Cote, Decentralised learning in systems with many, many strategic agents, AAAI
2018, arXiv:1803.05028; natural actor-critic: Peters and Schaal, doi:10.1016/j.neucom.2007.11.026.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from mfgsolve.certificates import certify
from mfgsolve.errors import InputError, real, whole
from mfgsolve.games import Game
from mfgsolve.inputs.memory import affordable
from mfgsolve.kernels import learning as kernel
from mfgsolve.learners.communication import LATER, LOOSE, Network, check_network, checked_course, checked_links
from mfgsolve.learners.mixed_crowd import regrets
from mfgsolve.solution.learning import Played
from mfgsolve.solvers.base import UNMEASURED, Guess, Outcome, Solver, State
from mfgsolve.solvers.needs import SOFT, TABLES
from mfgsolve.solvers.stored import STORED, Stored
from mfgsolve.steps import Law, Policy
from mfgsolve.steps.table_policies import OccupationAverage
from mfgsolve.watch import look

__all__ = ["Mguni"]

TABLE_BYTES = 8 * 3  # of an entry of a table: preference, critic, visits
BLOCKS = 100  # certificates in the course of learning
PUSH = 3.0  # what the actor moves preferences by, for an advantage as large as rewards vary


@dataclass
class LearningState(State):
    """Tables of the learners, the belief, and the mean occupation."""

    game: Game
    episode: int = field(metadata=STORED)
    actor: float = field(metadata=STORED)
    preference: np.ndarray = field(metadata=STORED)  # H (owners, steps, states, actions)
    critic: np.ndarray = field(metadata=STORED)  # q
    visits: np.ndarray = field(metadata=STORED)
    belief: np.ndarray = field(metadata=STORED)  # a crowd
    occupation: np.ndarray = field(metadata=STORED)  # (steps, actions, states)
    stream: np.ndarray = field(metadata=STORED)
    links: np.ndarray | None = field(default=None, metadata=STORED)  # (links, 2), of agents with tables of their own
    apart: np.ndarray | None = field(default=None, metadata=STORED)  # their disagreement at the latest certificates
    network: Network | None = None
    law: Law = field(init=False, repr=False)  # where choices lead

    def __post_init__(self) -> None:
        self.law = self.game.step.law()


@dataclass(frozen=True)
class Mguni(Solver):
    """Actor-critic learners in fictitious play; see the module.  A `Solver`, so that `solve`, checkpoints and `resume`
    take it; `mfgsolve.learn` runs it.

    Parameters
    ----------
    agents : how many learn (of each population)
    episodes : how often the game is played
    shared : one table for all agents of a population, which pool what they meet, or (False) one for each agent: the
        latter is decentralised to the letter, and needs as many more episodes as there are agents, or neighbours
    seed : of all random numbers
    explorers : share of the agents that explore in an episode, in turns, each to another degree
    actor : step of the actor, in 1 / cost; 0 takes 3 over the spread of rewards in the first episode
    slowest, power : the critic learns at the rate n^-power, n the visits of (t, x, a), never slower than ``slowest``
    bound : preferences stay that close to the largest one, so that a policy can turn round
    recent : episode k weighs like k^recent in the means
    graph, hops, combine : of agents with tables of their own: who talks to whom ("none", a name as "ring", links as
        "0-1 1-2", a matrix, a graph of NetworkX; see `mfgsolve.parts.graphs.graph`), over how many links, and what
        ("episodes", "diffusion", "adoption"; see `mfgsolve.learners.communication`)
    connected : whether a graph that falls into parts is refused
    """

    agents: int = 1000
    episodes: int = 2000
    shared: bool = True
    seed: int = 0
    explorers: float = 0.4
    actor: float = 0.0
    slowest: float = 0.2
    power: float = 0.6
    bound: float = 10.0
    recent: float = 2.0
    graph: str = field(default="none", metadata=LOOSE)
    hops: int = field(default=1, metadata=LATER)
    combine: str = field(default="episodes", metadata=LATER)
    connected: bool = field(default=True, metadata=LATER)

    name = "mguni"
    source = (
        "Mguni, Jennings and Munoz de Cote, Decentralised learning in systems with many, many strategic agents, "
        "arXiv:1803.05028"
    )
    needs = (TABLES, SOFT)
    learns = True
    before = 1  # episodes before the first certificate

    def __post_init__(self) -> None:
        for what, least in (("agents", 2), ("episodes", 1), ("seed", 0)):
            number = whole(getattr(self, what), f"{what} of the learner")
            object.__setattr__(self, what, number)
            if number < least:
                raise InputError(f"{what} of the learner is {number}; a whole number of at least {least} is needed")
        for what, low, high in (("explorers", 0.0, 1.0), ("slowest", 0.0, 1.0), ("power", 0.0, 1.0)):
            if not low <= real(getattr(self, what), f"{what} of the learner") <= high:
                raise InputError(f"{what} of the learner is {getattr(self, what)}; from {low:g} to {high:g} is needed")
        for what in ("actor", "bound", "recent"):
            value = real(getattr(self, what), f"{what} of the learner")
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"{what} of the learner is {value}; zero or more is needed")
        check_network(self)

    @property
    def block(self) -> int:
        """Episodes from one certificate to the next."""
        return max(1, self.episodes // BLOCKS)

    def init(self, game: Game, tol: float, start: Guess | None = None) -> LearningState:
        owners = 1 if self.shared else self.agents * game.grid.populations
        shape = (owners, game.steps, game.cells, game.step.actions)
        if not self.shared:
            affordable(math.prod(shape), TABLE_BYTES, f"a learner of {owners} agents with tables of their own")
        stream = np.random.SeedSequence(self.seed).generate_state(4, np.uint64)
        state = LearningState(
            0, 0.0, UNMEASURED, game, 0, self.actor, np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.int64),
            np.zeros((game.steps + 1, game.width)), np.zeros((game.steps, game.step.actions, game.cells)), stream,
            network=Network.of(self),
        )  # fmt: skip
        if state.network is not None:
            state.links, state.apart = state.network.pairs, np.empty(0)
        _play_episode(self, state)
        return _measured(self, state)

    def revive(self, game: Game, tol: float, stored: Stored) -> LearningState:
        self._check_stored(game, stored.arrays)
        checked_course(stored.arrays.get("apart"), stored.iteration)
        state = LearningState(0, 0.0, UNMEASURED, game, **stored.of(LearningState))
        state.network = Network.of(self, state.links)
        if state.network is not None and state.apart is None:  # of a version that did not measure it
            state.apart = np.empty(0)
        state.finished = state.episode >= self.episodes
        return state

    def _check_stored(self, game: Game, arrays: dict[str, np.ndarray]) -> None:
        """Kernels trust shapes and numbers; a file need not."""
        owners = 1 if self.shared else self.agents * game.grid.populations
        table = (owners, game.steps, game.cells, game.step.actions)
        wanted = {"preference": table, "critic": table, "visits": table, "belief": (game.steps + 1, game.width),
                  "occupation": (game.steps, game.step.actions, game.cells), "stream": (4,)}  # fmt: skip
        for name, shape in wanted.items():
            if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
                raise ValueError(f"{name} of shape {arrays[name].shape}, where finite numbers {shape} should be")
        if arrays["visits"].min() < 0 or not arrays["stream"].any() or arrays["stream"].dtype != np.uint64:
            raise ValueError("visits or stream, which no learner wrote")
        checked_links(arrays.get("links"), self.agents)

    def step(self, state: LearningState) -> LearningState:
        state.iteration += 1
        for _ in range(min(self.block, self.episodes - state.episode)):
            _play_episode(self, state)
        return _measured(self, state)

    def finish(self, state: LearningState) -> Outcome:
        plan, crowd = _plan(state)
        played = Played(self.agents, self.episodes, self.block, self.before, state.apart, _regrets(state))
        return Outcome(state.game, plan, crowd, sweeps=state.sweeps, played=played)


def _plan(state: LearningState) -> tuple[Policy, np.ndarray]:
    """The policy of the mean occupation, and its own exact flow."""
    step, mean = state.game.step, OccupationAverage(state.belief, state.occupation)
    policy = step.policy_of(step.choices(mean))
    return policy, state.game.follow(policy)


def _measured(learner: Mguni, state: LearningState) -> LearningState:
    """Exact certificate of what has been learned; the learners never see it."""
    policy, crowd = _plan(state)
    if state.apart is not None:
        state.apart = np.append(state.apart, _apart(state))
    state.note(certify(state.game, policy, crowd), state.game.cell_steps)
    state.finished = state.episode >= learner.episodes
    return state


def _play_episode(learner: Mguni, state: LearningState) -> None:
    look()
    game, populations = state.game, state.game.grid.populations
    agents, number = learner.agents, learner.agents * populations
    wander = _wander(learner, state.episode, populations)
    followers = agents - int((wander[:agents] > 0).sum())
    cells = np.empty((number, game.steps + 1), dtype=np.int32)
    actions = np.empty((number, game.steps), dtype=np.int32)
    counts = np.zeros((game.steps + 1, game.cells), dtype=np.int64)
    chosen = np.zeros((game.steps, game.step.actions, game.cells), dtype=np.int64)
    share = np.cumsum(game.initial_mass.reshape(populations, -1), axis=1)
    kernel.begin(cells, share, wander, state.stream, counts)
    parts = [slice(t, t + 1) for t in range(game.steps)] if game.is_coupled else [slice(0, game.steps)]
    for part in parts:
        look()
        tables = state.law.tables(part, counts[part.start] / followers)
        kernel.play(cells, actions, state.preference, state.law.allowed, wander, *tables, state.law.walk_arrays,
                    state.stream, part.start, counts, chosen[part])  # fmt: skip
    crowd = game.aggregate(counts / followers, chosen / followers, game.empty_crowd(), weighed=True)
    weight = (1.0 + learner.recent) / (state.episode + 1.0 + learner.recent)
    state.belief += weight * (crowd - state.belief)  # the first episode replaces what was there: its weight is 1
    state.occupation += weight * (chosen / followers - state.occupation)
    price = game.price(state.belief)
    state_cost = price[:, : game.cells] * game.weights[:, None]
    state_cost[-1] += game.terminal_cost
    action_cost = game.action_costs(price, slice(0, game.steps), game.step.own_cost)
    if state.actor == 0:
        costs = game.unweighed(state_cost[:-1, None] + action_cost, slice(0, game.steps))
        state.actor = PUSH / _spread(costs, chosen)
    kernel.actor_critic(
        cells, actions, *_heard(state, number), state_cost, action_cost, game.step.entropy_cost, state.law.allowed,
        state.preference, state.critic, state.visits, learner.slowest, learner.power, _actor(state), learner.bound,
    )  # fmt: skip
    _talk(state)
    state.episode += 1
    state.sweeps += number / game.cells  # an agent-step is a share of a pass over all states


def _heard(state: LearningState, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Whose walks each table learns from: all of them, or those that its owner hears."""
    if state.network is None:
        return np.array([0, number]), np.arange(number)
    first, who = state.network.heard
    agents = first.size - 1
    populations = range(number // agents)
    begun = np.concatenate([first[:-1] + p * who.size for p in populations] + [[len(populations) * who.size]])
    return begun, np.concatenate([who + p * agents for p in populations])


def _groups(state: LearningState) -> list[slice]:
    """Owners of each population."""
    assert state.network is not None
    agents = state.network.links.shape[0]
    return [slice(begin, begin + agents) for begin in range(0, state.preference.shape[0], agents)]


def _talk(state: LearningState) -> None:
    """What agents tell each other of their tables, those of each population among themselves."""
    if state.network is None or state.network.combine == "episodes":
        return
    for own in _groups(state):
        tables = [state.preference[own], state.critic[own], state.visits[own]]
        after = state.network.told(tables, partial(_returns, state, own))
        for table, told in zip(tables, after, strict=True):
            if told is not table:
                table[...] = told


def _returns(state: LearningState, own: slice) -> np.ndarray:
    """What these agents expect of their policies: V(0, x) by their critics, over the states they have started from."""
    q, started = state.critic[own, 0], state.visits[own, 0].sum(axis=2)
    policy = _softmax(state.preference[own, 0], state.law.allowed.T)
    tau = state.game.step.entropy_cost[0]
    value = (policy * (q - tau * np.log(np.where(policy > 0, policy, 1.0)))).sum(axis=2)
    result: np.ndarray = (started * value).sum(axis=1) / started.sum(axis=1)
    return result


def _softmax(preference: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Of preferences (..., states, actions) over what is allowed (states, actions); in blocked states over all."""
    open_ = allowed | ~allowed.any(axis=1, keepdims=True)
    height = np.where(open_, preference, -np.inf)
    weight = np.exp(height - height.max(axis=-1, keepdims=True))
    result: np.ndarray = weight / weight.sum(axis=-1, keepdims=True)
    return result


def _apart(state: LearningState) -> float:
    """Disagreement of the preferences of agents with tables of their own, where these count."""
    counts = state.law.allowed.T & ~state.game.grid.mask.reshape(-1, 1)
    return math.sqrt(sum(kernel.scatter(state.preference[own], counts) for own in _groups(state)))


def _regrets(state: LearningState) -> np.ndarray | None:
    """Of agents with tables of their own, against the present crowd."""
    if state.network is None:
        return None
    game, tables = state.game, state.preference
    each = game.cells // game.grid.populations
    parts = [tables[own, :, p * each : (p + 1) * each] for p, own in enumerate(_groups(state))]
    policies = _softmax(np.concatenate(parts, axis=2), state.law.allowed.T)  # of the k-th agents of all populations
    return regrets(game, np.ascontiguousarray(policies.transpose(0, 1, 3, 2)))


def _actor(state: LearningState) -> np.ndarray:
    """Step of the preferences at each time, (T,), per cost as of that time.

    At a temperature they must not overshoot q / tau, which a step of 1 / tau reaches at once.
    """
    game = state.game
    steps = game.unweighed(np.full(game.steps, state.actor), slice(0, game.steps))
    return np.minimum(steps, 1.0 / game.step.entropy_cost) if game.is_smooth else steps


def _wander(learner: Mguni, episode: int, populations: int) -> np.ndarray:
    """How far each agent strays from its policy: not at all, or, in its turn to explore, from a little to fully."""
    agents = learner.agents
    explorers = min(math.ceil(learner.explorers * agents), agents - 1)
    turn = (np.arange(agents) + episode * explorers) % agents
    wander = np.where(turn < explorers, ((turn + 0.618 * episode) % max(explorers, 1) + 0.5) / max(explorers, 1), 0.0)
    return np.tile(wander, populations)


def _spread(costs: np.ndarray, chosen: np.ndarray) -> float:
    """Standard deviation of the costs of a step, over all that were paid in an episode; 1 where they do not vary."""
    total = chosen.sum()
    mean = (chosen * costs).sum() / total
    spread = math.sqrt(max(float((chosen * (costs - mean) ** 2).sum() / total), 0.0))
    return spread if spread > 0 and math.isfinite(spread) else 1.0
