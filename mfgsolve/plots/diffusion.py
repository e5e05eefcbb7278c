"""Agents that diffuse what they learn over a graph: returns of all arms, how far agents are apart, and the graph."""

from __future__ import annotations

from typing import Any, Unpack

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import words
from mfgsolve.plots.training import PICTURES, title

__all__ = ["diffusion", "disagreements", "draw_graph", "returns"]

COLOURS = {"diffusion": "#d1495b", "independent": "#30638e", "centralised": "0.45"}
LINES = {"diffusion": "-", "independent": "-.", "centralised": "--"}
LEAST = 1e-10  # of the largest disagreement: what is below it is round-off, and not drawn
NAMED = 40  # agents up to which each has its number


@part.picture
def diffusion(dataset: xr.Dataset, **style: Unpack[part.Options]) -> Figure:
    """Draw a training of diff-dac.

    Left: return on all tasks against episodes, mean over agents and one deviation around it, for the agents of the
    graph, independent and centralised ones; dotted, the return on an agent's own task.  Middle: disagreement,
    logarithmic; of tables after each of the first steps beside |lambda_2|^k, of networks over all episodes.  Right: the
    graph, agents on a circle, in the colour of their distance from the mean of all, links as dark as they are heavy.

    Parameters
    ----------
    dataset : of `mfgsolve.learn` with the learner diff-dac
    """
    figure, (left, middle, right) = part.row(3, 4.2, ratios=(1.25, 1.0, 1.0))
    returns(left, dataset)
    disagreements(middle, dataset)
    draw_graph(right, dataset)
    part.headline(figure, *title(dataset))
    return figure


def returns(ax: Axes, dataset: xr.Dataset) -> None:
    """Of every arm over the episodes."""
    ax.set(xlabel="episodes", ylabel="return")
    ax.grid(alpha=0.3)
    if "task_return" not in dataset:
        return
    found = dataset["task_return"].transpose("iteration", "arm", "agent", "task").values
    ax.set_ylabel(words(dataset["task_return"].attrs["long_name"]))
    episodes = dataset["iteration"].values * float(dataset.attrs["episodes_of_block"])
    everywhere, own = found.mean(axis=-1), np.diagonal(found, axis1=-2, axis2=-1).mean(axis=-1)
    for k, arm in enumerate(map(str, dataset["arm"].values)):
        mean, spread, colour = everywhere[:, k].mean(axis=-1), everywhere[:, k].std(axis=-1), COLOURS.get(arm)
        ax.plot(episodes, mean, LINES.get(arm, "-"), color=colour, label=_named(dataset, arm))
        ax.fill_between(episodes, mean - spread, mean + spread, color=colour, alpha=0.2, linewidth=0)
        if arm != "centralised":
            ax.plot(episodes, own[:, k], ":", color=colour)
    ax.plot([], [], ":", color=part.INK, label="on their own task")
    part.explain(ax, title="on all tasks")


def disagreements(ax: Axes, dataset: xr.Dataset) -> None:
    """Of every arm, on a logarithmic axis, with the rate at which combining alone would bring agents together."""
    ax.set(yscale="log", ylabel="disagreement of the agents")
    ax.grid(alpha=0.3)
    early = dataset.get("early_disagreement")
    if early is None:
        apart = dataset.get("arm_disagreement")
        episodes = dataset["iteration"].values * float(dataset.attrs["episodes_of_block"])
        ax.set_xlabel("episodes")
        values = None if apart is None else apart.transpose("arm", "iteration").values
    else:
        values, episodes = early.transpose("arm", "update").values, np.arange(early.sizes["update"], dtype=float)
        ax.set_xlabel("first steps")
        rate = float(dataset["second_eigenvalue"].item()) ** float(dataset.attrs["option_rounds"])
        if 0.0 < rate < 1.0:
            bound, alone = values[0, 0] * rate**episodes, dataset["combined_alone"].values
            links = ", links that hold" if float(dataset.attrs["option_failure"]) > 0 else ""
            ax.plot(episodes, bound, ":", color=part.INK, label=rf"$|\lambda_2|^k$, {rate:.3f} each{links}")
            ax.plot(episodes, alone, linestyle=(0, (1, 1, 4, 1)), color=COLOURS["diffusion"], label="combining alone")
    if values is None:
        return
    for k, arm in enumerate(map(str, dataset["arm"].values)):
        seen = np.where(values[k] > LEAST * values.max(initial=0.0), values[k], np.nan)
        if np.isfinite(seen).sum() > min(1, seen.size - 1):
            look: dict[str, Any] = {"linestyle": LINES.get(arm, "-")} if seen.size > 1 else {"marker": "."}
            ax.plot(episodes, seen, color=COLOURS.get(arm), label=_named(dataset, arm), **look)
    low, high = ax.get_ylim()
    if high < 10.0 * low:
        ax.set_ylim(low / 3.0, high * 3.0)
    if ax.lines:
        part.explain(ax)


def draw_graph(ax: Axes, dataset: xr.Dataset) -> None:
    """Agents on a circle, with their links."""
    apart = dataset["agent_disagreement"].values
    links, weight = dataset["link"].values.reshape(-1, 2), dataset["link_weight"].values
    angle = np.pi / 2 - 2.0 * np.pi * np.arange(apart.size) / apart.size
    place = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    if len(links):
        shade = 0.25 + 0.6 * weight / weight.max()
        ax.add_collection(LineCollection(list(place[links]), colors=part.INK, alpha=shade, linewidths=1.2, zorder=1))
    norm = Normalize(0.0, max(float(apart.max()), 1e-300))
    size = part.relative(1.0) ** 2 * np.clip(4000.0 / apart.size, 30.0, 420.0)
    dots = ax.scatter(
        place[:, 0], place[:, 1], c=apart, s=size, cmap="viridis", norm=norm, edgecolors="white", zorder=2
    )
    for k, (x, y) in enumerate(place if apart.size <= NAMED else ()):
        dark = matplotlib.colormaps["viridis"](norm(apart[k]))[1] < 0.6
        ax.text(
            x,
            y,
            str(k),
            ha="center",
            va="center",
            color="white" if dark else "black",
            fontsize=part.relative(8.6),
            zorder=3,
        )
    ax.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal")
    ax.set_axis_off()
    ax.set_title(words(f"graph: {dataset.attrs.get('option_graph', '')}"))
    bar = ax.figure.colorbar(dots, ax=ax, location="bottom", aspect=30, pad=0.02)
    bar.set_label("distance from the mean of all agents", fontsize=part.relative(9))
    bar.ax.xaxis.set_major_locator(MaxNLocator(4, steps=part.STEPS))


def _named(dataset: xr.Dataset, arm: str) -> str:
    return words(f"{arm} ({dataset.attrs.get('option_graph', '')})" if arm == "diffusion" else arm)


PICTURES["diffusion"] = diffusion
