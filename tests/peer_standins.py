"""Small stand-ins for torch, MFGLib and OpenSpiel: their protocols on NumPy, to test the borders without them."""

from __future__ import annotations

import contextlib
import math
import types

import numpy as np
import xarray as xr

from mfgsolve.games import make_game

# -- torch: only what the border touches -----------------------------------------------------------------------------


class Tensor(np.ndarray):
    """An array with the methods of a tensor that the border uses."""

    def numpy(self):
        return np.asarray(self)

    def detach(self):
        return self

    def sum_(self, axes):
        return self.sum(axis=axes)


def tensor(data, dtype=np.float64):
    return np.array(data, dtype=dtype).view(Tensor)


def fake_torch():
    default = [np.dtype(np.float32)]
    torch = types.ModuleType("torch")
    torch.float64, torch.float32 = np.dtype(np.float64), np.dtype(np.float32)
    torch.get_default_dtype = lambda: default[0]
    torch.set_default_dtype = lambda dtype: default.__setitem__(0, np.dtype(dtype))
    torch.no_grad = contextlib.nullcontext
    torch.from_numpy = lambda a: a.view(Tensor)
    torch.broadcast_to = lambda a, shape: np.broadcast_to(a, shape, subok=True)
    torch.tensor = tensor

    def jvp(function, at, along):
        step = 1e-6
        return function(at), (function(at + step * along) - function(at - step * along)) / (2 * step)

    functional = types.SimpleNamespace(jvp=jvp)
    torch.autograd = types.SimpleNamespace(functional=functional)
    return torch


# -- MFGLib ----------------------------------------------------------------------------------------------------------


class Environment:
    """The attributes of mfglib.env.Environment, of a game given by two functions."""

    def __init__(self, T, S, A, mu0, reward, prob):
        self.T, self.S, self.A, self.mu0 = T, S, A, tensor(mu0)
        self.n_states, self.n_actions = math.prod(S), math.prod(A)
        self._reward, self._prob = reward, prob

    def reward(self, t, L):
        return tensor(self._reward(t, np.asarray(L)))

    def prob(self, t, L):
        return tensor(self._prob(t, np.asarray(L)))

    @classmethod
    def beach_bar(cls, T=2, n=4, log_eps=1e-20):
        """Rewards -d(s) - |a-1|/n - log(mu + eps); moves -1, 0, 1 on a line with noise, clamped."""
        prob = np.zeros((n, n, 3))
        for s in range(n):
            for a in range(3):
                for noise, chance in ((-1, 0.25), (0, 0.5), (1, 0.25)):
                    prob[min(max(s + a - 1 + noise, 0), n - 1), s, a] += chance
        away = -abs(np.arange(n) - 2.0)[:, None] - np.array([1, 0, 1]) / n
        return cls(T, (n,), (3,), np.full(n, 1 / n),
                   lambda t, L: away - np.log(L.sum(1) + log_eps)[:, None], lambda t, L: prob)  # fmt: skip


def score(env, policy):
    """MFGLib's exploitability from its definition, in its own order of axes: (T+1, *S, *A)."""
    states, actions = env.n_states, env.n_actions
    pi = np.asarray(policy).reshape(env.T + 1, states, actions)
    crowd, rewards, moves = [np.asarray(env.mu0).reshape(-1)[:, None] * pi[0]], [], []
    for t in range(env.T + 1):
        L = crowd[t].reshape(*env.S, *env.A)
        rewards.append(np.asarray(np.broadcast_to(env.reward(t, L), (*env.S, *env.A))).reshape(states, actions))
        if t < env.T:
            moves.append(np.asarray(env.prob(t, L)).reshape(states, states, actions))
            crowd.append(np.einsum("nsa,sa->n", moves[t], crowd[t])[:, None] * pi[t + 1])
    best, own = np.zeros(states), np.zeros(states)
    for t in reversed(range(env.T + 1)):
        follow = moves[t] if t < env.T else np.zeros((states, states, actions))
        own = (pi[t] * (rewards[t] + np.einsum("nsa,n->sa", follow, own))).sum(1)
        best = (rewards[t] + np.einsum("nsa,n->sa", follow, best)).max(1)
    return float(np.asarray(env.mu0).reshape(-1) @ (best - own))


def mfglib_modules():
    root, alg, env = (types.ModuleType(name) for name in ("mfglib", "mfglib.alg", "mfglib.env"))
    env.Environment = Environment
    return {"torch": fake_torch(), "mfglib": root, "mfglib.alg": alg, "mfglib.env": env}


def rooms(t, L):
    """Two floors of 2 x 3, actions (2, 2): a logarithm, a cost of the action, a bonus that moves."""
    bonus = np.zeros((2, 3))
    bonus[t % 2, 2] = 1.0
    return (bonus - np.log(np.maximum(L.sum((2, 3)), 1e-15)))[:, :, None, None] - np.array([[0, 0.1], [0.2, 0.3]])


