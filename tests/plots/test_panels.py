"""Parts of pictures: the scale of densities, panels on a page, walls of a line, planes true to scale."""

from __future__ import annotations

import numpy as np
import pytest
from pictured import panels, solved

import mfgsolve as mfg
from mfgsolve import plots
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import view


def test_white_is_where_nobody_is_and_twice_the_colour_is_four_times_the_density():
    np.testing.assert_allclose(part.DENSITY(0.0), [1.0, 1.0, 1.0, 1.0])
    scale = part.density_scale(np.array([[[0.0, 1.0], [2.0, 4.0]]]))
    np.testing.assert_allclose(scale([0.0, 1.0, 4.0]), [0.0, 0.5, 1.0])
    assert scale.extend == "neither"


def test_a_start_in_a_point_lies_beyond_the_scale():
    start_in_a_point = np.array([[[100.0, 0.0], [2.0, 4.0]]])
    scale = part.density_scale(start_in_a_point)
    assert (scale.vmax, scale.extend) == (4.0, "max")
    assert part.density_scale(start_in_a_point / [[[6.0], [1.0]]]).vmax == pytest.approx(100 / 6)  # not so far beyond
    assert part.density_scale(np.zeros((1, 2, 3))).vmax == 1.0


@pytest.mark.parametrize(("name", "count", "rows"), [("supply-demand", 6, 1), ("crowd-aversion", 6, 2)])
def test_panels_stand_in_one_row_unless_they_are_wide(name: str, count: int, rows: int) -> None:
    figure, axes = part.panels(view(solved(name)), count)
    assert [len(row) for row in axes] == [count]
    assert axes[0][0].get_gridspec().get_geometry() == (rows, count // rows)
    assert sum(bool(ax.get_ylabel()) for ax in axes[0]) == rows
    assert sum(bool(ax.get_xlabel()) for ax in axes[0]) == count // rows
    assert figure.get_figwidth() == part.WIDTH


def test_each_population_has_a_row_with_its_name():
    seen = view(solved("predator-prey"))
    _, axes = part.panels(seen, 2)
    assert [row[0].get_ylabel().split("\n")[0] for row in axes] == [one.population for one in seen.each]


def uneven() -> mfg.Solution:
    axis = mfg.Axis.from_edges("x", [0.0, 0.5, 0.75, 1.5, 2.0])
    grid = mfg.Grid((axis,), blocked=np.array([False, True, False, False]))
    return mfg.solve(
        mfg.Problem(
            grid, mfg.TimeGrid(1.0, 8), mfg.ControlledDiffusion(0.05, scheme="upwind"), 0.0, 1.0, normalise=True
        )
    )


def test_walls_and_cells_of_a_line_reach_from_edge_to_edge():
    seen = view(uneven())
    assert list(part.wall_spans(seen)) == [(0.5, 0.75)]
    _, ((ax,),) = part.over_time(seen, 1)
    mesh = part.field(ax, seen, seen.densities(), seen.clock)
    np.testing.assert_array_equal(mesh.get_coordinates()[:, 0, 1], [0.0, 0.5, 0.75, 1.5, 2.0])
    np.testing.assert_array_equal(np.ma.filled(mesh.get_array(), np.nan), seen.densities().T)
    assert list(part.wall_spans(view(solved("gaussian-log")))) == []


def test_panels_below_each_other_have_their_names_each() -> None:
    """Of a wide page the first panel names the places, of a narrow one all do: their left sides align."""
    for width, named in ((None, [True, False, False]), (3.5, [True] * 3)):
        figure = plots.policy(solved("beach-bar"), **({} if width is None else {"width": width}))
        axes = panels(figure)
        assert [ax.get_ylabel() == "x" for ax in axes] == named
        figure.draw_without_rendering()
        assert [any(tick.label1.get_visible() for tick in ax.yaxis.get_major_ticks()) for ax in axes] == named
    run = {"a": solved("beach-bar")}
    for width, named in ((None, ["relative exploitability", ""]), (3.5, ["relative exploitability"] * 2)):
        figure = plots.convergences(run, **({} if width is None else {"width": width}))
        assert [ax.get_ylabel() for ax in panels(figure)] == named
        shown = [any(tick.label1.get_visible() for tick in ax.yaxis.get_major_ticks()) for ax in panels(figure)]
        assert shown == [bool(name) for name in named]


def test_a_certificate_below_zero_is_round_off() -> None:
    data = solved("beach-bar").dataset
    title = lambda size: plots.plan(data.assign_attrs(relative_exploitability=size)).get_suptitle()
    assert "relative exploitability 0)" in title(-3e-17)
    assert "relative exploitability 3e-09)" in title(3e-9)
    assert "relative exploitability nan)" in title(float("nan"))
