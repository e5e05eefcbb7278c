"""Maps of road networks."""

from __future__ import annotations

import matplotlib.collections
import numpy as np
import pytest
from scipy.spatial.distance import pdist

import mfgsolve as mfg
from mfgsolve.plots.roads import layout


def lines(figure):
    return next(each for each in figure.axes[0].collections if isinstance(each, matplotlib.collections.LineCollection))


def test_widths_are_flows_and_colours_delays():
    answer = mfg.solve("ring-city", rings=2, radials=5)
    figure = mfg.plots.roads(answer)
    data = answer.dataset
    order = np.argsort(data["flow"].values, kind="stable")
    drawn = lines(figure)
    widths = np.array(drawn.get_linewidths())
    np.testing.assert_allclose(widths, np.maximum(7 * data["flow"].values[order] / data["flow"].values.max(), 0.4))
    dark = drawn.get_colors()[:, :3].sum(axis=1)
    assert (np.diff(dark[np.argsort(data["delay"].values[order])]) <= 1e-9).all()
    assert "travel time / that of the empty link" in [ax.get_ylabel() for ax in figure.axes]
    assert "user equilibrium" in figure._suptitle.get_text() or any(
        "user equilibrium" in t.get_text() for t in figure.texts
    )


def test_the_two_directions_of_a_road_stand_apart():
    answer = mfg.solve(mfg.RoadNetwork.from_edges(
        {"from": ["a", "b"], "to": ["b", "a"], "constant": [1.0, 1.0], "slope": [1.0, 1.0]},
        {("a", "b"): 1.0, ("b", "a"): 1.0}, nodes={"a": (0, 0), "b": (1, 0)},
    ))  # fmt: skip
    one, other = lines(answer.plot()).get_segments()
    assert (one[0][1] < 0) != (other[0][1] < 0)
    assert one[0][1] == one[1][1]


def test_links_that_are_free_when_empty_show_the_time_lost_and_a_layout_is_said():
    answer = mfg.solve(mfg.RoadNetwork.from_edges(
        {"from": [1, 2], "to": [2, 3], "constant": [0.0, 1.0], "slope": [1.0, 0.0]}, {(1, 3): 1.0}
    ), check="ignore")  # fmt: skip
    figure = mfg.plots.draw(answer, width=5.0)
    assert "time lost" in [ax.get_ylabel() for ax in figure.axes]
    assert "no coordinates were given" in figure.axes[0].get_xlabel()


def test_a_layout_keeps_nodes_as_far_apart_as_they_are():
    chain = layout(np.arange(5), np.arange(1, 6), 6)
    np.testing.assert_allclose(pdist(chain), pdist(np.arange(6.0)[:, None]), atol=1e-6)
    np.testing.assert_array_equal(layout(np.arange(5), np.arange(1, 6), 6), chain)
    with pytest.raises(mfg.InputError, match="9999 nodes and no coordinates"):
        layout(np.arange(1), np.arange(1), 9999)


def test_what_is_no_answer_to_a_network_is_refused():
    with pytest.raises(mfg.InputError, match="flows of a road network are needed"):
        mfg.plots.roads(mfg.solve(mfg.problems.left_right()))
    with pytest.raises(mfg.InputError, match="this result has one picture"):
        mfg.plots.draw(mfg.solve("braess-roads"), "plan")


def overlap(figure, one, other):
    figure.draw_without_rendering()
    return one.get_window_extent().overlaps(other.get_window_extent())


@pytest.mark.parametrize("width", [None, 3.5])
def test_what_explains_widths_stands_below_the_label_of_the_axis(width):
    figure = mfg.solve("braess-roads").plot(**({} if width is None else {"width": width}))
    ax = figure.axes[0]
    assert not overlap(figure, ax.get_legend(), ax.xaxis.label)
    figure.draw_without_rendering()
    below, page = ax.get_legend().get_window_extent(), figure.bbox
    assert below.y0 > page.y0
    assert below.y0 - page.y0 < 0.3 * page.height


@pytest.mark.parametrize("width", [None, 3.5])
def test_long_names_stand_beside_their_nodes_and_within_the_map(width):
    names = ["Main_$treet", "50%_off & <b>", "_x", "a$b$ rather long name of a node"]
    roads = mfg.RoadNetwork.from_edges(
        {"from": [names[0], names[0], names[1], names[2]], "to": [names[1], names[2], names[3], names[3]],
         "constant": [1.0, 2.0, 2.0, 1.0], "slope": [1.0, 0.5, 0.5, 1.0]}, {(names[0], names[3]): 4.0},
    )  # fmt: skip
    figure = mfg.solve(roads).plot(**({} if width is None else {"width": width}))
    figure.draw_without_rendering()
    ax = figure.axes[0]
    inside = ax.get_window_extent()
    shown = {text.get_text().replace("\\$", "$").strip("\N{THIN SPACE}") for text in ax.texts}
    assert shown > set(names[:3])
    assert "a$b$ rather lo...a node" in {text.replace("a$b$ rather lon", "a$b$ rather lo") for text in shown}
    for text in ax.texts:
        box = text.get_window_extent()
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1
