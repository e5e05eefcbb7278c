"""Random numbers inside kernels: uniform and binomial, from a stream of four words that the caller owns.

Uniform numbers are xoshiro256++ (Blackman and Vigna, doi:10.1145/3460772), binomial ones inversion for small means and
the transformed rejection BTRS for large ones (Hörmann, doi:10.1080/00949659308811496), with the squeeze of BTPE
(Kachitvichyanukul and Schmeiser, doi:10.1145/42372.42381).  NumPy's generators can be called from compiled code, but
take three times as long for a uniform number and up to twice for a binomial one: see ``benchmarks/agents.py``.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit

A11, A17, A19, A23, A41, A45 = (np.uint64(k) for k in (11, 17, 19, 23, 41, 45))
UNIT = 1.0 / 9007199254740992.0  # 2^-53
INVERTED = 10.0  # means below it are sampled by inversion


def _draw(a, b, c, d):
    """A uniform number in [0, 1), and the next state of the generator."""
    total = a + d
    bits = ((total << A23) | (total >> A41)) + a
    shifted = b << A17
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << A45) | (d >> A19)
    return (bits >> A11) * UNIT, a, b, c, d


draw = jit(_draw)


def _uniform(stream):
    """A uniform number in [0, 1); the stream moves on."""
    u, a, b, c, d = draw(stream[0], stream[1], stream[2], stream[3])
    stream[0], stream[1], stream[2], stream[3] = a, b, c, d
    return u


uniform = jit(_uniform)


def _invert(stream, n, p):
    """Binomial(n, p) for n p < 10: run through the probabilities from 0 on until they exceed a uniform number."""
    u = uniform(stream)
    if u < 1.0 - n * p:  # at most the probability of 0: most often that is all there is to do
        return np.int64(0)
    odds = p / (1.0 - p)
    start = np.exp(n * np.log1p(-p))
    while True:
        chance = start
        for k in range(min(n, 110) + 1):  # beyond 110 the probability is below 1e-70: only round-off gets there
            if u < chance:
                return np.int64(k)
            u -= chance
            chance *= odds * (n - k) / (k + 1.0)
        u = uniform(stream)


def _stirling(k):
    """log k! minus Stirling's (k + 1/2) log(k + 1) - (k + 1) + log(2 pi) / 2."""
    x = 1.0 / (k + 1.0)
    return (1.0 / 12.0 - (1.0 / 360.0 - x * x / 1260.0) * x * x) * x


invert, stirling = jit(_invert), jit(_stirling)


def _reject(stream, n, p):
    """Binomial(n, p) for p <= 1/2 and n p >= 10."""
    spread = np.sqrt(n * p * (1.0 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    centre, quick = n * p + 0.5, 0.92 - 4.2 / b
    while True:
        v, u = uniform(stream), uniform(stream) - 0.5
        edge = 0.5 - abs(u)
        if edge <= 0.0:
            continue
        k = np.floor((2.0 * a / edge + b) * u + centre)
        if edge >= 0.07 and v <= quick:
            return np.int64(k)
        if k < 0.0 or k > n or v == 0.0:
            continue
        mode, variance = np.floor((n + 1) * p), spread * spread
        apart = abs(k - mode)
        wish = np.log(v * (2.83 + 5.1 / b) * spread / (a / (edge * edge) + b))
        if 20.0 < apart < 0.5 * variance - 1.0:  # the normal density, and how far from it the height can be
            slack = apart / variance * (((apart / 3.0 + 0.625) * apart + 1.0 / 6.0) / variance + 0.5)
            normal = -0.5 * apart * apart / variance
            if wish < normal - slack:
                return np.int64(k)
            if wish > normal + slack:
                continue
        odds = p / (1.0 - p)
        height = (mode + 0.5) * np.log((mode + 1.0) / (odds * (n - mode + 1.0)))
        height += (n + 1.0) * np.log((n - mode + 1.0) / (n - k + 1.0))
        height += (k + 0.5) * np.log(odds * (n - k + 1.0) / (k + 1.0))
        height += stirling(mode) + stirling(n - mode) - stirling(k) - stirling(n - k)
        if wish <= height:
            return np.int64(k)


reject = jit(_reject)


def _binomial(stream, n, p):
    """How many of n succeed, each with probability p."""
    if n == 0 or p <= 0.0:
        return np.int64(0)
    if p >= 1.0:
        return np.int64(n)
    if n == 1:
        return np.int64(1) if uniform(stream) < p else np.int64(0)
    rare = min(p, 1.0 - p)
    k = invert(stream, n, rare) if n * rare < INVERTED else reject(stream, n, rare)
    return k if p <= 0.5 else n - k


binomial = jit(_binomial)
