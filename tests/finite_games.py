"""Small finite games that many tests share, and their sweeps in dense NumPy, written from the formulas."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.special import logsumexp, softmax

import mfgsolve as mfg
from mfgsolve.steps.transitions import stacked

# -- dense references ------------------------------------------------------------------------------------------------


def dense_backward(chance, cost, crowd, allowed, tau, last):
    """V and the policy of the best response: P (T, A, S, S), costs (T, A, S) and (T + 1, S)."""
    steps, states = cost.shape[0], cost.shape[2]
    value, policy = np.empty((steps + 1, states)), np.zeros(cost.shape)
    value[-1] = last
    for t in reversed(range(steps)):
        q = np.where(allowed, cost[t] + chance[t] @ value[t + 1], np.inf)
        if tau > 0:
            policy[t], best = softmax(-q / tau, axis=0), -tau * logsumexp(-q / tau, axis=0)
        else:
            policy[t, q.argmin(axis=0), np.arange(states)], best = 1.0, q.min(axis=0)
        value[t] = crowd[t] + best
    return value, policy


def dense_flow(chance, policy, start):
    mass = [start]
    for t in range(len(policy)):
        mass.append(np.einsum("ax,axy,x->y", policy[t], chance[t], mass[-1]))
    return np.array(mass)


def dense_cost(policy, mass, cost, crowd, tau, last):
    """J of a policy, summed forward along its flow."""
    w = policy * mass[:-1, None]
    entropy = np.where(policy > 0, w * np.log(np.where(policy > 0, policy, 1.0)), 0.0)
    return (w * cost).sum() + tau * entropy.sum() + (mass[:-1] * crowd[:-1]).sum() + (mass[-1] * last).sum()


def random_chances(rng, *shape):
    """Rows that sum to 1, with zeros in them; shape (..., states, states)."""
    chance = rng.gamma(0.5, size=shape) * (rng.random(shape) < 0.6)
    chance[..., 0] += 0.01
    return chance / chance.sum(axis=-1, keepdims=True)


def random_allowed(rng, actions, states):
    allowed = rng.random((actions, states)) < 0.7
    allowed[rng.integers(actions, size=states), np.arange(states)] = True
    return allowed


def random_policy(rng, allowed, steps):
    policy = rng.gamma(0.5, size=(steps, *allowed.shape)) * allowed + 1e-3 * allowed
    return policy / policy.sum(axis=1, keepdims=True)


def kernel_case(seed, tau, still):
    """Random arrays as kernels take them, and the same dense."""
    rng = np.random.default_rng(seed)
    steps, actions, states = 3, 3, 4
    chance = random_chances(rng, 1 if still else steps, actions, states, states)
    cost = rng.normal(size=(1 if still else steps, actions, states))
    table = stacked([sparse.csr_array(part.reshape(-1, states)) for part in chance])
    allowed, crowd = random_allowed(rng, actions, states), rng.normal(size=(steps + 1, states))
    full = np.broadcast_to(chance, (steps, actions, states, states)), np.broadcast_to(cost, (steps, actions, states))
    return rng, (cost, crowd, allowed, tau, table), full


# -- games -----------------------------------------------------------------------------------------------------------

WEIGHT, CENTRE, STATE, CHOICE, LAST = 1.5, 0.2, 0.7, 0.3, 0.4


def small_game(seed, populations, actions, temperature=0.0):
    """Three states, three steps, everything moving with time; its arrays by population: (problem, parts, amounts)."""
    rng = np.random.default_rng(seed)
    parts, dynamics = [], []
    for p in range(populations):
        count = actions - p  # the second population has fewer actions
        chance, cost = random_chances(rng, 3, count, 3, 3), rng.normal(size=(3, count, 3))
        allowed = random_allowed(rng, count, 3)
        parts.append((chance, np.where(allowed, cost, 0.0), allowed))
        dynamics.append(mfg.Tabular(chance, cost, temperature, allowed=allowed))
    states = mfg.States(3)
    space = states if populations == 1 else mfg.Populations([f"type {p}" for p in range(populations)], states)
    amounts = rng.normal(size=(actions, *space.shape))
    problem = mfg.Problem(
        grid=space, time=mfg.TimeGrid(0.6, 3), dynamics=dynamics,
        initial=rng.dirichlet(np.ones(3), populations).reshape(space.shape),
        coupling=mfg.CrowdAversion(STATE) + mfg.CrowdAversion(CHOICE, on="occupation")
        + mfg.Price(mfg.QuadraticPotential(WEIGHT, CENTRE), amounts=amounts),
        terminal=rng.normal(size=space.shape), terminal_coupling=mfg.CrowdAversion(LAST),
    )  # fmt: skip
    return problem, parts, amounts.reshape(actions, populations, 3)


def sharp_game():
    """Temperature 0, local crowd aversion: a potential game on a line."""
    return mfg.Problem(
        grid=mfg.Grid.box((5,)), time=mfg.TimeGrid(4.0, 4),
        dynamics=mfg.LatticeMoves((-1, 0, 1), (0.1, 0.0, 0.1), jumps={-1: 0.1, 0: 0.8, 1: 0.1}),
        coupling=mfg.CrowdAversion(0.3) + mfg.RunningCost(lambda t, c: (c.x - 0.8) ** 2),
        initial=lambda t, c: 5.0 * (c.x < 0.2),
    )  # fmt: skip


def hunters(temperature=0.3):
    """Three populations that hunt each other in a circle: monotone, and without a potential."""
    cycle = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    place = mfg.Populations(["a", "b", "c"], mfg.Grid.box((2, 3), bounds=[(0, 1), (0, 3)]))
    moves = mfg.LatticeMoves([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)], jumps={(0, 0): 0.8, (0, 1): 0.2},
                             temperature=temperature)  # fmt: skip
    start = np.zeros(place.shape)
    start[0, 0, 0] = start[1, 1, 2] = start[2, 0, 2] = 2.0
    return mfg.Problem(
        grid=place, time=mfg.TimeGrid(3.0, 3), dynamics=[moves] * 3, initial=start,
        coupling=mfg.Interaction(-cycle, between="populations") + mfg.LogCongestion(0.5, shift=0.1),
    )  # fmt: skip


def epidemic(steps=20):
    """Susceptible-infected (Cui and Koeppl, arXiv:2102.01585): going out infects with the share of the infected."""

    def spread(t, mass):
        risk = 0.81 * mass[1]
        return [np.array([[1 - risk, risk], [0.3, 0.7]]), np.array([[1.0, 0.0], [0.3, 0.7]])]

    return mfg.Problem(
        grid=mfg.States(["S", "I"]), time=mfg.TimeGrid(steps, steps), coupling=0.0, initial=np.array([0.4, 0.6]),
        dynamics=mfg.Tabular(spread, cost=[[0.0, 1.0], [0.5, 1.5]], actions=["out", "home"]),
    ), spread  # fmt: skip


def cost_of(policy, game, crowd) -> float:
    """What a policy (T, actions, states) costs against a crowd, exactly."""
    return float(game.initial_mass @ game.evaluate(policy, game.price(crowd))[0][0])
