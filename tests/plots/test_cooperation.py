"""Pictures of cooperative control: what is drawn is what the dataset says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mfgsolve import plots
from mfgsolve.errors import InputError
from mfgsolve.learners.cooperation import Cooperative, ablation
from mfgsolve.tasks import train
from mfgsolve.tasks.steering import SharedSteering

SMALL = SharedSteering(offsets=5, headings=7, steps=10)
FEW = Cooperative(seeds=2, episodes=6, memory=60, macrobatch=30, minibatch=4, parts="imagined,impact")


def test_curves_stand_beside_the_optimum(tmp_path: Path):
    training = train(SMALL, FEW)
    figure = training.plot()
    left, right, *maps = figure.axes
    ours, plain, best = left.lines
    returns = training.dataset["returns"].mean("seed")
    np.testing.assert_allclose(ours.get_ydata(), returns.sel(arm="cooperative"))
    np.testing.assert_allclose(plain.get_ydata(), returns.sel(arm="independent"))
    assert set(best.get_ydata()) == {training.numbers["optimal_return"]}
    np.testing.assert_allclose(right.lines[0].get_ydata(), best.get_ydata()[0] - ours.get_ydata())
    assert right.get_yscale() == "log"
    labels = [text.get_text() for text in left.get_legend().get_texts()]
    assert labels == ["cooperative (imagined, impact)", "independent", "best of a centre (exact)"]
    assert [ax.get_xlabel() for ax in maps[:3]] == ["offset (m)"] * 3
    assert maps[0].get_ylabel() == "heading (rad)"
    shown = np.asarray(maps[2].collections[0].get_array()).reshape(7, 5)
    np.testing.assert_array_equal(shown.T, training.dataset["optimal_total"])
    plots.save(figure, tmp_path / "c.png")
    assert figure.get_suptitle() == "shared-steering: cooperative"


def test_a_training_that_was_stopped_at_once_is_drawn_too():
    training = train(SMALL, FEW, max_seconds=0.0)
    assert "time limit" in training.plot().get_suptitle()


def test_bars_of_the_ablation(tmp_path: Path):
    table = ablation(SMALL, Cooperative(seeds=2, episodes=6, memory=60, macrobatch=30, minibatch=4))
    figure = plots.ablation(table, at=(2, 6, 100))
    (ax,) = figure.axes
    assert len(ax.containers) == 4  # two moments, bars and their errors
    heights = [bar.get_height() for bar in ax.patches]
    losses = table["optimal_return"] - table["returns"].mean("seed")
    np.testing.assert_allclose(heights[:8], losses.isel(iteration=1))
    np.testing.assert_allclose(heights[8:], losses.isel(iteration=5))
    assert ax.get_xticklabels()[-1].get_text() == "temporal\nimagined\nimpact"
    assert "equal plays" in ax.get_title(loc="left")
    plots.save(figure, tmp_path / "a.png")
    assert len(plots.ablation(table, table).axes) == 2


def test_what_is_no_ablation_is_refused():
    with pytest.raises(InputError, match="an ablation is needed"):
        plots.ablation(train(SMALL, FEW).dataset)
    with pytest.raises(InputError, match="nothing is to be drawn"):
        plots.ablation()
