"""Transitions of a finite game in arrays: sparse, checked once, one row for each choice (action, state).

Row ``a S + x`` lists the successors of action a in state x.  Several populations are blocks of one matrix, so that
everything downstream sees a single list of states.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from mfgsolve.dynamics import LatticeMoves, Tabular
from mfgsolve.errors import InputError, masked, numbers
from mfgsolve.games.lattice import lattice_matrices
from mfgsolve.inputs.calls import ask
from mfgsolve.inputs.calls import callable_as as asked_as
from mfgsolve.inputs.labels import aligned
from mfgsolve.inputs.precision import ROUND, precision_of, say_renormalised, slack
from mfgsolve.spaces import Populations, Space

__all__ = [
    "Transitions",
    "action_names",
    "names_of_actions",
    "block_transitions",
    "dense_blocks",
    "dense_transitions",
    "callable_as",
    "own_costs",
    "stacked",
    "step_matrices",
]

Matrices = list[sparse.csr_array]  # one per action


class Transitions(NamedTuple):
    """Successors of every choice; see the module.  The leading axis of ``first`` is 1 where nothing changes."""

    first: np.ndarray  # (1 or steps, actions * states + 1) int64
    successor: np.ndarray  # int32
    chance: np.ndarray  # float64

    def matrix(self, step: int, states: int) -> sparse.csr_array:
        """P of one step as a SciPy matrix (actions * states, states)."""
        first = self.first[min(step, self.first.shape[0] - 1)]
        inside = slice(int(first[0]), int(first[-1]))
        parts = (self.chance[inside], self.successor[inside], first - first[0])
        return sparse.csr_array(parts, shape=(len(first) - 1, states))

    def unrolled(self, steps: int, states: int) -> sparse.csr_array:
        """P of all steps as one matrix (steps * actions * states, steps * states), block by block."""
        entries = np.diff(self.first[:, [0, -1]]).reshape(-1)
        first, chance, successor = self.first, self.chance, self.successor
        if first.shape[0] < steps:
            first, entries = first + entries * np.arange(steps)[:, None], np.repeat(entries, steps)
            chance, successor = np.tile(chance, steps), np.tile(successor, steps)
        column = successor + np.repeat(np.arange(steps) * states, entries)
        start = np.append(first[:, :-1].reshape(-1), first[-1, -1])
        return sparse.csr_array((chance, column, start), shape=(start.size - 1, steps * states))


# -- from the user's words to matrices -------------------------------------------------------------------------------


def _as_matrices(given: Any, space: Space, where: str, actions: int | None) -> Matrices:
    """One checked matrix per action, from a list of matrices or an array (action, state, next state)."""
    listed = isinstance(given, Sequence) or hasattr(given, "__array__")  # a generator could be read only once
    if sparse.issparse(given) or isinstance(given, str) or not listed:
        raise InputError(f"transitions{where} are a {type(given).__name__}; one matrix for each action is needed")
    wanted, matrices, coarse, missed = (space.size, space.size), [], np.dtype(float), 0.0
    for a, item in enumerate(given):
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


def tabular_matrices(dynamics: Tabular, space: Space, steps: int, where: str) -> list[Matrices]:
    """Matrices of every step, or of one that stands for all."""
    given = dynamics.transitions
    if np.ma.is_masked(given):
        raise InputError(f"transitions{where} have masked entries; fill them first, say with array.filled(0)")
    if isinstance(given, np.ndarray) and given.ndim not in (3, 4):
        raise InputError(
            f"transitions{where} have shape {given.shape}; (action, state, next state), or steps before that, is needed"
        )
    timed = given.ndim == 4 if isinstance(given, np.ndarray) else _is_timed(given)
    if not timed:
        return [_as_matrices(given, space, where, None)]
    if len(given) not in (1, steps):
        raise InputError(f"transitions{where} are given for {len(given)} steps; the game has {steps}")
    out: list[Matrices] = []
    for t, item in enumerate(given):
        out.append(_as_matrices(item, space, f"{where} at step {t}", len(out[0]) if out else None))
    return out


def _is_timed(given: Any) -> bool:
    """A list over steps of lists over actions of matrices, rather than a list over actions of matrices."""
    if sparse.issparse(given) or not isinstance(given, Sequence) or not given:
        return False
    head = given[0]
    if sparse.issparse(head):
        return False
    if isinstance(head, np.ndarray):
        return head.ndim == 3
    if not isinstance(head, Sequence) or isinstance(head, str) or not head:
        return False
    first, lists = head[0], Sequence | np.ndarray
    return sparse.issparse(first) or (isinstance(first, lists) and len(first) > 0 and np.iterable(first[0]))


# -- checks ----------------------------------------------------------------------------------------------------------


def _checked(matrix: sparse.csr_array, allowed: np.ndarray, blocked: np.ndarray, action: str, where: str) -> None:
    """Every row of an allowed choice is a probability distribution on free cells."""
    if matrix.nnz and not np.isfinite(matrix.data).all():
        row = int(np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))[~np.isfinite(matrix.data)][0])
        raise InputError(
            f"transitions of action {action}{where} from state {row} are not finite; probabilities are needed"
        )
    if matrix.nnz and matrix.data.min() < 0:
        entry = int(np.argmin(matrix.data))
        row = int(np.searchsorted(matrix.indptr, entry, side="right") - 1)
        raise InputError(
            f"transitions of action {action}{where} from state {row} to state {int(matrix.indices[entry])} have "
            f"probability {matrix.data[entry]:g}; a probability must be zero or positive"
        )
    sums = np.asarray(matrix.sum(axis=1)).reshape(-1)
    bad = (np.abs(sums - 1) > ROUND) & allowed.reshape(-1)
    if bad.any():
        row = int(np.argmax(np.where(bad, np.abs(sums - 1), 0.0)))
        raise InputError(
            f"transitions of action {action}{where} from state {row} sum to {sums[row]:.12g}; they must sum to 1 and "
            f"miss it by {abs(sums[row] - 1):.1e}: divide by the sums, P / P.sum(axis=-1, keepdims=True), in float64 "
            "(an action that is not available is marked by allowed=False)"
        )
    if blocked.any():
        entered = np.asarray(matrix @ blocked.reshape(-1).astype(float)) * (allowed & ~blocked).reshape(-1)
        if entered.any():
            row = int(np.argmax(entered))
            raise InputError(
                f"transitions of action {action}{where} from state {row} enter blocked cells with probability "
                f"{entered[row]:g}; nobody may be there"
            )


def names_of_actions(one: LatticeMoves | Tabular, actions: int) -> list[str]:
    """Names of the actions of one population: its own, or numbers."""
    names = one.names if isinstance(one, LatticeMoves) else one.actions
    return list(names) if names is not None else [str(a) for a in range(actions)]


def action_names(dynamics: Sequence[LatticeMoves | Tabular], counts: Sequence[int]) -> list[str]:
    """One name for each number of an action.

    Where populations call it by different names, all of them stand there: "hunt/flee".
    """
    own = [names_of_actions(one, count) for one, count in zip(dynamics, counts, strict=True)]
    joined = ["/".join(dict.fromkeys(names[a] for names in own if a < len(names))) for a in range(max(counts))]
    if len(set(joined)) == len(joined):
        return joined
    return [f"{a}: {name}" for a, name in enumerate(joined)]  # "a/b" may be a name, too


# -- all populations as one ------------------------------------------------------------------------------------------


def _spaces(space: Space) -> list[Space]:
    return [space.space] * space.populations if isinstance(space, Populations) else [space]


def _allowed(dynamics: Tabular, space: Space, actions: int, where: str) -> np.ndarray:
    if dynamics.allowed is None:
        return np.ones((actions, *space.shape), dtype=bool)
    try:
        allowed = np.asarray(dynamics.allowed)
    except ValueError as error:
        raise InputError(f"allowed actions{where} are no array of booleans ({error})") from None
    if masked(dynamics.allowed):
        raise InputError(f"allowed actions{where} have masked entries; fill them first, say with array.filled(False)")
    if allowed.dtype == bool and allowed.ndim == 1 + space.ndim:  # what came with names may leave dimensions out
        allowed = _spread(allowed, (actions, *space.shape))
    if allowed.dtype != bool or allowed.shape != (actions, *space.shape):
        raise InputError(
            f"allowed actions{where} came as {allowed.dtype} of shape {allowed.shape}; booleans of shape "
            f"{(actions, *space.shape)}, (action, state), are needed"
        )
    return allowed


def _some_allowed(allowed: np.ndarray, where: str) -> None:
    """Every state has an action."""
    some = allowed.any(axis=0)
    if not some.all():
        index = tuple(int(i) for i in np.argwhere(~some)[0])
        state = f"cell {index}" if len(index) > 1 else f"state {index[0]}"
        raise InputError(f"{state}{where} has no allowed action; every state needs at least one, say one that stays")


def step_matrices(
    dynamics: Sequence[LatticeMoves | Tabular], space: Space, steps: int, dt: float, given: Sequence[Any] | None = None,
    moment: str = "",
) -> tuple[list[list[Matrices]], list[np.ndarray]]:  # fmt: skip
    """Of every population: checked matrices by step and action, and the allowed choices (actions, *shape).

    ``given`` are the matrices of one step of each population where the crowd decides them, at the ``moment`` told.
    """
    all_matrices, all_allowed = [], []
    many = len(dynamics) > 1
    for p, (one, place) in enumerate(zip(dynamics, _spaces(space), strict=True)):
        where = f" of population {space.names[p]!r}" if many and isinstance(space, Populations) else ""
        if isinstance(one, LatticeMoves):
            matrices, allowed = lattice_matrices(one, place, dt, where)  # type: ignore[arg-type]
            by_step, names = [matrices], list(one.names)
        else:
            if given is not None and one.is_coupled:
                by_step = [_as_matrices(given[p], place, where + moment, None)]
            else:
                by_step = tabular_matrices(one, place, steps, where)
            allowed = _allowed(one, place, len(by_step[0]), where)
            names = names_of_actions(one, len(by_step[0]))
            if one.actions is not None and len(one.actions) != len(by_step[0]):
                raise InputError(f"transitions{where} have {len(by_step[0])} actions and {len(one.actions)} names")
        _some_allowed(allowed, where)
        for t, matrices in enumerate(by_step):
            at = f" at step {t}" if len(by_step) > 1 else moment
            for a, matrix in enumerate(matrices):
                _checked(matrix, allowed[a], place.mask, names[a], where + at)
        all_matrices.append(by_step)
        all_allowed.append(allowed)
    return all_matrices, all_allowed


def block_transitions(matrices: list[list[Matrices]], allowed: list[np.ndarray]) -> tuple[Transitions, np.ndarray]:
    """All populations as one list of states; a population with fewer actions has the others forbidden."""
    actions = max(len(by_step[0]) for by_step in matrices)
    steps = max(len(by_step) for by_step in matrices)
    stacks = []
    for t in range(steps):
        rows: list[Any] = []
        for a in range(actions):
            blocks = []
            for by_step in matrices:
                at = by_step[min(t, len(by_step) - 1)]
                blocks.append(at[a] if a < len(at) else sparse.csr_array(at[0].shape))
            rows.append(blocks[0] if len(blocks) == 1 else sparse.block_diag(blocks, format="csr"))
        stacks.append(_below(rows))
    size = allowed[0][0].size
    joined = np.zeros((actions, len(allowed), size), dtype=bool)
    for p, one in enumerate(allowed):
        joined[: one.shape[0], p] = one.reshape(one.shape[0], size)
    return stacked(stacks), joined.reshape(actions, -1)


def _below(rows: Sequence[sparse.csr_array]) -> sparse.csr_array:
    """Matrices one below the other."""
    entries = np.cumsum([0] + [block.indptr[-1] for block in rows])
    start = [np.zeros(1, dtype=int)] + [block.indptr[1:] + first for block, first in zip(rows, entries, strict=False)]
    parts = (np.concatenate(part) for part in ([b.data for b in rows], [b.indices for b in rows], start))
    return sparse.csr_array(tuple(parts), shape=(sum(block.shape[0] for block in rows), rows[0].shape[1]))


def dense_transitions(given: Any, allowed: np.ndarray) -> Transitions | None:
    """Transitions of one step from an array (action, state, next state); None where it is not plainly that."""
    actions, states = allowed.shape
    if isinstance(given, list | tuple) and all(
        type(item) is np.ndarray and item.shape == (states, states) for item in given
    ):
        given = np.stack(given)
    if type(given) is not np.ndarray or given.dtype.kind != "f":
        return None
    if given.shape != (actions, states, states) or not (given >= 0).all():
        return None
    if (np.abs(given.sum(axis=2) - 1) > ROUND)[allowed].any():
        return None
    count = actions * states
    first = np.arange(0, count * states + 1, states, dtype=np.int64)[None]
    successor = np.tile(np.arange(states, dtype=np.int32), count)
    return Transitions(first, successor, np.array(given, dtype=float, order="C").reshape(-1))  # the user may keep it


def dense_blocks(given: Sequence[Any], allowed: np.ndarray) -> Transitions | None:
    """Transitions of one step from an array, or a list of arrays, of every population; None where they are not that."""
    actions, states = allowed.shape
    size, blocks = states // len(given), np.zeros((actions, states, states))
    for p, one in enumerate(given):
        part = slice(p * size, (p + 1) * size)
        plain = isinstance(one, list | tuple) and all(type(item) is np.ndarray for item in one)
        matrices = one if type(one) is np.ndarray else list(one) if plain else []
        if len(matrices) != allowed[:, part].any(axis=1).sum() or any(m.shape != (size, size) for m in matrices):
            return None
        if any(matrix.dtype.kind != "f" for matrix in matrices):
            return None
        blocks[: len(matrices), part, part] = matrices
    return dense_transitions(blocks, allowed)


def stacked(stacks: Sequence[sparse.csr_array]) -> Transitions:
    """Transitions from one matrix (actions * states, states) per step."""
    starts = np.cumsum([0] + [stack.nnz for stack in stacks])
    first = np.stack([stack.indptr.astype(np.int64) + start for stack, start in zip(stacks, starts, strict=False)])
    successor = np.concatenate([stack.indices for stack in stacks]).astype(np.int32)  # half the traffic of int64
    return Transitions(first, successor, np.concatenate([stack.data for stack in stacks]))


def own_costs(
    dynamics: Sequence[LatticeMoves | Tabular], space: Space, times: np.ndarray, allowed: np.ndarray,
    counts: Sequence[int] | None = None,
) -> np.ndarray:  # fmt: skip
    """Own cost l (1 or steps, actions, states), 0 where a choice is not allowed.

    ``times`` are starts of the steps, ``counts`` how many actions each population has (None: all).
    """
    actions, spaces, parts = allowed.shape[0], _spaces(space), []
    for p, (one, place) in enumerate(zip(dynamics, spaces, strict=True)):
        where = f" of population {space.names[p]!r}" if isinstance(space, Populations) else ""
        part = _one_cost(one, place, times, actions if counts is None else counts[p], where)
        padded = np.zeros((part.shape[0], actions, place.size))
        padded[:, : part.shape[1]] = part.reshape(*part.shape[:2], -1)
        parts.append(padded)
    levels = max(part.shape[0] for part in parts)
    cost = np.concatenate([np.broadcast_to(p, (levels, *p.shape[1:])) for p in parts], axis=2)
    cost = np.where(allowed, cost, 0.0)
    if not np.isfinite(cost).all():
        t, a, x = (int(i) for i in np.argwhere(~np.isfinite(cost))[0])
        raise InputError(
            f"own cost of action {a} in state {x} at step {t} is {cost[t, a, x]}; every cost must be finite"
        )
    return np.ascontiguousarray(cost)


def _one_cost(one: LatticeMoves | Tabular, place: Space, times: np.ndarray, actions: int, where: str) -> np.ndarray:
    if isinstance(one, LatticeMoves):
        costs = np.asarray(one.costs, dtype=float).reshape((1, -1) + (1,) * place.ndim)
        return np.broadcast_to(costs, (1, actions, *place.shape))
    given = one.cost
    if callable(given):
        given = _cost_of_function(one, place, times, where)
    array, wanted = numbers(given, f"own cost{where}"), (actions, *place.shape)
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


def _cost_of_function(one: Tabular, place: Space, times: np.ndarray, where: str) -> np.ndarray:
    """A function (t, coordinates) at the start of every step."""
    what, labels = f"own cost{where}", place.labels | ({} if one.actions is None else {"action": np.array(one.actions)})
    callable_as(one.cost, what, "(t, coordinates)")
    dims, levels = ("action", *place.dims), []
    for t in times:
        at = f" at t = {t:g}"
        given = ask(one.cost, (float(t), place.coordinates), what, "(t, coordinates)", at)
        levels.append(numbers(aligned(given, dims, {"action": np.arange} | labels, what + at, partial=True), what + at))
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
