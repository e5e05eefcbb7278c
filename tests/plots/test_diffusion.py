"""Pictures of agents that diffuse what they learn."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve import plots
from mfgsolve.plots.diffusion import diffusion
from mfgsolve.plots.training import PICTURES
from mfgsolve.tasks import train


@pytest.fixture(scope="module")
def chains():
    return train("slippery-chains", episodes=40, graph="grid")


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_curves_disagreement_and_graph_stand_side_by_side(chains):
    figure = plots.training(chains)
    left, middle, right, bar = figure.axes
    assert labels(left) == ["diffusion (grid)", "independent", "centralised", "on their own task"]
    returns = chains.dataset["task_return"].values
    mean = next(line for line in left.lines if line.get_label() == "independent")
    np.testing.assert_allclose(mean.get_ydata(), returns[:, 1].mean(axis=(1, 2)))
    assert mean.get_xdata().tolist() == [10, 20, 30, 40]
    assert middle.get_yscale() == "log"
    bound = middle.lines[0].get_ydata()
    assert bound[5] / bound[4] == pytest.approx(chains.numbers["second_eigenvalue"])
    np.testing.assert_allclose(middle.lines[1].get_ydata(), chains.dataset["combined_alone"])
    assert labels(middle)[1:] == ["combining alone", "diffusion (grid)", "independent"]
    lines, dots = right.collections
    assert len(lines.get_segments()) == chains.dataset.sizes["links"] == 12
    np.testing.assert_allclose(dots.get_array(), chains.dataset["agent_disagreement"])
    np.testing.assert_allclose(np.linalg.norm(dots.get_offsets(), axis=1), 1.0)
    assert [text.get_text() for text in right.texts] == list("012345678")
    assert bar.get_xlabel() == "distance from the mean of all agents"
    assert figure.get_suptitle() == "slippery-chains: diff-dac"


def test_networks_have_their_disagreement_over_the_episodes():
    training = train("cart-pole-family", episodes=3, hidden=4, machines=2, graph="complete")
    _, middle, *_ = diffusion(training.dataset).axes
    assert middle.get_xlabel() == "episodes"
    assert labels(middle) == ["independent"]  # all others agree to the last bit


def test_a_training_that_has_not_begun_and_agents_alone_are_drawn():
    plots.training(train("slippery-chains", max_seconds=0)).canvas.draw()
    figure = plots.training(train("slippery-chains", episodes=10, graph="none"))
    figure.canvas.draw()
    assert len(figure.axes[2].collections) == 1


def test_it_is_the_picture_of_diff_dac():
    assert PICTURES["diffusion"] is diffusion is plots.diffusion
