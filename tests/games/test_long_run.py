"""Values and laws of a policy in the long run, against plain linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from mfgsolve.games.long_run import Fixed, LongRun


def chances(seed: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(size, 0.3), size=size)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([2, 7, 90, 300]), st.booleans())
def test_laws_and_values_solve_their_equations(seed: int, size: int, thin: bool) -> None:
    p, rng = chances(seed, size), np.random.default_rng(seed)
    given_ = sparse.csr_array(p) if thin else p
    free, cost, source = np.ones(size, dtype=bool), rng.normal(size=size), rng.normal(size=size)
    ergodic = Fixed(given_, 1.0, 1.0, free)
    law = ergodic.law(free / size)
    np.testing.assert_allclose(p.T @ law, law, atol=1e-13)
    assert law.sum() == pytest.approx(1.0)
    value, gain = ergodic.solve(cost)
    np.testing.assert_allclose(value + gain, cost + p @ value, atol=1e-10 * max(1.0, np.abs(value).max()))
    assert gain[0] == pytest.approx(law @ cost, abs=1e-11)
    source -= source.mean()
    spread = ergodic.spread(source)
    np.testing.assert_allclose(spread - p.T @ spread, source, atol=1e-9 * max(1.0, np.abs(spread).max()))
    assert spread.sum() == pytest.approx(0.0, abs=1e-9)
    discounted = Fixed(given_, 0.9, 0.9, free)
    value, gain = discounted.solve(cost)
    np.testing.assert_allclose(value, cost + 0.9 * p @ value, atol=1e-11)
    assert (gain == 0).all()
    born = discounted.law(np.eye(size)[0])
    np.testing.assert_allclose(born, 0.1 * np.eye(size)[0] + 0.9 * p.T @ born, atol=1e-13)


def test_a_law_is_as_exact_as_its_smallest_mass() -> None:
    """A birth-and-death chain whose masses fall by 1e-4 a state."""
    size, up = 12, 1e-5
    p = np.zeros((size, size))
    for k in range(size):
        p[k, min(k + 1, size - 1)] += up
        p[k, max(k - 1, 0)] += 0.1
        p[k, k] += 0.9 - up
    law = Fixed(p, 1.0, 1.0, np.ones(size, dtype=bool)).law(np.full(size, 1 / size))
    np.testing.assert_allclose(law[1:] / law[:-1], up / 0.1, rtol=1e-13)


def test_periodic_chains_have_laws_and_closed_classes_are_told() -> None:
    ring = np.roll(np.eye(4), 1, axis=1)
    free = np.ones(4, dtype=bool)
    np.testing.assert_allclose(Fixed(ring, 1.0, 1.0, free).law(np.eye(4)[0]), 0.25)
    halves = np.zeros((4, 4))
    halves[[0, 1], [1, 0]] = 1.0
    halves[2] = [0.25, 0.0, 0.0, 0.75]
    halves[3, 3] = 1.0
    divided = Fixed(halves, 1.0, 1.0, free)
    assert [sorted(each.tolist()) for each in sorted(divided.closed, key=lambda c: c[0])] == [[0, 1], [3]]
    np.testing.assert_allclose(divided.law(np.eye(4)[2]), [0.125, 0.125, 0.0, 0.75])


def test_populations_do_not_meet() -> None:
    one, other = chances(1, 3), chances(2, 3)
    both = np.block([[one, np.zeros((3, 3))], [np.zeros((3, 3)), other]])
    free = np.ones(6, dtype=bool)
    made = LongRun(both, 1.0, 1.0, free, 2)
    law = made.law(np.full(6, 1 / 3)).reshape(2, 3)
    np.testing.assert_allclose(law.sum(axis=1), 1.0)
    np.testing.assert_allclose(made.push(law.reshape(-1)), law.reshape(-1), atol=1e-14)
    _, gain = made.solve(np.arange(6.0))
    np.testing.assert_allclose(gain.reshape(2, 3)[:, 0], [law[0] @ [0, 1, 2], law[1] @ [3, 4, 5]])
    assert [len(classes) for classes in made.closed] == [1, 1]
