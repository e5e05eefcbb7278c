"""Income chains: laws, labels, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg


def test_the_law_is_left_as_it_is_in_either_time():
    rates = np.array([[0, 0.4, 0.1], [0.2, 0, 0.5], [0.6, 0.3, 0]])
    income = mfg.Income([1, 2, 3], rates=rates)
    assert income.law @ income.matrix == pytest.approx(np.zeros(3), abs=1e-15)
    assert income.law.sum() == pytest.approx(1.0)
    assert income.mean == pytest.approx(income.law @ [1, 2, 3])
    chances = mfg.Income([1, 2, 3], probabilities=np.eye(3) + 0.1 * income.matrix)
    assert chances.law == pytest.approx(income.law)
    assert (income.time, chances.time) == ("continuous", "discrete")


def test_two_rates_are_those_up_and_down():
    assert mfg.Income([0.1, 0.2], rates=[1.0, 3.0]).law.tolist() == pytest.approx([0.75, 0.25])
    assert mfg.Income([0.1, 0.2], rates=[1.0, 3.0]).matrix.tolist() == [[-1.0, 1.0], [3.0, -3.0]]


def test_labelled_rates_are_read_by_their_names():
    rates = xr.DataArray([[0.0, 3.0], [1.0, 0.0]], {"next_income": [0.1, 0.2], "income": [0.1, 0.2]},
                         ("next_income", "income"))  # fmt: skip
    assert mfg.Income([0.1, 0.2], rates=rates).matrix[0].tolist() == [-1.0, 1.0]


def test_one_level_is_a_chain():
    assert mfg.Income([0.3], rates=[[0.0]]).law.tolist() == [1.0]


def test_what_is_stated_makes_it_again():
    income = mfg.Income([0.1, 0.2], rates=[1.0, 3.0])
    assert (mfg.Income(**income.stated).matrix == income.matrix).all()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"rates": [[0, 1, 0], [1, 0, 0], [0, 0, 0]]}, r"reducible: .* groups \[1.0, 2.0\], \[3.0\]"),
        ({"rates": [[0, 1, 0], [1, 0, 0], [0, 1, 0]]}, r"\[3.0\] \(left for ever\).*drop the levels"),
        ({"probabilities": [[1, 0, 0], [0, 0.5, 0.5], [0, 0.5, 0.5]]}, "reducible"),
        ({"rates": [[0, -1, 0], [1, 0, 1], [1, 1, 0]]}, "at least 0 are needed off the diagonal"),
        ({"rates": [[0.5, 0.5, 0], [0.2, 0.6, 0.2], [0, 0.5, 0.5]]}, "diagonal .* give chances of discrete time"),
        ({"probabilities": [[0, 1, 1], [1, 0, 0], [0, 0, 1]]}, "rows of the probabilities of income sum to"),
        ({"rates": [[0, 1], [1, 0]]}, r"shape \(2, 2\); a matrix \(3, 3\)"),
        ({"rates": np.full((3, 3), np.nan)}, "finite numbers"),
        ({}, "either rates"),
        ({"rates": np.ones((3, 3)), "probabilities": np.ones((3, 3))}, "either rates"),
    ],
)
def test_bad_chains_are_told(given, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        mfg.Income([1, 2, 3], **given)


@pytest.mark.parametrize("levels", [[2, 1], [0, 1], [1, 1], [-1, 1], [1, np.inf], [], 3.0])
def test_levels_are_positive_and_increase(levels):
    with pytest.raises(mfg.InputError, match="levels of income"):
        mfg.Income(levels, rates=[1, 1])
