"""Action values learned from sampled episodes against a crowd that stays: the inner loop of GMF-Q.

Agents walk by policies (agents, T, actions, states) of their own, or by one of all, (1, T, actions, states); tables q
(owners, T, actions, states) are learned from the walks that their owners hear, from the last step of an episode to the
first,

    q(t, x, a) <- (1 - alpha) q(t, x, a) + alpha [cost of a + f_{t+1}(x') + min_b q(t+1, x', b)],

alpha = (1 + visits)^-power, the minimum a soft one where the game has a temperature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.learners.sampler import Sampler
from mfgsolve.parts.exploration import draw

__all__ = ["Heard", "Prices", "episode", "expected_returns", "learn_values"]


@dataclass(frozen=True)
class Prices:
    """What agents pay against a crowd: of their choices, T arrays (actions, states), and of being somewhere, T+1 arrays
    (states,)."""

    action: list[np.ndarray]
    state: list[np.ndarray]

    @classmethod
    def of(cls, sampler: Sampler, price: np.ndarray) -> Prices:
        """Those at a price (T+1, width)."""
        steps = sampler.game.steps
        return cls(
            [sampler.action_cost(t, price[t]) for t in range(steps)],
            [sampler.state_cost(t, price[t]) for t in range(steps + 1)],
        )


@dataclass(frozen=True)
class Heard:
    """Pairs of the owner of a table and a walk that it learns from, (pairs,) each, walks of an owner ascending."""

    owner: np.ndarray
    walk: np.ndarray

    @classmethod
    def by_one(cls, walks: int) -> Heard:
        """One table that learns from all walks."""
        return cls(np.zeros(walks, dtype=np.int64), np.arange(walks))

    @classmethod
    def by_agents(cls, first: np.ndarray, who: np.ndarray, populations: int) -> Heard:
        """Agent k learns from ``who[first[k]:first[k + 1]]`` of its population; populations stand one by one."""
        agents = first.size - 1
        owner = np.tile(np.repeat(np.arange(agents), np.diff(first)), populations)
        walk = np.concatenate([who + p * agents for p in range(populations)])
        return cls(owner, walk)


def episode(
    sampler: Sampler, policies: np.ndarray, crowd: np.ndarray | None, agents: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cells (T+1, all) and actions (T, all) of so many agents of every population, who follow a policy of their own or
    the one there is; where the dynamics need a crowd and none is given, they are it."""
    game = sampler.game
    population = np.repeat(np.arange(sampler.populations), agents)
    number = population.size
    whose = np.tile(np.arange(agents), sampler.populations) if len(policies) > 1 else np.zeros(number, dtype=np.int64)
    cells, actions = np.empty((game.steps + 1, number), np.int64), np.empty((game.steps, number), np.int64)
    cells[0] = sampler.start(population, rng)
    for t in range(game.steps):
        actions[t] = draw(policies[whose, t, :, cells[t]], rng)
        mass = np.bincount(cells[t], minlength=game.cells) / agents if crowd is None else crowd[t, : game.cells]
        cells[t + 1] = sampler.move(t, cells[t], actions[t], mass, rng)
    return cells, actions


def learn_values(
    sampler: Sampler, prices: Prices, q: np.ndarray, visits: np.ndarray, played: tuple[np.ndarray, np.ndarray],
    heard: Heard, power: float,
) -> None:  # fmt: skip
    """Update q and visits (owners, T, actions, states) by an episode; see the module.

    Several visits to (t, x, a) count as so many updates in a row with their mean.
    """
    game, (cells, actions) = sampler.game, played
    value, taus = np.broadcast_to(prices.state[-1], (len(q), game.cells)), game.step.entropy_cost
    for t in reversed(range(game.steps)):
        a, x = actions[t, heard.walk], cells[t, heard.walk]
        targets = prices.action[t][a, x] + value[heard.owner, cells[t + 1, heard.walk]]
        counts, sums = np.zeros((2, len(q), game.step.actions, game.cells))
        np.add.at(counts, (heard.owner, a, x), 1.0)
        np.add.at(sums, (heard.owner, a, x), targets)
        seen = counts > 0
        now, often = q[:, t], visits[:, t]
        step = (1.0 + often[seen]) ** -power
        share = 1.0 - (1.0 - step) ** counts[seen]  # of so many updates in a row with their mean
        now[seen] += share * (sums[seen] / counts[seen] - now[seen])
        often[seen] += counts[seen].astype(np.int64)
        value = prices.state[t] + _least(now, game.step.allowed, taus[t])


def expected_returns(q: np.ndarray, visits: np.ndarray, policies: np.ndarray, tau: float) -> np.ndarray:
    """What each owner expects of its policy, (owners,): minus its costs, from the states that its visits started in."""
    entropy = np.log(np.where(policies[:, 0] > 0, policies[:, 0], 1.0))
    value = (policies[:, 0] * (q[:, 0] + tau * entropy)).sum(axis=1)
    started = visits[:, 0].sum(axis=1)
    result: np.ndarray = -(started * value).sum(axis=1) / started.sum(axis=1)
    return result


def _least(q: np.ndarray, allowed: np.ndarray, tau: float) -> np.ndarray:
    """min_a q, or -tau log sum exp(-q / tau) where the game has a temperature, (owners, states)."""
    open_ = np.where(allowed, q, np.inf)
    low = open_.min(axis=1)
    low = np.where(np.isfinite(low), low, 0.0)
    if tau == 0:
        return low
    return low - tau * np.log(np.exp(-(open_ - low[:, None]) / tau).sum(axis=1))
