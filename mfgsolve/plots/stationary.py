"""Lines and listed states of games without a final time: one level in place of a course in time.

Planes are drawn by the pictures of all games, with one panel.
"""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import View

__all__ = ["choices", "likeliest", "profile", "rates"]

BARS = 60  # cells up to which each has a bar
NOBODY = 1e-6  # of the largest density, below which what is chosen is arbitrary
THIN = 0.01  # and below which no rate is shown


def profile(seen: View, name: str, text: str, label: str) -> Figure:
    """A variable of nodes over the places, a panel for each population."""
    figure, axes = _panels(seen, text)
    for one, ax in zip(seen.each, axes, strict=True):
        values = one.dataset[name].values[0]
        if name == "density" and len(values) <= BARS:
            ax.bar(one.centres(one.dims[0]), values, width=one.widths(one.dims[0]), color="C0", edgecolor="white")
        else:
            ax.plot(one.centres(one.dims[0]), values, **_marks(one))
        ax.set_ylabel(label)
        if name == "density":
            ax.set_ylim(0.0, None)
    return figure


def choices(seen: View) -> Figure:
    """The probability of each action, stacked over the places."""
    figure, axes = _panels(seen, "what agents choose")
    palette = matplotlib.colormaps["tab10" if len(seen.actions) <= 10 else "tab20"]
    for one, ax in zip(seen.each, axes, strict=True):
        name, below = one.dims[0], np.zeros(one.dataset.sizes[one.dims[0]])
        density = one.dataset["density"].values[0]
        there = density > NOBODY * density.max()
        for k, action in enumerate(one.actions):
            share = np.where(there, one.dataset["policy"].values[0, k], 0.0)
            ax.bar(one.centres(name), share, one.widths(name), below, color=palette(k % 20), label=action, linewidth=0)
            below = below + share
        if not there.all():
            rest = np.where(there, 0.0, 1.0)
            ax.bar(one.centres(name), rest, one.widths(name), color="0.88", label="nobody is there", linewidth=0)
        ax.set(ylim=(0.0, 1.0), ylabel="probability of the action")
    _legend_of(figure, axes)
    return figure


def likeliest(seen: View) -> Figure:
    """The number of the likeliest action at each place, where there are many."""
    figure, axes = _panels(seen, "the likeliest action")
    for one, ax in zip(seen.each, axes, strict=True):
        density = one.dataset["density"].values[0]
        number = np.where(density > NOBODY * density.max(), one.dataset["policy"].values[0].argmax(axis=0), np.nan)
        ax.plot(one.centres(one.dims[0]), number, linestyle="", marker="o", markersize=part.relative(3))
        ax.set_ylabel("number of the action")
    return figure


def rates(seen: View, fields: list[np.ndarray], text: str, label: str) -> Figure:
    """A signed field over the places, where there are agents to speak of."""
    figure, axes = _panels(seen, text)
    for one, ax, field in zip(seen.each, axes, fields, strict=True):
        density = one.dataset["density"].values[0]
        ax.plot(one.centres(one.dims[0]), np.where(density >= THIN * density.max(), field[0], np.nan), **_marks(one))
        ax.axhline(0.0, color=part.INK, linewidth=part.relative(0.6))
        ax.set_ylabel(f"{label}\n(none where density < 1 %)")
    return figure


def _panels(seen: View, text: str) -> tuple[part.Page, list[Axes]]:
    """A panel over the places for each population."""
    figure, rows = part.over_time(seen, 1, 0.75)
    axes = [row[0] for row in rows]
    for one, ax in zip(seen.each, axes, strict=True):
        name = one.dims[0]
        ax.set(xlabel=one.axis_label(name), xlim=one.ends(name))
        if one.population is not None:
            ax.set_title(one.population)
        part.name_places(ax.xaxis, one)
        for low, high in part.wall_spans(one):
            ax.axvspan(low, high, color="0.55", linewidth=0)
    part.title(figure, seen, text)
    return figure, axes


def _marks(one: View) -> dict[str, Any]:
    return {"marker": "o"} if one.is_finite and one.dataset.sizes[one.dims[0]] <= BARS else {"marker": ""}


def _legend_of(figure: part.Page, axes: list[Axes]) -> None:
    part.legend(figure, axes[-1].get_legend_handles_labels()[0])
