"""Arrows of the crowd keep to their side of a wall."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.quiver import Quiver
from pictured import panels, solved

from mfgsolve import plots
from mfgsolve.plots.arrows import arrows, kept_off
from mfgsolve.plots.reading import View


def walled(blocked: np.ndarray) -> View:
    """A crowd that is even in all free cells, over the unit square."""
    down, over = blocked.shape
    density = np.where(blocked, 0.0, 1.0)
    y, x = (np.arange(down) + 0.5) / down, (np.arange(over) + 0.5) / over
    data = {"density": (("time", "y", "x"), np.stack([density, density])), "blocked": (("y", "x"), blocked)}
    return View(xr.Dataset(data, {"time": [0.0, 1.0], "step": [0.0], "x": x, "y": y}, {"schema": "mfgsolve/1"}))


def test_a_block_that_a_wall_divides_has_an_arrow_on_each_side():
    blocked = np.zeros((60, 60), dtype=bool)
    blocked[:, 31] = True  # the middle of blocks of 3 x 3 cells
    seen = walled(blocked)
    right = np.where(np.arange(60) < 31, -1.0, 1.0) * np.ones((60, 1))
    x, _, u, v = arrows(seen, 0.0, [right, np.zeros((60, 60))])
    assert x.size == 20 * 21
    assert set(np.round(u, 12)) == {-1.0, 1.0}  # never the mean of both sides
    assert not np.isclose(x, 31.5 / 60).any()
    assert (np.sign(x - 31.5 / 60) == u).all()
    assert (v == 0).all()


def test_no_arrow_stands_in_a_wall_whose_cells_lie_around_a_corner():
    blocked = np.zeros((60, 60), dtype=bool)
    blocked[30:32, 30:32] = True
    blocked[30, 32] = blocked[32, 30] = False
    seen = walled(blocked)
    x, y, *_ = arrows(seen, 0.0, [np.ones((60, 60)), np.zeros((60, 60))])
    assert not blocked[(y * 60).astype(int), (x * 60).astype(int)].any()


@pytest.mark.parametrize("length", [0.02, 0.2])
def test_arrows_are_moved_back_or_shortened_until_none_crosses_a_wall(length: float):
    blocked = np.zeros((40, 40), dtype=bool)
    blocked[:, 20] = True
    blocked[18:21, 20] = False
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0.01, 0.99, (2, 500))
    free = ~blocked[(y * 40).astype(int), (x * 40).astype(int)]
    angle = rng.uniform(0, 2 * np.pi, free.sum())
    panel = x[free], y[free], np.cos(angle), np.sin(angle)
    ((((a, b, u, v),),), scale, lost) = kept_off([[panel]], [walled(blocked)], length)
    assert a.size + lost == free.sum()
    assert lost == 0 if length < 0.1 else lost < 0.02 * free.sum()
    for share in np.linspace(0, 1, 101):
        i, j = (a + share * scale * length * u) * 40, (b + share * scale * length * v) * 40
        assert ((i >= 0) & (i < 40) & (j >= 0) & (j < 40)).all()
        # cells are looked at in some points of an arrow: one may cut a corner by a hair
        assert blocked[j.astype(int), i.astype(int)].mean() <= 0.01
    open_field = walled(np.zeros((4, 4), dtype=bool))
    without = View(open_field.dataset.drop_vars("blocked"))
    assert kept_off([[panel]], [without], length)[1:] == (1.0, 0)


def test_arrows_of_a_picture_cross_no_wall():
    data = solved("crowd-aversion").dataset
    blocked = data["blocked"].values.astype(bool)
    figure = plots.speed(data)
    for ax in panels(figure):
        (quiver,) = ax.findobj(Quiver)
        left, right, bottom, top = *ax.get_xlim(), *ax.get_ylim()
        reach = (right - left) / quiver.scale
        for share in np.linspace(0, 1, 15):
            i = ((quiver.X + share * reach * quiver.U - left) / (right - left) * blocked.shape[1]).astype(int)
            j = ((quiver.Y + share * reach * quiver.V - bottom) / (top - bottom) * blocked.shape[0]).astype(int)
            assert not blocked[j.clip(0, blocked.shape[0] - 1), i.clip(0, blocked.shape[1] - 1)].any()
