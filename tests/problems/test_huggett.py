"""The economy of Huggett by its name."""

from __future__ import annotations

import pytest

import mfgsolve as mfg
from tests.economies import HUGGETT, HUGGETT_CHAINS


def test_even_points_have_the_price_of_widely_copied_codes():
    answer = mfg.solve("huggett", points=1000, exponent=1)
    assert answer.price == pytest.approx(HUGGETT_CHAINS[1000], abs=1e-12)
    assert answer.name == "huggett"
    assert answer.dataset.attrs["parameter_points"] == 1000


def test_its_own_points_are_nearer_and_know_it():
    answer = mfg.solve("huggett")
    assert abs(answer.price - HUGGETT) < 4e-4 < 2e-3
    assert abs(answer.discretisation.extrapolated_price - HUGGETT) < 3e-7


def test_what_cannot_be_is_told_by_the_economy():
    with pytest.raises(mfg.InputError, match="parameter of huggett"):
        mfg.problems.huggett(borrowing=0.1)
    with pytest.raises(mfg.InputError, match="nobody can lend to anybody"):
        mfg.solve("huggett", limit=0.0, points=40)
