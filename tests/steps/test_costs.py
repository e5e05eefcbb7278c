"""Least values of what is allowed, and fields less these."""

import math

import numpy as np

from mfgsolve.steps.costs import OwnCost, least_allowed, lowered


def table():
    """Two levels, two actions, two populations of three cells; the cheapest entry of all is not allowed."""
    field = np.random.default_rng(0).uniform(1.0, 2.0, (2, 2, 2, 3))
    allowed = np.ones((2, 2, 3), dtype=bool)
    field[:, 1, 0, 2], allowed[1, 0, 2] = -9.0, False
    return field, allowed


def test_least_values_are_of_what_is_allowed():
    field, allowed = table()
    wanted = [
        [min(field[t, a, p, x] for a in range(2) for x in range(3) if allowed[a, p, x]) for p in range(2)]
        for t in range(2)
    ]
    np.testing.assert_array_equal(least_allowed(field, allowed), wanted)


def test_lowered_fields_are_least_at_zero_and_zero_where_nothing_is_allowed():
    field, allowed = table()
    low, least = lowered(field.reshape(2, 2, 6), allowed)
    back = low.reshape(field.shape) + least[:, None, :, None]
    np.testing.assert_allclose(back[:, allowed], field[:, allowed], rtol=1e-15)
    assert (low.reshape(field.shape)[:, ~allowed] == 0).all()
    np.testing.assert_array_equal(np.where(allowed, low.reshape(field.shape), np.inf).min(axis=(1, 3)), 0.0)


def test_a_share_at_the_cap_is_not_measured_unless_it_is_said():
    assert math.isnan(OwnCost(1.0, 1.0, 1.0).capped)
