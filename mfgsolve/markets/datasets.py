"""The dataset of an equilibrium: distribution, plan, value, propensities, inequality, each with its unit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.markets.chains import chain_of
from mfgsolve.markets.measures import gini, lorenz, propensity, quantiles
from mfgsolve.markets.stationary import Stationary

__all__ = ["PERIOD", "TOLD", "aggregates", "arrays"]

SHARES = np.linspace(0.0, 1.0, 101)
QUANTILES = np.array([0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99])
PERIOD = 1.0  # over which propensities to consume are told
STATE = ("income", "wealth")
TOLD = {
    "density": (STATE, "households per unit of wealth, by cells; the lowest one holds the atom", "1 / wealth"),
    "mass": (STATE, "share of households at each point of wealth, the atom at the borrowing limit included", "1"),
    "consumption": (STATE, "consumption", "wealth / time"),
    "saving": (STATE, "drift of wealth, w z + r a - consumption", "wealth / time"),
    "value": (STATE, "what the plan is worth from each state on", "utility"),
    "marginal_propensity": (STATE, "share of one unit more of wealth that is spent within a unit of time", "1"),
    "cell_width": (("wealth",), "width of the cell of each point of wealth", "wealth"),
    "wealth_quantile": (("quantile",), "least wealth that this share of households does not exceed", "wealth"),
    "lorenz": (("amount", "share"), "share of the total that the poorest share of households has", "1"),
    "clearing_price": (("equilibrium",), "every price that clears the market; the answer is of the first", "1 / time"),
    "scanned_holdings": (("scanned_price",), "wealth that households hold at other prices, on few points", "wealth"),
    "scanned_supply": (("scanned_price",), "wealth that there is at other prices", "wealth"),
    "tried_price": (("iteration",), "prices that were tried", "1 / time"),
    "tried_excess": (("iteration",), "wealth that households held there, less what there was", "wealth"),
}
COORDINATES = {
    "income": ("level of income, or of labour", "wealth / time"),
    "wealth": ("wealth", "wealth"),
    "quantile": ("share of households", "1"),
    "share": ("share of households, the poorest first", "1"),
    "scanned_price": ("interest rate", "1 / time"),
}


def _amounts(result: Stationary) -> dict[str, np.ndarray]:
    """What is shared unequally, (incomes, wealth) each."""
    households, response = result.economy.households, result.response
    wealth = np.broadcast_to(households.wealth.points, response.mass.shape)
    return {"wealth": wealth, "consumption": response.consumption, "earnings": households.earnings(response.prices)}


def _spent(result: Stationary) -> np.ndarray:
    households = result.economy.households
    return propensity(chain_of(households).spent(result.response, PERIOD), households.wealth.points)


def aggregates(result: Stationary) -> dict[str, tuple[float, str]]:
    """Prices, means over households, and what the firm makes of them, each with its unit; NaN of capital and output
    where there is no firm."""
    economy, response = result.economy, result.response
    mass, held = response.mass, response.wealth(economy.households)
    capital = output = math.nan
    if economy.firm is not None:
        capital = held - economy.market.supplied(result.price)
        output = economy.firm.technology.output(capital, economy.labour)
    return {
        "price": (result.price, "1 / time"), "wage": (float(response.prices.w), "1"),
        "mean_wealth": (held, "wealth"),
        "mean_consumption": (float((mass * response.consumption).sum()), "wealth / time"),
        "capital": (capital, "wealth"), "output": (output, "wealth / time"), "labour": (economy.labour, "1"),
        "mass_at_limit": (float(mass[:, 0].sum()), "1"), "mass_at_top": (float(mass[:, -1].sum()), "1"),
        "mean_marginal_propensity": (float((mass * _spent(result)).sum()), "1"),
        **{f"gini_{name}": (gini(amount, mass), "1") for name, amount in _amounts(result).items()},
    }  # fmt: skip


def arrays(result: Stationary) -> xr.Dataset:
    """Everything labelled but the history, `TOLD`."""
    households, response, mass = result.economy.households, result.response, result.response.mass
    points, widths, seen, amounts = households.wealth.points, households.wealth.widths, result.seen, _amounts(result)
    values = {
        "density": mass / widths, "mass": mass, "consumption": response.consumption, "saving": response.saving,
        "value": response.value, "marginal_propensity": _spent(result), "cell_width": widths,
        "wealth_quantile": quantiles(points, mass.sum(axis=0), QUANTILES),
        "lorenz": np.array([lorenz(amount, mass, SHARES) for amount in amounts.values()]),
        "clearing_price": np.array(result.found), "scanned_holdings": seen.held, "scanned_supply": seen.demand,
        "tried_price": np.array([trial.price for trial in result.trials]),
        "tried_excess": np.array([trial.excess for trial in result.trials]),
    }  # fmt: skip
    data = {k: (dims, values[k], {"long_name": text, "units": unit}) for k, (dims, text, unit) in TOLD.items()}
    axes = {"income": households.income.levels, "wealth": points, "quantile": QUANTILES, "share": SHARES,
            "scanned_price": seen.prices}  # fmt: skip
    coordinates: dict[str, Any] = {
        name: (name, axes[name], {"long_name": text, "units": unit}) for name, (text, unit) in COORDINATES.items()
    }
    coordinates["amount"] = ("amount", list(amounts), {"long_name": "what is shared"})
    return xr.Dataset(data, coordinates)
