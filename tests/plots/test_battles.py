"""Pictures of trainings on battles: every group has its curve in every panel."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from mfgsolve import plots
from mfgsolve.plots.battles import COLOURS, battle

CURVES = ("reward", "kills", "alive", "won")


def training(blocks):
    rng = np.random.default_rng(0)
    data = {name: (("iteration", "group"), rng.random((blocks, 4)), {"units": "1"}) for name in CURVES}
    attrs = {
        "kind": "training", "task": "multi-team-battle", "learner": "mfq", "status": "finished", "picture": "battle",
        "episodes_of_block": 8, "warnings": "[]",
    }  # fmt: skip
    return xr.Dataset(data, {"iteration": np.arange(1, blocks + 1), "group": list("abcd")}, attrs)


@pytest.mark.parametrize("blocks", [0, 1, 5])
def test_curves_of_groups_over_episodes(blocks):
    dataset = training(blocks)
    figure = plots.training(dataset)
    for ax, name in zip(figure.axes, CURVES, strict=True):
        assert [line.get_color() for line in ax.lines] == list(COLOURS)
        for k, line in enumerate(ax.lines):
            assert line.get_xdata().tolist() == (8.0 * np.arange(1, blocks + 1)).tolist()
            assert line.get_ydata().tolist() == dataset[name].values[:, k].tolist()
    assert figure.axes[0].get_legend_handles_labels()[1] == [f"group {name}" for name in "abcd"]
    assert "multi-team-battle: mfq" in figure.get_suptitle()
    assert len({*COLOURS}) == 4


def test_it_is_public():
    assert plots.battle is battle
