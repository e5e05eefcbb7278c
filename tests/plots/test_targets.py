"""A density that was to be met is drawn over the one that was."""

from __future__ import annotations

from functools import cache

import numpy as np
from pictured import panels, texts

import mfgsolve as mfg
from mfgsolve import plots
from mfgsolve.plots.reading import view
from mfgsolve.plots.targets import NAME, target_of


@cache
def room() -> mfg.Solution:
    return mfg.solve(mfg.problems.planned_room(shape=(8, 16), steps=16), check="ignore")


@cache
def line() -> mfg.Solution:
    def bell(place: float):
        return lambda t, c: np.exp(-((c.x - place) ** 2) / 0.02)

    return mfg.solve(
        mfg.Problem(mfg.Grid.box((24,)), mfg.TimeGrid(1.0, 8), mfg.ControlledDiffusion(0.02), 0.0, bell(0.3),
                    final=bell(0.7), normalise=True), check="ignore")  # fmt: skip


def test_the_last_panel_of_a_plane_has_its_lines() -> None:
    figure = plots.plan(room(), times=[0.0, 1.5, 3.0])
    lines = [len(ax.collections) for ax in panels(figure)]
    assert lines[0] == lines[1] < lines[2]
    assert NAME in [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_a_profile_stands_beside_its_target() -> None:
    _, right = panels(plots.plan(line(), times=[0.0, 1.0]))
    drawn = {text.get_label(): text.get_ydata() for text in right.lines}
    np.testing.assert_array_equal(drawn[NAME], line().dataset["final_target"])


def test_where_the_end_is_free_nothing_is_drawn() -> None:
    free = mfg.solve(mfg.problems.left_right())
    assert target_of(view(free)) is None
    assert NAME not in texts(plots.plan(free))
