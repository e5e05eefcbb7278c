"""The dataset of an equilibrium: distribution, plan, value, propensities, inequality, each with its unit."""

from __future__ import annotations

import datetime
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

import mfgsolve
from mfgsolve.cautions import Caution, to_text
from mfgsolve.files import SCHEMA
from mfgsolve.markets.certificate import MarketCertificate
from mfgsolve.markets.chains import chain_of
from mfgsolve.markets.clearing import Scan
from mfgsolve.markets.measures import gini, lorenz, propensity, quantiles
from mfgsolve.markets.refinement import GridError
from mfgsolve.markets.response import Response

if TYPE_CHECKING:
    from mfgsolve.markets.economy import Economy

__all__ = ["KIND", "aggregates", "build_dataset"]

KIND = "equilibrium"
SHARES = np.linspace(0.0, 1.0, 101)
QUANTILES = np.array([0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99])
PERIOD = 1.0  # over which propensities to consume are told
STATE = ("income", "wealth")
TOLD = {
    "density": (
        STATE,
        "households per unit of wealth, by cells; the lowest one holds the atom",
        "1 / wealth",
    ),
    "mass": (STATE, "share of households at each point of wealth, the atom at the borrowing limit included", "1"),
    "consumption": (STATE, "consumption", "wealth / time"),
    "saving": (STATE, "drift of wealth, w z + r a - consumption", "wealth / time"),
    "value": (STATE, "what the plan is worth from each state on", "utility"),
    "marginal_propensity": (STATE, "share of one unit more of wealth that is spent within mpc_period", "1"),
    "cell_width": (("wealth",), "width of the cell of each point of wealth", "wealth"),
    "wealth_quantile": (("quantile",), "least wealth that this share of households does not exceed", "wealth"),
    "lorenz": (("amount", "share"), "share of the total that the poorest share of households has", "1"),
    "scanned_holdings": (("scanned_price",), "wealth that households hold at other prices, on few points", "wealth"),
    "scanned_demand": (("scanned_price",), "wealth that there is at other prices", "wealth"),
}
COORDINATES = {
    "income": ("level of income, or of labour", "wealth / time"),
    "wealth": ("wealth", "wealth"),
    "quantile": ("share of households", "1"),
    "share": ("share of households, the poorest first", "1"),
    "scanned_price": ("interest rate", "1 / time"),
}


def aggregates(economy: Economy, response: Response) -> dict[str, float]:
    """Means over households, and what the firm makes of them; NaN where there is no firm."""
    mass, households = response.mass, economy.households
    held = response.wealth(households)
    capital = output = np.nan
    if economy.firm is not None:
        capital = held - economy.market.supplied(response.prices.r)
        output = economy.firm.technology.output(capital, economy.labour)
    amounts = {"wealth": _wealth(response, economy), "consumption": response.consumption,
               "earnings": households.earnings(response.prices)}  # fmt: skip
    chain = chain_of(households)
    spent = propensity(chain.spent(response, PERIOD), households.wealth.points)
    return {
        "price": response.prices.r, "wage": response.prices.w, "mean_wealth": held,
        "mean_consumption": float((mass * response.consumption).sum()), "capital": capital, "output": output,
        "labour": economy.labour, "mass_at_limit": float(mass[:, 0].sum()), "mass_at_top": float(mass[:, -1].sum()),
        "mean_marginal_propensity": float((mass * spent).sum()),
        **{f"gini_{name}": gini(amount, mass) for name, amount in amounts.items()},
    }  # fmt: skip


def _wealth(response: Response, economy: Economy) -> np.ndarray:
    return np.broadcast_to(economy.households.wealth.points, response.mass.shape)


def build_dataset(
    economy: Economy, response: Response, certificate: MarketCertificate, distance: GridError, seen: Scan,
    cautions: tuple[Caution, ...], attributes: dict[str, Any],
) -> xr.Dataset:  # fmt: skip
    """Everything of an equilibrium, labelled."""
    households, mass = economy.households, response.mass
    points, widths = households.wealth.points, households.wealth.widths
    spent = chain_of(households).spent(response, PERIOD)
    amounts = {"wealth": _wealth(response, economy), "consumption": response.consumption,
               "earnings": households.earnings(response.prices)}  # fmt: skip
    arrays = {
        "density": mass / widths, "mass": mass, "consumption": response.consumption, "saving": response.saving,
        "value": response.value, "marginal_propensity": propensity(spent, points), "cell_width": widths,
        "wealth_quantile": quantiles(points, mass.sum(axis=0), QUANTILES),
        "lorenz": np.array([lorenz(amount, mass, SHARES) for amount in amounts.values()]),
        "scanned_holdings": seen.held, "scanned_demand": seen.demand,
    }  # fmt: skip
    data = {k: (dims, arrays[k], {"long_name": text, "units": unit}) for k, (dims, text, unit) in TOLD.items()}
    axes = {"income": households.income.levels, "wealth": points, "quantile": QUANTILES, "share": SHARES,
            "scanned_price": seen.prices}  # fmt: skip
    coordinates: dict[str, Any] = {
        name: (name, values, {"long_name": COORDINATES[name][0], "units": COORDINATES[name][1]})
        for name, values in axes.items()
    }
    coordinates["amount"] = ("amount", list(amounts), {"long_name": "what is shared"})
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    head = {"schema": SCHEMA, "kind": KIND, "mfgsolve_version": mfgsolve.__version__, "created": created,
            "name": economy.name, "mpc_period": PERIOD, "warnings": to_text(cautions)}  # fmt: skip
    return xr.Dataset(data, coordinates, head | attributes | asdict(certificate) | distance.attributes)
