"""Societies of auctions: winning bids beside what states are worth, their course, and the credit that was made."""

from __future__ import annotations

from typing import Unpack

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import doubts, words

__all__ = ["society"]

MOST = 12  # states that have room for a name, or a curve, of their own
BUBBLE = "#d1495b"
WORTH = 0.02  # of bid by which a bubble stands out


@part.picture
def society(dataset: xr.Dataset, **style: Unpack[part.Options]) -> Figure:
    """How a society bids, from a training of the learner "society".

    Left: the bid of every primitive in every state, ringed where it wins, beside max Q* (a line); where the winning bid
    is more than the state is worth, the excess is shaded: a bubble.  Middle: winning bids over the episodes, the worth
    as a dotted line of the same colour; of many states the largest error and the mean one.  Right: credit made out of
    nothing, per auction.
    """
    figure, (left, middle, right) = part.row(3, 4.8, ratios=(1.25, 1.25, 1.0))
    here = dataset.isel(state=np.flatnonzero(dataset["reached"].values))
    _bids(left, here)
    if here.sizes["state"] <= MOST:
        _curves(middle, here)
    else:
        _errors(middle, here)
    _credit(right, here)
    attrs = dataset.attrs
    twins = "solitary" if attrs.get("option_solitary") else "cloned"
    name = f"{words(attrs.get('option_mechanism', ''))}, {twins}, {words(attrs.get('option_bids', ''))} bids"
    ended = "" if attrs["status"] == "finished" else f" ({words(attrs['status'])})"
    part.headline(figure, f"{words(attrs['task'])}: {name}{ended}", warned=doubts(dataset))
    return figure


def _colours(count: int) -> list[tuple[float, float, float, float]]:
    """One for each of so many curves."""
    return list(matplotlib.colormaps["viridis"](np.linspace(0.0, 0.9, max(count, 1))))


def _bids(ax: Axes, here: xr.Dataset) -> None:
    bids, worth = here["bids"].values, here["worth"].max("primitive").values
    places, few = np.arange(here.sizes["state"]), here.sizes["state"] <= MOST
    most = np.nanmax(bids, axis=0)
    ax.hlines(
        worth,
        places - 0.4,
        places + 0.4,
        color=part.INK,
        linewidth=part.relative(2 if few else 1),
        label="worth, max Q*",
    )
    over = most > worth + WORTH
    if over.any():
        ax.bar(places[over], (most - worth)[over], 0.8, worth[over], color=BUBBLE, alpha=0.25, label="bubble")
    names = [words(name) for name in here["primitive"].values]
    for k, (row, name) in enumerate(zip(bids, names, strict=True)):
        look = part.series(k) | {"linestyle": "", "markersize": part.relative(6 if few else 2.5)}
        ax.plot(places, row, label=name, **look)
    ax.plot(places, most, "o", color=part.INK, markerfacecolor="none", markersize=part.relative(11 if few else 4),
            label="wins")  # fmt: skip
    if few:
        ax.set_xticks(places, [words(name) for name in here["state"].values])
    ax.set(xlabel="state", ylabel="bid", title="bids and what states are worth")
    ax.grid(alpha=0.3, axis="y")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.35 * (high - low))
    part.explain(ax, ncols=2, loc="upper left")


def _episodes(here: xr.Dataset) -> np.ndarray:
    return np.asarray(here["iteration"].values * float(here.attrs["episodes_of_block"]))


def _curves(ax: Axes, here: xr.Dataset) -> None:
    if here.sizes.get("iteration", 0):
        then, worth = here["winning_bid_then"], here["worth"].max("primitive").values
        for k, colour in enumerate(_colours(here.sizes["state"])):
            name = words(here["state"].values[k])
            ax.plot(_episodes(here), then.isel(state=k).values, color=colour, label=name)
            ax.axhline(worth[k], color=colour, linestyle=":")
        part.explain(ax, title="state (dotted: worth)")
    ax.set(xlabel="episodes", ylabel="winning bid", title="winning bids over the episodes")
    ax.grid(alpha=0.3)


def _errors(ax: Axes, here: xr.Dataset) -> None:
    if here.sizes.get("iteration", 0):
        off = np.abs(here["winning_bid_then"].values - here["worth"].max("primitive").values)
        ax.semilogy(_episodes(here), off.max(axis=1), color=BUBBLE, label="largest over states")
        ax.semilogy(_episodes(here), off.mean(axis=1), "--", color=part.INK, label="mean")
        part.explain(ax)
    ax.set(xlabel="episodes", ylabel="error of the winning bid", title="errors over the episodes")
    ax.grid(alpha=0.3)


def _credit(ax: Axes, here: xr.Dataset) -> None:
    if here.sizes.get("iteration", 0):
        made = here["credit_made"].values
        ax.plot(_episodes(here), made, color=BUBBLE)
        if np.abs(made).max() < 1e-6:
            ax.set_ylim(-0.01, 0.01)
            ax.annotate("conserved to round-off", (0.5, 0.62), xycoords="axes fraction", ha="center", color=part.INK)
        else:
            ax.set_ylim(min(0.0, 1.15 * float(made.min())), 1.15 * float(made.max()))
    ax.set(xlabel="episodes", ylabel="credit per auction", title="credit made out of nothing")
    ax.grid(alpha=0.3)
