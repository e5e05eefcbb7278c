"""Picture of a transition: what hit the economy, what prices and aggregates did, and who had what when."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import doubts, labelled, words

__all__ = ["transition"]

CALM = 0.02  # of its largest distance from rest, below which no path is shown any more
SEEN = 1e-4  # share of households beyond which nobody is shown
MOMENTS = 4  # at which the distribution is shown


@part.picture
def transition(dataset: xr.Dataset, **style: Unpack[part.Options]) -> Figure:
    """A transition after a shock, from the answer to an `mfgsolve.Transition`.

    Over time: the shock and what households consume (and the firm has and makes), in per cent of the steady state; the
    interest rate, with its level at rest; what of a little more wealth is spent; inequality.  Then, by
    wealth, what households consume at first, and how many more have less than that at a few times.
    """
    data = getattr(dataset, "dataset", dataset)
    figure, axes = part.row(6, 3.3, least=3.3)
    last = _calm(data)
    _responses(axes[0], data, last)
    _line(axes[1], data, "interest_rate", "interest rate", last, float(data.attrs["resting_price"]))
    _line(axes[2], data, "mean_marginal_propensity", "propensity to consume", last)
    _line(axes[3], data, "gini_wealth", "Gini of wealth", last)
    if not np.isfinite(data["gini_wealth"].values).any():
        axes[3].clear()
        _line(axes[3], data, "mass_at_limit", "at the borrowing limit", last)
    _first(axes[4], data)
    _moved(axes[5], data, last)
    attrs = data.attrs
    ended = "" if attrs["status"] == "converged" else f" ({words(attrs['status'])})"
    least, most = float(attrs["least_price"]), float(attrs["largest_price"])
    title = f"{words(attrs['name'])}: r from {least:.4g} to {most:.4g}{ended}"
    error = float(attrs.get("step_error", np.nan))
    near = "" if np.isnan(error) else f"shorter steps would move r by about {error:.1g}"
    part.headline(figure, title, near, doubts(data))
    return figure


def _calm(data: xr.Dataset) -> float:
    """The time after which prices stay near to rest, and a little."""
    times, far = data["step"].values, np.abs(data["interest_rate"].values - float(data.attrs["resting_price"]))
    loud = np.flatnonzero(far > CALM * far.max()) if far.max() > 0 else np.array([times.size - 1])
    return float(min(1.25 * times[loud[-1]], times[-1])) or float(times[-1])


def _look(k: int) -> dict[str, Any]:
    return {key: value for key, value in part.series(k).items() if key in ("color", "linestyle")}


def _responses(ax: Axes, data: xr.Dataset, last: float) -> None:
    """Per cent of the steady state."""
    steps, inside = data["step"].values, data["step"].values <= last
    rows = {"consumption": data["consumption_response"].values}
    capital, output = data["capital"].values, data["output"].values
    if np.isfinite(capital).all():
        rows["capital"] = capital / float(data.attrs["resting_capital"]) - 1
        rows["output"] = output / float(data.attrs["resting_output"]) - 1
    rest = {"productivity": 1.0, "impatience": float(data.attrs["resting_impatience"])}
    rows |= {
        name: data[name].values / rest[name] - 1 for name in rest if np.ptp(data[name].values / rest[name]) > 1e-12
    }
    for k, (name, values) in enumerate(rows.items()):
        ax.plot(steps[inside], 100 * values[inside], label=name, **_look(k))
    ax.axhline(0.0, color=part.INK, linewidth=part.relative(0.8))
    ax.set(xlim=(0, last), xlabel="time", title="beside rest")
    ax.set_ylabel("per cent")
    part.explain(ax)
    ax.grid(alpha=0.3)


def _line(ax: Axes, data: xr.Dataset, name: str, title: str, last: float, rest: float = np.nan) -> None:
    values = data[name]
    times = values[values.dims[0]].values
    inside = times <= last
    ax.plot(times[inside], values.values[inside], color=part.series(0)["color"])
    if np.isfinite(rest):
        ax.axhline(rest, color=part.INK, linewidth=part.relative(0.8), linestyle=":")
    ax.set(xlim=(0, last), xlabel="time", title=title)
    ax.set_ylabel(labelled(title, str(values.attrs.get("units", "1"))))
    ax.grid(alpha=0.3)


def _richest(data: xr.Dataset) -> float:
    """The wealth beyond which nobody is shown."""
    shares = (data["density"].isel(time=0) * data["cell_width"]).sum("income").values
    wealth = data["wealth"].values
    return float(wealth[min(int(np.searchsorted(np.cumsum(shares), 1 - SEEN)) + 1, wealth.size - 1)])


def _first(ax: Axes, data: xr.Dataset) -> None:
    """What households consume in the first step, in per cent of what they do at rest."""
    wealth, top = data["wealth"].values, _richest(data)
    change = data["consumption"].isel(step=0) / data["resting_consumption"] - 1
    for k, income in enumerate(data["income"].values):
        ax.plot(wealth[wealth <= top], 100 * change.values[k, wealth <= top], label=f"{income:g}", **_look(k))
    ax.axhline(0.0, color=part.INK, linewidth=part.relative(0.8))
    ax.set(xlim=(wealth[0], top), xlabel="wealth", title="consumption at first")
    ax.set_ylabel("per cent")
    part.explain(ax, title="income")
    ax.grid(alpha=0.3)


def _moved(ax: Axes, data: xr.Dataset, last: float) -> None:
    """Share of households with no more than some wealth, less that at rest: no jump of points or cells is in it."""
    density, widths = data["density"], data["cell_width"]
    shares = (density * widths).sum("income")
    times = data["time"].values
    moments = [int(np.searchsorted(times, last * (2.0**k / 2.0**MOMENTS))) for k in range(MOMENTS)]
    wealth, rest = data["wealth"].values, np.cumsum(shares.isel(time=0).values)
    top = _richest(data)
    inside = wealth <= top
    for colour, k in zip(part.shades(len(moments)), moments, strict=True):
        moved = np.cumsum(shares.isel(time=k).values) - rest
        ax.plot(wealth[inside], 100 * moved[inside], color=colour, label=f"{times[k]:g}")
    ax.axhline(0.0, color=part.INK, linewidth=part.relative(0.8))
    ax.set(xlim=(wealth[0], top), xlabel="wealth", title="who has less, beside rest")
    ax.set_ylabel("per cent of households")
    part.explain(ax, title="time")
    ax.grid(alpha=0.3)
