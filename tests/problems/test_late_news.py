"""News on a line: the numbers of the game, by name; what is refused."""

from __future__ import annotations

import noisy_worlds as worlds
import pytest

import mfgsolve as mfg


def test_the_game_by_name_is_the_line_whose_numbers_are_known() -> None:
    solution = mfg.solve("late-news", tol=1e-12, check="ignore")
    assert solution.potential == pytest.approx(worlds.POTENTIAL, abs=1e-11)


def test_the_later_the_news_the_dearer_the_plan() -> None:
    costs = [mfg.solve("late-news", news=news, slope=0.0, check="ignore").potential for news in (1, 3, 5)]
    assert costs[0] < costs[1] < costs[2]


def test_news_that_never_comes_is_refused() -> None:
    with pytest.raises(mfg.InputError, match="news 7"):
        mfg.problems.late_news(news=7)
    with pytest.raises(mfg.InputError, match="left 1"):
        mfg.problems.late_news(left=1.0)
