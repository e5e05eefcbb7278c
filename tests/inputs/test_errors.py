"""Messages of errors: values are echoed up to a length, lines are cut in one place, names have a nearest spelling."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from plain_games import room

import mfgsolve as mfg
from mfgsolve.errors import InputError, has_labels, numbers, real, shown, unknown, whole

LONG = {
    "text": lambda: mfg.States("a" * 10**6),
    "name": lambda: mfg.States([7, "a" * 10**6]),
    "twice": lambda: mfg.States(["a" * 10**6] * 2),
    "cells": lambda: mfg.Grid.box(["a" * 10**6]),
    "bounds": lambda: mfg.Grid.box(4, bounds=list(range(10**5))),
    "axes": lambda: mfg.Grid(list(range(10**5))),
    "populations": lambda: mfg.Populations(list(range(10**5)), mfg.States(2)),
    "actions": lambda: mfg.Tabular([np.eye(2)], actions=list(range(10**5))),
    "option": lambda: mfg.solve(mfg.problems.beach_bar(), **{"a" * 10**6: 1}),
    "method": lambda: mfg.solve(mfg.problems.beach_bar(), method="a" * 10**6),
    "move": lambda: mfg.LatticeMoves(["a" * 10**6]),
    "initial": lambda: room(initial=["a" * 10**6]),
    "cost": lambda: mfg.RunningCost("a" * 10**6),
    "raised": lambda: room(initial=lambda t, c: {}["a" * 10**6]),
    "dataset": lambda: room(initial=xr.Dataset({f"v{k}": 1.0 for k in range(10**4)})),
    "state": lambda: mfg.simulate(mfg.problems.beach_bar(), policy=np.full((20, 3, 20), 1 / 3), start=["a" * 10**6]),
    "jumps": lambda: mfg.LatticeMoves([0], jumps="a" * 10**6),
    "price": lambda: mfg.Price(mfg.QuadraticPotential(1.0), bounds=[0] * 10**5),
}


@pytest.mark.parametrize("name", LONG)
def test_values_are_echoed_up_to_200_characters(name):
    with pytest.raises(InputError) as caught:
        LONG[name]()
    assert len(str(caught.value)) <= 1000
    assert max(map(len, str(caught.value).split())) <= 210


def test_every_message_is_cut_in_one_place():
    error = InputError("path " + "a" * 6000 + " cannot be read\n" + "words " * 400 + "end")
    first, second = str(error).split("\n")
    assert first.startswith("path aaa")
    assert first.endswith("aaa cannot be read")
    assert len(first) < 230
    assert len(second) == 1000
    assert second.endswith("end")
    assert shown("a" * 300).startswith("'aaa")
    assert len(shown("a" * 300)) == 200
    assert "(5000 in all)" in unknown("state", "z", [f"s{k}" for k in range(5000)])


def test_the_nearest_spelling_is_offered():
    assert unknown("option", "rewrd", ["width", "reward"]) == (
        "unknown option 'rewrd'; did you mean 'reward'? allowed: reward, width"
    )
    assert unknown("option", "rewar", ["reward", "rewards"]).startswith(
        "unknown option 'rewar'; did you mean 'reward'?"
    )
    assert unknown("option", "x", ["width"]) == "unknown option 'x'; allowed: width"


def test_numbers_that_are_none():
    assert real(np.float32(0.5), "rate") == 0.5
    assert (whole(4.0, "count"), whole(10**30, "count")) == (4, 10**30)
    for value in (True, "1", None, 1j):
        with pytest.raises(InputError, match=r"^rate is .*; a real number is needed"):
            real(value, "rate")
    for value in (0.5, float("nan"), float("inf")):
        with pytest.raises(InputError, match=r"^count is .*; a whole number is needed"):
            whole(value, "count")
    with pytest.raises(InputError, match="too large for a number of 64 bits"):
        real(10**400, "rate")


def test_labels_are_seen_wherever_they_are():
    array = xr.DataArray([1.0], dims="x")
    assert all(has_labels(value) for value in (array, xr.Dataset(), [[array]], pd.Series([1.0], index=["a"])))
    assert not any(has_labels(value) for value in (np.ones(2), [1, 2], pd.Series([1.0]), xr.DataArray(1.0), "x"))
    with pytest.raises(InputError, match="cost is a DataArray, whose names are not read here"):
        numbers(array, "cost")


def test_an_answer_goes_with_the_error():
    assert mfg.NotConverged("stopped", solution="the plan").solution == "the plan"
    assert issubclass(mfg.NotConverged, mfg.Doubtful)
