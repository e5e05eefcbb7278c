"""Small networks in single precision whose weights lie in one vector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from mfgsolve.kernels import networks as kernels

__all__ = ["Layers"]


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
