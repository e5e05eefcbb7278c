"""Aiyagari's economy in discrete time, by name; its numbers are in tests/markets/test_mixing.py."""

from __future__ import annotations

import pytest

import mfgsolve as mfg


def test_it_is_solved_by_name_and_says_who_mixes(tmp_path):
    with pytest.warns(UserWarning, match="sit at the highest wealth, 20"):
        answer = mfg.solve("aiyagari-lecture", points=60)
    assert answer.converged
    assert "No sure plan clears the market" in answer.sentence
    assert answer.sentence == mfg.load(answer.save(tmp_path / "lecture.nc")).sentence
    assert 0 < answer.numbers["mixing_share"] < 1
    assert "of the indifferent, as at higher prices" in dict(answer.rows())


def test_labour_is_that_of_the_firm():
    economy = mfg.problems.aiyagari_lecture(points=20, labour=0.8)
    assert economy.labour == 0.8
    assert economy.stated["firm"]["labour"] == 0.8
    assert mfg.Economy(economy.households, firm=mfg.Firm()).labour == pytest.approx(0.55)
    with pytest.raises(mfg.InputError, match="labour of the firm is 0; a positive number"):
        mfg.problems.aiyagari_lecture(labour=0.0)
