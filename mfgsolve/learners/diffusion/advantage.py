"""Advantage actor-critics of many agents at once, an update at a time (Mnih et al., arXiv:1602.01783).

Every agent runs a few machines of its own for a few steps by its policy pi (softmax of a network) and moves by

    actor     mean of  A grad log pi(a | x)  +  entropy grad H(pi(. | x)),    A divided by its deviation
    critic    mean of  (A + V_old - V) grad V,

with advantages A = sum_j (gamma lambda)^j delta_(t+j), delta = r + gamma V(x') - V(x) (Schulman et al.,
arXiv:1506.02438).  V(x') is 0 where the episode ended, and V of the state reached where it was cut off.  Rewards are
multiplied by (1 - gamma) / largest, so that values are of a size of about 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mfgsolve.learners.diffusion import networks
from mfgsolve.tasks.control import ControlFamily

__all__ = ["Batch", "Recipe", "advantages", "gradients", "played", "returns"]

SMALL = 1e-8  # deviation of advantages that are all alike


class Recipe(NamedTuple):
    """What an update is made of.  Networks of actor and critic have the widths ``actor`` and ``critic``."""

    actor: tuple[int, ...]
    critic: tuple[int, ...]
    steps: int
    discount: float
    trace: float  # lambda of the advantages
    entropy: float

    @property
    def size(self) -> int:
        return networks.size(self.actor) + networks.size(self.critic)

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """Parameters of both to begin with, (size,): choices are nearly uniform, values nearly 0."""
        return np.concatenate([networks.start(self.actor, rng, 0.01), networks.start(self.critic, rng, 0.01)])

    def nets(self, held: np.ndarray) -> tuple[list[networks.Layer], list[networks.Layer]]:
        """Layers of actor and critic of parameters (agents, size)."""
        split = networks.size(self.actor)
        return networks.layers(held[:, :split], self.actor), networks.layers(held[:, split:], self.critic)


class Batch(NamedTuple):
    """What agents saw in an update: (steps, agents, machines, ...)."""

    seen: np.ndarray  # observations
    then: np.ndarray  # observations a step later, before anything started anew
    action: np.ndarray
    reward: np.ndarray  # scaled
    over: np.ndarray  # the episode ended, nothing comes after
    cut: np.ndarray  # it ended or was cut off


def played(
    task: ControlFamily, recipe: Recipe, held: np.ndarray, machines: np.ndarray, age: np.ndarray, factors: np.ndarray,
    rng: np.random.Generator,
) -> tuple[Batch, np.ndarray, np.ndarray]:  # fmt: skip
    """Run the machines (arms, agents, machines, d), whose episodes are ``age`` steps old, with factors (agents, 1, k).

    Random numbers are the same for every arm.

    Returns
    -------
    batch, and machines and ages at its end
    """
    arms, agents, many, dimensions = machines.shape
    actor, _ = recipe.nets(held)
    choice, fresh = rng.random((recipe.steps, agents, many)), rng.random((recipe.steps, agents, many, dimensions))
    entries: list[tuple[np.ndarray, ...]] = []
    seen = task.observed(machines)
    for t in range(recipe.steps):
        logits = networks.outputs(actor, seen.reshape(arms * agents, many, -1)).reshape(arms, agents, many, -1)
        action = _drawn(logits, choice[t])
        after, reward, over = task.step(machines, action, factors)
        age = age + 1
        cut = over | (age >= task.limit)
        then = task.observed(after)
        entries.append((seen, then, action, reward, over, cut))
        if cut.any():
            machines = np.where(cut[..., None], task.started(2.0 * fresh[t] - 1.0), after)
            seen, age = task.observed(machines), np.where(cut, 0, age)
        else:
            machines, seen = after, then
    columns = [np.stack(each).reshape(recipe.steps, arms * agents, many, *each[0].shape[3:])
               for each in zip(*entries, strict=True)]  # fmt: skip
    columns[3] = columns[3] * ((1.0 - recipe.discount) / task.largest)
    return Batch(*columns), machines, age


def gradients(recipe: Recipe, held: np.ndarray, batch: Batch) -> np.ndarray:
    """Of what is to be made small, (agents, size)."""
    agents = held.shape[0]
    actor, critic = recipe.nets(held)
    seen, then = (_rows(each) for each in (batch.seen, batch.then))
    passed = networks.forward(critic, seen)
    shape = (agents, *batch.reward.shape[::2])  # (agents, steps, machines)
    value = passed[-1].reshape(shape).swapaxes(0, 1)
    ahead = networks.outputs(critic, then).reshape(shape).swapaxes(0, 1)
    gain = advantages(batch.reward, value, ahead, batch.over, batch.cut, recipe.discount, recipe.trace)
    rows = seen.shape[1]
    push = -_rows(gain[..., None]) / rows  # V - (A + V), of V as it stands
    down = networks.backward(critic, passed, push)
    gain = gain / (gain.std(axis=(0, 2), keepdims=True) + SMALL)
    passed = networks.forward(actor, seen)
    policy, logs = _softmax(passed[-1])
    taken = _rows(batch.action[..., None])[..., 0]
    wanted = np.eye(policy.shape[-1])[taken]
    entropy = -(policy * logs).sum(axis=-1, keepdims=True)
    push = (policy - wanted) * _rows(gain[..., None]) + recipe.entropy * policy * (logs + entropy)
    return np.concatenate([networks.backward(actor, passed, push / rows), down], axis=1)


def advantages(
    reward: np.ndarray, value: np.ndarray, ahead: np.ndarray, over: np.ndarray, cut: np.ndarray, discount: float,
    trace: float,
) -> np.ndarray:  # fmt: skip
    """Generalised advantages (steps, ...), from values of the states where choices were made and of those reached."""
    delta = reward + discount * np.where(over, 0.0, ahead) - value
    result, later = np.empty_like(delta), np.zeros(delta.shape[1:])
    for t in range(len(delta) - 1, -1, -1):
        later = delta[t] + discount * trace * np.where(cut[t], 0.0, later)
        result[t] = later
    return result


def returns(
    task: ControlFamily, recipe: Recipe, held: np.ndarray, episodes: int, rng: np.random.Generator
) -> np.ndarray:
    """Mean return (agents, tasks) of the likeliest choices over a few whole episodes on every task.

    All play from the same starts; rewards are not discounted.
    """
    agents, factors = held.shape[0], task.factors[:, None, :]
    points = rng.uniform(-1.0, 1.0, (task.tasks, episodes, task.dimensions))
    state = np.broadcast_to(task.started(points), (agents, *points.shape))
    actor, _ = recipe.nets(held)
    total, going = np.zeros(state.shape[:-1]), np.ones(state.shape[:-1], dtype=bool)
    for _ in range(task.limit):
        seen = task.observed(state).reshape(agents, -1, task.observations)
        action = networks.outputs(actor, seen).argmax(axis=-1).reshape(going.shape)
        state, reward, over = task.step(state, action, factors)
        total += reward * going
        going &= ~over
        if not going.any():
            break
    return np.asarray(total.mean(axis=-1))


def _rows(values: np.ndarray) -> np.ndarray:
    """(steps, agents, machines, n) as (agents, steps x machines, n)."""
    return np.ascontiguousarray(values.swapaxes(0, 1)).reshape(values.shape[1], -1, values.shape[-1])


def _softmax(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and their logarithms."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return np.exp(logs), logs


def _drawn(logits: np.ndarray, point: np.ndarray) -> np.ndarray:
    """An action for every row of logits (..., actions), from uniform numbers."""
    weight = np.exp(logits - logits.max(axis=-1, keepdims=True))
    reached = np.cumsum(weight, axis=-1)
    return np.asarray((reached[..., :-1] <= (point * reached[..., -1])[..., None]).sum(axis=-1))
