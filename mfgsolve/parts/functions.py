"""What a learner stores its values in: a table, a linear function of features, a small neural network.

All answer ``value(inputs) -> outputs`` and move toward targets by ``fit(inputs, targets, step, chosen)``, which returns
the loss before the step, half the mean square of target - output.  A gradient step is taken on the outputs alone, not
on the targets (semi-gradient, Sutton and Barto, Reinforcement Learning, 2nd ed., section 9.3).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from mfgsolve.errors import InputError, numbers, real, whole

__all__ = ["MLP", "SGD", "Adam", "Linear", "Table", "ValueFunction", "gradient_check"]


class ValueFunction(Protocol):
    """Outputs (rows, outputs) of inputs, learned from targets.

    targets are (rows, outputs); or (rows,), of the outputs ``chosen`` (rows,) alone: the value of the action taken.
    """

    def value(self, inputs: Any) -> np.ndarray: ...

    def fit(self, inputs: Any, targets: Any, step: Any, chosen: Any = None) -> float: ...


class Table:
    """A number for each entry: table <- table + step (target - table).

    Inputs are indices: whole numbers (rows,), or (rows, k) for a table of k dimensions before that of the outputs.  If
    an entry comes several times in one call, it moves by the mean of its steps.

    Attributes
    ----------
    entries : (*shape, outputs), zero at first
    """

    def __init__(self, shape: int | Sequence[int], outputs: int, start: float = 0.0):
        sizes = tuple(shape) if isinstance(shape, Sequence) else (shape,)
        self.entries = np.full((*(whole(n, "size of a table") for n in sizes), whole(outputs, "outputs")), float(start))
        if self.entries.size == 0:
            raise InputError(f"table has shape {self.entries.shape}; every size is at least 1")

    def value(self, inputs: Any) -> np.ndarray:
        """(rows, outputs)."""
        return np.asarray(self._rows()[self._place(inputs)])

    def fit(self, inputs: Any, targets: Any, step: Any, chosen: Any = None) -> float:
        """Move toward targets; ``step`` is a number, or one for each row."""
        place = self._place(inputs)
        gap = _residual(self._rows()[place], targets, chosen)
        sizes = np.broadcast_to(numbers(step, "step"), place.shape)
        if not ((sizes > 0) & (sizes <= 1)).all():
            raise InputError(f"step is {sizes.min():g} to {sizes.max():g}; more than 0 and at most 1 is needed")
        columns = np.arange(gap.shape[1]) if chosen is None else np.asarray(chosen)[:, None]
        index = place[:, None] * gap.shape[1] + columns  # of the entries that move
        moves = np.take_along_axis(gap, np.broadcast_to(columns, index.shape), axis=1) * sizes[:, None]
        total = np.bincount(index.reshape(-1), moves.reshape(-1), self.entries.size)
        times = np.bincount(index.reshape(-1), minlength=self.entries.size)
        self.entries += (total / np.maximum(times, 1)).reshape(self.entries.shape)
        return _loss(gap)

    def _rows(self) -> np.ndarray:
        return self.entries.reshape(-1, self.entries.shape[-1])

    def _place(self, inputs: Any) -> np.ndarray:
        index, shape = np.asarray(inputs), self.entries.shape[:-1]
        if index.dtype.kind not in "iu":
            raise InputError(f"inputs of a table came as {index.dtype}; whole numbers are needed")
        if index.ndim == 1 and len(shape) == 1:
            index = index[:, None]
        if index.ndim != 2 or index.shape[1] != len(shape):
            raise InputError(f"inputs of a table have shape {index.shape}; (rows, {len(shape)}) is needed")
        if (index < 0).any() or (index >= shape).any():
            raise InputError(f"inputs reach from {index.min(axis=0)} to {index.max(axis=0)}; the table has {shape}")
        return np.asarray(np.ravel_multi_index(tuple(index.T), shape))


@dataclass
class SGD:
    """Gradient descent: p <- p - step gradient."""

    def moved(self, parameters: list[np.ndarray], gradients: list[np.ndarray], step: float) -> list[np.ndarray]:
        return [p - step * g for p, g in zip(parameters, gradients, strict=True)]


@dataclass
class Adam:
    """Gradient descent scaled by running means of the gradient and its square (Kingma, Ba, arXiv:1412.6980)."""

    first: float = 0.9
    second: float = 0.999
    floor: float = 1e-8
    count: int = field(default=0, init=False)
    means: list[np.ndarray] = field(default_factory=list, init=False, repr=False)
    squares: list[np.ndarray] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("first", "second"):
            if not 0 <= real(getattr(self, name), f"{name} of Adam") < 1:
                raise InputError(f"{name} of Adam is {getattr(self, name)}; from 0 to less than 1 is possible")

    def moved(self, parameters: list[np.ndarray], gradients: list[np.ndarray], step: float) -> list[np.ndarray]:
        if not self.means:
            self.means, self.squares = ([np.zeros_like(p) for p in parameters] for _ in range(2))
        self.count += 1
        result = []
        for p, g, mean, square in zip(parameters, gradients, self.means, self.squares, strict=True):
            mean += (1 - self.first) * (g - mean)
            square += (1 - self.second) * (g * g - square)
            unbiased = mean / (1 - self.first**self.count)
            result.append(p - step * unbiased / (np.sqrt(square / (1 - self.second**self.count)) + self.floor))
        return result


class Parametric(ABC):
    """A differentiable function; subclasses tell outputs and the gradient of the loss."""

    parameters: list[np.ndarray]
    optimiser: SGD | Adam

    @abstractmethod
    def _layers(self, inputs: Any) -> list[np.ndarray]:
        """What is computed on the way to the outputs, which come last."""

    @abstractmethod
    def _gradient(self, layers: list[np.ndarray], push: np.ndarray) -> list[np.ndarray]:
        """sum over rows of <push, d outputs / d parameters>."""

    def value(self, inputs: Any) -> np.ndarray:
        """(rows, outputs)."""
        return self._layers(inputs)[-1]

    def loss_and_gradient(self, inputs: Any, targets: Any, chosen: Any = None) -> tuple[float, list[np.ndarray]]:
        """Half the mean square of target - output, and its derivative by every parameter."""
        layers = self._layers(inputs)
        gap = _residual(layers[-1], targets, chosen)
        return _loss(gap), self._gradient(layers, -gap / max(len(gap), 1))

    def fit(self, inputs: Any, targets: Any, step: Any, chosen: Any = None) -> float:
        """One step of the optimiser; parameters stay as they were if it leads to numbers that are not finite."""
        length = real(step, "step")
        if not 0 < length < float("inf"):
            raise InputError(f"step is {length:g}; a positive finite number is needed")
        with np.errstate(over="ignore", invalid="ignore"):
            loss, gradients = self.loss_and_gradient(inputs, targets, chosen)
            moved = self.optimiser.moved(self.parameters, gradients, length) if np.isfinite(loss) else []
        if not moved or not all(np.isfinite(p).all() for p in moved):
            raise InputError(f"the function diverges (loss {loss:g}); take a step smaller than {length:g}")
        self.parameters[:] = moved
        return loss


class Linear(Parametric):
    """outputs = features(inputs) W, W zero at first.

    Parameters
    ----------
    features : inputs -> (rows, size); put a column of ones among them for a constant
    size : how many features
    outputs : how many outputs
    optimiser : `SGD` or `Adam`
    """

    def __init__(
        self, features: Callable[[Any], np.ndarray], size: int, outputs: int, optimiser: SGD | Adam | None = None
    ):
        if not callable(features):
            raise InputError(f"features is a {type(features).__name__}; a function of the inputs is needed")
        self.features, self.optimiser = features, SGD() if optimiser is None else optimiser
        self.parameters = [np.zeros((whole(size, "number of features"), whole(outputs, "outputs")))]

    def _layers(self, inputs: Any) -> list[np.ndarray]:
        result, size = numbers(self.features(inputs), "features"), len(self.parameters[0])
        if result.ndim != 2 or result.shape[1] != size:
            raise InputError(f"features have shape {result.shape}; (rows, {size}) is needed")
        return [result, result @ self.parameters[0]]

    def _gradient(self, layers: list[np.ndarray], push: np.ndarray) -> list[np.ndarray]:
        return [layers[0].T @ push]


class MLP(Parametric):
    """A network of dense layers: h <- tanh(h W + b), the last without tanh.

    Weights start uniform within +- sqrt(6 / (inputs + outputs)) of their layer (Glorot, Bengio, AISTATS 2010), biases
    at zero.

    Parameters
    ----------
    sizes : of the inputs, of every hidden layer, of the outputs
    rng : of the weights at the start
    optimiser : `Adam` by default
    """

    def __init__(self, sizes: Sequence[int], rng: np.random.Generator, optimiser: SGD | Adam | None = None):
        self.sizes = tuple(whole(n, "size of a layer") for n in sizes)
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise InputError(f"sizes are {self.sizes}; (inputs, hidden ..., outputs), each at least 1, are needed")
        if not isinstance(rng, np.random.Generator):
            raise InputError(f"rng is {rng!r}; a numpy.random.Generator is needed, say numpy.random.default_rng(0)")
        self.optimiser = Adam() if optimiser is None else optimiser
        self.parameters = []
        for before, after in zip(self.sizes[:-1], self.sizes[1:], strict=True):
            width = (6.0 / (before + after)) ** 0.5
            self.parameters += [rng.uniform(-width, width, (before, after)), np.zeros(after)]

    def _layers(self, inputs: Any) -> list[np.ndarray]:
        """What enters the first layer, and what leaves each."""
        result = [numbers(inputs, "inputs")]
        if result[0].ndim != 2 or result[0].shape[1] != self.sizes[0]:
            raise InputError(f"inputs have shape {result[0].shape}; (rows, {self.sizes[0]}) is needed")
        for k in range(0, len(self.parameters), 2):
            sums = result[-1] @ self.parameters[k] + self.parameters[k + 1]
            result.append(sums if k + 2 == len(self.parameters) else np.tanh(sums))
        return result

    def _gradient(self, layers: list[np.ndarray], push: np.ndarray) -> list[np.ndarray]:
        result = []
        for k in range(len(layers) - 2, -1, -1):
            result += [push.sum(axis=0), layers[k].T @ push]
            if k:
                push = (push @ self.parameters[2 * k].T) * (1 - layers[k] ** 2)
        return result[::-1]


def gradient_check(function: Parametric, inputs: Any, targets: Any, chosen: Any = None, length: float = 1e-5) -> float:
    """Largest gap between the gradient and central differences of the loss, relative to the largest derivative.

    The differences err by O(length^2) + round-off / length: about 1e-9 where all is right.
    """
    _, gradients = function.loss_and_gradient(inputs, targets, chosen)
    worst, largest = 0.0, 1e-300
    for parameter, gradient in zip(function.parameters, gradients, strict=True):
        for index in np.ndindex(parameter.shape):
            kept, losses = parameter[index], []
            for sign in (1, -1):
                parameter[index] = kept + sign * length
                losses.append(function.loss_and_gradient(inputs, targets, chosen)[0])
            parameter[index] = kept
            slope = (losses[0] - losses[1]) / (2 * length)
            worst, largest = max(worst, abs(slope - float(gradient[index]))), max(largest, abs(slope))
    return float(worst / largest)


def _residual(outputs: np.ndarray, targets: Any, chosen: Any) -> np.ndarray:
    """target - output, (rows, outputs); zero for outputs that were not chosen."""
    wanted = numbers(targets, "targets")
    if not np.isfinite(wanted).all():
        raise InputError("a target is not finite: the learner diverges; take a smaller step size")
    if chosen is None:
        if wanted.shape != outputs.shape:
            raise InputError(
                f"targets have shape {wanted.shape}; the outputs have {outputs.shape}: give all, or chosen"
            )
        return np.asarray(wanted - outputs)
    picks = np.asarray(chosen)
    if picks.dtype.kind not in "iu" or picks.shape != (len(outputs),) or wanted.shape != picks.shape:
        raise InputError(f"chosen is {picks.dtype} of shape {picks.shape} and targets have {wanted.shape}; whole "
                         f"numbers and targets ({len(outputs)},) are needed")  # fmt: skip
    if picks.size and (picks.min() < 0 or picks.max() >= outputs.shape[1]):
        raise InputError(f"chosen reaches from {picks.min()} to {picks.max()}; the outputs are {outputs.shape[1]}")
    gap, rows = np.zeros_like(outputs), np.arange(len(outputs))
    gap[rows, picks] = wanted - outputs[rows, picks]
    return gap


def _loss(gap: np.ndarray) -> float:
    return float(0.5 * np.square(gap).sum() / max(len(gap), 1))
