"""Random bits and binomial numbers against their laws."""

import math

import numpy as np
import pytest
from scipy import stats

from mfgsolve.kernels import random

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),  # meant; told without compiler
]


def test_random_bits_are_those_of_xoshiro256_plus_plus():
    """First outputs from the state (1, 2, 3, 4), as in the generator's reference implementation."""
    stream = np.array([1, 2, 3, 4], dtype=np.uint64)
    known = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205, 9973669472204895162]
    for bits in known:
        assert random.uniform(stream) == (bits >> 11) * 2.0**-53


@pytest.mark.parametrize(
    ("n", "p"),
    [(1, 0.3), (2, 0.4), (5, 0.9), (30, 0.2), (100, 0.0999), (100, 0.1), (40, 0.5), (1000, 0.98), (10**5, 0.016),
     (10**9, 0.016), (10**9, 1e-9), (10**12, 0.25)],
)  # fmt: skip
def test_binomial_numbers_have_their_law(n, p):
    stream = np.random.SeedSequence(2).generate_state(4, np.uint64)
    drawn = np.array([random.binomial(stream, n, p) for _ in range(20000)])
    assert drawn.min() >= 0
    assert drawn.max() <= n
    law = stats.binom(n, p)
    edges = np.unique(law.ppf(np.linspace(0, 1, 21)[1:-1])) if n < 10**6 else np.unique(
        np.floor(n * p + math.sqrt(n * p * (1 - p)) * stats.norm.ppf(np.linspace(0, 1, 21)[1:-1])))  # fmt: skip
    chances = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    counts = np.bincount(np.searchsorted(edges, drawn), minlength=chances.size)
    keep = chances * 20000 > 1
    assert stats.chisquare(counts[keep], chances[keep] / chances[keep].sum() * counts[keep].sum()).pvalue > 1e-4


def test_binomials_at_the_ends():
    stream = np.array([1, 2, 3, 4], dtype=np.uint64)
    assert [random.binomial(stream, 7, p) for p in (0.0, -1e-17, 1.0, 1.0 + 1e-15)] == [0, 0, 7, 7]
    assert random.binomial(stream, 0, 0.5) == 0
