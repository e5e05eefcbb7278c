"""Either kind of table by hand: a walk on a line of five cells against its dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from mfgsolve.kernels import jit, shifts
from mfgsolve.steps.transitions import stacked

pytestmark = pytest.mark.kernel

CELLS = 5
UP = np.array([[0, 0.75, 0.25, 0, 0], [0, 0, 0.75, 0.25, 0], [0, 0, 0, 0.75, 0.25], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1.0]])
BACK = np.eye(CELLS)[[0, 0, 1, 2, 3]]
MOVES = np.stack([UP, BACK])
LISTED = stacked([sparse.csr_array(MOVES.reshape(-1, CELLS))])


def shifted():
    """Up by 1 or 2, odd in the cells 3 and 4; back by 1, odd in cell 0."""
    target = np.array([0, 4])
    row, cell = [], []
    for y in target:
        came = np.argwhere(MOVES[:, :, y] > 0)
        row.append(came[:, 0] * CELLS + came[:, 1])
        cell.append(came[:, 1])
    into = np.cumsum([0] + [len(one) for one in row])
    rows, source = np.concatenate(row), np.concatenate(cell)
    back = MOVES.reshape(-1, CELLS)[rows, np.repeat(target, np.diff(into))]
    return shifts.Shifts(
        *LISTED, count=np.array([2, 1]), shift=np.array([[1, 2], [-1, 0]]), weight=np.array([[0.75, 0.25], [1.0, 0]]),
        falling=np.array([[2, 1], [-1, 0]]), falling_weight=np.array([[0.25, 0.75], [1.0, 0]]),
        start=np.array([[0, 2], [2, 3]]), odd=np.array([3, 4, 0], dtype=np.int32), target=target.astype(np.int32),
        into=into, row=rows.astype(np.int32), source=source.astype(np.int32), back=back, parts=3,
    )  # fmt: skip


@jit
def _step(table, value, cost, policy, mass, out, after):
    """What kernels ask of a table, as they ask it."""
    shifts.expect_in(table, 0, value, cost, 0, value.size, 0, out)
    for a in range(policy.shape[0]):
        shifts.push_from(table, 0, a, policy[a], mass, after)
    shifts.settle(table, policy, mass, after)
    return shifts.parts_of(table)


@pytest.mark.parametrize("kind", ["listed", "shifts"])
def test_expectations_and_flows(kind):
    rng = np.random.default_rng(0)
    table = LISTED if kind == "listed" else shifted()
    value, cost, mass = rng.normal(size=CELLS), rng.normal(size=(2, CELLS)), rng.dirichlet(np.ones(CELLS))
    policy = rng.dirichlet(np.ones(2), CELLS).T.copy()
    out, after = np.empty((2, CELLS)), np.zeros(CELLS)
    assert _step(table, value, cost, policy, mass, out, after) == (1 if kind == "listed" else 3)
    np.testing.assert_allclose(out, cost + MOVES @ value, rtol=1e-15)
    np.testing.assert_allclose(after, np.einsum("axy,ax,x->y", MOVES, policy, mass), rtol=1e-15)


def test_predecessors_are_collected():
    columns = sparse.csr_array(MOVES.reshape(-1, CELLS)).tocsc()
    moved, out = np.random.default_rng(1).random(2 * CELLS), np.full(CELLS, np.nan)
    shifts.collect(columns.indptr, columns.indices, columns.data, moved, 1, 4, out)
    np.testing.assert_allclose(out[1:4], (moved @ MOVES.reshape(-1, CELLS))[1:4], rtol=1e-15)
    assert np.isnan(out[[0, 4]]).all()
