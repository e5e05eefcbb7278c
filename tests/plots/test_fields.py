"""Pictures of games on grids: for every problem, with units, and things where the dataset has them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import PathCollection
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver, QuiverKey
from pictured import FINITE, MAKERS, PICTURES, panels, solved, texts

import mfgsolve as mfg
from mfgsolve import plots
from mfgsolve.plots.fields import _levels, _net, arrows
from mfgsolve.plots.reading import View

CHOSEN = {"plan": plots.plan, "value": plots.value, "policy": plots.policy}


@pytest.mark.slow
@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("name", MAKERS)
def test_every_picture_of_every_problem_draws_inside_its_page(name: str, picture: str) -> None:
    stands_on_its_page(PICTURES[picture](solved(name)), solved(name).dataset.attrs["name"])


@pytest.mark.slow
@pytest.mark.parametrize("picture", CHOSEN)
@pytest.mark.parametrize("name", FINITE)
def test_every_picture_of_finite_games_draws_inside_its_page(name: str, picture: str) -> None:
    stands_on_its_page(CHOSEN[picture](solved(name)), solved(name).dataset.attrs["name"])


def stands_on_its_page(figure: Figure, name: str) -> None:
    figure.draw_without_rendering()  # warnings are errors here: NaN, layouts that collapse
    assert isinstance(figure, Figure)
    assert name in texts(figure)
    axes = panels(figure)
    assert any(ax.get_xlabel() for ax in axes)
    assert axes[0].get_ylabel()
    width, height = figure.bbox.width, figure.bbox.height
    for ax in figure.axes:
        box = ax.get_tightbbox()
        assert box.x0 >= -2
        assert box.y0 >= -2
        assert box.x1 <= 1.02 * width
        assert box.y1 <= 1.02 * height


@pytest.mark.parametrize(("name", "unit"), [("montreal", "km"), ("cube", "m")])
@pytest.mark.parametrize("picture", ["plan", "value", "speed"])
def test_axes_colours_times_and_speeds_carry_their_units(name: str, unit: str, picture: str) -> None:
    figure = PICTURES[picture](solved(name))
    axes, text, clock = panels(figure), texts(figure), {"km": "h", "m": "s"}[unit]
    assert axes[0].get_xlabel() == f"x ({unit})"
    assert axes[0].get_ylabel() == f"y ({unit})"
    assert (axes[1].get_title() or axes[1].get_title(loc="left")).endswith(f" {clock}")
    value = "(reward)" if name == "montreal" else "(cost)"  # of what agents earn, or pay
    assert (value if picture == "value" else f"(mass per {unit}²)") in text
    if picture == "speed":
        (key,) = axes[-1].findobj(QuiverKey)
        assert key.text.get_text().endswith(f" {unit}/{clock}")
    if name == "cube":
        assert ("cut at z = 0.625 m" if picture == "value" else "integrated over z") in text


def test_numbers_without_unit_are_not_given_one() -> None:
    figure = plots.plan(solved("supply-demand"))
    assert panels(figure)[0].get_xlabel() == "x"
    assert "mass per unit area" in texts(figure)
    assert "mass per unit length" in texts(plots.plan(solved("gaussian-log")))


def test_the_plan_shows_the_density_of_the_dataset_on_one_stated_scale() -> None:
    solution = solved("supply-demand")
    data, figure = solution.dataset, plots.plan(solution, times=[0, 0.5, 1])
    axes = panels(figure)
    assert [ax.get_title() for ax in axes] == ["t = 0", "t = 0.5", "t = 1"]
    norms = {id(ax.images[0].norm) for ax in axes}
    assert len(norms) == 1
    assert isinstance(axes[0].images[0].norm, PowerNorm)
    assert "√density" in texts(figure)
    for ax, node in zip(axes, (0, 48, 96), strict=True):
        np.testing.assert_allclose(ax.images[0].get_array(), data["density"].values[node], rtol=1e-12)
        assert ax.images[0].origin == "lower"
        np.testing.assert_allclose(ax.images[0].get_extent(), (0, 1, 0, 1), atol=1e-12)


def test_profiles_of_one_axis_are_the_densities_and_dots_the_track() -> None:
    data = solved("gaussian-log").dataset
    t = data["time"].values[[0, 33]]
    _, right = panels(plots.plan(data, times=t))
    for pair, node in zip((right.lines[:2], right.lines[2:]), (0, 33), strict=True):
        np.testing.assert_allclose(pair[0].get_ydata(), data["density"].values[node], rtol=1e-12)
        np.testing.assert_allclose(pair[1].get_xdata(), data["track"].values[node], atol=1e-12)


def test_walls_are_drawn_exactly_where_cells_are_blocked() -> None:
    data = solved("crowd-aversion").dataset
    for picture in ("plan", "speed"):
        overlay = panels(PICTURES[picture](data))[0].images[1].get_array()
        np.testing.assert_array_equal(~np.ma.getmaskarray(overlay), data["blocked"].values.astype(bool))
    seen = View(solved("cube").dataset)
    assert seen.walls is not None
    assert seen.walls_cut is not None
    assert seen.walls.sum() == 4
    assert seen.walls_cut.sum() == 4 + 2  # two cells hang from the ceiling: in the cut, not in the shadow


def test_sites_are_dots_with_area_by_size() -> None:
    data = solved("montreal").dataset
    (dots,) = panels(plots.plan(data))[0].findobj(PathCollection)
    np.testing.assert_array_equal(dots.get_offsets(), np.column_stack([data["site_x"], data["site_y"]]))
    sizes, hours = dots.get_sizes(), data["site_size"].values
    np.testing.assert_allclose(sizes / sizes.max(), hours / hours.max())
    assert "car hours" in texts(plots.plan(data))


def test_three_axes_are_integrated_over_z() -> None:
    data = solved("cube").dataset
    image = panels(plots.plan(data, times=[1.0]))[0].images[0].get_array()
    np.testing.assert_allclose(image, data["density"].sel(time=1.0).sum("z") * 0.25, rtol=1e-12)
    assert float(np.sum(image)) / (5 * 6) == pytest.approx(1.0)  # all agents are in the picture, per square metre


def test_arrows_are_the_mean_momentum_of_their_block() -> None:
    """Uneven blocks of 2 and 1 cells along each of 23 cells; speeds and masses drawn at random; brute force."""
    rng = np.random.default_rng(3)
    n, centres = 23, (np.arange(23) + 0.5) / 23
    dims = ("y", "x")
    data = xr.Dataset(
        {
            "density": (("time", *dims), rng.uniform(0.1, 1.0, (3, n, n))),
            "speed": (("step", "move", *dims), rng.uniform(0.0, 1.0, (2, 4, n, n))),
        },
        {"time": [0.0, 0.5, 1.0], "step": [0.0, 0.5], "move": ["x+", "x-", "y+", "y-"], "x": centres, "y": centres},
        {"schema": "mfgsolve/1"},
    )
    data["density"].values[1, 4:6, 8:10] = 1e-9  # one empty block
    seen = View(data)
    at = lambda t: arrows(seen, t, [_net(seen, name, seen.step_at(t)) for name in "xy"])
    x, y, u, v = at(0.7)  # in the second step
    expected = []
    for j in range(0, n, 2):
        for i in range(0, n, 2):
            block = data.isel(step=1, y=slice(j, j + 2), x=slice(i, i + 2))
            mass, speed = block["density"].values[1], block["speed"].values
            if (j, i) != (4, 8):
                net = [speed[0] - speed[1], speed[2] - speed[3]]
                gx, gy = np.meshgrid(block["x"].values, block["y"].values)
                expected.append([(mass * a).sum() / mass.sum() for a in (gx, gy, *net)])
    np.testing.assert_allclose(np.column_stack([x, y, u, v]), expected, rtol=1e-12)
    for t in (0.5, 1.0):  # the step that starts then, and the last one at the horizon
        np.testing.assert_array_equal(np.array(at(t)), [x, y, u, v])
    assert not np.allclose(at(0.0)[2][:50], u[:50])


def test_arrows_stand_only_where_there_is_a_crowd() -> None:
    ax = panels(plots.speed(solved("supply-demand"), times=[0.0]))[0]
    (quiver,) = ax.findobj(Quiver)
    distance = np.hypot(quiver.X - 0.15, quiver.Y - 0.2)
    assert 0 < quiver.N < 50
    assert distance.max() < 0.3
    assert quiver.U.mean() > 0  # and go to the right


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-0.1 - 1e-15, 0.3), (1.0, 1.0), (-1e-300, 1e-300), (2.1, 1e9)])
def test_levels_leave_no_hole_at_either_end(low: float, high: float) -> None:
    levels = _levels(np.array([low, high]))
    assert levels[0] <= low
    assert levels[-1] >= high
    assert (np.diff(levels) > 0).all()


def test_speeds_of_several_populations_are_drawn_one_by_one():
    two = mfg.Populations(["cars", "bikes"], mfg.Grid.box((8,)))
    moving = [mfg.ControlledDiffusion(nu, scheme="upwind") for nu in (0.05, 0.2)]
    game = mfg.Problem(two, mfg.TimeGrid(1.0, 8), moving, mfg.CrowdAversion(0.2), 1.0)
    with pytest.warns(UserWarning, match="not measured for several populations"):
        solution = mfg.solve(game)
    with pytest.raises(mfg.InputError, match=r"sel\(population='cars'\)"):
        plots.speed(solution)
    assert len(plots.speed(solution.dataset.sel(population="cars")).axes) > 0
    assert "a finite game" not in solution.discretisation.sentence
