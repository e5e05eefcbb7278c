"""What learners on a graph remember: rows, copies, and rows that are none."""

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.stages.memory import Memory


def memory(actor=True):
    q = np.zeros((2, 3, 4, 5))
    empty = np.zeros(0, dtype=np.int64)
    theta = q + 1.0 if actor else q
    return Memory(q, theta, np.zeros_like(q), empty, empty, None, np.array([1, 2]), 0, np.zeros(4, np.uint64))


def test_rows_are_those_of_the_flat_table():
    known = memory()
    rows = known.rows(np.array([1, 0]), np.array([2, 0]), np.array([3, 1]))
    known.q[1, 2, 3], known.q[0, 0, 1] = 7.0, 8.0
    np.testing.assert_array_equal(known.q.reshape(-1, 5)[rows], [[7.0] * 5, [8.0] * 5])
    assert rows.dtype == np.int64
    known.check(rows)
    known.check(np.array([-1, 23]), ends=-1)


@pytest.mark.parametrize("rows", [np.array([24]), np.array([-1]), np.array([0], dtype=np.int32), np.array([0.0])])
def test_rows_outside_the_table_are_refused(rows):
    with pytest.raises(mfg.InputError, match="outside the table"):
        memory().check(rows)


@pytest.mark.parametrize("actor", [True, False])
def test_what_is_kept_does_not_change(actor):
    known = memory(actor)
    kept = known.kept()
    known.q += 1.0
    known.visits += 1
    known.actions[0] = 4
    assert not kept.q.any()
    assert not kept.visits.any()
    np.testing.assert_array_equal(kept.actions, [1, 2])
    assert (kept.preferences is kept.q) == (not actor)  # values alone are their own preferences, in the copy, too


def test_values_that_are_not_finite():
    known = memory()
    assert known.finite
    known.preferences[0, 0, 0, 0] = np.inf
    assert not known.finite
    known = memory()
    known.q[1, 2, 3, 4] = np.nan
    assert not known.finite
