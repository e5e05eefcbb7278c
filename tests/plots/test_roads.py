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
