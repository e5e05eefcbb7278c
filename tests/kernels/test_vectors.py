"""Passes over vectors against NumPy."""

import numpy as np
import pytest

from mfgsolve.kernels import vectors

pytestmark = pytest.mark.kernel


def arrays(count, levels=3, cells=19):
    return np.random.default_rng(0).standard_normal((count, levels, cells))


def test_inner_product_with_a_scale_per_level_or_one_for_all():
    scale, a, b = arrays(3)
    assert vectors.inner(scale, a, b) == pytest.approx((scale * a * b).sum(), abs=1e-13)
    assert vectors.inner(scale[:1], a, b) == pytest.approx((scale[0] * a * b).sum(), abs=1e-13)


def test_updates_in_place():
    scale, residual, image = arrays(3)
    wanted = residual - 0.3 * image
    assert vectors.descend(scale, residual, image, 0.3) == pytest.approx((scale * wanted**2).sum(), abs=1e-12)
    np.testing.assert_allclose(residual, wanted, atol=1e-15)
    vectors.add(residual, image, 0.3)
    np.testing.assert_allclose(residual, wanted + 0.3 * image, atol=1e-15)
    direction = image.copy()
    vectors.turn(direction, residual, -2.0)
    np.testing.assert_allclose(direction, residual - 2.0 * image, atol=1e-14)


def test_crowd_totals_leave_out_weightless_levels_and_least_prices_of_shut_cells():
    price, mass = arrays(2)
    mass, weights, shut = np.abs(mass), np.array([0.5, 0.0, 2.0]), np.zeros(19)
    price[0, 4], shut[4], mass[:, 4] = -100.0, np.inf, 0.0
    price[1] = np.nan  # of no weight: never looked at
    paid = weights[[0, 2], None] * mass[[0, 2]] * price[[0, 2]]
    least = (price + shut)[[0, 2]].min(axis=1)
    above = paid.sum() - (weights[[0, 2]] * mass[[0, 2]].sum(axis=1) * least).sum()
    np.testing.assert_allclose(
        vectors.crowd_totals(weights, price, mass, shut), (paid.sum(), above, np.abs(paid).sum()), rtol=1e-13
    )


def test_copies_fill_the_target_whatever_else_the_source_holds():
    source, target = arrays(1)[0], np.zeros((2, 19))
    vectors.copy(target, source)
    np.testing.assert_array_equal(target, source[:2])


def test_sums_are_in_order():
    assert vectors.sum_of(np.array([1e16, 1.0, -1e16, 1.0])) == 1.0
    assert vectors.sum_of(np.zeros(0)) == 0.0
