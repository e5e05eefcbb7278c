"""Multipliers of hard bounds from a dataset: in their columns, by their names, and what is told of others."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.games.multipliers import multiplier_from

CAP = np.arange(6.0).reshape(3, 2)  # (time, state)
PRICE = np.array([[7.0], [8.0]])  # (step, aggregate)


def game(coupling: mfg.CrowdAversion):
    return make_game(mfg.Problem(
        grid=mfg.States(["here", "there"]), time=mfg.TimeGrid(1.0, 2), coupling=coupling, initial=np.array([0.5, 0.5]),
        dynamics=mfg.Tabular([np.eye(2), np.eye(2)[::-1]])))  # fmt: skip


def stated(cap: np.ndarray = CAP, price: np.ndarray = PRICE, state: tuple[str, str] = ("here", "there")) -> xr.Dataset:
    return xr.Dataset(
        {"capacity_multiplier": (("time", "state"), cap), "price_multiplier": (("step", "aggregate"), price)},
        {"time": [0.0, 0.5, 1.0], "step": [0.0, 0.5], "state": list(state), "aggregate": [0]},
    )


@pytest.fixture(scope="module")
def bounded():
    bounds = mfg.Price(mfg.QuadraticPotential(), bounds=(0.0, 1.0), amounts=[0.0, 1.0])
    return game(mfg.CrowdAversion(1.0, on="occupation") + mfg.Capacity(0.75) + bounds)


def test_each_stands_in_its_columns(bounded):
    found = multiplier_from(bounded, stated())
    assert found.shape == bounded.empty_crowd().shape == (3, 2 + 4 + 1)
    np.testing.assert_array_equal(found[:, :2], CAP)
    assert not found[:, 2:6].any(), "choices have no bounds"
    np.testing.assert_array_equal(found[:, 6], [7.0, 8.0, 0.0])
    alone = multiplier_from(bounded, stated().drop_vars("price_multiplier"))
    np.testing.assert_array_equal(alone[:, :2], CAP)
    assert not alone[:, 2:].any()


def test_names_go_before_positions(bounded):
    swapped = stated(CAP[:, ::-1], state=("there", "here")).transpose("state", ...)
    np.testing.assert_array_equal(multiplier_from(bounded, swapped), multiplier_from(bounded, stated()))


def test_without_bounds_there_are_none_whatever_came():
    assert multiplier_from(game(mfg.CrowdAversion(1.0)), None) is None


@pytest.mark.parametrize(
    ("brought", "sentence"),
    [
        (PRICE, "has hard bounds, and a policy alone does not say what they cost"),
        (xr.Dataset({"policy": 1.0}), "or a dataset with capacity_multiplier or price_multiplier"),
        (stated(CAP * np.nan), "capacity_multiplier has a number that is not finite"),
        (stated(state=("here", "elsewhere")), "capacity_multiplier"),
        (stated().isel(time=slice(0, 2)), "capacity_multiplier"),
    ],
)
def test_others_are_refused(bounded, brought, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        multiplier_from(bounded, brought)
