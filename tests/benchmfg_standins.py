"""A small stand-in for Bench-MFG: environments of its protocol, and its score from the definition."""

from __future__ import annotations

import numpy as np

PACKAGE = {
    "__init__.py": """
from benchmfg_standins import load_config, make_environment
""",
    "config/__init__.py": "",
    "config/environment/__init__.py": "",
    "config/environment/chain.yaml": "",
    "config/environment/rooms.yaml": "",
    "config/environment/unfinished.yaml": "",
}  # files of the package


class Stationary:
    """States, actions and noises by number; transitions and rewards from two functions."""

    def __init__(self, states, actions, noise, transition, reward, gamma=0.9, initial=None, grid_dim=None, horizon=100):
        self.N_states, self.N_actions, self.N_noises = states, actions, len(noise)
        self.noise_prob, self.gamma, self.horizon, self.grid_dim = np.array(noise), gamma, horizon, grid_dim
        self.stationary_mean_field = np.full(states, 1 / states) if initial is None else np.array(initial)
        self._transition, self._reward = transition, reward

    def transition(self, mean_field=None, state=None, action=None, noise=None):
        return self._transition(mean_field, state, action, noise)

    def reward(self, mean_field=None, state=None, action=None):
        return self._reward(mean_field, state, action)


def chain(states=7, crowd=40.0, gamma=0.9, noise=0.025):
    middle = (states - 1) / 2

    def step(m, s, a, n):
        return min(max(s + a - 1 + n - 1, 0), states - 1)

    def reward(m, s, a):
        return -2.0 * abs(a - 1) - 3.0 * (s - middle) ** 2 - crowd * m[s]

    return Stationary(states, 3, [noise, 1 - 2 * noise, noise], step, reward, gamma)


def rooms():
    """11 x 11 cells with a cross of walls and four doors; one dislikes company by its logarithm."""
    wall = np.zeros((11, 11), bool)
    wall[5], wall[:, 5] = True, True
    for door in ((2, 5), (8, 5), (5, 8), (5, 2)):
        wall[door] = False
    moves = [(1, 0), (0, 1), (-1, 0), (0, -1), (0, 0)]

    def step(m, s, a, n):
        row, column = s // 11 + moves[a][0] + moves[n][0], s % 11 + moves[a][1] + moves[n][1]
        free = 0 <= row < 11 and 0 <= column < 11 and not wall[row, column]
        return row * 11 + column if free else s

    return Stationary(121, 5, [0.2] * 5, step, lambda m, s, a: -np.log(max(m[s], 1e-12)), grid_dim=np.array([11, 11]))


def cyclic():
    pay = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    return Stationary(3, 3, [1.0], lambda m, s, a, n: a, lambda m, s, a: float(pay[s] @ m))


def choosy(power=1):
    """What an action earns changes with the crowd: linearly, or by a power."""
    pull = np.random.default_rng(3).normal(size=(4, 2, 4))

    def step(m, s, a, n):
        return (s + (a if n else 1)) % 4

    return Stationary(4, 2, [0.3, 0.7], step, lambda m, s, a: float(pull[s, a] @ np.asarray(m) ** power))


def distributions_only():
    """Rewards that scale what they are asked about to mass 1, by a symmetric matrix up to numbers for each state."""
    pull = np.random.default_rng(4).normal(size=(5, 5))
    pull = pull + pull.T - 10 * np.eye(5)

    def reward(m, s, a):
        m = np.asarray(m)
        return float(pull[s] @ m / m.sum()) + 0.5 * s - 0.1 * a

    return Stationary(5, 2, [0.4, 0.6], lambda m, s, a, n: (s + (1 if a else -1) * n) % 5, reward)


def flu():
    def step(m, s, a, n):
        return int((n + 0.5) / 10 < 0.8 * a * m[1]) if s == 0 else int((n + 0.5) / 10 >= 0.3)

    return Stationary(2, 2, [0.1] * 10, step, lambda m, s, a: 0.5 * a - 2.0 * s)


ENVIRONMENTS = {
    "chain": chain, "rooms": rooms, "cyclic": cyclic, "choosy": choosy, "curved": lambda: choosy(2),
    "distributions": distributions_only, "flu": flu,
}  # fmt: skip


def score(env, policy, law_steps=3000, horizon=1500):
    """Bench-MFG's exploitability from its definition: the law step by step, then values step by step."""
    states, actions = env.N_states, env.N_actions
    place = [(s, a, n) for s in range(states) for a in range(actions) for n in range(env.N_noises)]

    def after(m):
        told = [env.transition(mean_field=m, state=s, action=a, noise=n) for s, a, n in place]
        return np.array(told).reshape(states, actions, env.N_noises)

    law = np.array(env.stationary_mean_field)
    fixed = after(law)
    for _ in range(law_steps):
        new = np.zeros(states)
        np.add.at(new, fixed, policy[:, :, None] * law[:, None, None] * env.noise_prob)
        law = new / new.sum()
    reward = np.array([[env.reward(mean_field=law, state=s, action=a) for a in range(actions)] for s in range(states)])
    best, own = np.zeros(states), np.zeros(states)
    for _ in range(horizon - 1):
        best = (reward + env.gamma * best[fixed] @ env.noise_prob).max(1)
        own = (policy * (reward + env.gamma * own[fixed] @ env.noise_prob)).sum(1)
    return float(law @ (best - own))


# -- the package's own way from a name to an environment --------------------------------------------------------------


class Config(dict):
    __getattr__ = dict.__getitem__


def load_config(overrides=()):
    told = dict(each.split("=") for each in overrides)
    name = told.pop("environment")
    config = Config(num_states=7, gamma=0.9, reward=Config(crowd=40.0))
    for key, value in told.items():
        table = config
        *tables, last = key.removeprefix("environment.").split(".")
        for each in tables:
            table = table[each]
        table[last] = type(table[last])(value)
    return Config(environment=config, name=name)


def make_environment(overrides):
    config = load_config(overrides)
    np.random.uniform()  # noqa: NPY002  (a first policy)
    if config.name == "unfinished":
        raise NotImplementedError("unfinished is not implemented yet")
    if config.name == "rooms":
        return rooms(), None
    environment = config.environment
    if environment.num_states < 1:
        raise ValueError("number of states must be positive")
    return chain(environment.num_states, environment.reward.crowd, environment.gamma), None
