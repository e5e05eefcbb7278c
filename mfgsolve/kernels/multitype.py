"""Tabular learners on a graph of neighbours, one repeated stage at a time; and the spins they are measured against.

Legend: agent i has the neighbours ``neighbour[first[i]:first[i + 1]]``.  What an agent sees is one number, its
``cell``: the sum over its neighbours j of their ``codes``, ``strides[type of j, action of j]``, which is a mixed-radix
number of counts.  A table has a ``row`` for every (owner, state, cell) and a column for every action: ``q`` values,
``policy`` preferences (q itself for a learner of values alone), ``visits``.  ``chances`` is scratch for one softmax.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit
from mfgsolve.kernels.random import uniform


def _boltzmann(policy, row, beta, chances):
    """chances(a) = exp(beta policy(row, a)) / sum over a' of the same."""
    top = policy[row, 0]
    for a in range(1, chances.size):
        top = max(top, policy[row, a])
    total = 0.0
    for a in range(chances.size):
        chances[a] = np.exp(beta * (policy[row, a] - top))
        total += chances[a]
    share = 1.0 / total
    for a in range(chances.size):
        chances[a] *= share


def _pick(chances, u):
    """The action whose share of [0, 1) holds u; never one without a chance."""
    action = 0
    for a in range(chances.size):
        action = a if chances[a] > 0.0 and u >= 0.0 else action
        u -= chances[a]
    return action


def _cell(i, first, neighbour, codes):
    """What agent i sees, from what each agent adds to the cell of its neighbours."""
    cell = 0
    for k in range(first[i], first[i + 1]):
        cell += codes[neighbour[k]]
    return cell


def _encode(types, strides, actions, codes):
    for i in range(actions.size):
        codes[i] = strides[types[i], actions[i]]


boltzmann, pick, cell_of, encode = jit(_boltzmann), jit(_pick), jit(_cell), jit(_encode)


def _value(q, policy, row, beta, greedy, chances):
    """v = sum over a of pi(a) Q(row, a), or the largest Q(row, a)."""
    if greedy:
        best = q[row, 0]
        for a in range(1, chances.size):
            best = max(best, q[row, a])
        return best
    boltzmann(policy, row, beta, chances)
    value = 0.0
    for a in range(chances.size):
        value += chances[a] * q[row, a]
    return value


def _absorb(q, visits, row, action, target, sizes):
    """Q <- (1 - alpha) Q + alpha target, alpha = ``sizes`` at the number of visits before (the last size for more)."""
    alpha = sizes[0]
    if sizes.size > 1:
        alpha = sizes[min(visits[row, action], sizes.size - 1)]
        visits[row, action] += 1
    q[row, action] = (1.0 - alpha) * q[row, action] + alpha * target


def _reinforce(q, policy, row, action, rate, chances):
    """Preferences up the gradient of log pi(action), times the advantage Q(action) - sum over a of pi(a) Q(a)."""
    boltzmann(policy, row, 1.0, chances)
    advantage = q[row, action]
    for a in range(chances.size):
        advantage -= chances[a] * q[row, a]
    for a in range(chances.size):
        policy[row, a] -= rate * advantage * chances[a]
    policy[row, action] += rate * advantage


value_of, absorb, reinforce = jit(_value), jit(_absorb), jit(_reinforce)


def _choose(policy, rows, beta, stream, actions):
    """One sampled action for each row."""
    chances = np.empty(policy.shape[1])
    for k in range(rows.size):
        boltzmann(policy, rows[k], beta, chances)
        actions[k] = pick(chances, uniform(stream))


def _learn(q, policy, visits, rows, actions, rewards, next_rows, beta, discount, greedy, sizes, actor):
    """Learn from transitions, one after another; a next row of -1 says that the game has ended."""
    chances = np.empty(q.shape[1])
    for k in range(rows.size):
        target = rewards[k]
        if discount > 0.0 and next_rows[k] >= 0:
            target += discount * value_of(q, policy, next_rows[k], beta, greedy, chances)
        absorb(q, visits, rows[k], actions[k], target, sizes)
        if actor > 0.0:
            reinforce(q, policy, rows[k], actions[k], actor, chances)


choose, learn = jit(_choose), jit(_learn)


def _play(
    first, neighbour, types, strides, kinds, kind_strides, rewards, scripted, scripts, learners, tables, width,
    q, policy, visits, betas, discount, greedy, sizes, actor, every, activity,
    groups, actions, proposed, chosen, counts, earned, acted, total, acts, stream,
):  # fmt: skip
    """Stages of a repeated game: the scripted agents move, the learners see their neighbours and move, all learn.

    ``types`` and ``strides`` say what a learner sees, ``kinds`` and ``kind_strides`` what the game pays for:
    ``rewards[kind of i, action, cell]``.  An agent not drawn (``activity``) keeps its action and learns nothing.
    ``every`` learns from the reward of each action, not of the one taken alone.
    """
    many = q.shape[1]
    chances = np.empty(many)
    codes, paid_codes = np.empty(actions.size, dtype=np.int64), np.empty(actions.size, dtype=np.int64)
    encode(types, strides, actions, codes)
    for t in range(betas.size):
        for k in range(scripted.size):
            i = scripted[k]
            actions[i] = pick(scripts[k], uniform(stream))
            codes[i] = strides[types[i], actions[i]]
        for k in range(learners.size):
            if activity < 1.0 and uniform(stream) >= activity:
                proposed[k] = -1
                continue
            row = tables[k] * width + cell_of(learners[k], first, neighbour, codes)
            boltzmann(policy, row, betas[t], chances)
            proposed[k] = pick(chances, uniform(stream))
        for k in range(learners.size):
            if proposed[k] >= 0:
                actions[learners[k]] = proposed[k]
        encode(types, strides, actions, codes)
        encode(kinds, kind_strides, actions, paid_codes)
        for k in range(learners.size):
            action = proposed[k]
            if action < 0:
                continue
            i = learners[k]
            row = tables[k] * width + cell_of(i, first, neighbour, codes)
            paid = cell_of(i, first, neighbour, paid_codes)
            ahead = 0.0
            if discount > 0.0:
                ahead = discount * value_of(q, policy, row, betas[t], greedy, chances)
            for a in range(many):
                if every or a == action:
                    absorb(q, visits, row, a, rewards[kinds[i], a, paid] + ahead, sizes)
            if actor > 0.0:
                reinforce(q, policy, row, action, actor, chances)
            reward = rewards[kinds[i], action, paid]
            earned[t] += reward
            acted[t] += 1
            total[k] += reward
            acts[k] += 1
        for i in range(actions.size):
            chosen[i, actions[i]] += 1
            counts[t, groups[i], actions[i]] += 1


play = jit(_play)


def _ising(first, neighbour, temperature, metropolis, sweeps, groups, spins, counts, stream):
    """Ising spins 0, 1 at random sites, weight exp(sum over pairs of s s' / (2 T)), s = +-1: one spin after another."""
    sites = spins.size
    for t in range(sweeps):
        for _ in range(sites):
            i = min(np.int64(uniform(stream) * sites), sites - 1)
            field = 0
            for k in range(first[i], first[i + 1]):
                field += 2 * spins[neighbour[k]] - 1
            if metropolis:
                rise = (2 * spins[i] - 1) * field
                if rise <= 0 or uniform(stream) < np.exp(-rise / temperature):
                    spins[i] = 1 - spins[i]
            else:
                spins[i] = 1 if uniform(stream) * (1.0 + np.exp(-field / temperature)) < 1.0 else 0
        for i in range(sites):
            counts[t, groups[i], spins[i]] += 1


ising = jit(_ising)
