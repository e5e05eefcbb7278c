"""Transitions through the door of all statements: solved, told, kept, read."""

from __future__ import annotations

import json

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.markets import Transition, TransitionPath
from tests.economies import aiyagari, huggett

FALL, YEARS = mfg.Shock(productivity=-0.03, recovery=0.2), mfg.TimeGrid(60.0, 60)


@pytest.fixture(scope="module")
def answer():
    return mfg.solve(mfg.Transition(aiyagari(60), FALL, YEARS), check="ignore")  # which is a little short


def test_it_tells_prices_and_how_good_they_are(answer):
    assert answer.converged
    assert answer.relative_exploitability < 1e-12
    proof = answer.certificate
    assert answer.exploitability == proof.exploitability
    assert answer.relative_exploitability == max(proof.relative_exploitability, proof.price_error / 0.05)
    assert "Markets clear to" in answer.sentence
    assert "Shorter steps would move an interest rate by about" in answer.sentence
    rows = dict(answer.rows())
    assert rows["steps"] == "60 to 60"
    assert float(rows["interest rate at rest"].split()[0]) == pytest.approx(answer.numbers["resting_price"], rel=1e-14)
    assert list(answer.table()["step"]) == list(range(60))


def test_a_file_is_the_answer_again(answer, tmp_path):
    again = mfg.load(answer.save(tmp_path / "shock.nc"))
    assert isinstance(again, TransitionPath)
    assert again.dataset.identical(answer.dataset)
    assert again.certificate == answer.certificate
    assert again.sentence == answer.sentence
    stated = json.loads(again.dataset.attrs["stated"])
    assert stated["shock"] == {"productivity": -0.03, "recovery": 0.2}
    assert stated["time"] == {"horizon": 60.0, "steps": 60}


def test_summary_is_json(answer):
    read = json.loads(json.dumps(answer.summary(), allow_nan=False))
    assert read["resting_price"] == answer.numbers["resting_price"]
    assert read["potential"] is None
    plain = mfg.solve(mfg.Transition(huggett(40), FALL, YEARS), estimate=False)
    read = json.loads(json.dumps(plain.summary(), allow_nan=False))
    assert (read["resting_capital"], read["step_error"]) == (None, None)
    assert "capital at rest" not in dict(plain.rows())


def test_warnings_stand_wherever_the_answer_stands(tmp_path):
    short = mfg.Transition(aiyagari(60), FALL, mfg.TimeGrid(10.0, 10))
    with pytest.warns(UserWarning, match="At the horizon 10 capital is still at"):
        answer = mfg.solve(short)
    assert answer.warnings[0].code == "not-returned"
    assert answer.warnings[0].sentence in answer.sentence
    assert mfg.load(answer.save(tmp_path / "short.nc")).warnings == answer.warnings
    assert answer.summary()["warnings"][0]["code"] == "not-returned"
    assert any("not returned" in text.get_text() for text in answer.plot().texts)


def test_history_tells_each_sweep(answer):
    seen = []
    again = mfg.solve(mfg.Transition(aiyagari(60), FALL, YEARS), estimate=False, check="ignore", callback=seen.append)
    history = again.dataset["relative_exploitability"].values
    assert len(history) == len(seen) == again.dataset.sizes["iteration"]
    assert np.isnan(seen[0].exploitability)
    assert history[0] == seen[0].relative_exploitability > 1e-3
    np.testing.assert_array_equal(again.dataset["sweeps"], np.arange(1, len(seen) + 1))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((1, FALL, YEARS), "economy of the transition is 1; an mfg.Economy is needed"),
        ((huggett(40), -0.03, YEARS), "shock of the transition is -0.03; an mfg.Shock"),
        ((huggett(40), FALL, 200), "time of the transition is 200; an mfg.TimeGrid"),
        ((huggett(40), FALL, mfg.TimeGrid(200.0)), "has no number of steps"),
        (
            (huggett(40), FALL, mfg.TimeGrid(200.0, 4, discount=0.1)),
            "has a discount rate, 0.1; households have their own",
        ),
        ((mfg.problems.aiyagari_lecture(points=20), FALL, YEARS), "needs households in continuous time"),
        ((huggett(40), mfg.Shock(productivity=np.zeros(3)), YEARS), "one number for each of the 60 steps"),
    ],
)
def test_bad_statements_are_sentences(arguments, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        Transition(*arguments)


@pytest.mark.parametrize("options", [{"tol": 0.0}, {"max_sweeps": 0}, {"sweep": 3}, {"tol": float("nan")}])
def test_bad_options_are_sentences(options):
    with pytest.raises(mfg.InputError, match=next(iter(options))):
        mfg.solve(mfg.Transition(huggett(40), FALL, YEARS), **options)
