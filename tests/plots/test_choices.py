"""Pictures of finite games: populations, names of states, and what agents choose."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.quiver import Quiver
from pictured import panels, solved, texts

from mfgsolve import plots
from mfgsolve.errors import InputError
from mfgsolve.plots.reading import offset_of

# -- finite games ----------------------------------------------------------------------------------------------------


def test_populations_have_a_row_each_on_one_scale() -> None:
    data = solved("predator-prey").dataset
    names = [str(name) for name in data["population"].values]
    axes = panels(plots.plan(data, times=[0, 2, 10]))
    assert len(axes) == 9
    assert [ax.get_ylabel().split("\n")[0] for ax in axes[::3]] == names
    assert len({id(ax.images[0].norm) for ax in axes}) == 1
    for k in range(3):
        for ax, node in zip(axes[3 * k : 3 * k + 3], (0, 2, 10), strict=True):
            np.testing.assert_array_equal(ax.images[0].get_array(), data["density"].values[node, k])
    values = panels(plots.value(data, times=[3]))
    for k, ax in enumerate(values):
        np.testing.assert_allclose(ax.images[0].get_array(), data["value"].values[3, k], rtol=1e-12)


def test_a_crowd_that_starts_in_a_point_lies_beyond_the_scale_which_the_bar_says() -> None:
    data = solved("predator-prey").dataset
    figure = plots.plan(data, times=[0, 5, 10])
    norm = panels(figure)[0].images[0].norm
    assert norm.vmax == data["density"].sel(time=[5, 10]).max() < 0.2 * data["density"].sel(time=0).max()
    assert norm.extend == "max"
    assert "beyond the arrow: the start" in texts(figure)
    assert "beyond" not in texts(plots.plan(solved("crowd-motion")))


def test_finite_games_are_shown_at_their_nodes_cell_by_cell() -> None:
    data = solved("beach-bar").dataset
    left, right = panels(plots.plan(data))
    np.testing.assert_array_equal(left.images[0].get_array(), data["density"].values.T)
    np.testing.assert_allclose(left.images[0].get_extent(), (-0.5, 6.5, -0.5, 11.5))  # a column a node, a row a cell
    times = {float(text.get_text().removeprefix("t = ")) for text in right.get_legend().get_texts()}
    assert times <= set(data["time"].values)
    assert len(times) > 3


def test_states_have_their_names_and_shares() -> None:
    data = solved("left-right").dataset
    left, right = panels(plots.plan(data))
    assert [text.get_text() for text in left.get_yticklabels()] == ["start", "left", "right"]
    for line, name in zip(right.lines, data["state"].values, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), data["density"].sel(state=name))
    assert "share of agents" in right.get_ylabel()
    many = panels(plots.plan(solved("two-queues")))
    assert len(many) == 4
    assert many[0].get_ylabel().startswith("vans")


def test_probabilities_of_actions_are_hidden_where_nobody_is() -> None:
    data = solved("left-right").dataset
    figure = plots.policy(data)
    assert "nobody is there" in texts(figure) + "".join(t.get_text() for t in figure.legends[0].get_texts())
    for ax, action in zip(panels(figure), data["action"].values, strict=True):
        assert ax.get_title() == action
        shown = ax.images[0].get_array()
        empty = (data["density"].values[:-1] == 0).T
        np.testing.assert_array_equal(np.ma.getmaskarray(shown), empty)
        np.testing.assert_array_equal(shown[~empty], data["policy"].sel(action=action).values.T[~empty])


def test_arrows_of_lattice_moves_are_the_mean_of_the_moves() -> None:
    data = solved("crowd-motion").dataset
    ax = panels(plots.policy(data, times=[1]))[0]
    (quiver,) = ax.findobj(Quiver)
    chosen = data["policy"].isel(step=1)
    east = (chosen.sel(action="x+") - chosen.sel(action="x-")).values
    north = (chosen.sel(action="y+") - chosen.sel(action="y-")).values
    assert east.size == quiver.N  # the crowd is everywhere: an arrow in every cell
    place = {(round(float(x), 6), round(float(y), 6)): k for k, (x, y) in enumerate(quiver.get_offsets())}
    for j, y in enumerate(data["y"].values):
        for i, x in enumerate(data["x"].values):
            k = place[round(float(x), 6), round(float(y), 6)]
            assert (quiver.U[k], quiver.V[k]) == pytest.approx((east[j, i], north[j, i]), abs=1e-12)
    assert max(np.hypot(quiver.U, quiver.V)) / quiver.scale <= 0.9 / 8 + 1e-12  # none reaches beyond its cell


def test_many_moves_on_a_line_are_shown_by_their_mean() -> None:
    data = solved("long-moves").dataset
    (ax,) = panels(plots.policy(data))
    moves = np.arange(-3, 4)
    mean = np.einsum("tax,a->tx", data["policy"].values, moves)
    shown = np.asarray(ax.images[0].get_array()).T
    there = np.isfinite(shown)
    assert there.any()
    np.testing.assert_allclose(shown[there], mean[there], atol=1e-12)
    assert mean[0][there[0]].max() > 0  # toward the goal


@pytest.mark.parametrize("name", ["jumps", "two-queues"])
def test_the_likeliest_action_has_its_colour_in_the_legend(name: str) -> None:
    data = solved(name).dataset
    figure = plots.policy(data) if name == "two-queues" else plots.policy(data, times=[0, 2])
    named = {text.get_text() for text in figure.legends[0].get_texts()}
    likeliest = data["policy"].argmax("action").values
    for ax, k in zip(panels(figure), (0, 1) if name == "two-queues" else (0, 2), strict=True):
        shown = ax.images[0].get_array()
        truth = likeliest[:, k].T if name == "two-queues" else likeliest[k]
        free = ~np.ma.getmaskarray(shown)
        np.testing.assert_array_equal(shown[free], truth[free])
        assert {f"to {a}" for a in np.unique(truth[free])} <= named


def test_names_of_moves_say_where_they_lead() -> None:
    from mfgsolve.dynamics.lattice import move_name

    for offset in [(0, 0, 0), (1, 0, 0), (-2, 0, 0), (0, -1, 0), (3, -2, 0), (0, 0, 11), (-1, 1, -1)]:
        assert offset_of(move_name(offset)) == offset
    for other in ("go out", "", "x", "x++", "left", "xy", "y+x+", "to 3"):
        assert offset_of(other) is None


def test_speeds_and_policies_are_not_confused() -> None:
    with pytest.raises(InputError, match=r"it is of a finite game; use mfg\.plots\.policy"):
        plots.speed(solved("beach-bar"))
    with pytest.raises(InputError, match=r"it is of a controlled diffusion; use mfg\.plots\.speed"):
        plots.policy(solved("supply-demand"))
    with pytest.raises(InputError, match="leave times out"):
        plots.policy(solved("beach-bar"), times=[1])
    with pytest.raises(InputError, match="outside the horizon"):
        plots.policy(solved("four-rooms"), times=[99])
