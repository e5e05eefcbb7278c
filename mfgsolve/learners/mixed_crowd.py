"""A crowd whose agents follow policies of their own: its mean, and what each of them could gain.

Agents k = 1..N are equally many; policy pi_k (T, actions, states) moves the mass m_k, in the crowd m = mean_k m_k that
they make together:

    m_k(t+1) = P_t[m]^T (pi_k m_k),     pi = sum_k pi_k m_k / sum_k m_k.

The policy pi of the mean occupation has the same crowd m.  Where all agents follow one policy, pi is that, bit for bit.
With several populations, one policy is that of the k-th agent of each of them.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.certificates import certify, relative
from mfgsolve.games import Game
from mfgsolve.kernels import finite

__all__ = ["flows", "mean_policy", "regrets"]


def flows(game: Game, policies: np.ndarray) -> np.ndarray:
    """Masses m_k, (agents, T+1, states), of policies (agents, T, actions, states); exact."""
    law, agents = game.step.law(), policies.shape[0]
    masses = np.empty((agents, game.steps + 1, game.cells))
    masses[:, 0] = game.initial_mass.reshape(-1)
    for t in range(game.steps):
        tables = law.tables(slice(t, t + 1), masses[:, t].mean(axis=0))
        for k in range(agents):
            levels = np.stack([masses[k, t], masses[k, t]])
            finite.forward(policies[k, t : t + 1], tables, levels)
            masses[k, t + 1] = levels[1]
            for walk in law.walks:
                masses[k, t + 1] = walk.push(masses[k, t + 1])
    return masses


def mean_policy(game: Game, policies: np.ndarray) -> np.ndarray:
    """The policy of the mean occupation, (T, actions, states); the even mean of policies where nobody is."""
    mass = flows(game, policies)[:, :-1]
    total = mass.sum(axis=0)
    share = np.where(total > 0, mass / np.where(total > 0, total, 1.0), 1.0 / policies.shape[0])
    apart = policies - policies[0]  # nothing at all where all are alike
    mean = policies[0] + np.einsum("ktx,ktax->tax", share, apart)
    return np.maximum(mean, 0.0)  # below 0 by round-off alone


def regrets(game: Game, policies: np.ndarray) -> np.ndarray:
    """What each agent could gain by a best response to the present crowd of all, (populations agents,), those of a
    population after those of the one before.

    Relative to the scale of the mean policy's certificate, so that they compare with relative exploitabilities: their
    mean is that of the mean policy in a sharp game of one population, and no less where choices have a temperature.
    """
    policy = game.policy_of(mean_policy(game, policies))
    crowd = game.follow(policy)
    scale, price = certify(game, policy, crowd).scale, game.price(crowd)
    populations = game.grid.populations
    start = game.initial_mass.reshape(populations, -1)

    def mean_value(value: np.ndarray) -> np.ndarray:
        found: np.ndarray = (start * value.reshape(populations, -1)).sum(axis=1)
        return found

    best = mean_value(game.respond(price, crowd=crowd).value)
    gaps = [mean_value(game.evaluate(one, price, crowd)[0][0]) - best for one in policies]
    return np.array([relative(float(gap), scale) for gap in np.array(gaps).T.reshape(-1)])
