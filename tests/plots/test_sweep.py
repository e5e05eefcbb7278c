"""Pictures of sweeps."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from mfgsolve import plots
from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.studies.store import template_of


def study(of: xr.DataArray | None = None, **over: list) -> xr.Dataset:
    field = xr.DataArray(np.zeros((2, 3, 4)), {"time_share": [0.0, 1.0]}, ("time_share", "y", "x"))
    field = field if of is None else of
    shares = field["time_share"]
    mass = xr.DataArray(np.zeros(len(shares)), {"time_share": shares.values}, ("time_share",))
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
    assert figure.axes[-1].get_ylabel().replace("\n", " ") == "density of agents (mass per unit area) colour ∝ √density"
    assert figure.axes[0].get_title() == "reward 0, congestion 0.1"
    with pytest.raises(InputError, match="kept no density"):
        plots.sweep_densities(study(reward=[1]).drop_vars("density"))


def test_lines_stand_above_densities_where_these_were_kept():
    figure = plots.study(study(reward=[1.0, 2.0, 4.0]))
    above, below = figure.subfigs
    assert len(above.axes) == 2
    assert len(below.axes) == 4  # and the colour bar
    assert above.get_suptitle() == "game"
    assert below.get_suptitle() == "game: density at the end"
    assert not plots.study(study(reward=[1.0]).drop_vars("density")).subfigs


def test_planes_are_true_to_scale_on_the_scale_of_colours_of_plans():
    some = study(reward=[1.0, 2.0])
    some["density"].values[1, 1, 2, 3] = np.nan
    figure = plots.sweep_densities(some)
    first, second = (ax.images[0] for ax in figure.axes[:2])
    np.testing.assert_array_equal(first.get_array(), some["density"].values[0, 1])
    assert second.get_array().mask.sum() == 1
    assert first.get_cmap() is part.DENSITY
    assert first.norm.vmax == second.norm.vmax == np.nanmax(some["density"].values[:, 1])
    assert first.norm(first.norm.vmax / 4) == pytest.approx(0.5)  # the root of a density
    assert figure.axes[0].get_aspect() == 1.0
    assert first.get_extent() == [-0.5, 3.5, -0.5, 2.5]


def listed(*several: str) -> xr.DataArray:
    coords = {"time_share": [0.0, 1.0], "state": ["home", "work", "sea"]}
    coords |= {"population": list(several)} if several else {}
    dims = ("time_share", *(("population",) if several else ()), "state")
    return xr.DataArray(np.zeros((2, *([len(several)] if several else []), 3)), coords, dims)


def test_listed_states_are_bars_with_their_names():
    some = study(listed(), reward=[1.0, 2.0])
    left, right = plots.sweep_densities(some).axes
    assert [bar.get_height() for bar in right.patches] == some["density"].values[1, 1].tolist()
    assert [tick.get_text() for tick in left.get_xticklabels()] == ["home", "work", "sea"]
    assert (left.get_xlabel(), left.get_ylabel(), right.get_ylabel()) == ("state", "share of agents", "")
    assert left.get_ylim() == right.get_ylim() == (0.0, pytest.approx(1.05 * 11.0))
    assert plots.sweep_densities(some).get_suptitle() == "game: share of agents at the end"
    two = study(listed("vans", "cars"), reward=[1.0, 2.0])
    figure = plots.sweep_densities(two)
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == two["density"].values[0, 1].ravel().tolist()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["vans", "cars"]


def test_a_line_is_a_curve_over_its_axis():
    line = xr.DataArray(
        np.zeros((2, 4)), {"time_share": [0.0, 1.0], "x": ("x", [1.0, 3.0, 5.0, 7.0], {"units": "km"})},
        ("time_share", "x"),
    )  # fmt: skip
    ax = plots.sweep_densities(study(line, reward=[1.0, 2.0]), time=0).axes[1]
    assert ax.lines[0].get_xydata().tolist() == [[1, 8], [3, 9], [5, 10], [7, 11]]
    assert ax.get_xlabel() == "x (km)"
    assert ax.get_xlim() == (0.0, 8.0)


def test_the_title_tells_the_time_that_is_shown_and_others_are_refused():
    line = xr.DataArray(np.zeros((3, 4)), {"time_share": [0.0, 0.4, 1.0]}, ("time_share", "x"))
    some = study(line, reward=[1.0, 2.0])
    for asked, told in ((0.5, "at 0.4 of the horizon"), (0, "at the start"), (0.9, "at the end")):
        assert plots.sweep_densities(some, time=asked).get_suptitle() == f"game: density {told}"
    for wrong in (-0.1, 1.5, float("nan")):
        with pytest.raises(InputError, match="a share of the horizon, from 0 to 1"):
            plots.study(some, time=wrong)


def test_a_title_of_the_users_own_stands_above_both_pictures():
    above, below = plots.study(study(reward=[1.0, 2.0]), title="Figure 3").subfigs
    assert above.get_suptitle() == "Figure 3"
    assert below.get_suptitle() == "game: density at the end"
    assert [part.get_suptitle() for part in plots.study(study(reward=[1.0, 2.0]), title="").subfigs] == ["", ""]


def test_what_is_no_study_is_refused():
    with pytest.raises(InputError, match="a study is needed"):
        plots.sweep(xr.Dataset())
    with pytest.raises(InputError, match="number of the study 'costs'"):
        plots.sweep(study(reward=[1.0]), ["costs"])
    with pytest.raises(InputError, match="names is empty"):
        plots.sweep(study(reward=[1.0]), [])
    assert plots.sweep(study(reward=[1.0]), "cost").axes[0].get_ylabel() == "cost of all"
