"""Summaries of studies: spread over seeds, tables of points, tables of fields."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from mfgsolve.errors import InputError
from mfgsolve.studies.store import template_of
from mfgsolve.studies.summary import field_table, spread, study_table


@pytest.fixture
def study() -> xr.Dataset:
    share = xr.DataArray([0.0, 1.0], dims="time_share")
    mass = xr.DataArray(np.zeros((2, 2)), {"time_share": share, "population": ["a", "b"]}, ("time_share", "population"))
    field = xr.DataArray(np.zeros((2, 3)), {"time_share": share, "x": [0.1, 0.2, 0.3]}, ("time_share", "x"))
    over = {"kind": ["u", "v"], "rng": [3, 5, 9]}
    made = template_of(over, {"cost": ("cost", "cost")}, {"mass_left": mass, "density": field}, {"name": "game"})
    for name in ("cost", "mass_left", "density"):
        made[name].values[...] = np.arange(made[name].size).reshape(made[name].shape) ** 2
    made["status"].values[...], made["done"].values[...] = "converged", 1
    made["status"].values[1, 2], made["cost"].values[1, 2] = "failed", np.nan
    made["status"].values[0, 2], made["done"].values[0, 2] = "", 0
    return made


def test_a_table_has_a_row_for_each_point(study: xr.Dataset):
    frame = study_table(study)
    assert frame[["kind", "rng"]].to_numpy().tolist() == [[k, r] for k in "uv" for r in (3, 5, 9)]
    assert frame["cost"].tolist()[:5] == [0, 1, 4, 9, 16]
    assert frame["status"].tolist() == ["converged", "converged", "not done", "converged", "converged", "failed"]
    assert [name for name in frame if name.startswith("mass")] == [
        "mass left (a) at 0", "mass left (b) at 0", "mass left (a) at 1", "mass left (b) at 1"]  # fmt: skip
    assert frame["mass left (b) at 1"].tolist()[0] == study.mass_left.values[0, 0, 1, 1]
    assert "mass left (a) at 0" not in study_table(study, times=[1.0])


def test_seeds_are_averaged(study: xr.Dataset):
    frame = study_table(study, over="rng").set_index("kind")
    values = study.cost.values[0]
    low, high = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    wanted = values.mean(), values.std(ddof=1), low, high
    np.testing.assert_allclose(
        [frame.loc["u", f"cost {part}"] for part in ("mean", "deviation", "low", "high")], wanted
    )
    assert frame["points"].tolist() == [2, 2]
    assert float(spread(study, "cost", "rng")["count"][1]) == 2
    alone = study_table(study.isel(kind=[0]).squeeze("kind", drop=True), over="rng")
    assert len(alone) == 1
    assert alone["cost mean"].item() == values.mean()


def test_fields_are_told_in_long_form(study: xr.Dataset):
    frame = field_table(study, "density", [1.0])
    assert list(frame.columns) == ["kind", "rng", "time_share", "x", "density"]
    assert len(frame) == 18
    one = frame[(frame.kind == "v") & (frame.rng == 9) & (frame.x == 0.3)]
    assert one["density"].item() == study.density.values[1, 2, 1, 2]


def test_what_a_study_does_not_have_is_told(study: xr.Dataset):
    for call, sentence in (
        (lambda: study_table(study, over="rgn"), "did you mean 'rng'"),
        (lambda: study_table(study, times=[0.5]), "kept nothing at 0.5 of the horizon"),
        (
            lambda: field_table(study, "density", [0.5]),
            "kept nothing at 0.5 of the horizon; it kept",
        ),
        (lambda: field_table(study, "mass_left", [1.0, -1]), "kept nothing at -1 of the horizon"),
        (lambda: field_table(study, "densty"), "did you mean 'density'"),
        (lambda: spread(study, "costs", "rng"), "number of the study 'costs'"),
        (lambda: field_table(study.drop_vars(["density", "mass_left"])), "sweep with keep"),
    ):
        with pytest.raises(InputError, match=sentence):
            call()
