"""Learners that sample: agents walk by softmax policies and learn from what they met, an episode at a time.

Legend: ``preference`` H (owners, steps, states, actions), whose softmax is the policy; ``critic`` V (owners, steps + 1,
states), expected reward from there on; ``visits`` (owners, steps, states); agent i owns table i, or all own table 0.
``cells`` (agents, steps + 1) and ``actions`` (agents, steps) are the episode; owner o learns from the walks
``heard[first[o]:first[o + 1]]``, agents in ascending order.  Rewards are negative costs:
``state_cost`` (steps + 1, states) of being somewhere, ``action_cost`` (1 or steps, actions, states) of choosing
something, and ``tau`` (steps,) of a unit of entropy.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit
from mfgsolve.kernels.random import draw, uniform


def _softmax_row(preference, allowed, x, out):
    """out = softmax of the preferences over what is allowed in state x; returns nothing."""
    most, total = -np.inf, 0.0
    for a in range(preference.size):
        if allowed[a, x]:
            most = max(most, preference[a])
    for a in range(preference.size):
        out[a] = np.exp(preference[a] - most) if allowed[a, x] else 0.0
        total += out[a]
    for a in range(preference.size):
        out[a] /= total


softmax_row = jit(_softmax_row)


def _begin(cells, share, wander, stream, counts):
    """Draw where agents start from ``share``, the cumulated mass (populations, states of each)."""
    populations, size = share.shape
    each = cells.shape[0] // populations
    for i in range(cells.shape[0]):
        p = i // each
        u = uniform(stream) * share[p, size - 1]
        low, high = 0, size - 1
        while low < high:
            middle = (low + high) // 2
            if u < share[p, middle]:
                high = middle
            else:
                low = middle + 1
        cells[i, 0] = p * size + low
        if wander[i] == 0.0:
            counts[0, p * size + low] += 1


def _play(cells, actions, preference, allowed, wander, first, successor, chance, noise, stream, start, counts, chosen):
    """Walk as many steps as ``chosen`` (steps, actions, states) has from step ``start`` on.

    An agent takes any allowed action with probability ``wander`` (agents,); those who wander at all are not counted.
    ``noise`` holds right, left, after, before of `mfgsolve.kernels.agents`.
    """
    agents, many = cells.shape[0], allowed.shape[0]
    states, owners = allowed.shape[1], preference.shape[0]
    right, left, after, before = noise
    policy = np.empty(many)
    s0, s1, s2, s3 = stream[0], stream[1], stream[2], stream[3]
    end = start + chosen.shape[0]
    for i in range(agents):
        o = i if owners > 1 else 0
        x, astray = cells[i, start], wander[i]
        for t in range(start, end):
            softmax_row(preference[o, t, x], allowed, x, policy)
            free = 0.0
            for a in range(many):
                free += 1.0 if allowed[a, x] else 0.0
            u, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
            choice = 0
            for a in range(many):
                if allowed[a, x]:
                    choice = a
                    u -= (1.0 - astray) * policy[a] + astray / free
                    if u < 0.0:
                        break
            p, row = min(t - start, first.shape[0] - 1), choice * states + x
            k, last = first[p, row], first[p, row + 1]
            y = successor[k]
            if last - k > 1:
                u, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
                for j in range(k, last):
                    if chance[j] > 0.0:
                        y = successor[j]
                        u -= chance[j]
                        if u < 0.0:
                            break
            for axis in range(right.shape[0]):
                u, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
                while u < right[axis, y]:
                    y = after[axis, y]
                    u, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
                u, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
                while u < left[axis, y]:
                    y = before[axis, y]
                    u, s0, s1, s2, s3 = draw(s0, s1, s2, s3)
            actions[i, t] = choice
            if astray == 0.0:
                chosen[t - start, choice, x] += 1
                counts[t + 1, y] += 1
            x = y
            cells[i, t + 1] = y
    stream[0], stream[1], stream[2], stream[3] = s0, s1, s2, s3


def _actor_critic(
    cells, actions, first, heard, state_cost, action_cost, tau, allowed, preference, critic, visits, slowest, power,
    actor, bound,
):  # fmt: skip
    """Each owner through the episodes it hears, from their end to their start, V = sum_a pi (q - tau log pi) at the
    state that came next:

        q(t, x, a) += n^-power (r + V(t+1, x') - q(t, x, a))    (``slowest`` in place of n^-power, if that is more)
        H(t, x, .) += actor (q(t, x, .) - V(t, x) - tau H)      kept within ``bound`` below its largest entry

    with ``tau`` and ``actor`` (T,) of each step.  Returns the sum of |r + V - q|.
    """
    steps, many, total = actions.shape[1], allowed.shape[0], 0.0
    policy = np.empty(many)
    for o in range(preference.shape[0]):
        for k in range(first[o], first[o + 1]):
            i = heard[k]
            after = -state_cost[steps, cells[i, steps]]
            for t in range(steps - 1, -1, -1):
                x, a, soft, length = cells[i, t], actions[i, t], tau[t], actor[t]
                h, q = preference[o, t, x], critic[o, t, x]
                delta = after - state_cost[t, x] - action_cost[min(t, action_cost.shape[0] - 1), a, x] - q[a]
                visits[o, t, x, a] += 1
                q[a] += max(visits[o, t, x, a] ** -power, slowest) * delta
                total += abs(delta)
                softmax_row(h, allowed, x, policy)
                value = 0.0
                for b in range(many):
                    if policy[b] > 0.0:
                        value += policy[b] * (q[b] - (soft * np.log(policy[b]) if soft > 0.0 else 0.0))
                most = -np.inf
                for b in range(many):
                    if allowed[b, x]:
                        h[b] += length * (q[b] - value - soft * h[b])
                        most = max(most, h[b])
                for b in range(many):
                    h[b] = max(h[b] - most, -bound)
                after = value
    return total


def _scatter(tables, counts):
    """Mean over owners of |table - mean table|^2, over the (states, actions) that ``counts`` says."""
    owners, steps, states, many = tables.shape
    mean, total = np.zeros((steps, states, many)), 0.0
    for o in range(owners):
        for t in range(steps):
            for x in range(states):
                for a in range(many):
                    mean[t, x, a] += tables[o, t, x, a] / owners
    for o in range(owners):
        for t in range(steps):
            for x in range(states):
                for a in range(many):
                    if counts[x, a]:
                        total += (tables[o, t, x, a] - mean[t, x, a]) ** 2
    return total / owners


begin, play, actor_critic, scatter = jit(_begin), jit(_play), jit(_actor_critic), jit(_scatter)
