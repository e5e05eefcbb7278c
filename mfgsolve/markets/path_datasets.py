"""The dataset of a transition: prices, aggregates, propensities to consume, and who has what, over time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.markets.adjustment import Adjustment
from mfgsolve.markets.measures import gini, propensity

__all__ = ["SERIES", "TOLD", "arrays", "resting"]

STATE = ("income", "wealth")
SERIES = {  # of each step; who is in a step are those that leave it
    "productivity": ("of the firm, or of incomes without one, relative to rest", "1"),
    "impatience": ("rate of impatience", "1 / time"),
    "interest_rate": ("interest rate r", "1 / time"),
    "wage": ("wage w", "1"),
    "capital": ("capital at the beginning of the step, NaN without a firm", "wealth"),
    "output": ("output, NaN without a firm", "wealth / time"),
    "mean_consumption": ("mean consumption", "wealth / time"),
    "consumption_response": ("mean consumption, relative to rest, less 1", "1"),
    "mean_marginal_propensity": ("mean of what of a little more wealth is spent per unit of time", "1 / time"),
    "excess": ("wealth where the market of the step clears, less what there is; 0 where all is given", "wealth"),
}
NODES = {
    "mean_wealth": ("mean wealth", "wealth"),
    "mass_at_limit": ("share of households at the borrowing limit", "1"),
    "gini_wealth": ("Gini of wealth, NaN where there is no positive total", "1"),
}
FIELDS = {
    "density": (
        ("time", *STATE),
        "households per unit of wealth, by cells; the lowest one holds the atom",
        "1 / wealth",
    ),
    "consumption": (("step", *STATE), "consumption", "wealth / time"),
    "resting_consumption": (STATE, "consumption in the steady state", "wealth / time"),
    "cell_width": (("wealth",), "width of the cell of each point of wealth", "wealth"),
    "swept_excess": (("iteration",), "largest excess of wealth of each sweep", "wealth"),
}
TOLD = {
    **{name: (("step",), text, unit) for name, (text, unit) in SERIES.items()},
    **{name: (("time",), text, unit) for name, (text, unit) in NODES.items()},
    **FIELDS,
}
COORDINATES = {
    "time": ("time", "time"),
    "step": ("time at which the step begins", "time"),
    "income": ("level of income, or of labour", "wealth / time"),
    "wealth": ("wealth", "wealth"),
}


def _consumption(result: Adjustment) -> np.ndarray:
    """(steps, incomes, wealth)."""
    households, met = result.economy.households, result.met
    return np.array([households.earnings(met.prices(k)) - plan for k, plan in enumerate(result.plans)])


def _output(result: Adjustment) -> np.ndarray:
    firm = result.economy.firm
    if firm is None:
        return np.full(len(result.plans), math.nan)
    made = [firm.technology.output(float(k), result.economy.labour) for k in result.capital]
    return result.productivity * np.array(made)


def _excess(result: Adjustment) -> np.ndarray:
    """Of each step; capital of the first one is given."""
    return np.r_[0.0, result.excess] if result.economy.is_explicit else result.excess


def _series(result: Adjustment, consumption: np.ndarray) -> dict[str, np.ndarray]:
    households, inside, met = result.economy.households, result.masses[1:], result.met
    rest = result.steady.response
    mean = (inside * consumption).sum(axis=(1, 2))
    spent = np.array([propensity(each, households.wealth.points) for each in consumption])
    return {
        "productivity": result.productivity, "impatience": met.impatience, "interest_rate": met.r, "wage": met.w,
        "capital": result.capital, "output": _output(result), "mean_consumption": mean,
        "consumption_response": mean / float((rest.mass * rest.consumption).sum()) - 1.0,
        "mean_marginal_propensity": (inside * spent).sum(axis=(1, 2)), "excess": _excess(result),
    }  # fmt: skip


def arrays(result: Adjustment) -> xr.Dataset:
    """Everything labelled but the history, `TOLD`."""
    households, masses, time = result.economy.households, result.masses, result.time
    points, widths, consumption = households.wealth.points, households.wealth.widths, _consumption(result)
    wealth = np.broadcast_to(points, masses[0].shape)
    values = {
        **_series(result, consumption),
        "mean_wealth": masses.sum(axis=1) @ points, "mass_at_limit": masses[:, :, 0].sum(axis=1),
        "gini_wealth": np.array([gini(wealth, mass) for mass in masses]), "density": masses / widths,
        "consumption": consumption, "resting_consumption": result.steady.response.consumption, "cell_width": widths,
        "swept_excess": np.array([sweep.excess for sweep in result.sweeps]),
    }  # fmt: skip
    nodes = time.horizon * np.arange(time.steps + 1) / time.steps
    axes = {"time": nodes, "step": nodes[:-1], "income": households.income.levels, "wealth": points}
    data = {k: (dims, values[k], {"long_name": text, "units": unit}) for k, (dims, text, unit) in TOLD.items()}
    coordinates: dict[str, Any] = {
        name: (name, axes[name], {"long_name": text, "units": unit}) for name, (text, unit) in COORDINATES.items()
    }
    return xr.Dataset(data, coordinates)


def resting(result: Adjustment) -> dict[str, tuple[float, str]]:
    """The steady state, and the farthest from it, each with its unit; NaN of capital where there is no firm."""
    rest, met = result.steady.response, result.met
    consumed = (result.masses[1:] * _consumption(result)).sum(axis=(1, 2))
    output = math.nan
    if result.economy.firm is not None:
        output = result.economy.firm.technology.output(result.steady_capital, result.economy.labour)
    return {
        "resting_output": (output, "wealth / time"),
        "resting_impatience": (result.economy.households.impatience, "1 / time"),
        "resting_price": (float(rest.prices.r), "1 / time"), "resting_wage": (float(rest.prices.w), "1"),
        "least_price": (float(met.r.min()), "1 / time"), "largest_price": (float(met.r.max()), "1 / time"),
        "resting_capital": (result.steady_capital, "wealth"),
        "least_capital": (float(result.capital.min()), "wealth"),
        "resting_consumption": (float((rest.mass * rest.consumption).sum()), "wealth / time"),
        "least_consumption": (float(consumed.min()), "wealth / time"), "step_error": (result.step_error, "1 / time"),
        "horizon_error": (result.horizon_error, "1 / time"),
    }  # fmt: skip
