"""The transitions of one step under a policy, factors included, as one matrix P[x, y]: from cell x to cell y.

What games without a final time solve with: their laws and values are linear equations in P, not sweeps.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError
from mfgsolve.steps.draws import Draws
from mfgsolve.steps.factors import Factor
from mfgsolve.steps.moves import move_distances
from mfgsolve.steps.policies import Policy
from mfgsolve.steps.speeds import SpeedStep
from mfgsolve.steps.step import Step
from mfgsolve.watch import look

__all__ = ["Chances", "chances_of", "factors_of"]

Chances = Any  # a scipy.sparse.csr_array where it is thin, else an array

MOST = 6000  # cells up to which a matrix may be full
THIN = 0.1  # share of entries up to which a matrix is better kept thin

_wholes: WeakKeyDictionary[Step, list[Chances]] = WeakKeyDictionary()  # where they are the same in all steps


def chances_of(step: Step, policy: Policy, mass: np.ndarray, t: int = 0) -> Chances:
    """P (cells, cells) of step t under a policy; ``mass`` decides where the crowd does.

    Sparse where every part of the step is; where agents choose any law of their next cell, the product of its draws.

    Raises
    ------
    InputError
        where P is full and has too many entries
    """
    look()
    if step.has_tables:
        chosen, table = step.choices(policy)[t], step.transitions_at(t, mass).matrix(t, step.cells)
    else:
        chosen = _moving(step, policy, t)
        if chosen is None:
            return _thin(_product(_drawn(step.chain(policy), t, step.cells)))
        table = step.transitions_at(t, mass).matrix(0, step.cells)
    rows = np.tile(np.arange(step.cells), len(chosen))
    pick = sparse.csr_array((chosen.reshape(-1), (rows, np.arange(chosen.size))), shape=(step.cells, chosen.size))
    return _thin(_product([pick @ sparse.csr_array(table), *factors_of(step, t)]))


def factors_of(step: Step, t: int) -> list[Chances]:
    """The matrices of all factors."""
    if step not in _wholes:
        factors = step.factors
        made = [_whole(factor, t, step.shape) for factor in factors]
        if not all(factor.is_steady for factor in factors):
            return made
        _wholes[step] = made
    return _wholes[step]


def _moving(step: Step, policy: Policy, t: int) -> np.ndarray | None:
    """Chances (moves, cells) to stay and to go to each neighbour, where agents choose speeds; None elsewhere."""
    if isinstance(step, SpeedStep):
        moves = step.mesh.moves
        speed = step.speed(policy, slice(t, t + 1)).reshape(moves, step.cells)
        chance = (step.dt / move_distances(step.mesh)) * speed
        return np.concatenate([np.maximum(1.0 - chance.sum(axis=0), 0.0)[None], chance])
    chain = step.chain(policy)
    return None if isinstance(chain, Draws) else chain.by_choice().choices[t].T


def _drawn(chain: Any, t: int, cells: int) -> Iterable[Chances]:
    """One matrix for each draw of an entropic step."""
    for draw in chain.draws[t]:
        chance = np.exp(draw.logs + (draw.before[:, None] - draw.after[draw.near]) / draw.entropy)
        rows = np.repeat(np.arange(cells), draw.near.shape[1])
        yield sparse.csr_array((chance.reshape(-1), (rows, draw.near.reshape(-1))), shape=(cells, cells))


def _product(parts: Iterable[Chances]) -> Chances:
    result = None
    for part in parts:
        result = part if result is None else result @ part
    return result


def _thin(chances: Chances) -> Chances:
    """A thin matrix as a sparse one, another as an array."""
    if isinstance(chances, np.ndarray):
        return chances
    sized: Chances = sparse.csr_array(chances)
    size = sized.shape[0]
    return sized.toarray() if sized.nnz > THIN * size**2 and size <= MOST else sized


def _whole(factor: Factor, t: int, shape: tuple[int, ...]) -> Chances:
    """F (cells, cells): its own matrix, or what it makes of every cell."""
    result: Chances = factor.matrix(t)
    if result is None:
        cells = int(np.prod(shape))
        if cells > MOST:
            raise InputError(
                f"without a final time the noise of a step is a full matrix of {cells} x {cells} chances, and {MOST} "
                "cells are the most for that; take noise='explicit', which leads to neighbours alone, the entropic "
                "scheme, or fewer cells"
            )
        result = np.stack([factor.push(t, unit.reshape(shape)).reshape(-1) for unit in np.eye(cells)])
    return result
