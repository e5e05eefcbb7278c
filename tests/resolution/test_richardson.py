"""Orders and errors from three meshes: right where one term is left, and rather too large than too small with two."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfgsolve.resolution.richardson import LEAST, error_of, extrapolated, observed_order


@pytest.mark.parametrize(("order", "ratio"), [(0.6, 2.0), (1.0, 2.0), (1.0, 3.0), (2.0, 2.0), (4 / 3, 1.5)])
def test_one_term_is_found_with_its_order_its_error_and_its_limit(order: float, ratio: float) -> None:
    limit, constant = -0.24369, 0.3
    first, second, third = (limit + constant * (0.01 * ratio**k) ** order for k in range(3))
    assert observed_order(first, second, third, 2.0, ratio) == pytest.approx(order, rel=1e-9)
    assert error_of(first, second, third, 2.0, ratio) == pytest.approx(first - limit, rel=1e-9)
    assert extrapolated(first, second, order, ratio) == pytest.approx(limit, rel=1e-12)


def test_an_order_is_believed_between_the_least_and_the_formal_one() -> None:
    assert observed_order(0.0, -1.0, -9.0, formal=1.0) == 1.0  # log2 8 = 3
    assert observed_order(0.0, 1.0, 2.1, formal=1.0) == LEAST  # log2 1.1
    assert observed_order(0.0, 1.0, 1.5, formal=1.0) == LEAST  # differences that grow


@pytest.mark.parametrize("numbers", [(0.0, 1.0, 0.5), (1.0, 1.0, 2.0), (1.0, 2.0, math.nan), (1.0, math.inf, 2.0)])
def test_where_differences_show_no_order_there_is_none(numbers: tuple[float, float, float]) -> None:
    assert math.isnan(observed_order(*numbers, formal=1.0))


def test_two_terms_of_any_signs_are_bounded_within_a_factor_of_about_three() -> None:
    """P(h) = a h - b h^2 with a = share b h: from where one term cancels the other to where one alone is left."""
    for share in np.r_[np.linspace(-40, -2, 20), np.linspace(1.7, 40, 400)]:
        first, second, third = (share * width - width**2 for width in (1.0, 2.0, 4.0))
        error = error_of(first, second, third, formal=1.0)
        assert error >= 0.98 * abs(first), share
        if not 0.0 < share < 2.7:  # there the error itself vanishes
            assert error <= 3.1 * abs(first), share


def test_two_meshes_are_taken_as_of_the_least_order() -> None:
    assert error_of(1.0, 1.1, math.nan, formal=1.0) == pytest.approx(0.1 / (math.sqrt(2) - 1))
    assert math.isnan(error_of(1.0, math.nan, math.nan, formal=1.0))


def test_the_upwind_flagship_is_predicted_as_in_its_design() -> None:
    """Potentials of 8^2 x 64 to 64^2 x 512, and the continuous one: 1.9 and 2.2 times too large."""
    potentials, limit = [-0.19638648, -0.22251146, -0.23602226, -0.24133916], -0.243690
    ratios = []
    for k in (2, 3):
        first, second, third = potentials[k], potentials[k - 1], potentials[k - 2]
        ratios.append(error_of(first, second, third, formal=1.0) / abs(first - limit))
    assert ratios == pytest.approx([1.9, 2.2], abs=0.1)
