"""exp and log against the library's."""

import numpy as np
import pytest

from mfgsolve.kernels.elementary import exp, log

pytestmark = pytest.mark.kernel


def of_each(function, numbers):
    return np.array([function(x) for x in numbers])


@pytest.mark.parametrize(("low", "high"), [(-700.0, 700.0), (-1.0, 1.0), (-1e-9, 1e-9)])
def test_to_the_last_places(low, high):
    x = np.random.default_rng(1).uniform(low, high, 400)
    np.testing.assert_allclose(of_each(exp, x), np.exp(x), rtol=4.5e-16)
    y = np.exp(x)
    np.testing.assert_allclose(of_each(log, y), np.log(y), rtol=4.5e-16, atol=1e-22)


def test_exact_where_numbers_are():
    assert exp(0.0) == 1.0
    assert log(1.0) == 0.0
