"""exp and log of rows against the library's."""

import numpy as np
import pytest

from mfgsolve.kernels.elementary import exp_row, log_row

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("n", [1, 7, 64, 129])
def test_to_the_last_places(n):
    random = np.random.default_rng(n)
    work, out = np.empty((2, n)), np.empty(n)
    for low, high in ((-700.0, 700.0), (-1.0, 1.0), (-1e-9, 1e-9)):
        x = random.uniform(low, high, n)
        exp_row(x, work, out, n)
        np.testing.assert_allclose(out, np.exp(x), rtol=4.5e-16)
        y = np.exp(x)
        log_row(y, work, out, n)
        np.testing.assert_allclose(out, np.log(y), rtol=4.5e-16, atol=1e-22)


def test_exact_where_numbers_are():
    x, work, out = np.zeros(3), np.empty((2, 3)), np.empty(3)
    exp_row(x, work, out, 3)
    np.testing.assert_array_equal(out, 1.0)
    log_row(out.copy(), work, out, 3)
    np.testing.assert_array_equal(out, 0.0)
