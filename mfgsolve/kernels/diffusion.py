"""Actor-critics on tables that meet after every step: adapt, then combine.

Legend: ``held`` (agents, states + states x actions): critic V (states) and preferences H (states, actions) of each
agent, one behind the other; the policy is the softmax of H.  ``place`` (agents,) where each stands; ``successor``
(actions, states, outcomes) and ``chance`` (agents, actions, states, outcomes) of the agent's own task; ``reward``
(states,), ``ends`` (states,) whether an episode ends there, to begin anew in ``start``.
``tails``, ``heads``, ``share`` (links,): the graph, each link once, with its weight c_kl.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit
from mfgsolve.kernels.random import draw, uniform

NOBODY, NEIGHBOURS, MEAN = 0, 1, 2  # whom an agent hears


def _adapt(held, place, successor, chance, reward, ends, start, discount, critic, actor, stream):
    """One step of every agent, and what it learns from it:

    delta = r(x) + discount V(x') - V(x),   V(x) += critic delta,   H(x, .) += actor delta (e_a - pi(x))

    with V(x') = 0 where the episode ends.
    """
    agents = place.size
    actions, states, outcomes = successor.shape
    s0, s1, s2, s3 = stream[0], stream[1], stream[2], stream[3]
    policy = np.empty(actions)
    for k in range(agents):
        x = place[k]
        row = states + x * actions
        most, total = held[k, row], 0.0
        for a in range(1, actions):
            most = max(most, held[k, row + a])
        for a in range(actions):
            policy[a] = np.exp(held[k, row + a] - most)
            total += policy[a]
        u, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        u *= total
        choice = actions - 1
        for a in range(actions - 1):
            u -= policy[a]
            if u < 0.0:
                choice = a
                break
        u, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
        y = successor[choice, x, outcomes - 1]
        for j in range(outcomes - 1):
            u -= chance[k, choice, x, j]
            if u < 0.0:
                y = successor[choice, x, j]
                break
        ahead = 0.0 if ends[x] else discount * held[k, y]
        delta = reward[x] + ahead - held[k, x]
        held[k, x] += critic * delta
        for a in range(actions):
            held[k, row + a] += actor * delta * ((1.0 if a == choice else 0.0) - policy[a] / total)
        place[k] = start if ends[x] else y
    stream[0], stream[1], stream[2], stream[3] = s0, s1, s2, s3


def _meet(held, before, tails, heads, share, failure, fate):
    """v_k <- v_k + sum_l c_kl (v_l - v_k), over links that do not fail: each fails with probability ``failure``."""
    size = held.shape[1]
    before[:] = held
    for link in range(tails.size):
        if failure > 0.0 and uniform(fate) < failure:
            continue
        k, l, c = tails[link], heads[link], share[link]
        for j in range(size):
            push = c * (before[l, j] - before[k, j])
            held[k, j] += push
            held[l, j] -= push


def _average(held, mean):
    """Everybody takes over the mean of all."""
    agents, size = held.shape
    mean[:] = 0.0
    for k in range(agents):
        for j in range(size):
            mean[j] += held[k, j]
    for j in range(size):
        mean[j] /= agents
    for k in range(agents):
        for j in range(size):
            held[k, j] = mean[j]


adapt, meet, average = jit(_adapt), jit(_meet), jit(_average)


def _diffuse(
    held, place, successor, chance, reward, ends, start, discount, critic, actor, hears, tails, heads, share, rounds,
    failure, stream, fate, steps,
):  # fmt: skip
    """So many steps of all agents, who combine what they hold after each; ``hears`` is one of the three above.

    ``stream`` moves agents, ``fate`` breaks links: who hears whom does not change what agents draw.
    """
    before, mean = np.empty_like(held), np.empty(held.shape[1])
    for _ in range(steps):
        adapt(held, place, successor, chance, reward, ends, start, discount, critic, actor, stream)
        if hears == NEIGHBOURS:
            for _ in range(rounds):
                meet(held, before, tails, heads, share, failure, fate)
        elif hears == MEAN:
            average(held, mean)


diffuse = jit(_diffuse)
