"""Pictures of sweeps."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from mfgsolve import plots
from mfgsolve.errors import InputError
from mfgsolve.studies.store import template_of


def study(**over: list) -> xr.Dataset:
    field = xr.DataArray(np.zeros((2, 3, 4)), {"time_share": [0.0, 1.0]}, ("time_share", "y", "x"))
    mass = xr.DataArray(np.zeros(2), {"time_share": [0.0, 1.0]}, ("time_share",))
    numbers = {"cost": ("cost of all", "cost")}
    result = template_of(over, numbers, {"mass_a": mass, "density": field}, {"name": "game"})
    for name in ("cost", "mass_a", "density"):
        result[name].values[...] = np.arange(result[name].size).reshape(result[name].shape)
    result["done"].values[...] = 1
    return result


def test_one_parameter_is_a_line():
    cost, mass = plots.sweep(study(reward=[1.0, 2.0, 4.0])).axes
    assert cost.lines[0].get_xydata().tolist() == [[1, 0], [2, 1], [4, 2]]
    assert mass.lines[0].get_ydata().tolist() == [1, 3, 5]  # at the end of the horizon


def test_two_numbers_are_a_map_and_labels_are_lines():
    two = study(reward=[1.0, 2.0, 4.0], congestion=[0.1, 0.2, 0.3])
    two["cost"].values[0, 0] = np.nan
    figure = plots.sweep(two, ["cost"])
    image = figure.axes[0].collections[0].get_array()
    assert image.shape == (3, 3)
    assert image.mask.sum() == 1
    lines = plots.sweep(study(scheme=["upwind", "entropic"], reward=[1.0, 2.0]), ["cost"]).axes[0]
    assert [text.get_text() for text in lines.get_legend().get_texts()] == ["scheme upwind", "scheme entropic"]
    assert {line.get_linestyle() for line in lines.lines} == {"-", "--"}


def test_seeds_are_a_band():
    seeds = study(reward=[1.0, 2.0], rng=[0, 1, 2])
    ax = plots.sweep(seeds, ["cost"]).axes[0]
    assert ax.lines[0].get_ydata().tolist() == [1.0, 4.0]
    band = ax.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (0.0, 5.0)


def test_what_is_missing_or_failed_is_told():
    some = study(reward=[1.0, 2.0, 3.0], steps=[8])
    some["status"].values[0, 0], some["done"].values[1, 0], some["message"].values[2, 0] = "failed", 0, "mind"
    title = plots.sweep(some).get_suptitle()
    assert title == "game, steps = 8, 1 failed, 1 not done, warnings at 1 points"


def test_densities_are_small_multiples():
    figure = plots.sweep_densities(study(reward=list(range(7)), congestion=[0.1, 0.2]))
    assert len(figure.axes) == 11  # and the colour bar
    assert figure.axes[-1].get_ylabel() == "density of agents (1/volume)"
    assert figure.axes[0].get_title() == "reward 0, congestion 0.1"
    with pytest.raises(InputError, match="kept no density"):
        plots.sweep_densities(study(reward=[1]).drop_vars("density"))


def test_lines_stand_above_densities_where_these_were_kept():
    figure = plots.study(study(reward=[1.0, 2.0, 4.0]))
    above, below = figure.subfigs
    assert len(above.axes) == 2
    assert len(below.axes) == 4  # and the colour bar
    assert above.get_suptitle() == "game"
    assert below.get_suptitle() == "game: density at 1 of the horizon"
    assert not plots.study(study(reward=[1.0]).drop_vars("density")).subfigs


def test_what_is_no_study_is_refused():
    with pytest.raises(InputError, match="a study is needed"):
        plots.sweep(xr.Dataset())
    with pytest.raises(InputError, match="number of the study 'costs'"):
        plots.sweep(study(reward=[1.0]), ["costs"])
