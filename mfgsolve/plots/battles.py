"""Trainings on battles: what every group earns, kills and keeps alive, over the episodes."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import words
from mfgsolve.plots.training import PICTURES, title

__all__ = ["COLOURS", "battle"]

COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44")  # of groups a, b, c, d; told apart also by the colour-blind
CURVES = {
    "reward": "reward of an agent in an episode",
    "kills": "kills of a group in an episode",
    "alive": "share alive at the end",
    "won": "share of episodes won",
}


@part.picture
def battle(dataset: xr.Dataset, **style: Unpack[part.Options]) -> Figure:
    """A panel each for the reward of an agent, kills, the share alive at the end and the share of games won."""
    over = part.across(2, 2.6)
    figure = part.page(min(3.2, 0.8 * part.width() / over) * len(CURVES) / over)
    axes = figure.subplots(len(CURVES) // over, over, squeeze=False, sharex=True)
    episodes = dataset["iteration"].values * float(dataset.attrs["episodes_of_block"])
    for ax, (name, label) in zip(axes.ravel(), CURVES.items(), strict=True):
        for k, group in enumerate(dataset["group"].values):
            values = dataset[name].values[:, k]
            ax.plot(
                episodes,
                values,
                **(part.series(k) | {"color": COLOURS[k % len(COLOURS)]}),
                label=words(f"group {group}"),
            )
        ax.set_ylabel(label)
        ax.grid(alpha=0.3)
        if name in ("alive", "won") and np.isfinite(dataset[name].values).all():
            ax.set_ylim(-0.03, 1.03)
    for ax in axes[-1]:
        ax.set_xlabel("episodes")
    part.explain(axes[0, 0])
    part.headline(figure, *title(dataset))
    return figure


PICTURES["battle"] = battle
