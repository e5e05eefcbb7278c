"""Agents who push one plant and learn tables of their own, in several trainings (seeds) beside one another.

Legend: ``q`` (seeds, agents, states, controls); ``u`` numbers of the controls of all agents (agents,), ``control``
their values, 0 first.  The plant: ``successor, chance`` (states, sums, 4), the nodes that a sum of controls leads to,
``least`` the smallest sum, ``reward`` (agents, states) of arriving, ``effort`` (agents, agents) of the square of each
control.  The memory, a ring of the latest transitions of each seed: ``before, after`` (seeds, capacity), ``joint``
(seeds, capacity, agents), and how many have come, ``seen`` (seeds,).

The laws of the three parts stand here once as scalars; `mfgsolve.parts` has them for arrays.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit
from mfgsolve.kernels.random import uniform


def _nearest(control, wish):
    """The number of the control nearest to a wish; of two that are as near, the first listed."""
    best, gap = 0, abs(control[0] - wish)
    for a in range(1, control.size):
        if abs(control[a] - wish) < gap:
            best, gap = a, abs(control[a] - wish)
    return best


nearest = jit(_nearest)


def _imagine(kind, i, u, control, out):
    """What all do in an imagined step.  kind 0: the others idle; 1: agent i idle; 2: agent i does the mean of the
    others; 3: all do as agent i."""
    others = 0.0
    for j in range(u.size):
        out[j] = 0 if kind == 0 else (u[i] if kind == 3 else u[j])
        others += 0.0 if j == i else control[u[j]]
    if kind == 0:
        out[i] = u[i]
    elif kind == 1:
        out[i] = 0
    elif kind == 2:
        out[i] = nearest(control, others / max(u.size - 1, 1))


def _impact(i, u, control):
    """Share of agent i in what all push, lambda (1/N where nobody pushes), and whether it pushes as the others, psi."""
    size, others = 0.0, 0.0
    for j in range(u.size):
        size += abs(control[u[j]])
        others += 0.0 if j == i else control[u[j]]
    share = abs(control[u[i]]) / size if size > 0 else 1.0 / u.size
    return share, np.sign(control[u[i]] * others)


def _rate(share, sign, error, law):
    """Step size of an agent with that share and sign, for an error of that sign; law is alpha, sigma, beta, low,
    high."""
    alpha, sigma, beta, low, high = law
    if share <= low:
        return beta
    if error < 0.0 or share >= high or sign > 0.0:
        return alpha
    return sigma


imagine, impact, rate = jit(_imagine), jit(_impact), jit(_rate)


def _arrive(x, u, successor, chance, control, least, stream):
    """The next state."""
    total = -least
    for j in range(u.size):
        total += control[u[j]]
    point = uniform(stream)
    for k in range(3):
        point -= chance[x, total, k]
        if point < 0.0:
            return successor[x, total, k]
    k = 3
    while chance[x, total, k] <= 0.0:  # only round-off leads here
        k -= 1
    return successor[x, total, k]


def _earned(i, y, u, control, reward, effort):
    """r_i."""
    result = reward[i, y]
    for j in range(u.size):
        result -= effort[i, j] * control[u[j]] ** 2
    return result


arrive, earned = jit(_arrive), jit(_earned)


def _surprise(q, i, x, u, y, discount, control, reward, effort):
    """r_i + discount max_a q(y, a) - q(x, u_i), with ``q`` (states, controls) of agent i."""
    best = q[y, 0]
    for a in range(1, q.shape[1]):
        best = max(best, q[y, a])
    return earned(i, y, u, control, reward, effort) + discount * best - q[x, u[i]]


surprise = jit(_surprise)


def _learn(q, i, x, u, y, epsilon, discount, plant, parts, imagined, law, stream, scratch):
    """All that agent i learns from one transition; returns the number of updates.

    ``parts`` tells whether the imagined replay and the impact are in use, ``imagined`` their two factors.
    """
    successor, chance, control, least, reward, effort = plant
    dreams, weighs = parts
    alpha, beta = law[0], law[2]
    error = surprise(q, i, x, u, y, discount, control, reward, effort)
    sign = 0.0
    if weighs:
        share, sign = impact(i, u, control)
        q[x, u[i]] += rate(share, sign, error, law) * error
    else:
        q[x, u[i]] += alpha * error
    count = 1
    alone = dreams and uniform(stream) < imagined[0] * epsilon
    together = dreams and uniform(stream) < imagined[1] * (1.0 - epsilon)
    against = weighs and sign < 0.0
    together = against or (together and not (weighs and sign > 0.0))
    for kind in range(4):
        if (kind == 0 and alone) or (kind > 0 and together):
            imagine(kind, i, u, control, scratch)
            z = arrive(x, scratch, successor, chance, control, least, stream)
            error = surprise(q, i, x, scratch, z, discount, control, reward, effort)
            q[x, scratch[i]] += (beta if kind > 0 and against else alpha) * error
            count += 1
    return count


learn = jit(_learn)


def _macro(epsilon, mini, macro):
    """Size of the macro-batch, round((1 - epsilon)(macro - mini) + mini)."""
    return int(np.floor((1.0 - epsilon) * (macro - mini) + mini + 0.5))


macro_size = jit(_macro)


def _choose(order, held, newest, size, mini, aging, keys, chosen, stream):
    """A minibatch of places in a ring: ``size`` places are drawn evenly, ``mini`` of them with probabilities that fall
    with age as 1 / ``aging`` (capacity,).  None comes twice.  Returns how many there are.

    ``order`` is a permutation of the places held, which is shuffled further; the places with the smallest E aging, E
    exponential, are a draw without replacement by these weights (Efraimidis and Spirakis,
    doi:10.1016/j.ipl.2005.11.003).
    """
    for k in range(size):
        other = k + int(uniform(stream) * (held - k))
        order[k], order[other] = order[other], order[k]
    if size <= mini:
        chosen[:size] = order[:size]
        return size
    count, capacity = 0, aging.size
    for k in range(size):
        age = newest - order[k]
        factor = aging[age if age >= 0 else age + capacity]
        u = uniform(stream)
        if count == mini and u * factor >= keys[count - 1]:  # since -log(1 - u) is at least u
            continue
        key = -np.log(1.0 - u) * factor
        if count == mini and key >= keys[count - 1]:
            continue
        place = min(count, mini - 1)
        while place > 0 and keys[place - 1] > key:
            keys[place], chosen[place] = keys[place - 1], chosen[place - 1]
            place -= 1
        keys[place], chosen[place] = key, order[k]
        count = min(count + 1, mini)
    return mini


choose = jit(_choose)


def _train(q, memory, seen, streams, updates, epsilons, steps, discount, plant, batch, parts, imagined, law):
    """Play and learn, an episode for each entry of ``epsilons``, every one from a state drawn evenly.

    ``batch`` is mini, macro and ``aging`` of `choose`; ``parts`` tells whether temporal replay, imagined replay and
    impact are in use.
    """
    before, joint, after = memory
    successor, chance, control, least, _, _ = plant
    mini, macro, aging = batch
    seeds, agents, states, many = q.shape
    capacity = before.shape[1]
    u, v, scratch = np.zeros(agents, np.int64), np.zeros(agents, np.int64), np.zeros(agents, np.int64)
    keys, chosen = np.zeros(mini), np.zeros(mini, np.int64)
    order = np.zeros(capacity, np.int64)
    for s in range(seeds):
        stream = streams[s]
        held = min(seen[s], capacity)
        for k in range(held):
            order[k] = k
        for e in range(epsilons.size):
            epsilon = epsilons[e]
            x = int(uniform(stream) * states)
            for _ in range(steps):
                for i in range(agents):
                    u[i] = 0
                    for a in range(1, many):
                        if q[s, i, x, a] > q[s, i, x, u[i]]:
                            u[i] = a
                    if uniform(stream) < epsilon:
                        u[i] = int(uniform(stream) * many)
                y = arrive(x, u, successor, chance, control, least, stream)
                newest = seen[s] % capacity
                before[s, newest], after[s, newest] = x, y
                joint[s, newest] = u
                seen[s] += 1
                if held < capacity:
                    order[held] = held
                    held += 1
                x = y
                if held < mini:
                    continue
                size = min(macro_size(epsilon, mini, macro), held) if parts[0] else mini
                for i in range(agents):
                    count = choose(order, held, newest, size, mini, aging, keys, chosen, stream)
                    for k in range(count):
                        place = chosen[k]
                        for j in range(agents):
                            v[j] = joint[s, place, j]
                        updates[s] += learn(
                            q[s, i], i, before[s, place], v, after[s, place], epsilon, discount, plant, parts[1:],
                            imagined, law, stream, scratch,
                        )  # fmt: skip


train = jit(_train)
