"""Best speeds at the cost c r^p / p on one level: against all speeds, transposes, and differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfgsolve.kernels import movement as kernel

pytestmark = pytest.mark.kernel

DT, C = 0.01, 0.7
SHAPE = (3, 4)
CELLS = 12
CASES = [(1.0, 4), (1.5, 4), (2.0, 4), (3.0, 4), (1.0, 2), (1.5, 2), (3.0, 2)]


def plane():
    """Neighbours of a plane between walls, x+ x- y+ y-, and 1 / distance."""
    cells = np.arange(CELLS).reshape(SHAPE)
    near = np.stack([cells] * 4)
    near[0, :, :-1], near[1, :, 1:] = cells[:, 1:], cells[:, :-1]
    near[2, :-1], near[3, 1:] = cells[1:], cells[:-1]
    return near.reshape(4, CELLS).astype(np.int32), np.array([[4.0], [4.0], [3.0], [3.0]])


def arrays(p, group, most=0.9, weight=None):
    near, pace = plane()
    c = np.array([C]) if weight is None else weight
    return c, near, pace, np.full((4 // group, 1), most), group, p


def level(seed):
    return np.random.default_rng(seed).normal(size=CELLS) * 0.3


@pytest.mark.parametrize(("p", "group"), CASES)
def test_no_speeds_cost_less_than_the_best(p, group):
    after, value, speed = level(1), np.empty(CELLS), np.empty((4, CELLS))
    _, near, pace, most, *_ = given_arrays = arrays(p, group)
    kernel.best(after, *given_arrays, DT, value)
    kernel.speeds(after, *given_arrays, speed)
    slopes = (after - after[near]) * pace
    rng = np.random.default_rng(2)

    def worth(s):
        size = np.sqrt((s.reshape(4 // group, group, -1) ** 2).sum(axis=1))
        assert (size <= most * (1 + 1e-12)).all()
        return after + DT * ((C * size**p / p).sum(axis=0) - (s * slopes).sum(axis=0))

    np.testing.assert_allclose(worth(speed), value, atol=1e-15)
    for spread in (1e-3, 0.1, 1.0):
        for _ in range(300):
            other = np.maximum(speed + spread * rng.normal(size=speed.shape), 0.0)
            size = np.sqrt((other.reshape(4 // group, group, -1) ** 2).sum(axis=1, keepdims=True))
            other = (other.reshape(4 // group, group, -1) * np.minimum(1.0, 0.9 / np.maximum(size, 1e-9))).reshape(
                4, -1
            )
            assert (worth(other) >= value - 1e-15).all()


@given(st.integers(0, 10**6), st.sampled_from(CASES))
@settings(max_examples=40, deadline=None)
def test_push_is_the_transpose_of_expect(seed, case):
    rng, speed = np.random.default_rng(seed), np.empty((4, CELLS))
    c, near, pace, most, group, p = arrays(*case)
    kernel.speeds(level(seed), c, near, pace, most, group, p, speed)
    mass, after, moved, mean = rng.random(CELLS), rng.normal(size=CELLS), np.empty(CELLS), np.empty(CELLS)
    kernel.push(speed, near, pace, DT, mass, moved)
    kernel.expect(speed, near, pace, DT, after, mean)
    assert moved @ after == pytest.approx(mass @ mean, abs=1e-13)
    assert moved.sum() == pytest.approx(mass.sum(), abs=1e-13)
    assert moved.min() >= 0


@pytest.mark.parametrize(("p", "group"), [case for case in CASES if case[0] > 1])
@pytest.mark.parametrize("most", [0.6, 50.0])
def test_change_of_push_is_its_derivative(p, group, most):
    rng = np.random.default_rng(3)
    after, change, mass, e = level(4), rng.normal(size=CELLS), rng.random(CELLS), 1e-6
    weight, dearer = 0.5 + rng.random(CELLS), rng.normal(size=CELLS)

    def pushed(share):
        speed, moved = np.empty((4, CELLS)), np.empty(CELLS)
        _, near, pace, *_ = given_arrays = arrays(p, group, most, weight * (1 + share * dearer))
        kernel.speeds(after + share * change, *given_arrays, speed)
        kernel.push(speed, near, pace, DT, mass, moved)
        return moved

    found = np.empty(CELLS)
    kernel.push_change(after, *arrays(p, group, most, weight), DT, mass, change, dearer, 1e-9, 1e-9, found)
    np.testing.assert_allclose(found, (pushed(e) - pushed(-e)) / (2 * e), atol=2e-8)


def test_an_even_face_is_shared_by_both_sides_and_slow_speeds_turn_as_a_whole():
    near, pace = np.array([[1, 1], [0, 0]], dtype=np.int32), np.ones((2, 1))
    most, found, mass = np.full((1, 1), 9.0), np.empty(2), np.array([0.6, 0.4])
    flat, change, none = np.zeros(2), np.array([1.0, 0.0]), np.empty(0)
    kernel.push_change(flat, np.array([C]), near, pace, most, 2, 2.0, DT, mass, change, none, 0.1, 0.1, found)
    np.testing.assert_allclose(found, [-DT / C * 0.5, DT / C * 0.5])
    kernel.push_change(flat, np.array([1.0]), near, pace, most, 2, 3.0, DT, mass, change, none, 0.1, 0.1, found)
    np.testing.assert_allclose(found[1], DT * 0.5 / 0.1)  # phi of the floor: 0.1 / 0.1^2
    steep = np.array([1e-4, 0.0])  # speed 0.01, far below the slow one
    kernel.push_change(steep, np.array([1.0]), near, pace, most, 2, 3.0, DT, mass, change, none, 1e-9, 1e9, found)
    np.testing.assert_allclose(found[1], DT * 0.6 / 0.01)
    kernel.push_change(steep, np.array([1.0]), near, pace, most, 2, 3.0, DT, mass, change, none, 1e-9, 1e-9, found)
    np.testing.assert_allclose(found[1], DT * 0.6 / 0.01 / 2)


def test_tolls_are_what_c_costs_more():
    after, tolls, e = level(5), np.empty(CELLS), 1e-6
    ends = [np.empty(CELLS) for _ in range(2)]
    for end, c in zip(ends, (C + e, C - e), strict=True):
        kernel.best(after, *arrays(3.0, 4, 0.9, np.array([c])), DT, end)
    kernel.tolls(after, *arrays(3.0, 4), tolls)
    np.testing.assert_allclose(DT * tolls, (ends[0] - ends[1]) / (2 * e), atol=1e-9)
