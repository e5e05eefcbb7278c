"""Pictures of trainings on tasks."""

from __future__ import annotations

import numpy as np
import pytest
from toy_tasks import Coin, Mean

from mfgsolve import plots
from mfgsolve.errors import InputError
from mfgsolve.plots.training import PICTURES
from mfgsolve.tasks import train


def test_curves_show_mean_and_spread_over_the_episodes():
    training = train(Coin(bias=0.3), Mean(agents=5))
    figure = plots.training(training)
    (ax,) = figure.axes
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [5, 10, 15, 20]
    np.testing.assert_allclose(line.get_ydata(), training.dataset["mean"].mean("agent"))
    band = ax.collections[0].get_paths()[0].vertices
    low = training.dataset["mean"].mean("agent") - training.dataset["mean"].std("agent")
    assert np.isclose(band[:, 1].min(), low.min())
    assert figure.get_suptitle() == "coin: mean\nwarning: unfair"
    assert ax.get_ylabel() == "mean seen"


def test_a_learner_brings_its_own_picture(monkeypatch):
    training = train(Coin(), Mean())
    monkeypatch.setitem(PICTURES, "training", lambda dataset: "drawn")
    assert plots.training(training) == "drawn"


def test_what_is_no_training_is_refused():
    with pytest.raises(InputError, match="a training on a task is needed"):
        plots.training(3)
