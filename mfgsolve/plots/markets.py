"""Pictures of economies: who has what, what they do, how unequal they are, and the price at which the market clears."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import doubts, labelled, words

__all__ = ["economy"]

REACH = 1.1  # of the richest that are shown
SEEN = 1e-4  # share of households beyond which nobody is shown
NEAR, HIGH = 0.02, 1.4  # of the width of a panel from the limit on, and of the highest density there, that is shown
CLEARING = "#d1495b"


@part.picture
def economy(dataset: xr.Dataset, **style: Unpack[part.Options]) -> Figure:
    """An economy in equilibrium, from the answer to an `mfgsolve.Economy`.

    By wealth, a curve for each income: households per unit of wealth (the atom at the borrowing limit is told in
    words), consumption, saving, and what is spent of a little more wealth.  Then Lorenz curves of what can be shared,
    and what households hold beside what there is at other prices: the market clears where the curves cross, and the
    band around the ring is the estimated distance of the price to the continuum.
    """
    data = getattr(dataset, "dataset", dataset)
    figure, axes = part.row(6, 3.3, least=3.3)
    wealth, shown = data["wealth"].values, data["mass"].sum("income").values
    last = wealth[min(int(np.searchsorted(np.cumsum(shown), 1 - SEEN)) + 1, wealth.size - 1)]
    limits = (wealth[0], min(wealth[0] + REACH * (last - wealth[0]), wealth[-1]))
    for ax, name in zip(axes, ("density", "consumption", "saving", "marginal_propensity"), strict=False):
        _by_income(ax, data, name, limits)
    _atom(axes[0], data)
    axes[2].axhline(0.0, color=part.INK, linewidth=part.relative(0.8))
    part.explain(axes[1], title="income")
    _inequality(axes[4], data)
    _market(axes[5], data)
    attrs = data.attrs
    error = float(attrs.get("discretisation_price", np.nan))
    near = "" if np.isnan(error) else f"±{error:.1g} to the continuum"
    ended = "" if attrs["status"] == "converged" else f" ({words(attrs['status'])})"
    part.headline(figure, f"{words(attrs['name'])}: r = {attrs['price']:.6g}{ended}", near, doubts(data))
    return figure


TITLES = {
    "density": "households per unit of wealth", "consumption": "consumption", "saving": "saving",
    "marginal_propensity": "propensity to consume",
}  # fmt: skip


def _by_income(ax: Axes, data: xr.Dataset, name: str, limits: tuple[float, float]) -> None:
    wealth, values = data["wealth"].values, data[name].values
    inside = (wealth >= limits[0]) & (wealth <= limits[1])
    first = 1 if name == "density" else 0  # the lowest cell holds the atom
    for k, income in enumerate(data["income"].values):
        look = {key: value for key, value in part.series(k).items() if key in ("color", "linestyle")}
        ax.plot(wealth[inside][first:], values[k, inside][first:], label=f"{income:g}", **look)
    unit = str(data[name].attrs.get("units", "1"))
    ax.set(xlim=limits, xlabel="wealth", ylabel=labelled(TITLES[name].split(" per ")[0], unit), title=TITLES[name])
    ax.grid(alpha=0.3)
    if name == "density":  # which grows without bound at the limit, for those who come down to it
        beyond = wealth > limits[0] + NEAR * (limits[1] - limits[0])
        ax.set_ylim(0.0, HIGH * float(values[:, inside & beyond].max(initial=1e-300)))


def _atom(ax: Axes, data: xr.Dataset) -> None:
    share, limit = float(data.attrs["mass_at_limit"]), float(data["wealth"].values[0])
    ax.annotate(f"{100 * share:.2g} % at the limit {limit:g}", (0.97, 0.93), xycoords="axes fraction", ha="right",
                va="top", color=part.INK)  # fmt: skip


def _inequality(ax: Axes, data: xr.Dataset) -> None:
    shares = data["share"].values
    ax.plot(shares, shares, color=part.INK, linewidth=part.relative(0.8))
    for k, amount in enumerate(data["amount"].values):
        curve = data["lorenz"].sel(amount=amount).values
        if np.isfinite(curve).all():
            gini = float(data.attrs[f"gini_{amount}"])
            look = {key: value for key, value in part.series(k).items() if key in ("color", "linestyle")}
            ax.plot(shares, curve, label=f"{amount} ({gini:.2f})", **look)
    part.explain(ax, title="Gini", loc="upper left")
    ax.set(xlim=(0, 1), xlabel="share of households", ylabel="share of the total", title="Lorenz curves")
    ax.grid(alpha=0.3)


def _market(ax: Axes, data: xr.Dataset) -> None:
    prices, found = data["scanned_price"].values, data["clearing_price"].values
    held, there = data["scanned_holdings"].values, data["scanned_supply"].values
    attrs, r = data.attrs, float(data.attrs["price"])
    own = float(attrs["mean_wealth"])
    held, there = (np.insert(curve, np.searchsorted(prices, r), at)  # through the answer, which lies between
                   for curve, at in ((held, own), (there, own - float(attrs["excess"]))))  # fmt: skip
    prices = np.insert(prices, np.searchsorted(prices, r), r)
    at = np.interp(found, prices, there)
    ax.plot(held, prices, label="households hold", color=part.series(0)["color"])
    ax.plot(there, prices, label="there is", color=part.series(1)["color"], linestyle="--")
    ax.plot(at, found, "o", markerfacecolor="none", color=CLEARING, markersize=part.relative(7), label="clears")
    error, best = (float(attrs.get(f"discretisation_{name}", np.nan)) for name in ("price", "extrapolated_price"))
    if np.isfinite(error):
        ax.axhspan(r - error, r + error, color=CLEARING, alpha=0.2, linewidth=0)
        ax.axhline(best, color=CLEARING, linewidth=part.relative(0.8), label="continuum")
    room = np.ptp(np.append(at, held[np.searchsorted(prices, r) :][:1])) + 0.5 * abs(at[0]) + 0.25
    low, high = max(prices[0], r - 0.72 * abs(prices[-1] - prices[0])), prices[-1]
    seen = held[(prices >= low)]
    ax.set(xlim=(min(seen.min(), at.min()) - 0.05 * room, at.max() + 2 * room), ylim=(low, high))
    ax.set(xlabel="wealth", ylabel="interest rate r (1 / time)", title="the market")
    part.explain(ax)
    ax.grid(alpha=0.3)
