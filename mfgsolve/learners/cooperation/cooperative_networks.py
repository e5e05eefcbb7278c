"""Cooperative agents with a neural network each, of the coordinates of the state."""

from __future__ import annotations

import numpy as np

from mfgsolve.learners.cooperation.cooperative_tables import Laws, Memory
from mfgsolve.parts.functions import MLP, Adam
from mfgsolve.parts.imagination import alone, scenarios
from mfgsolve.tasks.plant import Plant, Tables

__all__ = ["NetworkAgents"]


class NetworkAgents:
    """An MLP of the state for each agent, with an output for each own control.

    A step of Adam moves the outputs of a minibatch, and of what was imagined of it, toward their targets; where the
    impact gives a transition another rate than alpha, its error counts by the ratio of the two.  Values are told in
    units of the worst that can be earned, so that outputs lie between -1 and 0.  Targets are those of a copy of the
    network that is made anew at the start of every episode.

    Parameters
    ----------
    plant : the task
    tables : the same on its grid
    hidden : units of each of the two hidden layers
    step : of Adam
    """

    def __init__(self, plant: Plant, tables: Tables, hidden: int, step: float):
        self.plant, self.tables, self.step = plant, tables, step
        self.features = features(plant)
        self.sizes = (self.features.shape[1], hidden, hidden, len(tables.controls))
        largest = tables.effort.sum(axis=1).max() * np.square(tables.controls).max()
        self.unit = (np.abs(tables.reward).max() + largest) / (1 - tables.discount)

    def fresh(self, seeds: int, rng: np.random.Generator) -> np.ndarray:
        """Parameters of networks and of Adam, (seeds, agents, numbers)."""
        nets = [[MLP(self.sizes, rng) for _ in range(self.tables.agents)] for _ in range(seeds)]
        return np.array([[packed(net) for net in row] for row in nets])

    def choices(self, values: np.ndarray) -> np.ndarray:
        """See `Agents`."""
        nets = [[unpacked(self.sizes, each) for each in row] for row in values]
        return np.array([[net.value(self.features).argmax(axis=1) for net in row] for row in nets]).transpose(0, 2, 1)

    def play(
        self, values: np.ndarray, memory: Memory, laws: Laws, epsilons: np.ndarray, rng: np.random.Generator
    ) -> None:
        """See `Agents`."""
        for seed, stream in enumerate(rng.spawn(len(values))):
            nets = [unpacked(self.sizes, each) for each in values[seed]]
            for epsilon in epsilons:
                self._episode(nets, memory, seed, laws, float(epsilon), stream)
            for i, net in enumerate(nets):
                values[seed, i] = packed(net)

    def _episode(
        self, nets: list[MLP], memory: Memory, seed: int, laws: Laws, epsilon: float, rng: np.random.Generator
    ) -> None:
        tables, capacity = self.tables, memory.before.shape[1]
        ahead = [net.value(self.features).max(axis=1) for net in nets]  # (states,) of each, of the copy
        x = int(rng.integers(tables.states))
        for _ in range(self.plant.steps):
            u = np.array([int(net.value(self.features[[x]]).argmax()) for net in nets])
            wanders = rng.random(len(nets)) < epsilon
            u = np.where(wanders, rng.integers(len(tables.controls), size=len(nets)), u)
            y = int(self._arrive(np.array([x]), u[None], rng)[0])
            newest = memory.seen[seed] % capacity
            memory.before[seed, newest], memory.joint[seed, newest], memory.after[seed, newest] = x, u, y
            memory.seen[seed] += 1
            x = y
            if memory.seen[seed] >= laws.batches.minibatch:
                for i, net in enumerate(nets):
                    self._learn(net, ahead[i], i, memory, seed, laws, epsilon, rng)

    def _arrive(self, x: np.ndarray, u: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The next states (rows,)."""
        at = (x, self.tables.sums(u))
        place = (rng.random(len(x))[:, None] >= np.cumsum(self.tables.chance[at], axis=1)[:, :3]).sum(axis=1)
        return np.asarray(self.tables.successor[at][np.arange(len(x)), place])

    def _learn(
        self, net: MLP, ahead: np.ndarray, i: int, memory: Memory, seed: int, laws: Laws, epsilon: float,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        tables, held = self.tables, int(min(memory.seen[seed], memory.before.shape[1]))
        ages = (memory.seen[seed] - 1 - np.arange(held)) % memory.before.shape[1]
        rows = laws.batches.draw(ages, epsilon if laws.parts[0] else 1.0, rng)
        x, u, y = memory.before[seed, rows], memory.joint[seed, rows], memory.after[seed, rows]
        weighs = laws.parts[2]
        x, u, y, slow = self._imagined(x, u, y, i, laws, epsilon, rng)
        paid = np.square(tables.controls[u]) @ tables.effort[i]
        target = (tables.reward[i, y] - paid) / self.unit + tables.discount * ahead[y]
        chosen = u[:, i]
        if weighs:
            now = net.value(self.features[x])[np.arange(len(x)), chosen]
            error = target - now
            rates = laws.impact.rates(tables.controls[u], np.repeat(error[:, None], tables.agents, axis=1))[:, i]
            rates[len(rows) :] = laws.impact.alpha
            rates[slow] = laws.impact.beta
            target = now + rates / laws.impact.alpha * error
        net.fit(self.features[x], target, self.step, chosen=chosen)
        memory.updates[seed] += len(x)

    def _imagined(
        self, x: np.ndarray, u: np.ndarray, y: np.ndarray, i: int, laws: Laws, epsilon: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What happened, then what was imagined of it; and which rows are learned from at rate beta."""
        dreams, weighs = laws.parts[1:]
        one, three = laws.imagination.chances(epsilon) if dreams else (0.0, 0.0)
        sign = laws.impact.signs(self.tables.controls[u])[:, i] if weighs else np.zeros(len(x))
        single = rng.random(len(x)) < one
        together = ((rng.random(len(x)) < three) & (sign <= 0)) | (sign < 0)
        places = np.concatenate([np.flatnonzero(single), np.tile(np.flatnonzero(together), 3)])
        joint = scenarios(u, i, self.tables.controls)[:, together].reshape(-1, u.shape[1])
        acted = np.concatenate([alone(u, i)[single], joint])
        slow = np.concatenate([np.zeros(len(x) + single.sum(), dtype=bool), np.tile(sign[together] < 0, 3)])
        z = self._arrive(x[places], acted, rng)
        return np.concatenate([x, x[places]]), np.concatenate([u, acted]), np.concatenate([y, z]), slow


def features(plant: Plant) -> np.ndarray:
    """Coordinates of every state (states, features), from -1 to 1; on a circle cosine and sine."""
    columns = []
    for axis in plant.axes:
        if axis.circle:
            turn = 2 * np.pi * np.arange(axis.size) / axis.size
            columns.append(np.stack([np.cos(turn), np.sin(turn)], axis=1))
        else:
            columns.append(np.linspace(-1.0, 1.0, axis.size)[:, None])
    one, two = columns
    return np.concatenate([np.repeat(one, len(two), axis=0), np.tile(two, (len(one), 1))], axis=1)


def packed(net: MLP) -> np.ndarray:
    """All numbers of a network and of its Adam."""
    adam = net.optimiser
    assert isinstance(adam, Adam)
    zeros = [np.zeros_like(p) for p in net.parameters]
    arrays = [*net.parameters, *(adam.means or zeros), *(adam.squares or zeros)]
    return np.concatenate([*(p.reshape(-1) for p in arrays), [float(adam.count)]])


def unpacked(sizes: tuple[int, ...], values: np.ndarray) -> MLP:
    """The network that was packed."""
    net = MLP(sizes, np.random.default_rng(0))
    adam, start, groups = Adam(), 0, []
    for _ in range(3):
        group = []
        for p in net.parameters:
            group.append(values[start : start + p.size].reshape(p.shape).copy())
            start += p.size
        groups.append(group)
    net.parameters, adam.means, adam.squares = groups
    adam.count = int(values[start])
    net.optimiser = adam
    return net
