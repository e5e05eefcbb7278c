"""Datasets of games without a final time: the same variables, without the dimensions ``time`` and ``step``.

A solver sees one step between two alike levels.  A dataset has one level of each variable, and says by the attribute
``stationary`` which of the games it is of (`mfgsolve.stationary`).  Readers that go by times get them back
(`with_times`): two nodes, a step apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

    from mfgsolve.certificates import Certificate
    from mfgsolve.games import Game

__all__ = ["cost_attrs", "is_timeless", "lasting_value", "with_times", "without_times"]

NODES = (
    "density",
    "value",
    "exited",
    "reference_density",
    "track",
    "capacity_multiplier",
)  # whose levels are those of nodes
STANDING = ("blocked", "action_name", "site_x", "site_y", "site_size")  # and what has no levels


def is_timeless(dataset: Any) -> bool:
    """Whether a dataset, or the head of a file, is of a game without a final time."""
    return "stationary" in dataset.attrs


def without_times(dataset: xr.Dataset) -> xr.Dataset:
    """The first level of every variable."""
    return dataset.isel(time=0, step=0, drop=True)


def with_times(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset with both dimensions; as it is, where it has them."""
    if not is_timeless(dataset) or "time" in dataset.dims:
        return dataset
    unit = {"units": str(dataset.attrs.get("time_unit", "1"))}
    times = np.array([0.0, float(dataset.attrs["step_length"])])
    data: dict[str, Any] = {}
    for name, variable in dataset.data_vars.items():
        values, dims = variable.values, variable.dims
        if name in NODES:
            data[str(name)] = (("time", *dims), np.stack([values, values]), variable.attrs)
        elif name not in STANDING and "iteration" not in dims:
            data[str(name)] = (("step", *dims), values[None], variable.attrs)
    coords = {"time": ("time", times, unit), "step": ("step", times[:1], unit)}
    return dataset.drop_vars(list(data)).assign_coords(coords).assign(data)


def lasting_value(game: Game, value: np.ndarray, price: np.ndarray) -> np.ndarray:
    """What an agent pays from each cell on, (T+1, *shape), from values per step; ``price`` is what the crowd costs.

    A node of a rule of second order stands for half a step before it, which is over.
    """
    rows, free = value[0].reshape(game.grid.populations, -1), ~game.grid.mask.reshape(game.grid.populations, -1)
    lasting = game.horizon.lasting(rows, free)
    if game.step.is_trapezoidal:
        lasting = lasting - 0.5 * game.dt * game.mass(price)[0].reshape(lasting.shape)
    if str(game.time.attrs["stationary"]) == "ergodic":  # beside the average, which a constant is part of
        lasting = lasting - np.mean(lasting, axis=1, where=free, keepdims=True)
    lasting = lasting.reshape(value[0].shape)
    return np.stack([lasting, lasting])


def cost_attrs(game: Game, certificate: Certificate, crowd: np.ndarray) -> dict[str, float]:
    """What an agent pays in all: ``average_cost`` per unit of time, ``discounted_cost`` over its life, or
    ``cost_until_exit`` with the ``time_until_exit``, means of all populations together."""
    if str(game.time.attrs["stationary"]) == "first-exit":
        born = float(sum(game.grid.masses))
        inside = float((game.density(crowd)[0] * game.grid.volumes).sum())
        cost, half = certificate.cost, 0.5 * game.dt if game.step.is_trapezoidal else 0.0  # see `lasting_value`
        cost -= half * float((game.initial_mass.reshape(-1) * game.mass(game.full_price(crowd))[0].reshape(-1)).sum())
        return {"cost_until_exit": cost / born, "time_until_exit": inside / born - half}
    factor = getattr(game.time, "factor", 1.0)
    if factor == 1.0:
        return {"average_cost": certificate.cost}
    cost = certificate.cost * game.dt / (1.0 - factor)
    if game.step.is_trapezoidal:  # see `lasting_value`
        begun = game.horizon.start(game.initial_mass, game.mass(crowd)).reshape(-1)
        cost -= 0.5 * game.dt * float(begun @ game.mass(game.full_price(crowd))[0].reshape(-1))
    return {"discounted_cost": cost}
