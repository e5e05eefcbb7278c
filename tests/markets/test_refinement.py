"""The grid error: right where the price follows its law, and right of Huggett's economy."""

from __future__ import annotations

import math

import pytest

import mfgsolve as mfg
from mfgsolve.markets.refinement import GridError, coarser, estimated
from tests.economies import HUGGETT, HUGGETT_CHAINS, huggett


def test_whole_powers_are_extrapolated_away():
    widths = [0.01, 0.02, 0.04]
    error = estimated([0.03 + 0.5 * h - 0.7 * h**2 for h in widths], widths)
    assert error.extrapolated_price == pytest.approx(0.03, abs=1e-15)
    assert error.price == pytest.approx(0.5 * 0.01, rel=0.06)
    assert error.order == pytest.approx(1.0, abs=0.1)


def test_two_grids_have_no_order_and_one_tells_why():
    assert math.isnan(estimated([1.0, 1.1], [0.1, 0.2]).order)
    alone = mfg.markets.stationary(huggett(20)).discretisation
    assert not alone.is_measured
    assert "20 points have no coarser ones" in alone.sentence
    assert alone.short == ""


def test_coarser_points_are_every_second_and_every_fourth():
    own = huggett(401, 2.0)
    half, quarter, eighth = coarser(own)
    assert half.households.wealth.points == pytest.approx(own.households.wealth.points[::2], abs=1e-15)
    assert quarter.households.wealth.points == pytest.approx(own.households.wealth.points[::4], abs=1e-15)
    assert eighth.households.wealth.count == 51


@pytest.mark.parametrize(("points", "exponent"), [(500, 1.0), (1000, 1.0), (201, 2.0), (801, 2.0)])
def test_the_estimate_is_one_to_three_times_the_error(points, exponent):
    answer = mfg.markets.stationary(huggett(points, exponent))
    error = abs(answer.price - HUGGETT)
    assert 1 <= answer.discretisation.price / error < 3
    off = abs(answer.discretisation.extrapolated_price - HUGGETT)
    assert off < error / 8
    assert off < answer.discretisation.extrapolated_price_error
    if exponent == 1.0:
        assert answer.price == pytest.approx(HUGGETT_CHAINS[points], abs=1e-12)


def test_what_attributes_hold_is_read_again():
    error = estimated([1.0, 1.1, 1.3], [0.1, 0.2, 0.4])
    assert GridError.read(error.attributes) == error
    assert GridError().facts["price"] is None
    assert "not measured" in GridError().sentence
    assert "off by about" in error.sentence
    assert "to the continuum" in error.short
