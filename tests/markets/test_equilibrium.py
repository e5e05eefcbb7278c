"""Economies through the door of all statements: solved, told, kept, read."""

from __future__ import annotations

import json
import math

import pytest

import mfgsolve as mfg
from tests.economies import HUGGETT_CHAINS, aiyagari, huggett


@pytest.fixture(scope="module")
def answer():
    return mfg.solve(huggett(500))


def test_it_tells_the_price_its_error_and_that_of_the_grid(answer):
    assert answer.price == pytest.approx(HUGGETT_CHAINS[500], abs=1e-12)
    assert answer.converged
    assert answer.wage == 1.0
    assert answer.relative_exploitability < 1e-10
    assert answer.discretisation.sentence in answer.sentence
    assert "r = 0.031916582659, off by" in answer.sentence
    rows = dict(answer.rows())
    assert rows["interest rate r"].startswith("0.03191658265")
    assert "capital" not in rows
    assert "potential" not in rows
    assert rows["... the continuum by about"] == "5.71e-03"


def test_the_larger_of_both_parts_is_what_a_tolerance_refers_to(answer):
    proof = answer.certificate
    assert answer.relative_exploitability == max(proof.relative_regret, proof.price_error / 0.05)
    assert answer.exploitability == proof.regret
    explicit = mfg.solve(aiyagari(60), estimate=False)
    assert explicit.exploitability == explicit.certificate.exploitability != explicit.certificate.regret


def test_a_file_is_the_answer_again(answer, tmp_path):
    again = mfg.load(answer.save(tmp_path / "economy.nc"))
    assert isinstance(again, type(answer))
    assert again.dataset.identical(answer.dataset)
    assert str(again.certificate) == str(answer.certificate)
    assert again.discretisation == answer.discretisation
    assert again.sentence == answer.sentence


def test_a_file_says_what_was_stated(answer):
    told = json.loads(answer.dataset.attrs["stated"])
    assert told["market"] == {"supply": 0.0}
    parts = told["households"]
    wealth, income = mfg.Wealth.power(**parts["wealth"]), mfg.Income(**parts["income"])
    households = mfg.Households(wealth, income, mfg.CRRA(**parts["utility"]), parts["discount_rate"])
    assert mfg.solve(mfg.Economy(households), estimate=False).price == answer.price
    own = aiyagari(60, supply=lambda r: 0.0, bracket=(0.03, 0.049)).stated
    assert own["market"] == {"supply": "a <lambda> of one's own", "bracket": [0.03, 0.049]}
    assert own["firm"]["technology"] == {"share": 1 / 3, "productivity": 0.1}


def test_summary_is_json_and_says_what_was_not_measured(answer):
    read = json.loads(json.dumps(answer.summary(), allow_nan=False))
    assert read["price"] == answer.price
    assert read["potential"] is None
    assert read["capital"] is None
    assert read["discretisation"]["price"] == answer.discretisation.price
    assert read["warnings"] == []
    assert read["clearing_prices"] == [answer.price]


def test_warnings_stand_wherever_the_answer_stands(tmp_path):
    short = mfg.Economy(huggett().households.on(mfg.Wealth.uniform(-0.15, 0.2, 100)))
    with pytest.warns(UserWarning, match="of all households sit at the highest wealth, 0.2") as said:
        answer = mfg.solve(short)
    assert said[0].filename == __file__
    again = mfg.load(answer.save(tmp_path / "short.nc"))
    for told in (answer.sentence, again.sentence, answer._repr_html_(), json.dumps(answer.summary())):
        assert "sit at the highest wealth" in told
    with pytest.raises(mfg.Doubtful, match="end too early"):
        mfg.solve(short, check="raise")


def test_what_does_not_converge_says_so():
    jump = huggett(60, supply=lambda r: 0.2 if r < 0.03 else -0.1)
    with pytest.raises(mfg.NotConverged, match="huggett ended with status 'stalled'") as stopped:
        mfg.solve(jump, check="raise")
    stalled = stopped.value.solution
    assert stalled.price == pytest.approx(0.03)
    assert stalled.relative_exploitability == stalled.certificate.price_error / 0.05 > 1e-6


def test_progress_is_told_and_may_stop_it():
    told = []
    answer = mfg.solve(huggett(60), callback=lambda measure: told.append(measure) or len(told) == 4, check="ignore")
    assert answer.status is mfg.Status.STOPPED
    assert len(told) == 4
    assert math.isnan(told[0].relative_exploitability)
    assert told[3].relative_exploitability > 0
    assert answer.dataset["tried_price"].sizes["iteration"] == answer.dataset["sweeps"].size == 5


def test_a_table_has_a_row_for_every_state(answer):
    frame = answer.table()
    assert len(frame) == 1000
    assert frame["mass"].sum() == pytest.approx(1.0)
    assert list(frame.columns) == [
        "income", "wealth", "density", "mass", "consumption", "saving", "value", "marginal_propensity",
    ]  # fmt: skip


def test_options_and_wrong_names_are_told(answer):
    with pytest.raises(mfg.InputError, match="unknown option 'tole'; did you mean 'tol'"):
        mfg.solve(huggett(40), tole=1e-3)
    with pytest.raises(AttributeError, match="did you mean 'price'"):
        _ = answer.prise
    with pytest.raises(mfg.InputError, match="name of the economy is 3; a text is needed"):
        mfg.Economy(huggett().households, name=3)
    with pytest.raises(mfg.InputError, match=r"solve of an economy: unknown option .objective."):
        mfg.price_of_anarchy(huggett(40))
