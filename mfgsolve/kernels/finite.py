"""Finite games: Bellman, flow, tangent and evaluation over sparse transitions, whole sweeps at a time.

Legend: ``value`` V (levels, states), ``cost`` l (1 or steps, actions, states) what a choice costs, ``crowd`` (levels,
states) what being somewhere costs, ``policy`` pi and ``q`` (steps, actions, states), ``mass`` m (levels, states),
``tau`` (steps,) what a unit of entropy costs.  Row ``a S + x`` of the transitions of a step lists the successors of
choice a in state x: ``first[step, row]`` to ``first[step, row + 1]`` in ``successor`` and ``chance``; one step stands
for all where they do not change.  A choice that is not ``allowed`` has probability 0 and is never looked at.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit


def _expect(first, successor, chance, value, cost, out):
    """q(a, x) = l(a, x) + sum_y P(y | x, a) V(y)."""
    actions, states = out.shape
    for a in range(actions):
        for x in range(states):
            row, total = a * states + x, cost[a, x]
            for k in range(first[row], first[row + 1]):
                total += chance[k] * value[successor[k]]
            out[a, x] = total


expect = jit(_expect)


def _soft_choice(q, allowed, tau, value, policy):
    """V = -tau log sum_a exp(-q / tau), pi = exp((V - q) / tau); the smallest q alone where tau = 0.

    ``policy`` may be ``q`` itself: it holds the terms of the sum before it holds the policy.
    """
    actions, states = q.shape
    if tau > 0.0:
        least, total = np.full(states, np.inf), np.zeros(states)
        for a in range(actions):
            for x in range(states):
                here = q[a, x] if allowed[a, x] else np.inf
                least[x] = here if here < least[x] else least[x]
        for a in range(actions):
            for x in range(states):
                policy[a, x] = (least[x] - q[a, x]) / tau
            for x in range(states):
                policy[a, x] = np.exp(policy[a, x]) if allowed[a, x] else 0.0
            for x in range(states):
                total[x] += policy[a, x]
        for x in range(states):
            value[x] = least[x] - tau * np.log(total[x])
        for a in range(actions):
            for x in range(states):
                policy[a, x] = policy[a, x] / total[x] if allowed[a, x] else 0.0
        return
    for x in range(states):
        best, lowest = -1, np.inf
        for a in range(actions):
            if allowed[a, x] and (best < 0 or q[a, x] < lowest):
                best, lowest = a, q[a, x]
        value[x] = lowest
        for a in range(actions):
            policy[a, x] = 1.0 if a == best else 0.0


soft_choice = jit(_soft_choice)


def _backward(cost, crowd, allowed, tau, first, successor, chance, value, policy):
    """Best response: V_t = crowd_t + softmin_a (l_t + P_t V_{t+1}); the last level of value is given.

    ``policy`` holds q before it holds the policy.
    """
    steps = policy.shape[0]
    for t in range(steps - 1, -1, -1):
        c, p = min(t, cost.shape[0] - 1), min(t, first.shape[0] - 1)
        expect(first[p], successor, chance, value[t + 1], cost[c], policy[t])
        soft_choice(policy[t], allowed, tau[t], value[t], policy[t])
        for x in range(value.shape[1]):
            value[t, x] += crowd[t, x]


def _evaluate(cost, crowd, allowed, tau, first, successor, chance, policy, value, q):
    """What a policy costs: q_t = l_t + P_t V_{t+1}, V_t = crowd_t + sum_a pi (q + tau log pi)."""
    steps, actions, states = policy.shape
    for t in range(steps - 1, -1, -1):
        c, p = min(t, cost.shape[0] - 1), min(t, first.shape[0] - 1)
        expect(first[p], successor, chance, value[t + 1], cost[c], q[t])
        soft = tau[t]
        for x in range(states):
            total = crowd[t, x]
            for a in range(actions):
                chosen = policy[t, a, x]
                if chosen > 0.0:
                    total += chosen * q[t, a, x]
                    if soft > 0.0:
                        total += soft * chosen * np.log(chosen)
            value[t, x] = total


def _forward(policy, first, successor, chance, mass):
    """Flow: m_{t+1}(y) = sum_{x,a} P_t(y | x, a) pi_t(a | x) m_t(x); the first level of mass is given."""
    steps, actions, states = policy.shape
    for t in range(steps):
        p = min(t, first.shape[0] - 1)
        for y in range(states):
            mass[t + 1, y] = 0.0
        for a in range(actions):
            for x in range(states):
                moved = policy[t, a, x] * mass[t, x]
                if moved != 0.0:
                    row = a * states + x
                    for k in range(first[p, row], first[p, row + 1]):
                        mass[t + 1, successor[k]] += chance[k] * moved


def _tangent_backward(cost, crowd, policy, first, successor, chance, value, change):
    """Linearised best response: dq = dl + P dV, dV_t = dcrowd_t + sum_a pi dq;  change = dq - sum_a pi dq."""
    steps, actions, states = policy.shape
    mean = np.empty(states)
    for t in range(steps - 1, -1, -1):
        c, p = min(t, cost.shape[0] - 1), min(t, first.shape[0] - 1)
        expect(first[p], successor, chance, value[t + 1], cost[c], change[t])
        mean[:] = 0.0
        for a in range(actions):
            for x in range(states):
                mean[x] += policy[t, a, x] * change[t, a, x]
        for a in range(actions):
            for x in range(states):
                change[t, a, x] -= mean[x]
        for x in range(states):
            value[t, x] = crowd[t, x] + mean[x]


def _tangent_forward(policy, mass, tau, first, successor, chance, change, moved):
    """Linearised flow: dw = pi (dm - m change / tau), dm_{t+1} = P^T dw; ``change`` is replaced by dw.

    ``moved`` is dm; its first level is given.
    """
    steps, actions, states = policy.shape
    for t in range(steps):
        p, soft = min(t, first.shape[0] - 1), tau[t]
        for y in range(states):
            moved[t + 1, y] = 0.0
        for a in range(actions):
            for x in range(states):
                flux = policy[t, a, x] * (moved[t, x] - mass[t, x] * change[t, a, x] / soft)
                change[t, a, x] = flux
                if flux != 0.0:
                    row = a * states + x
                    for k in range(first[p, row], first[p, row + 1]):
                        moved[t + 1, successor[k]] += chance[k] * flux


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
    cells = states // least.shape[1]
    for t in range(steps):
        c, soft = min(t, cost.shape[0] - 1), tau[t]
        for a in range(actions):
            for x in range(states):
                chosen = policy[t, a, x]
                if chosen > 0.0:
                    paid = cost[c, a, x] * chosen * mass[t, x]
                    total += paid
                    above += (cost[c, a, x] - least[c, x // cells]) * chosen * mass[t, x]
                    size += abs(paid)
                    if soft > 0.0:
                        paid = soft * chosen * np.log(chosen) * mass[t, x]
                        total += paid
                        above += abs(paid)
                        size += abs(paid)
    return total, above, size


backward, evaluate, forward, softmax = jit(_backward), jit(_evaluate), jit(_forward), jit(_softmax)
tangent_backward, tangent_forward, own_cost = jit(_tangent_backward), jit(_tangent_forward), jit(_own_cost)
