"""Prices of an aggregate in somebody else's game."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.interop.aggregates import price_coupling


def test_a_price_of_an_aggregate_is_recognised():
    amounts, shape = np.array([[0.0, 1, 2], [3, 0, 1]]), (2, 3)
    price = price_coupling(
        lambda t, w: amounts**2 - amounts / (1 + t + (amounts * w).sum()),
        lambda t, w, d: amounts * (amounts * d).sum() / (1 + t + (amounts * w).sum()) ** 2,
        range(2),
        shape,
    )
    np.testing.assert_allclose(price.amounts / price.amounts[0, 1], amounts)
    scale = price.amounts[0, 1]
    # the price counts from an empty crowd: p(A) = 1 / (1 + t) - 1 / (1 + t + A)
    assert scale * price.derivative(1, 0.8 * scale) == pytest.approx(1 / 2 - 1 / 2.8)
    assert price.value(1, 0.8 * scale) == pytest.approx(0.8 / 2 - np.log(1.4), rel=1e-10)
    smooth = price.smooth()
    assert type(smooth) is not type(price)
    for amount in (0.1, 0.8, 2.9, 40.0):  # the last lies outside what can occur
        a = amount * scale
        assert smooth.derivative(1, a) == pytest.approx(price.derivative(1, a), rel=1e-12)
        assert smooth.second(1, a) == pytest.approx(price.second(1, a), rel=1e-9)
        assert smooth.value(1, a) == pytest.approx(price.value(1, a), rel=1e-9)
    assert price_coupling(lambda t, w: w**2, lambda t, w, d: 2 * w * d, range(2), shape) is None
