"""From matrices and costs as users write them to checked arrays, for `mfgsolve.dynamics.Tabular`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError, masked, numbers
from mfgsolve.inputs.calls import ask
from mfgsolve.inputs.calls import callable_as as asked_as
from mfgsolve.inputs.labels import aligned
from mfgsolve.inputs.precision import precision_of, say_renormalised, slack
from mfgsolve.spaces import Space
from mfgsolve.steps.transitions import Matrices

__all__ = [
    "allowed_choices",
    "as_matrices",
    "callable_as",
    "costs_of_choices",
    "count_actions",
    "count_chances",
    "is_timed",
    "matrices_by_step",
]


def as_matrices(transitions: Any, space: Space, where: str, actions: int | None) -> Matrices:
    """One checked matrix per action, from a list of matrices, an array (action, state, next state), or a sparse matrix
    (action * state, next state) of several actions one below the other."""
    tall: Any = transitions
    if sparse.issparse(transitions) and tall.shape[1:] == (space.size,):
        tall = sparse.csr_array(tall)
        starts = range(0, tall.shape[0], space.size)
        if tall.shape[0] % space.size == 0 and len(starts) > 1:
            transitions = [tall[k : k + space.size] for k in starts]
    # a generator could be read only once
    listed = isinstance(transitions, Sequence) or hasattr(transitions, "__array__")
    if sparse.issparse(transitions) or isinstance(transitions, str) or not listed:
        raise InputError(f"transitions{where} are a {type(transitions).__name__}; one matrix for each action is needed")
    wanted, matrices, coarse, missed = (space.size, space.size), [], np.dtype(float), 0.0
    for a, item in enumerate(transitions):
        what = f"transition matrix of action {a}{where}"
        matrix: Any = item if sparse.issparse(item) else numbers(item, what)
        if matrix.dtype.kind not in "fiu":
            raise InputError(f"{what} holds {matrix.dtype}; real numbers are needed")
        if matrix.shape != wanted:
            raise InputError(f"{what} has shape {matrix.shape}; {wanted} is needed")
        dense, kind = isinstance(matrix, np.ndarray), precision_of(item)
        rows = _of_dense(matrix) if dense else sparse.csr_array(matrix).astype(float)
        if kind.itemsize == 4:
            coarse, missed = kind, max(missed, _renormalise(rows, kind))
        matrices.append(rows)
    if missed:
        say_renormalised(f"transitions{where}", coarse, missed)
    if not matrices:
        raise InputError(f"transitions{where} are an empty list; one matrix for each action is needed")
    if actions is not None and len(matrices) != actions:
        raise InputError(
            f"transitions{where} have {len(matrices)} actions and those before {actions}; all steps need the same"
        )
    return matrices


def _renormalise(rows: sparse.csr_array, kind: np.dtype) -> float:
    """Make rows that miss 1 by the round-off of 32 bits sum to 1, in place; by how much they missed it."""
    sums, counts = np.asarray(rows.sum(axis=1)).reshape(-1), np.diff(rows.indptr)
    gap = np.abs(sums - 1)
    near = (gap > 0) & (gap <= [slack(kind, int(n)) for n in counts])
    rows.data /= np.repeat(np.where(near, sums, 1.0), counts)
    return float(gap[near].max(initial=0.0))


def _of_dense(matrix: np.ndarray) -> sparse.csr_array:
    """The entries of a square matrix that are not 0, row by row; many times faster than SciPy for small ones."""
    row, column = np.nonzero(matrix)
    start = np.searchsorted(row, np.arange(matrix.shape[0] + 1))
    return sparse.csr_array((matrix[row, column].astype(float), column, start), shape=matrix.shape)


def matrices_by_step(transitions: Any, space: Space, steps: int, where: str) -> list[Matrices]:
    """Matrices of every step, or of one that stands for all."""
    if np.ma.is_masked(transitions):
        raise InputError(f"transitions{where} have masked entries; fill them first, say with array.filled(0)")
    if isinstance(transitions, np.ndarray) and transitions.ndim not in (3, 4):
        raise InputError(
            f"transitions{where} have shape {transitions.shape}; (action, state, next state), or steps before that, is "
            "needed"
        )
    if not is_timed(transitions):
        return [as_matrices(transitions, space, where, None)]
    if len(transitions) not in (1, steps):
        raise InputError(f"transitions{where} are given for {len(transitions)} steps; the game has {steps}")
    out: list[Matrices] = []
    for t, item in enumerate(transitions):
        out.append(as_matrices(item, space, f"{where} at step {t}", len(out[0]) if out else None))
    return out


def is_timed(transitions: Any) -> bool:
    """Whether transitions come step by step: an array of four dimensions, or a list over steps of what stands for the
    actions, rather than a list over actions of matrices."""
    if isinstance(transitions, np.ndarray):
        return transitions.ndim == 4
    if sparse.issparse(transitions) or not isinstance(transitions, Sequence) or not transitions:
        return False
    head = transitions[0]
    if sparse.issparse(head):
        return False
    if isinstance(head, np.ndarray):
        return head.ndim == 3
    if not isinstance(head, Sequence) or isinstance(head, str) or not head:
        return False
    first, lists = head[0], Sequence | np.ndarray
    return sparse.issparse(first) or (isinstance(first, lists) and len(first) > 0 and np.iterable(first[0]))


def count_actions(transitions: Any) -> int:
    """How many actions transitions have, in any of their forms."""
    return len(transitions[0] if is_timed(transitions) else transitions)


def count_chances(transitions: Any) -> int:
    """How many chances transitions hold; zeros of dense arrays are none, those of lists count."""
    if isinstance(transitions, np.ndarray):
        return int(np.count_nonzero(transitions))
    if is_timed(transitions):
        return sum(count_chances(step) for step in transitions)
    return sum(int(getattr(matrix, "nnz", np.size(matrix))) for matrix in transitions)


def allowed_choices(choices: Any, space: Space, actions: int, where: str) -> np.ndarray:
    """Which choices are allowed, (actions, *shape)."""
    if choices is None:
        return np.ones((actions, *space.shape), dtype=bool)
    try:
        allowed = np.asarray(choices)
    except ValueError as error:
        raise InputError(f"allowed actions{where} are no array of booleans ({error})") from None
    if masked(choices):
        raise InputError(f"allowed actions{where} have masked entries; fill them first, say with array.filled(False)")
    if allowed.dtype == bool and allowed.ndim == 1 + space.ndim:  # what came with names may leave dimensions out
        allowed = _spread(allowed, (actions, *space.shape))
    if allowed.dtype != bool or allowed.shape != (actions, *space.shape):
        raise InputError(
            f"allowed actions{where} came as {allowed.dtype} of shape {allowed.shape}; booleans of shape "
            f"{(actions, *space.shape)}, (action, state), are needed"
        )
    return allowed


def costs_of_choices(
    costs: Any, names: Sequence[str] | None, place: Space, times: np.ndarray, actions: int, where: str
) -> np.ndarray:
    """Own costs (1 or steps, actions, *shape), from all that `Tabular` takes for them."""
    if callable(costs):
        costs = _cost_of_function(costs, names, place, times, where)
    array, wanted = numbers(costs, f"own cost{where}"), (actions, *place.shape)
    if array.ndim == 0:
        return np.broadcast_to(array, (1, *wanted))
    if array.shape == (actions,):
        array = np.broadcast_to(array.reshape((-1,) + (1,) * place.ndim), wanted)
    if array.shape == wanted:
        return array[None]
    if array.ndim == 1 + len(wanted):  # what came with names may leave dimensions out
        array = _spread(array, (array.shape[0], *wanted))
    if array.shape in ((1, *wanted), (len(times), *wanted)):
        return array
    raise InputError(
        f"own cost{where} has shape {array.shape}; a number, (action,) = ({actions},), (action, state) = {wanted} or "
        f"(step, action, state) = {(len(times), *wanted)} is needed"
    )


def _spread(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The array with its axes of length 1 as long as needed; itself where it does not fit."""
    return np.broadcast_to(array, shape) if all(n in (1, m) for n, m in zip(array.shape, shape, strict=True)) else array


def _cost_of_function(
    function: Any, names: Sequence[str] | None, place: Space, times: np.ndarray, where: str
) -> np.ndarray:
    """A function (t, coordinates) at the start of every step."""
    what, labels = f"own cost{where}", place.labels | ({} if names is None else {"action": np.array(names)})
    callable_as(function, what, "(t, coordinates)")
    dims, levels = ("action", *place.dims), []
    for t in times:
        at = f" at t = {t:g}"
        values = ask(function, (float(t), place.coordinates), what, "(t, coordinates)", at)
        values = aligned(values, dims, {"action": np.arange} | labels, what + at, partial=True)
        levels.append(numbers(values, what + at))
    if len({level.shape for level in levels}) > 1:
        shapes = sorted({level.shape for level in levels})
        raise InputError(f"{what} gives arrays of the shapes {shapes}; one shape at all times is needed")
    return np.stack(levels)


def callable_as(function: Any, what: str, call: str) -> None:
    """That a user's function takes two arguments, said in a sentence."""
    try:
        asked_as(function, (None, None), what, call)
    except InputError as error:
        raise InputError(str(error).replace(": a function is", " is a function", 1)) from None
