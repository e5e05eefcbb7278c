"""exp, log and log(1 + x) against the library's."""

import numpy as np
import pytest

from mfgsolve.kernels import jit
from mfgsolve.kernels.elementary import exp, log, log1p

pytestmark = pytest.mark.kernel


def exps(out, x):
    for i in range(x.size):
        out[i] = exp(x[i])


def logs(out, x):
    for i in range(x.size):
        out[i] = log(x[i])


def log1ps(out, x):
    for i in range(x.size):
        out[i] = log1p(x[i])


OF_ROWS = {"exp": jit(exps), "log": jit(logs), "log1p": jit(log1ps)}


def of_each(function, numbers):
    return np.array([function(x) for x in numbers])


@pytest.mark.parametrize("name", OF_ROWS)
def test_rows_have_the_bits_of_single_numbers(name):
    """Whatever the compiler makes of a loop, and wherever in it a number stands."""
    x = np.random.default_rng(2).uniform(1e-3, 5.0, 67)
    for start in (0, 1, 5):
        out = np.empty(x.size - start)
        OF_ROWS[name](out, x[start:].copy())
        np.testing.assert_array_equal(out, of_each({"exp": exp, "log": log, "log1p": log1p}[name], x[start:]))


@pytest.mark.parametrize(("low", "high"), [(-700.0, 700.0), (-1.0, 1.0), (-1e-9, 1e-9)])
def test_to_the_last_places(low, high):
    x = np.random.default_rng(1).uniform(low, high, 400)
    np.testing.assert_allclose(of_each(exp, x), np.exp(x), rtol=4.5e-16)
    y = np.exp(x)
    np.testing.assert_allclose(of_each(log, y), np.log(y), rtol=4.5e-16, atol=1e-22)


def test_log1p_to_the_last_places():
    """3 units, near 0 and near -1, where rounding 1 + x loses most, as well as far out."""
    random = np.random.default_rng(3)
    small, large = 10.0 ** random.uniform(-300, 0, 300), 10.0 ** random.uniform(0, 300, 300)
    x = np.concatenate([small, -0.999 * small, random.uniform(-1.0, 1.0, 300), large])
    exact = np.log1p(x)
    assert np.abs((of_each(log1p, x) - exact) / np.spacing(exact)).max() <= 3


def test_log1p_of_what_has_none():
    with np.errstate(all="ignore"):
        x = np.array([np.nan, -2.0, -np.inf, -1.0, np.inf, 0.0])
        np.testing.assert_array_equal(of_each(log1p, x), np.log1p(x))


def test_exact_where_numbers_are():
    assert exp(0.0) == 1.0
    assert log(1.0) == 0.0
