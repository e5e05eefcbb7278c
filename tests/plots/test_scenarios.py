"""Trees of scenarios: segments, their heights, and what cannot be drawn."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.plots.scenarios import rows_of


@pytest.fixture(scope="module")
def news() -> mfg.Solution:
    return mfg.solve("late-news")


def test_ends_of_branches_are_apart_and_what_comes_before_is_amid_them():
    height = rows_of(np.array([-1, 0, 0, 1, 1, 2, 2, 2]))
    assert height.tolist() == [-1.75, -0.5, -3.0, 0.0, -1.0, -2.0, -3.0, -4.0]
    assert rows_of(np.array([-1])).tolist() == [0.0]


@pytest.mark.parametrize("width", [None, 3.5])
def test_segments_last_from_news_to_news_and_are_as_thick_as_they_are_likely(news, width):
    figure = mfg.plots.draw(news, "scenarios", **({} if width is None else {"width": width}))
    (ax,) = figure.axes
    lines = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    assert {name: np.asarray(line.get_xdata()).tolist() for name, line in lines.items()} == {
        "start": [0, 3], "left": [3, 6], "right": [3, 6],
    }  # fmt: skip
    wide = [lines[name].get_linewidth() for name in ("start", "left", "right")]
    assert wide == sorted(wide, reverse=True)
    assert (wide[1] - wide[2]) / (wide[0] - wide[2]) == pytest.approx(1 / 3)  # 0.6 of 1 and 0.4
    assert [text.get_text() for text in ax.texts] == ["start (100 %)", "left (60 %)", "right (40 %)"]
    figure.draw_without_rendering()
    for text in ax.texts:
        box = text.get_window_extent()
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1


def test_games_without_news_and_single_times_are_refused(news):
    with pytest.raises(mfg.InputError, match="left-right has no scenarios: nobody hears news"):
        mfg.plots.scenarios(mfg.solve("left-right", check="ignore"))
    with pytest.raises(mfg.InputError, match="shows all times"):
        mfg.plots.scenarios(news, times=[1.0])


def test_of_news_after_news_the_last_is_told():
    tree = mfg.ScenarioTree([1.0, 2.0], [[0.5, 0.5], [0.1, 0.9]], [["up", "down"], ["a$b", "_c"]])
    swap = np.eye(2)[::-1]
    game = mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(3, 3), dynamics=mfg.Tabular([np.eye(2), swap], temperature=0.2),
        coupling=mfg.CrowdAversion(1.0), initial=np.array([0.7, 0.3]), scenarios=tree,
    )  # fmt: skip
    texts = [text.get_text() for text in mfg.plots.scenarios(mfg.solve(game)).axes[0].texts]
    assert [text.strip("\N{THIN SPACE}") for text in texts] == [
        "start (100 %)", "up (50 %)", "down (50 %)", r"a\$b (5 %)", "_c (45 %)", r"a\$b (5 %)", "_c (45 %)",
    ]  # fmt: skip
