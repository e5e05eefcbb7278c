"""Transitions of a finite game in arrays: sparse, checked once, one row for each choice (action, state).

Row ``a S + x`` lists the successors of action a in state x.  Several populations are blocks of one matrix, so that
everything downstream sees a single list of states.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.precision import ROUND
from mfgsolve.kernels.scheme import Scheme
from mfgsolve.spaces import Populations, Space

__all__ = [
    "Matrices",
    "Tabulated",
    "Transitions",
    "action_names",
    "block_transitions",
    "dense_blocks",
    "dense_transitions",
    "names_of_actions",
    "own_costs",
    "spaces_of",
    "stacked",
    "step_matrices",
]

Matrices = list[sparse.csr_array]  # one per action


class Tabulated(Protocol):
    """What tables are made of: the finite dynamics of one population; see `mfgsolve.dynamics.base.TableDynamics`."""

    temperature: float

    @property
    def is_coupled(self) -> bool: ...

    @property
    def action_names(self) -> Sequence[str] | None: ...

    def asked(self, t: float, mass: np.ndarray) -> Any: ...

    def tables(
        self, space: Space, time: TimeGrid, where: str, asked: Any, moment: str
    ) -> tuple[list[Matrices], np.ndarray]: ...

    def step_costs(self, space: Space, times: np.ndarray, actions: int, where: str) -> np.ndarray: ...

    def noise_schemes(self, space: Space, time: TimeGrid) -> Sequence[tuple[tuple[int, ...], Scheme]]: ...

    def speeds(self, space: Space, dt: float) -> Sequence[Any] | None: ...


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


# -- checks ----------------------------------------------------------------------------------------------------------


def _check_form(by_step: Any, allowed: Any, place: Space, what: str) -> None:
    """Dynamics of anybody's own may return anything: one sparse square matrix per action, of every step as many."""
    counts = sorted({len(matrices) for matrices in by_step})
    if len(counts) != 1 or counts[0] == 0:
        raise InputError(f"tables of {what} have {counts} actions by step; every step needs the same, one or more")
    for a, matrix in ((a, matrix) for matrices in by_step for a, matrix in enumerate(matrices)):
        if getattr(matrix, "format", None) != "csr" or matrix.shape != (place.size, place.size):
            raise InputError(
                f"tables of {what} have for action {a} a {type(matrix).__name__} of shape {np.shape(matrix)}; a "
                f"scipy.sparse.csr_array of shape {(place.size, place.size)}, (state, next state), is needed"
            )
    shape, kind = (counts[0], *place.shape), np.asarray(allowed).dtype
    if kind.kind != "b" or np.shape(allowed) != shape:
        raise InputError(
            f"what is allowed by {what} came as {kind} of shape {np.shape(allowed)}; booleans of shape {shape}, "
            "(action, state), are needed"
        )


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


def names_of_actions(one: Tabulated, actions: int) -> list[str]:
    """Names of the actions of one population: its own, or numbers."""
    names = one.action_names
    return list(names) if names is not None else [str(a) for a in range(actions)]


def action_names(dynamics: Sequence[Tabulated], counts: Sequence[int]) -> list[str]:
    """One name for each number of an action.

    Where populations call it by different names, all of them stand there: "hunt/flee".
    """
    own = [names_of_actions(one, count) for one, count in zip(dynamics, counts, strict=True)]
    joined = ["/".join(dict.fromkeys(names[a] for names in own if a < len(names))) for a in range(max(counts))]
    if len(set(joined)) == len(joined):
        return joined
    return [f"{a}: {name}" for a, name in enumerate(joined)]  # "a/b" may be a name, too


# -- all populations as one ------------------------------------------------------------------------------------------


def spaces_of(space: Space) -> list[Space]:
    """The space of each population."""
    return [space.space] * space.populations if isinstance(space, Populations) else [space]


def _some_allowed(allowed: np.ndarray, where: str) -> None:
    """Every state has an action."""
    some = allowed.any(axis=0)
    if not some.all():
        index = tuple(int(i) for i in np.argwhere(~some)[0])
        state = f"cell {index}" if len(index) > 1 else f"state {index[0]}"
        raise InputError(f"{state}{where} has no allowed action; every state needs at least one, say one that stays")


def step_matrices(
    dynamics: Sequence[Tabulated], space: Space, time: TimeGrid, asked: Sequence[Any] | None = None, moment: str = ""
) -> tuple[list[list[Matrices]], list[np.ndarray]]:
    """Of every population: checked matrices by step and action, and the allowed choices (actions, *shape).

    ``asked`` is what each population says of one step where the crowd decides it, at the ``moment`` told.
    """
    all_matrices, all_allowed = [], []
    many = len(dynamics) > 1
    for p, (one, place) in enumerate(zip(dynamics, spaces_of(space), strict=True)):
        where = f" of population {space.names[p]!r}" if many and isinstance(space, Populations) else ""
        by_step, allowed = one.tables(place, time, where, None if asked is None else asked[p], moment)
        _check_form(by_step, allowed, place, f"{type(one).__name__}{where}")
        names = names_of_actions(one, len(by_step[0]))
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


def quick_transitions(given: Any, allowed: np.ndarray) -> Transitions | None:
    """Transitions of one step from one array or one sparse matrix, without a detour over a matrix for each action."""
    return (tall_transitions if sparse.issparse(given) else dense_transitions)(given, allowed)


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


def tall_transitions(given: Any, allowed: np.ndarray) -> Transitions | None:
    """Transitions of one step from a sparse matrix (action * state, next state); None where it is not plainly that."""
    actions, states = allowed.shape
    if getattr(given, "format", None) != "csr" or given.shape != (actions * states, states):
        return None
    if given.dtype != float or not (given.data >= 0).all() or not np.isfinite(given.data).all():
        return None
    entries = np.append(given.data, 0.0)  # a row without entries at the end begins there
    sums = np.where(np.diff(given.indptr) > 0, np.add.reduceat(entries, given.indptr[:-1]), 0.0)
    if (np.abs(sums - 1) > ROUND)[allowed.reshape(-1)].any():
        return None
    return stacked([given])


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
    dynamics: Sequence[Tabulated], space: Space, times: np.ndarray, allowed: np.ndarray,
    counts: Sequence[int] | None = None,
) -> np.ndarray:  # fmt: skip
    """Own cost l (1 or steps, actions, states), 0 where a choice is not allowed.

    ``times`` are starts of the steps, ``counts`` how many actions each population has (None: all).
    """
    actions, spaces, parts = allowed.shape[0], spaces_of(space), []
    for p, (one, place) in enumerate(zip(dynamics, spaces, strict=True)):
        where = f" of population {space.names[p]!r}" if isinstance(space, Populations) else ""
        count = actions if counts is None else counts[p]
        part = one.step_costs(place, times, count, where)
        if part.shape[1:] != (count, *place.shape) or part.shape[0] not in (1, len(times)):
            raise InputError(
                f"own cost of {type(one).__name__}{where} has shape {part.shape}; (1 or {len(times)}, action, state) = "
                f"{(1, count, *place.shape)} is needed"
            )
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
