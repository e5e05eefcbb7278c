"""Rounds of a binomial sum: every k where the crowd is small, estimates of two classes where it is not."""

import numpy as np
import pytest
from scipy import stats

from mfgsolve.kernels import binomial

pytestmark = pytest.mark.kernel


def summed(others, chance, longest, function):
    """Mean, difference and the places k that were asked for, item by item."""
    chance, longest = np.array(chance), np.array(longest)
    k, weight, odds, mean, difference = np.empty((5, chance.size))
    stride, busy = np.empty(chance.size, dtype=np.int64), np.empty(chance.size, dtype=bool)
    sums = np.empty((7, chance.size))
    state = k, weight, odds, stride, busy, sums
    binomial.begin(float(others), chance, longest, *state)
    places, turn, active = [[] for _ in chance], 0, int(busy.sum())
    while active:
        for i in np.flatnonzero(busy):
            places[i].append(k[i])
        active = binomial.collect(float(others), chance, function(k), turn, *state)
        turn += 1
    binomial.estimate(stride, sums, mean, difference)
    return mean, difference, places, stride


def test_a_small_crowd_is_summed_whole():
    def function(k):
        return 1 / (1 + k) ** 2

    mean, difference, places, stride = summed(12, [0.0, 0.3, 1.0], [0, 0, 0], function)
    whole = stats.binom(12, 0.3).pmf(np.arange(13)) @ function(np.arange(13))
    np.testing.assert_allclose(mean, [1.0, whole, 1 / 169], rtol=1e-14)
    np.testing.assert_array_equal(difference, 0.0)
    assert (places[0], places[1], places[2]) == ([0.0], list(map(float, range(13))), [12.0])
    assert stride[1] == 1


def test_strides_and_nodes_agree_with_the_whole_sum():
    """A crowd of 40,000: all k, every h-th k, and sixteen nodes; an item with a negative stride is left out."""
    n, p = 40_000, 0.2

    def function(k):
        return np.sqrt(1 + k / n)

    every = np.arange(7000, 9001)
    whole = stats.binom(n, p).pmf(every) @ function(every)
    mean, difference, places, stride = summed(n, [p] * 4, [1, binomial.LONGEST, 0, -1], function)
    np.testing.assert_allclose(mean[:3], whole, rtol=1e-13)
    assert (difference[:3] < 1e-13).all()
    assert mean[3] == 0.0
    assert list(stride[:3]) == [1, binomial.LONGEST, 0]
    assert len(places[0]) > 10 * len(places[1]) > 10 * len(places[2]) == 10 * sum(binomial.NODES)


def test_classes_differ_about_a_step():
    mean, difference, _, _ = summed(40_000, [0.2], [binomial.LONGEST], lambda k: 1.0 * (k > 8003))
    assert difference[0] > 1e-3
    assert mean[0] == pytest.approx(stats.binom(40_000, 0.2).sf(8003), abs=difference[0])
