"""Pictures of transitions: what stands in them."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

import mfgsolve as mfg
from mfgsolve import plots
from tests.economies import aiyagari, huggett


@pytest.fixture(scope="module")
def answer():
    shock = mfg.Shock(productivity=-0.03, recovery=0.2)
    return mfg.solve(mfg.Transition(aiyagari(60), shock, mfg.TimeGrid(100.0, 100)), check="ignore")


def test_every_panel_shows_what_the_dataset_holds(answer):
    figure, data = answer.plot(), answer.dataset
    rest, price, spent, gini, first, moved = figure.axes
    lines = {line.get_label(): line for line in rest.lines}
    shown = lines["consumption"].get_xdata()
    inside = data["step"].values <= shown[-1]
    assert 20 < shown[-1] < 100
    assert set(lines) >= {"consumption", "capital", "output", "productivity"}
    assert "impatience" not in lines
    np.testing.assert_allclose(lines["consumption"].get_ydata(), 100 * data["consumption_response"][inside])
    assert lines["productivity"].get_ydata()[0] == pytest.approx(-3)
    assert lines["output"].get_ydata()[0] == pytest.approx(-3)
    np.testing.assert_array_equal(price.lines[0].get_ydata(), data["interest_rate"].values[inside])
    assert price.lines[1].get_ydata()[0] == data.attrs["resting_price"]
    np.testing.assert_array_equal(spent.lines[0].get_ydata(), data["mean_marginal_propensity"].values[inside])
    assert gini.lines[0].get_ydata()[0] == data["gini_wealth"].values[0]
    change = data["consumption"].isel(step=0, income=0, wealth=5) / data["resting_consumption"].isel(income=0, wealth=5)
    assert first.lines[0].get_ydata()[5] == pytest.approx(100 * (change.item() - 1))
    assert all(line.get_ydata().max() > 0.1 for line in moved.lines[:4])
    assert figure.get_suptitle().startswith("transition: r from 0.04")


def test_without_a_firm_and_narrow():
    shock = mfg.Shock(impatience=0.1, recovery=0.3)
    answer = mfg.solve(mfg.Transition(huggett(60), shock, mfg.TimeGrid(60.0, 60)), estimate=False)
    figure = plots.draw(answer, width=3.5)
    assert isinstance(figure, Figure)
    labels = {line.get_label() for line in figure.axes[0].lines}
    assert {"consumption", "impatience"} <= labels
    assert not labels & {"capital", "output", "productivity"}
    assert figure.axes[3].get_title() == "at the borrowing limit"


def test_an_economy_at_rest_has_a_picture():
    answer = mfg.solve(mfg.Transition(aiyagari(60), mfg.Shock(), mfg.TimeGrid(10.0, 10)), estimate=False)
    assert len(answer.plot().axes) == 6
