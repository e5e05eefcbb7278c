"""Prices of a competitive firm are derivatives of its output, and exhaust it."""

from __future__ import annotations

import pytest

import mfgsolve as mfg


def test_prices_are_derivatives_and_exhaust_output():
    technology, K, L, step = mfg.CobbDouglas(share=0.4, productivity=0.7), 2.3, 1.7, 1e-6
    firm = mfg.Firm(technology, depreciation=0.06)
    r, w = firm.prices(K, L)
    assert r + 0.06 == pytest.approx((technology.output(K + step, L) - technology.output(K - step, L)) / (2 * step))
    assert w == pytest.approx((technology.output(K, L + step) - technology.output(K, L - step)) / (2 * step))
    assert (r + 0.06) * K + w * L == pytest.approx(technology.output(K, L))
    assert firm.capital(r, L) == pytest.approx(K)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: mfg.CobbDouglas(share=1.0), "share of capital is 1; a number between 0 and 1"),
        (lambda: mfg.CobbDouglas(productivity=0), "productivity is 0; a positive number"),
        (lambda: mfg.Firm(depreciation=-0.1), "depreciation of the firm is -0.1; a number of at least 0"),
        (lambda: mfg.Firm(technology=0.3), "technology of the firm is 0.3; a technology is needed"),
    ],
)
def test_bad_firms_are_told(make, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        make()
