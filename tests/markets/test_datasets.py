"""The dataset of an equilibrium: everything labelled, sums as they must be."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.cautions import stored
from mfgsolve.markets.datasets import TOLD
from tests.economies import aiyagari, huggett


@pytest.fixture(scope="module")
def data():
    return mfg.solve(aiyagari(200)).dataset


def test_every_variable_has_its_dimensions_unit_and_sentence(data):
    for name, (dims, text, unit) in TOLD.items():
        assert data[name].dims == dims
        assert data[name].attrs == {"long_name": text, "units": unit}
    assert all("long_name" in data[name].attrs for name in data.coords if name != "iteration")


def test_density_is_mass_per_unit_of_wealth(data):
    assert float((data.density * data.cell_width).sum()) == pytest.approx(1.0)
    assert float(data.mass.sel(income=1.0).sum()) == pytest.approx(0.5)


def test_aggregates_are_those_of_the_arrays(data):
    about = data.attrs
    assert about["capital"] == pytest.approx(float((data.mass * data.wealth).sum()))
    assert about["mean_consumption"] == pytest.approx(about["output"] - 0.05 * about["capital"], rel=1e-9)
    assert about["mass_at_limit"] == pytest.approx(float(data.mass.isel(wealth=0).sum()))
    assert about["gini_wealth"] == pytest.approx(
        1 - 2 * np.trapezoid(data.lorenz.sel(amount="wealth"), data.share), abs=1e-3
    )
    assert about["mean_marginal_propensity"] == pytest.approx(float((data.mass * data.marginal_propensity).sum()))
    assert about["discretisation_price"] > 0
    assert about["kind"] == "economy"
    assert stored(about) == ()


def test_the_poor_spend_most_of_a_little_more(data):
    spent = data.marginal_propensity.sel(income=1.0)
    assert float(spent[0]) > 3 * float(spent.sel(wealth=5, method="nearest"))
    assert float(spent.max()) <= 1
    assert data.wealth_quantile.values.tolist() == sorted(data.wealth_quantile.values)


def test_without_total_wealth_there_are_no_shares_of_it():
    data = mfg.solve(huggett(100), estimate=False).dataset
    assert np.isnan(data.lorenz.sel(amount="wealth")).all()
    assert np.isnan(data.attrs["gini_wealth"])
    assert data.attrs["gini_consumption"] > 0
    assert np.isnan(data.attrs["capital"])
    assert np.isnan(data.attrs["discretisation_price"])
