"""Small networks of many agents at once: dense layers with tanh between them, an agent along the first axis.

    h <- tanh(h W_k + b_k),     the last layer without tanh,     h (agents, rows, width), W_k (agents, in, out)

All parameters of an agent are one row of a matrix ``held`` (agents, parameters), so that agents combine by one product
and an optimiser moves one array.  `mfgsolve.parts.functions.MLP` is one such network.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

__all__ = ["backward", "forward", "layers", "outputs", "size", "start"]

Layer = tuple[np.ndarray, np.ndarray]  # weights (agents, in, out) and biases (agents, 1, out)


def size(sizes: Sequence[int]) -> int:
    """How many parameters a network with these widths (inputs, hidden ..., outputs) has."""
    return sum((before + 1) * after for before, after in pairwise(sizes))


def start(sizes: Sequence[int], rng: np.random.Generator, last: float = 1.0) -> np.ndarray:
    """Parameters (size,) to begin with: weights uniform within +- sqrt(6 / (in + out)) (Glorot, Bengio, AISTATS 2010),
    those of the last layer times ``last``; biases zero."""
    parts, widths = [], list(pairwise(sizes))
    for k, (before, after) in enumerate(widths):
        reach = np.sqrt(6.0 / (before + after)) * (last if k == len(widths) - 1 else 1.0)
        parts += [rng.uniform(-reach, reach, before * after), np.zeros(after)]
    return np.concatenate(parts)


def layers(held: np.ndarray, sizes: Sequence[int]) -> list[Layer]:
    """Views of parameters (agents, size) as weights and biases."""
    result, place, agents = [], 0, held.shape[0]
    for before, after in pairwise(sizes):
        middle, end = place + before * after, place + (before + 1) * after
        result.append((held[:, place:middle].reshape(agents, before, after), held[:, None, middle:end]))
        place = end
    return result


def forward(net: Sequence[Layer], inputs: np.ndarray) -> list[np.ndarray]:
    """Inputs (agents, rows, in), what comes out of every hidden layer, and the outputs, last."""
    result = [inputs]
    for k, (weights, biases) in enumerate(net):
        out = result[-1] @ weights
        out += biases
        result.append(out if k == len(net) - 1 else np.tanh(out, out=out))
    return result


def outputs(net: Sequence[Layer], inputs: np.ndarray) -> np.ndarray:
    """(agents, rows, out)."""
    return forward(net, inputs)[-1]


def backward(net: Sequence[Layer], passed: Sequence[np.ndarray], push: np.ndarray) -> np.ndarray:
    """sum over rows of <push, d outputs / d parameters>, (agents, size), with ``passed`` of `forward`."""
    parts: list[np.ndarray] = []
    for k in range(len(net) - 1, -1, -1):
        weights, _ = net[k]
        agents = push.shape[0]
        parts[:0] = [(passed[k].swapaxes(1, 2) @ push).reshape(agents, -1), push.sum(axis=1)]
        if k:
            push = (push @ weights.swapaxes(1, 2)) * (1.0 - passed[k] ** 2)
    return np.concatenate(parts, axis=1)
