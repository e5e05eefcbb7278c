"""Pictures of societies: what stands in them, and when."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import plots

WEIGHTS = {"bids": "multiplicative-weights", "rng": 0}


@pytest.fixture(scope="module")
def bubble():
    return mfg.learn("auction-chain", mechanism="vickrey", levels=21, episodes=2000, **WEIGHTS)


def labels(ax) -> list[str]:
    return ax.get_legend_handles_labels()[1]


def test_bids_stand_beside_what_states_are_worth_and_a_bubble_is_shaded(bubble):
    figure = bubble.plot()
    bids, curves, credit = figure.axes
    assert set(labels(bids)) == {"worth, max Q*", "bubble", "left", "right", "wins"}
    assert [tick.get_text() for tick in bids.get_xticklabels()] == ["s0", "s1", "s2", "s3", "s4"]
    worth = bubble.dataset["worth"].max("primitive").values
    assert [bar.get_y() for bar in bids.patches] == pytest.approx(worth.tolist())
    assert labels(curves) == ["s0", "s1", "s2", "s3", "s4"]
    np.testing.assert_array_equal(curves.lines[0].get_ydata(), bubble.dataset["winning_bid_then"].values[:, 0])
    assert curves.lines[1].get_ydata() == pytest.approx([worth[0]] * 2)
    np.testing.assert_array_equal(credit.lines[0].get_ydata(), bubble.dataset["credit_made"].values)
    assert "vickrey, cloned" in figure.get_suptitle()
    assert "credit is made" in figure.get_suptitle()


def test_credit_that_is_kept_is_said_and_no_bubble_is_shaded(tmp_path):
    training = mfg.learn("auction-chain", episodes=3000, rng=0)
    figure = plots.society(training.dataset)
    assert "bubble" not in labels(figure.axes[0])
    assert [text.get_text() for text in figure.axes[2].texts] == ["conserved to round-off"]
    assert plots.save(figure, tmp_path / "society.png").stat().st_size > 10000


def test_many_states_have_curves_of_errors():
    training = mfg.learn("auction-crowd", episodes=200, rng=0)
    middle = training.plot().axes[1]
    assert labels(middle) == ["largest over states", "mean"]
    assert middle.get_yscale() == "log"


def test_solitary_and_untrained_societies_are_drawn():
    figure = mfg.learn("auction-duality", solitary=True, max_seconds=0).plot()
    assert "solitary" in figure.get_suptitle()
    assert "time limit" in figure.get_suptitle()
