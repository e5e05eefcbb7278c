"""The labelled arrays of a transition: each is what its words say, worked out again from the others."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.markets.path_datasets import TOLD
from tests.economies import aiyagari


@pytest.fixture(scope="module")
def data():
    shock = mfg.Shock(productivity=-0.03, recovery=0.2)
    return mfg.solve(
        mfg.Transition(aiyagari(60), shock, mfg.TimeGrid(100.0, 100)), estimate=False, check="ignore"
    ).dataset


def test_every_variable_has_its_dimensions_and_unit(data):
    for name, (dims, text, unit) in TOLD.items():
        assert data[name].dims == dims
        assert (data[name].attrs["long_name"], data[name].attrs["units"]) == (text, unit)
        assert np.isfinite(data[name].values).all()
    np.testing.assert_array_equal(data["time"], np.arange(101.0))
    np.testing.assert_array_equal(data["step"], np.arange(100.0))


def test_aggregates_are_sums_over_households(data):
    mass = (data["density"] * data["cell_width"]).transpose("time", "income", "wealth")
    np.testing.assert_allclose(mass.sum(("income", "wealth")), 1, atol=1e-13)
    np.testing.assert_allclose((mass * data["wealth"]).sum(("income", "wealth")), data["mean_wealth"], rtol=1e-13)
    np.testing.assert_allclose(mass.isel(wealth=0).sum("income"), data["mass_at_limit"], rtol=1e-13)
    inside = mass.values[1:]
    mean = (inside * data["consumption"].values).sum(axis=(1, 2))
    np.testing.assert_allclose(data["mean_consumption"], mean, rtol=1e-13)
    slope = np.diff(data["consumption"].values, axis=2) / np.diff(data["wealth"].values)
    slope = np.concatenate([slope, slope[:, :, -1:]], axis=2)
    np.testing.assert_allclose(data["mean_marginal_propensity"], (inside * slope).sum(axis=(1, 2)), rtol=1e-12)
    assert data["gini_wealth"].values.argmax() > 0


def test_goods_that_are_made_are_consumed_or_become_capital(data):
    capital = data["mean_wealth"].values
    made, spent = data["output"].values, data["mean_consumption"].values
    # interest of a step is paid on wealth after it, at the price of the capital before it
    late = data["interest_rate"].values * np.diff(capital)
    np.testing.assert_allclose(np.diff(capital), made + late - 0.05 * capital[:-1] - spent, atol=1e-13)


def test_numbers_tell_rest_and_the_farthest_from_it(data):
    attrs = data.attrs
    assert attrs["least_price"] == data["interest_rate"].min()
    assert attrs["largest_price"] == data["interest_rate"].max()
    assert attrs["least_capital"] == data["capital"].min() < attrs["resting_capital"]
    assert attrs["least_consumption"] == pytest.approx(data["mean_consumption"].min().item(), rel=1e-14)
    response = data["mean_consumption"] / attrs["resting_consumption"] - 1
    np.testing.assert_allclose(data["consumption_response"], response, atol=1e-14)
    assert attrs["horizon_error"] == pytest.approx(abs(data["interest_rate"].values[-1] - attrs["resting_price"]))
