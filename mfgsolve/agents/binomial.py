"""Expectations over binomial numbers of agents, E f(B), for a whole array of probabilities at once.

Every item of the array has its own B ~ Binomial(n, p), and f is known as a vectorised function alone, so that sums run
round by round, each item at its own k (kernels: `mfgsolve.kernels.binomial`).  With s the standard deviation of B:

- up to s = 7.4 every k counts whose probability is not below round-off: exact;
- from there a strided sum over every h-th k, h = 0.27 s at most: its weights are those of the binomial itself, and by
  Poisson's summation it differs from the whole sum by the Fourier transform of f P at 2 pi / h, below round-off for
  smooth f;
- from s = 24 on, for f known to be smooth, nine nodes of Gauss and Hermite, whose weights are corrected by the
  cumulants of B so that polynomials up to degree eight come out exactly (Edgeworth's expansion).

The last two come as several estimates (three interleaved sums; seven nodes beside the nine).  Where they differ, f is
not smooth on the scale of s, and the item falls back: from nodes on a strided sum, from there on every k.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.kernels import binomial

__all__ = ["expectation"]

AGREE = 1e-12  # difference of estimates that are taken to agree, relative to the largest expectation
ROUND = 1e-9
TAILS = 1e-16  # probability left out at both ends


def expectation(
    function: Callable[[np.ndarray], np.ndarray], chance: np.ndarray, trials: int, smooth: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """E f(B), B ~ Binomial(trials, chance), item by item.

    Parameters
    ----------
    function : f, of an array k of the shape of ``chance`` (not always whole numbers), to an array of that shape
    chance : p, an array; a round-off below 0 or above 1 counts as 0 or 1
    trials : n >= 0
    smooth : whether f is analytic on k > 0.  Only then nodes stand for sums: where all nodes see one smooth piece of f,
        nothing tells them that it bends beyond them, 4.5 standard deviations away

    Returns
    -------
    mean, error : arrays of the shape of ``chance``.  ``error`` is the probability left out at the ends (1e-16) times
        |f| there (f taken as monotone) and the largest expectation, plus the difference of the estimates compared

    Source: weights by the ratio p(k+1) / p(k); Abramowitz and Stegun 25.4.46 and 26.2.47
    """
    if chance.size and not (chance.min() >= -ROUND and chance.max() <= 1 + ROUND):
        raise InputError(f"probabilities range from {chance.min():g} to {chance.max():g}; from 0 to 1 is needed")
    shape, flat = chance.shape, np.ascontiguousarray(chance.reshape(-1))
    mean, error = np.empty(flat.size), np.empty(flat.size)
    longest = np.full(flat.size, 0 if smooth else binomial.LONGEST, dtype=np.int64)
    state = _State(flat.size)
    while True:
        state.sum(function, flat, float(trials), longest, shape)
        binomial.estimate(state.stride, state.sums, state.mean, state.difference)
        asked = longest >= 0
        mean[asked] = state.mean[asked]
        largest = np.abs(mean).max(initial=0.0)
        error[asked] = (state.difference + TAILS * (state.sums[6] + largest))[asked]
        apart = asked & (state.difference > AGREE * largest)
        if not apart.any():
            return mean.reshape(shape), error.reshape(shape)
        longest = np.where(apart, np.where(state.stride == 0, binomial.LONGEST, 1), -1)


class _State:
    """Arrays of one pass; see the kernels."""

    def __init__(self, size: int):
        self.k, self.weight, self.odds, self.mean, self.difference = np.empty((5, size))
        self.stride, self.busy = np.empty(size, dtype=np.int64), np.empty(size, dtype=bool)
        self.sums = np.empty((7, size))

    def sum(
        self,
        function: Callable[[np.ndarray], np.ndarray],
        chance: np.ndarray,
        trials: float,
        longest: np.ndarray,
        shape: tuple[int, ...],
    ) -> None:
        here = self.k, self.weight, self.odds, self.stride, self.busy, self.sums
        binomial.begin(trials, chance, longest, *here)
        turn, active = 0, chance.size
        while active:
            cost = np.ascontiguousarray(function(self.k.reshape(shape)), dtype=float)
            active = binomial.collect(trials, chance, cost.reshape(-1), turn, *here)
            turn += 1
