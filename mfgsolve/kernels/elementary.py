"""exp and log that the compiler turns into vector instructions inside of loops, with the same bits everywhere.

    e^x = 2^k e^r,          k = round(x / log 2),  r = x - k log 2,  |r| <= log(2) / 2:  Taylor's series, degree 13
    log y = k log 2 + 2 artanh(s),   y = 2^k z,  sqrt(1/2) <= z < sqrt(2),  s = (z - 1) / (z + 1):  odd, degree 21
    log(1 + x) the same of y = 1 + x, with what rounding took from y put back into z - 1

Powers of two are added to, and read from, the exponent of a double (IEEE 754); k is rounded by adding 1.5 2^52, which
leaves it in the last bits.  Errors are below 2 units in the last place, of log(1 + x) below 3.  Arguments of exp lie in
[-700, 700], those of log are normal and positive: what entropic steps scale to.  log1p takes any: it is NaN for NaN and
below -1, and infinite where x is.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import bits, fma, jit, number

MAGIC = 1.5 * 2.0**52
LOG2E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # the first has 32 trailing zeros
HALF_ROOT = np.array([0.5**0.5]).view(np.int64)[0]  # bits of sqrt(1/2)
MAGIC_BITS = np.array([MAGIC]).view(np.int64)[0]
MANTISSA = np.int64((1 << 52) - 1)
E2, E3, E4, E5, E6, E7 = 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040
E8, E9, E10, E11, E12, E13 = 1 / 40320, 1 / 362880, 1 / 3628800, 1 / 39916800, 1 / 479001600, 1 / 6227020800
A3, A5, A7, A9, A11 = 2 / 3, 2 / 5, 2 / 7, 2 / 9, 2 / 11
A13, A15, A17, A19, A21 = 2 / 13, 2 / 15, 2 / 17, 2 / 19, 2 / 21


def _exp(x):
    """e^x."""
    turn = fma(x, LOG2E, MAGIC)
    k = turn - MAGIC
    r = fma(k, -LN2_LOW, fma(k, -LN2_HIGH, x))
    p = fma(r, E13, E12)
    p = fma(r, p, E11)
    p = fma(r, p, E10)
    p = fma(r, p, E9)
    p = fma(r, p, E8)
    p = fma(r, p, E7)
    p = fma(r, p, E6)
    p = fma(r, p, E5)
    p = fma(r, p, E4)
    p = fma(r, p, E3)
    p = fma(r, p, E2)
    return number(bits(fma(r * r, p, r) + 1.0) + (bits(turn) << 52))


def _log(y):
    """log y."""
    above = bits(y) - HALF_ROOT
    k, f = number((above >> 52) + MAGIC_BITS) - MAGIC, number((above & MANTISSA) + HALF_ROOT) - 1.0
    return series(k, f)


def _series(k, f):
    """k log 2 + log(1 + f)."""
    s = f / (2.0 + f)
    z = s * s
    p = fma(z, A21, A19)
    p = fma(z, p, A17)
    p = fma(z, p, A15)
    p = fma(z, p, A13)
    p = fma(z, p, A11)
    p = fma(z, p, A9)
    p = fma(z, p, A7)
    p = fma(z, p, A5)
    p = fma(z, p, A3)
    tail = fma(s * z, p, k * LN2_LOW)
    return fma(k, LN2_HIGH, fma(2.0, s, tail))


def _log1p(x):
    """log(1 + x)."""
    y = 1.0 + x
    above = bits(y) - HALF_ROOT
    k, f = above >> 52, number((above & MANTISSA) + HALF_ROOT) - 1.0
    f += (x - (y - 1.0)) * number((1023 - k) << 52)
    result = series(number(k + MAGIC_BITS) - MAGIC, f)
    return (result if y < np.inf else y) if y > 0.0 else -np.inf if y == 0.0 else np.nan


series = jit(_series)
exp, log, log1p = jit(_exp), jit(_log), jit(_log1p)
