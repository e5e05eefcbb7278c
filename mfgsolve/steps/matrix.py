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
from mfgsolve.steps.policies import Policy
from mfgsolve.steps.step import Step
from mfgsolve.watch import look

__all__ = ["Chances", "chances_of"]

Chances = Any  # a scipy.sparse.csr_array where it is thin, else an array

MOST = 6000  # cells up to which a matrix may be full
THIN = 0.1  # share of entries up to which a matrix is better kept thin

_wholes: WeakKeyDictionary[Factor, Chances] = WeakKeyDictionary()


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
        chain = step.chain(policy)
        if isinstance(chain, Draws):
            return _thin(_product(_drawn(chain, t, step.cells)))
        listed = chain.by_choice()
        chosen = listed.choices[t].T
        table = step.transitions_at(t, mass).matrix(t if len(listed.choices) > 1 else 0, step.cells)
    rows = np.tile(np.arange(step.cells), len(chosen))
    pick = sparse.csr_array((chosen.reshape(-1), (rows, np.arange(chosen.size))), shape=(step.cells, chosen.size))
    parts = [pick @ sparse.csr_array(table), *(_whole(factor, t, step.shape) for factor in step.factors)]
    return _thin(_product(parts))


def _drawn(chain: Draws, t: int, cells: int) -> Iterable[Chances]:
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
    """F (cells, cells): its own matrix, or what it makes of every cell, kept where it is the same in all steps."""
    if factor in _wholes:
        return _wholes[factor]
    result = factor.matrix(t)
    if result is None:
        cells = int(np.prod(shape))
        if cells > MOST:
            raise InputError(
                f"without a final time the noise of a step is a full matrix of {cells} x {cells} chances, and {MOST} "
                "cells are the most for that; take noise='explicit', which leads to neighbours alone, the entropic "
                "scheme, or fewer cells"
            )
        result = np.stack([factor.push(t, unit.reshape(shape)).reshape(-1) for unit in np.eye(cells)])
    if factor.is_steady:
        _wholes[factor] = result
    return result
