"""What a shock may be, and what it is in each step."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg

DAY = mfg.TimeGrid(10.0, 5)
STARTS = np.array([0.0, 2.0, 4.0, 6.0, 8.0])


def test_numbers_functions_and_paths_are_the_same_shock():
    fades = -0.03 * np.exp(-0.2 * STARTS)
    labelled = xr.DataArray(fades[::-1], dims="time", coords={"time": STARTS[::-1]})
    for given in (-0.03, lambda t: -0.03 * np.exp(-0.2 * t), fades, labelled):
        recovery = 0.2 if isinstance(given, float) else None
        shock = mfg.Shock(productivity=given, recovery=recovery)
        np.testing.assert_allclose(shock.path("productivity", DAY), fades, rtol=1e-14)
        np.testing.assert_array_equal(shock.path("impatience", DAY), 0.0)


def test_what_is_stated_is_plain():
    assert mfg.Shock(productivity=-0.03, recovery=0.2).stated == {"productivity": -0.03, "recovery": 0.2}
    assert mfg.Shock(impatience=lambda t: 0.0).stated == {"impatience": "custom"}
    assert mfg.Shock().stated == {}
    named = xr.DataArray([0.1, 0.2], dims="time", coords={"time": [2.0, 0.0]})
    assert mfg.Shock(productivity=named).stated == {"productivity": {"values": [0.1, 0.2], "time": [2.0, 0.0]}}
    unnamed = mfg.Shock(productivity=xr.DataArray([0.1, 0.2], dims="time")).stated["productivity"]
    assert unnamed["values"] == [0.1, 0.2]
    json.dumps([mfg.Shock(productivity=named).stated, unnamed])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"productivity": -0.03}, "nothing says how it fades; give recovery="),
        ({"productivity": -1.0, "recovery": 0.2}, "productivity of the shock is -1; a relative change is needed"),
        ({"impatience": np.nan, "recovery": 0.2}, "impatience of the shock is nan"),
        ({"productivity": -0.03, "recovery": 0.0}, "recovery of the shock is 0; a positive rate"),
        ({"recovery": 0.2}, "there is no number that fades"),
        ({"productivity": "much", "recovery": 0.2}, "productivity of the shock"),
    ],
)
def test_bad_shocks_are_sentences(arguments, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        mfg.Shock(**arguments)


def test_bad_paths_are_sentences():
    with pytest.raises(mfg.InputError, match=r"shape \(3,\); one number for each of the 5 steps"):
        mfg.Shock(productivity=np.zeros(3)).path("productivity", DAY)
    with pytest.raises(mfg.InputError, match="impatience of the shock is -2"):
        mfg.Shock(impatience=lambda t: -2.0).path("impatience", DAY)