def roll(t, L):
    prob = np.zeros((2, 3, 2, 3, 2, 2))
    for i, j, a, b in np.ndindex(2, 3, 2, 2):
        prob[(i + a) % 2, (j + b) % 3, i, j, a, b] += 0.75
        prob[i, j, i, j, a, b] += 0.25
    return prob


def sick(t, L):
    out = np.zeros((2, 2, 2))
    ill = 0.81 * L.sum(1)[1]
    out[:, 0, 0], out[:, 0, 1], out[:, 1] = (1 - ill, ill), (1, 0), np.array([[0.3, 0.3], [0.7, 0.7]])
    return out


def crowded(t, L):
    """Transitions that see choices: the more take action a in state s, the less it leads to a."""
    out = np.full((3, 3, 3), 1 / 3)
    for s, a in np.ndindex(3, 3):
        out[:, s, a] = (1 - np.exp(-L[s, a])) / 3
        out[a, s, a] += np.exp(-L[s, a])
    return out


def noisy(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def environments():
    price = lambda t, L: (1 / (1 + (L * np.arange(3.0)).sum()) - 1) * np.arange(3.0) - 0.3 * noisy(0, 2, 3)
    pull = lambda t, L: (noisy(1, 3, 3) @ L.sum(1))[:, None] + noisy(2, 3, 3)
    wheel = np.stack([np.eye(3)[[a] * 3].T for a in range(3)], -1)
    swap = np.stack([np.eye(2), np.eye(2)[::-1], np.full((2, 2), 0.5)], axis=-1)
    return {
        "beach bar": Environment.beach_bar(),
        "high floor": Environment.beach_bar(log_eps=1e-3),
        "rooms": Environment(3, (2, 3), (2, 2), np.full((2, 3), 1 / 6), rooms, roll),
        "linear": Environment(2, (3,), (3,), [0.5, 0.5, 0], pull, lambda t, L: wheel),
        "price": Environment(3, (2,), (3,), [0.25, 0.75], price, lambda t, L: swap),
        "sick": Environment(4, (2,), (2,), [0.4, 0.6], lambda t, L: np.array([[0, -0.5], [-1, -1.5]]), sick),
        "choices": Environment(3, (3,), (3,), [0.2, 0.3, 0.5], lambda t, L: noisy(4, 3, 3) @ L + L**2, crowded),
    }  # fmt: skip


# -- OpenSpiel -------------------------------------------------------------------------------------------------------


class Ring:
    """A ring of ``size`` states, ``populations`` of them: choose -1, 0, 1, noise of 0 or +1, then the crowd is told.

    Reward at t >= 1 of x in population p:  bonus(x) - log(mu_p(x) + 1e-25) + sum_q pull[p][q] mu_q(x), and with
    ``hidden`` the last move costs 0.1 besides, which no key tells.  State 0 offers the actions 1 and 2 alone.
    """

    def __init__(self, size=4, horizon=3, pull=((0.0,),), hidden=False, coupled=False):
        self.size, self.horizon, self.pull = size, horizon, np.array(pull)
        self.hidden, self.coupled, self.populations = hidden, coupled, len(pull)

    def __str__(self):
        return f"ring(size={self.size},horizon={self.horizon},hidden={self.hidden},coupled={self.coupled})"

    def get_type(self):
        return types.SimpleNamespace(dynamics="Dynamics.MEAN_FIELD")

    def num_players(self):
        return self.populations

    def new_initial_states(self):
        return [RingState(self, p) for p in range(self.populations)]


class RingState:
    def __init__(self, game, population):
        self.game, self.population = game, population
        self.x, self.t, self.turn, self.move, self.crowd = None, 0, "start", 1, None

    def clone(self):
        twin = RingState(self.game, self.population)
        twin.__dict__.update(self.__dict__)
        return twin

    def is_terminal(self):
        return self.t >= self.game.horizon

    def current_player(self):
        return {"start": -1, "noise": -1, "told": -5, "choice": self.population}[self.turn]

    def observation_string(self, player):
        where = "start" if self.turn == "start" else f"x={self.x}, t={self.t}"
        return f"(pop={self.population}, {where}, {self.turn})" if self.turn != "choice" else (
            f"(pop={self.population}, {where})")  # fmt: skip

    def legal_actions(self):
        return [1, 2] if self.x == 0 else [0, 1, 2]

    def chance_outcomes(self):
        if self.turn == "start":
            return [(0, 0.75), (1, 0.25)]
        late = 0.5 if not self.game.coupled or self.crowd is None else min(1.0, 0.2 + self.crowd[0])
        return [(0, 1 - late), (1, late)]

    def child(self, action):
        after = self.clone()
        if self.turn == "start":
            after.x, after.turn = action + self.population, "choice"
        elif self.turn == "choice":
            after.x, after.turn, after.move = (self.x + action - 1) % self.game.size, "noise", action
        else:
            after.x, after.turn, after.t = (self.x + action) % self.game.size, "told", self.t + 1
        return after

    def distribution_support(self):
        return [
            f"(pop={p}, x={x}, t={self.t}, told)" for x in range(self.game.size) for p in range(self.game.populations)
        ]

    def update_distribution(self, masses):
        assert self.turn == "told"
        self.crowd, self.turn = list(masses), "choice"

    def rewards(self):
        if self.turn != "choice" or self.is_terminal():
            return [0.0] * self.game.populations
        bonus = 0.3 * self.x - (0.1 * (self.move != 1) if self.game.hidden else 0.0)
        if self.crowd is None:
            return [bonus] * self.game.populations
        here = np.array(self.crowd).reshape(self.game.size, -1)[self.x]
        return list(bonus - np.log(here + 1e-25) + self.game.pull @ here)


def nash_conv(game, policy):
    """OpenSpiel's NashConv from its definition: values cached by key, depth first, in the order of actions."""

    def forward():
        told, layer = {}, [(s, 1.0) for s in game.new_initial_states()]
        while not layer[0][0].is_terminal():
            merged = {}
            if layer[0][0].turn == "told":
                told.update({s.observation_string(0): p for s, p in layer})
            for state, chance in layer:
                if state.turn == "told":
                    after = state.clone()
                    after.update_distribution([told.get(k, 0.0) for k in state.distribution_support()])
                    children = [(after, 1.0)]
                elif state.turn == "choice":
                    children = [(state.child(a), p) for a, p in policy.action_probabilities(state).items()]
                else:
                    children = [(state.child(a), p) for a, p in state.chance_outcomes()]
                for child, p in children:
                    key = child.observation_string(0)
                    first, sum_ = merged.get(key, (child, 0.0))
                    merged[key] = (first, sum_ + chance * p)
            layer = list(merged.values())
        return told

    told = forward()

    def value(state, cache, best):
        key = state.observation_string(0)
        if key not in cache:
            own = 0.0 if state.turn in ("start", "noise") else state.rewards()[state.population]
            if state.is_terminal():
                cache[key] = own
            elif state.turn == "told":
                after = state.clone()
                after.update_distribution([told.get(k, 0.0) for k in state.distribution_support()])
                cache[key] = own + value(after, cache, best)
            elif state.turn == "choice" and best:
                cache[key] = own + max(value(state.child(a), cache, best) for a in state.legal_actions())
            else:
                pairs = (
                    state.chance_outcomes() if state.turn != "choice" else policy.action_probabilities(state).items()
                )
                cache[key] = own + sum(p * value(state.child(a), cache, best) for a, p in pairs)
        return cache[key]

    return sum(value(s, {}, True) - value(s, {}, False) for s in game.new_initial_states())


def openspiel_modules():
    names = ("pyspiel", "open_spiel", "open_spiel.python", "open_spiel.python.policy", "open_spiel.python.mfg",
             "open_spiel.python.mfg.games")  # fmt: skip
    modules = {name: types.ModuleType(name) for name in names}

    class Policy:
        def __init__(self, game, player_ids):
            self.game, self.player_ids = game, player_ids

    def load_game(name, settings=None):
        if settings is None:
            name, _, rest = name.partition("(")
            pairs = [part.split("=") for part in rest.rstrip(")").split(",") if part]
            settings = {k: v == "True" if v in ("True", "False") else int(v) for k, v in pairs}
        if settings.get("size", 4) < 2:
            raise SpielError("size must be 2 or more")
        return Ring(**settings)

    class SpielError(Exception):
        pass

    kind = types.SimpleNamespace(
        short_name="ring", dynamics="MEAN_FIELD",
        parameter_specification={"size": 4, "horizon": 3, "hidden": False, "coupled": False},
    )  # fmt: skip
    pyspiel = modules["pyspiel"]
    pyspiel.SpielError, pyspiel.load_game = SpielError, load_game
    pyspiel.GameType = types.SimpleNamespace(Dynamics=types.SimpleNamespace(MEAN_FIELD="MEAN_FIELD"))
    pyspiel.registered_games = lambda: [kind]
    modules["open_spiel.python.policy"].Policy = Policy
    return modules


def random_policy(problem, seed=0):
    """A policy of the problem as an array, and as the solution that an exporter sees."""
    game = make_game(problem)
    table = np.random.default_rng(seed).dirichlet(np.full(game.step.actions, 0.5), (game.steps, game.cells))
    array = table.transpose(0, 2, 1).reshape(game.steps, game.step.actions, *problem.grid.shape)
    labels = {name: pair[0] for name, pair in problem.grid.dimension_coordinates.items()}
    dataset = xr.Dataset(
        {"policy": (("step", "action", *problem.grid.dims), array)}, coords={"action": game.step.action_names, **labels}
    )
    return array, types.SimpleNamespace(dataset=dataset, name=problem.name)
