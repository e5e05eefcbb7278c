"""Small networks in single precision whose weights lie in one vector, and the memory that they learn from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from mfgsolve.kernels import networks as kernels

__all__ = ["Layers", "Memory"]


@dataclass(frozen=True)
class Layers:
    """Dense layers h <- max(h W + b, 0), the last without the maximum; the sizes of all, inputs and outputs included.

    Weights are one vector, layer by layer W (before, after), then b (after); longer vectors are read up to ``count``.
    """

    sizes: tuple[int, ...]

    @cached_property
    def count(self) -> int:
        """How many weights."""
        return sum((before + 1) * after for before, after in pairwise(self.sizes))

    @cached_property
    def _places(self) -> list[tuple[slice, slice, tuple[int, int]]]:
        """Where W and b of each layer are, and the shape of W."""
        result, start = [], 0
        for before, after in pairwise(self.sizes):
            end = start + before * after
            result.append((slice(start, end), slice(end, end + after), (before, after)))
            start = end + after
        return result

    def split(self, weights: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """W and b of each layer, as views."""
        return [(weights[matrix].reshape(shape), weights[shift]) for matrix, shift, shape in self._places]

    def start(self, rng: np.random.Generator, last: float = 0.1) -> np.ndarray:
        """Weights uniform within sqrt(6 / before) (He et al., arXiv:1502.01852), of the last layer ``last`` times that;
        b zero."""
        weights = np.zeros(self.count, dtype=np.float32)
        parts = self.split(weights)
        for k, (matrix, _) in enumerate(parts):
            width = (6.0 / len(matrix)) ** 0.5 * (last if k == len(parts) - 1 else 1.0)
            matrix[:] = rng.uniform(-width, width, matrix.shape)
        return weights

    def layers(self, weights: np.ndarray, inputs: np.ndarray) -> list[np.ndarray]:
        """What enters the first layer, and what leaves each (rows, size)."""
        result, parts = [inputs], self.split(weights)
        for k, (matrix, shift) in enumerate(parts):
            out = result[-1] @ matrix
            kernels.bend(out, shift, k < len(parts) - 1)
            result.append(out)
        return result

    def values(self, weights: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """Outputs (rows, outputs)."""
        return self.layers(weights, inputs)[-1]

    def gradient(self, weights: np.ndarray, layers: list[np.ndarray], push: np.ndarray, out: np.ndarray) -> None:
        """sum over rows of <push, d outputs / d weights>, into the vector ``out``."""
        into, parts = self.split(out), self.split(weights)
        for k in range(len(parts) - 1, -1, -1):
            matrix, shift = into[k]
            np.matmul(layers[k].T, push, out=matrix)
            kernels.total(push, shift)
            if k:
                push = push @ parts[k][0].T
                kernels.hold(push, layers[k])


class Memory:
    """The latest transitions of one group: what was seen, done, paid, seen next, and whether that was the end."""

    def __init__(self, capacity: int, inputs: int):
        self.capacity, self.size, self._next = capacity, 0, 0
        self.seen = np.zeros((capacity, inputs), dtype=np.float32)
        self.then = np.zeros((capacity, inputs), dtype=np.float32)
        self.action = np.zeros(capacity, dtype=np.int64)
        self.reward = np.zeros(capacity, dtype=np.float32)
        self.ended = np.zeros(capacity, dtype=bool)

    def add(
        self, seen: np.ndarray, action: np.ndarray, reward: np.ndarray, then: np.ndarray, ended: np.ndarray
    ) -> None:
        """Keep transitions, row by row; the oldest give way, and of more than there is room for the last stay."""
        rows = min(len(action), self.capacity)
        places = (self._next + np.arange(rows)) % self.capacity
        for kept, new in (
            (self.seen, seen), (self.action, action), (self.reward, reward), (self.then, then), (self.ended, ended),
        ):  # fmt: skip
            kept[places] = new[len(new) - rows :]
        self._next = (self._next + rows) % self.capacity
        self.size = min(self.size + rows, self.capacity)

    def draw(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """Places of transitions drawn with replacement."""
        return rng.integers(self.size, size=number)
