"""Finite games: Bellman, flow, tangent and evaluation over sparse transitions, whole sweeps at a time.

Legend: ``value`` V (levels, states), ``cost`` l (1 or steps, actions, states) what a choice costs, ``crowd`` (levels,
states) what being somewhere costs, ``policy`` pi and ``q`` (steps, actions, states), ``mass`` m (levels, states),
``tau`` (steps,) what a unit of entropy costs.  ``table`` is one of

    Transitions   row ``a S + x`` of a step lists the successors of choice a in state x: ``first[step, row]`` to
                  ``first[step, row + 1]`` in ``successor`` and ``chance``; one step stands for all where none changes
    Reversed      the same, and beside it every state's predecessors, for threads
    Shifts        the same, and beside it for every choice the shifts that most rows are; see `mfgsolve.kernels.shifts`

and the sweeps are compiled for each when they first meet it.  A choice that is not ``allowed`` has probability 0 and is
never looked at.

Sweeps go through the states in blocks, all choices of a block while it is in the nearest cache; threads share blocks.
Loops over states are vector operations, exp and log included.  All sums keep the order of the rows, so that neither the
kind of table nor the number of threads changes a bit.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from mfgsolve.kernels import jit
from mfgsolve.kernels.elementary import exp, log
from mfgsolve.kernels.shifts import BLOCK, collect, expect_in, parts_of, push_from, settle

LEAST = -700.0  # exponents below are those of nothing
TINY, HUGE = np.finfo(float).tiny, np.finfo(float).max


def _expect(table, step, value, cost, out):
    """q(a, x) = l(a, x) + sum_y P(y | x, a) V(y)."""
    states = out.shape[1]
    for first in range(0, states, BLOCK):
        expect_in(table, step, value, cost, first, min(first + BLOCK, states), first, out)


def _all_open(allowed, first, last):
    """Whether all choices are allowed in all states first..last."""
    shut = 0
    for a in range(allowed.shape[0]):
        may = allowed[a, first:last]
        for x in range(may.size):
            shut += 0 if may[x] else 1
    return shut == 0


def _close(q, allowed, first, last):
    """What is not allowed costs infinitely much."""
    for a in range(q.shape[0]):
        here, may = q[a, : last - first], allowed[a, first:last]
        for x in range(here.size):
            here[x] = here[x] if may[x] else np.inf


def _lowest(q, least):
    """The least of all rows of q, two of them in a pass."""
    states, actions = least.size, q.shape[0]
    one = q[0, :states]
    for x in range(states):
        least[x] = one[x]
    for a in range(1, actions, 2):
        one, other = q[a, :states], q[min(a + 1, actions - 1), :states]
        for x in range(states):
            low = one[x] if one[x] < least[x] else least[x]
            least[x] = other[x] if other[x] < low else low


def _sharp_choice(q, allowed, is_open, first, last, value, policy):
    """V = min_a q, and all probability on the first choice that reaches it.  q (actions, states) begins at ``first``.

    Rows are cut out one by one: only then the compiler knows that they are contiguous; and no loop chooses two things.
    """
    if not is_open:
        close(q, allowed, first, last)
    states, actions = last - first, q.shape[0]
    least, left = value[first:last], np.ones(states)
    lowest(q, least)
    for a in range(0, actions - 1, 2):
        one, other = q[a, :states], q[a + 1, :states]
        here, there = policy[a, first:last], policy[a + 1, first:last]
        for x in range(states):
            rest, low = left[x], least[x]
            share = rest if one[x] == low else 0.0
            rest -= share
            next_share = rest if other[x] == low else 0.0
            here[x], there[x], left[x] = share, next_share, rest - next_share
    if actions % 2:
        one, here = q[actions - 1, :states], policy[actions - 1, first:last]
        for x in range(states):
            here[x] = left[x] if one[x] == least[x] else 0.0


def _soft_choice(q, allowed, is_open, tau, first, last, value, policy):
    """V = -tau log sum_a exp(-q / tau), pi = exp((V - q) / tau); q holds the terms of the sum thereafter."""
    if not is_open:
        close(q, allowed, first, last)
    least = value[first:last]
    lowest(q, least)
    total, cold = np.zeros(least.size), min(1.0 / tau, HUGE)
    for a in range(q.shape[0]):
        here = q[a, : least.size]
        for x in range(least.size):
            y = (least[x] - here[x]) * cold
            share = exp(LEAST if y < LEAST else y)  # what is no number stays none
            share = 0.0 if y < LEAST else share
            here[x] = share
            total[x] += share
    for x in range(least.size):
        least[x] -= tau * (log(total[x]) + (total[x] - total[x]))  # a logarithm of what is no number would be one
        total[x] = 1.0 / total[x]
    for a in range(q.shape[0]):
        here, chosen = q[a, : least.size], policy[a, first:last]
        for x in range(least.size):
            chosen[x] = here[x] * total[x]


expect, all_open, close, lowest = jit(_expect), jit(_all_open), jit(_close), jit(_lowest)
sharp_choice, soft_choice = jit(_sharp_choice), jit(_soft_choice)


def _respond(table, step, after, cost, crowd, allowed, is_open, tau, first, last, value, policy, q):
    """Best response of the states first..last to the value of the next level."""
    expect_in(table, step, after, cost, first, last, 0, q)
    if tau > 0.0:
        soft_choice(q, allowed, is_open, tau, first, last, value, policy)
    else:
        sharp_choice(q, allowed, is_open, first, last, value, policy)
    here, paid = value[first:last], crowd[first:last]
    for x in range(here.size):
        here[x] += paid[x]


respond = jit(_respond)


def _backward(cost, crowd, allowed, tau, table, value, policy):
    """Best response: V_t = crowd_t + softmin_a (l_t + P_t V_{t+1}); the last level of value is given."""
    steps, actions, states = policy.shape
    blocks, parts = (states + BLOCK - 1) // BLOCK, parts_of(table)
    free = np.empty(blocks, np.bool_)
    for block in range(blocks):
        free[block] = all_open(allowed, block * BLOCK, min(block * BLOCK + BLOCK, states))
    for t in range(steps - 1, -1, -1):
        c, p = cost[min(t, cost.shape[0] - 1)], min(t, table[0].shape[0] - 1)
        after, paid, soft, here, choice = value[t + 1], crowd[t], tau[t], value[t], policy[t]
        for part_ in prange(parts):
            part = np.int64(part_)
            q = np.empty((actions, min(BLOCK, states) + 40))
            for block in range(blocks * part // parts, blocks * (part + 1) // parts):
                first, last = block * BLOCK, min(block * BLOCK + BLOCK, states)
                respond(table, p, after, c, paid, allowed, free[block], soft, first, last, here, choice, q)


def _price(table, step, after, cost, crowd, tau, first, last, policy, value, q):
    """What a policy costs in the states first..last."""
    expect_in(table, step, after, cost, first, last, first, q)
    total = value[first:last]
    for x in range(total.size):
        total[x] = crowd[first + x]
    for a in range(policy.shape[0]):
        chosen, paid = policy[a, first:last], q[a, first:last]
        if tau > 0.0:
            for x in range(total.size):
                share = chosen[x] if chosen[x] > TINY else TINY
                with_entropy = total[x] + chosen[x] * paid[x] + tau * chosen[x] * log(share)
                total[x] = with_entropy if chosen[x] > 0.0 else total[x]
        else:
            for x in range(total.size):
                total[x] = total[x] + chosen[x] * paid[x] if chosen[x] > 0.0 else total[x]


price = jit(_price)


def _evaluate(cost, crowd, allowed, tau, table, policy, value, q):
    """What a policy costs: q_t = l_t + P_t V_{t+1}, V_t = crowd_t + sum_a pi (q + tau log pi)."""
    steps, states = policy.shape[0], policy.shape[2]
    blocks, parts = (states + BLOCK - 1) // BLOCK, parts_of(table)
    for t in range(steps - 1, -1, -1):
        c, p = cost[min(t, cost.shape[0] - 1)], min(t, table[0].shape[0] - 1)
        after, paid, soft, here, chosen, own = value[t + 1], crowd[t], tau[t], value[t], policy[t], q[t]
        for part_ in prange(parts):
            part = np.int64(part_)
            for block in range(blocks * part // parts, blocks * (part + 1) // parts):
                first = block * BLOCK
                price(table, p, after, c, paid, soft, first, min(first + BLOCK, states), chosen, here, own)


def _forward(policy, table, mass):
    """Flow: m_{t+1}(y) = sum_{x,a} P_t(y | x, a) pi_t(a | x) m_t(x); the first level of mass is given."""
    steps, actions, states = policy.shape
    for t in range(steps):
        p, here, after = min(t, table[0].shape[0] - 1), mass[t], mass[t + 1]
        for x in range(states):
            after[x] = 0.0
        for a in range(actions):
            push_from(table, p, a, policy[t, a], here, after)
        settle(table, policy[t], here, after)


def _forward_shared(policy, table, mass):
    """The same for threads, from `Reversed`: each adds up the predecessors of its own states."""
    steps, actions, states = policy.shape
    blocks, parts = (states + BLOCK - 1) // BLOCK, parts_of(table)
    moved = np.empty((actions, states))
    flat = moved.reshape(actions * states)
    for t in range(steps):
        here, after, into = mass[t], mass[t + 1], table.into[min(t, table.into.shape[0] - 1)]
        row, back = table.row, table.back
        for part_ in prange(parts):
            part = np.int64(part_)
            for block in range(blocks * part // parts, blocks * (part + 1) // parts):
                first = block * BLOCK
                for a in range(actions):
                    for x in range(first, min(first + BLOCK, states)):
                        moved[a, x] = policy[t, a, x] * here[x]
        for part_ in prange(parts):
            part = np.int64(part_)
            for block in range(blocks * part // parts, blocks * (part + 1) // parts):
                first = block * BLOCK
                collect(into, row, back, flat, first, min(first + BLOCK, states), after)


def _respond_change(table, step, after, cost, crowd, first, last, policy, value, change):
    """Linearised best response in the states first..last."""
    expect_in(table, step, after, cost, first, last, first, change)
    mean = value[first:last]
    mean[:] = 0.0
    for a in range(policy.shape[0]):
        chosen, own = policy[a, first:last], change[a, first:last]
        for x in range(mean.size):
            mean[x] += chosen[x] * own[x]
    for a in range(policy.shape[0]):
        own = change[a, first:last]
        for x in range(mean.size):
            own[x] -= mean[x]
    for x in range(mean.size):
        mean[x] += crowd[first + x]


respond_change = jit(_respond_change)


def _tangent_backward(cost, crowd, policy, table, value, change):
    """Linearised best response: dq = dl + P dV, dV_t = dcrowd_t + sum_a pi dq;  change = dq - sum_a pi dq."""
    steps, states = policy.shape[0], policy.shape[2]
    blocks, parts = (states + BLOCK - 1) // BLOCK, parts_of(table)
    for t in range(steps - 1, -1, -1):
        c, p = cost[min(t, cost.shape[0] - 1)], min(t, table[0].shape[0] - 1)
        after, paid, chosen, here, own = value[t + 1], crowd[t], policy[t], value[t], change[t]
        for part_ in prange(parts):
            part = np.int64(part_)
            for block in range(blocks * part // parts, blocks * (part + 1) // parts):
                first = block * BLOCK
                respond_change(table, p, after, c, paid, first, min(first + BLOCK, states), chosen, here, own)


def _flux_change(policy, mass, moved, tau, change):
    """change = pi (dm - m change / tau), the change of the mass that makes a choice."""
    for x in range(policy.size):
        change[x] = policy[x] * (moved[x] - mass[x] * change[x] / tau)


flux_change = jit(_flux_change)


def _tangent_forward(policy, mass, tau, table, change, moved):
    """Linearised flow: dw = pi (dm - m change / tau), dm_{t+1} = P^T dw; ``change`` is replaced by dw.

    ``moved`` is dm; its first level is given.
    """
    every = np.ones(mass.shape[1])
    for t in range(policy.shape[0]):
        p, after = min(t, table[0].shape[0] - 1), moved[t + 1]
        for x in range(every.size):
            after[x] = 0.0
        for a in range(policy.shape[1]):
            flux_change(policy[t, a], mass[t], moved[t], tau[t], change[t, a])
            push_from(table, p, a, change[t, a], every, after)
        settle(table, change[t], every, after)


def _tangent_forward_shared(policy, mass, tau, table, change, moved):
    """The same for threads, from `Reversed`."""
    steps, actions, states = policy.shape
    blocks, parts = (states + BLOCK - 1) // BLOCK, parts_of(table)
    for t in range(steps):
        here, before, after, into = mass[t], moved[t], moved[t + 1], table.into[min(t, table.into.shape[0] - 1)]
        own, soft, row, back = change[t], tau[t], table.row, table.back
        flat = own.reshape(actions * states)
        for part_ in prange(parts):
            part = np.int64(part_)
            for block in range(blocks * part // parts, blocks * (part + 1) // parts):
                first = block * BLOCK
                last = min(first + BLOCK, states)
                for a in range(actions):
                    flux_change(
                        policy[t, a, first:last], here[first:last], before[first:last], soft, own[a, first:last]
                    )
        for part_ in prange(parts):
            part = np.int64(part_)
            for block in range(blocks * part // parts, blocks * (part + 1) // parts):
                first = block * BLOCK
                collect(into, row, back, flat, first, min(first + BLOCK, states), after)


def _softmax(scores, allowed, policy):
    """pi = exp(y) / sum exp(y) over the allowed actions."""
    steps, actions, states = policy.shape
    for t in range(steps):
        for x in range(states):
            most, total = -np.inf, 0.0
            for a in range(actions):
                if allowed[a, x]:
                    most = max(most, scores[t, a, x])
            for a in range(actions):
                policy[t, a, x] = np.exp(scores[t, a, x] - most) if allowed[a, x] else 0.0
                total += policy[t, a, x]
            for a in range(actions):
                policy[t, a, x] /= total


def _own_cost(cost, least, policy, mass, tau):
    """sum_t <l_t + tau log pi_t, w_t>; the same of l - its least value and |tau log pi|; and all in absolute value.

    ``least`` is (1 or T, populations), whose states stand side by side.
    """
    steps, actions, states = policy.shape
    total, above, size = 0.0, 0.0, 0.0
    cells, logs = states // least.shape[1], np.zeros(states)
    for t in range(steps):
        c, soft = min(t, cost.shape[0] - 1), tau[t]
        for a in range(actions):
            if soft > 0.0:
                own = policy[t, a]
                for x in range(states):
                    logs[x] = log(own[x] if own[x] > TINY else TINY)
            for x in range(states):
                chosen = policy[t, a, x]
                if chosen > 0.0:
                    paid = cost[c, a, x] * chosen * mass[t, x]
                    total += paid
                    above += (cost[c, a, x] - least[c, x // cells]) * chosen * mass[t, x]
                    size += abs(paid)
                    if soft > 0.0:
                        paid = soft * chosen * logs[x] * mass[t, x]
                        total += paid
                        above += abs(paid)
                        size += abs(paid)
    return total, above, size


backward, evaluate, forward, softmax = jit(_backward), jit(_evaluate), jit(_forward), jit(_softmax)
tangent_backward, tangent_forward, own_cost = jit(_tangent_backward), jit(_tangent_forward), jit(_own_cost)
backward_parallel, evaluate_parallel = jit(_backward, parallel=True), jit(_evaluate, parallel=True)
forward_parallel = jit(_forward_shared, parallel=True)
tangent_backward_parallel = jit(_tangent_backward, parallel=True)
tangent_forward_parallel = jit(_tangent_forward_shared, parallel=True)
