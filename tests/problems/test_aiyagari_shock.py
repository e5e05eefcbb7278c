"""Aiyagari's economy after a shock, by name."""

from __future__ import annotations

import pytest

import mfgsolve as mfg


@pytest.mark.slow
def test_its_numbers():
    answer = mfg.solve("aiyagari-shock")
    sizes = answer.dataset["swept_excess"].values
    assert len(sizes) <= 10
    assert sizes[-1] <= 1e-13
    assert answer.warnings == ()
    assert answer.certificate.relative_exploitability < 1e-13
    assert answer.numbers["resting_price"] == pytest.approx(0.0459104591646777, abs=1e-13)
    assert answer.numbers["least_price"] == pytest.approx(0.04303314538974, abs=1e-12)


def test_parameters_are_those_of_the_statement():
    problem = mfg.problems.aiyagari_shock(fall=0.1, recovery=0.5, horizon=50.0, dt=5.0, points=40, productivity=0.2)
    assert problem.shock.stated == {"productivity": -0.1, "recovery": 0.5}
    assert problem.time == mfg.TimeGrid(50.0, 10)
    assert problem.economy.firm.technology.productivity == 0.2
    with pytest.raises(mfg.InputError, match="steps of 3 and a horizon of 200; a whole number of steps must make"):
        mfg.problems.aiyagari_shock(dt=3.0)
    with pytest.raises(mfg.InputError, match="steps of 0 and a horizon"):
        mfg.problems.aiyagari_shock(dt=0.0)
    assert problem.name == "aiyagari-shock"
