"""The economy of Aiyagari by its name."""

from __future__ import annotations

import pytest

import mfgsolve as mfg


def test_capital_is_that_of_the_continuum_and_goods_add_up():
    answer = mfg.solve("aiyagari")
    numbers = answer.numbers
    assert answer.discretisation.extrapolated_price == pytest.approx(0.04624377371, abs=5e-7)
    assert numbers["capital"] == pytest.approx(0.3057, abs=2e-3)
    assert numbers["mean_consumption"] + 0.05 * numbers["capital"] == pytest.approx(numbers["output"], rel=1e-10)


def test_bad_parameters_are_told():
    with pytest.raises(mfg.InputError, match="share of capital is 2"):
        mfg.problems.aiyagari(share=2.0)
