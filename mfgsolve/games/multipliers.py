"""Multipliers of hard bounds that a dataset brings, in the order of a game."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.games.game import Game
from mfgsolve.inputs.labels import aligned

__all__ = ["end_variables", "multiplier_from", "paid_once"]

NAMES = ("capacity_multiplier", "price_multiplier", "final_price")


def multiplier_from(game: Game, dataset: Any) -> np.ndarray | None:
    """Multipliers of the hard bounds (T+1, *level) from the dataset of a solution; None where there are no bounds.

    Raises
    ------
    InputError
        where the game has bounds, and what came is no dataset that has multipliers of them; for other coordinates and
        shapes than the game's, and for numbers that are not finite
    """
    if not game.is_hard:
        return None
    if not hasattr(dataset, "data_vars") or not set(NAMES) & set(dataset.data_vars):
        raise InputError(
            "the problem has hard bounds, and a policy alone does not say what they cost; pass a solution, or a "
            f"dataset with {' or '.join(NAMES)}"
        )
    multiplier = np.zeros((game.steps + 1, game.width))
    nodes, grid = game.time.nodes, game.grid
    if "capacity_multiplier" in dataset:
        labels, shape = {"time": nodes} | grid.labels, (len(nodes), *grid.shape)
        values = _sized(dataset, "capacity_multiplier", ("time", *grid.dims), labels, shape)
        multiplier[:, : game.cells] = values.reshape(game.steps + 1, -1)
        multiplier[-1] *= game.end / game.weights[-1] if game.terminal_block is not None else 1.0
    if "final_price" in dataset:
        values = _sized(dataset, "final_price", grid.dims, grid.labels, grid.shape)
        multiplier[-1, : game.cells] = values.reshape(-1) * (game.end / game.weights[-1])
    if "price_multiplier" in dataset:
        count = len(game.prices)
        labels = {"step": nodes[:-1], "aggregate": np.arange(count)}
        values = _sized(dataset, "price_multiplier", ("step", "aggregate"), labels, (game.steps, count))
        multiplier[:-1, game.width - count :] = values
    return multiplier.reshape(game.empty_crowd().shape)


def paid_once(game: Game, multiplier: np.ndarray) -> np.ndarray:
    """The same multiplier, whose last level is paid once at the horizon, not per unit of the weight of that node."""
    if game.terminal_block is None or game.weights[-1] == game.end:
        return multiplier
    result = multiplier.copy()
    result[-1] *= game.weights[-1] / game.end
    return result


def end_variables(game: Game, multiplier: np.ndarray | None, volume: str) -> dict[str, Any]:
    """Variables of a final density that is given: itself (in units of ``volume``), and the price that leads to it."""
    if game.final_mass is None:
        return {}
    grid = game.grid
    target = game.final_mass.reshape(grid.shape) / grid.volumes
    data: dict[str, Any] = {"final_target": (grid.dims, target, {"units": volume, "long_name": "density to be met"})}
    if multiplier is not None:
        price = game.mass(paid_once(game, multiplier))[-1]
        text = {"units": "cost", "long_name": "price of being there at the end"}
        data["final_price"] = (grid.dims, np.where(grid.mask, 0.0, price), text)
    return data


def _sized(dataset: Any, name: str, dims: tuple[str, ...], labels: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """A variable of a dataset in the order of the game."""
    values = np.asarray(aligned(dataset[name], dims, labels, name), dtype=float)
    if values.shape != shape:
        raise InputError(f"{name} has shape {values.shape}; {shape} is needed")
    if not np.isfinite(values).all():
        raise InputError(f"{name} has a number that is not finite")
    return values
