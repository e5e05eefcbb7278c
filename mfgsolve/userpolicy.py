"""Policies that users bring, as arrays in the order of a game: by position, or by the names they came with."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.errors import InputError, has_labels
from mfgsolve.games import Game
from mfgsolve.inputs.labels import aligned
from mfgsolve.steps.speed_policies import SpeedPolicy
from mfgsolve.steps.table_policies import TablePolicy

__all__ = ["given_multiplier", "given_policy"]


def given_policy(game: Game, given: Any) -> Any:
    """The checked policy that a dataset, a labelled array or a plain one holds.

    Raises
    ------
    InputError
        for other dimensions, other coordinates (places, times, states, actions, populations), other shapes and what
        is no policy of the game
    """
    assert isinstance(game, Game)
    array = _policy_array(game, given)
    return SpeedPolicy.checked(array, game.step.mesh) if not game.has_tables else TablePolicy.checked(array, game)


def _policy_array(game: Game, given: Any) -> Any:
    """Speeds or probabilities of a dataset, a labelled array or a plain one, in the order of the game."""
    name, dim, names = ("speed", "move", game.step.mesh.move_names) if not game.has_tables else (
        "policy", "action", game.action_names)  # fmt: skip
    if hasattr(given, "data_vars"):
        if name not in given:
            raise InputError(f"policy dataset has variables {sorted(given.data_vars)}; one named {name!r} is needed")
        given = given[name]
    labels = {"step": game.time.nodes[:-1], dim: np.array(names)} | game.grid.labels
    if has_labels(given) and dim not in getattr(given, "coords", {dim}):
        raise InputError(f"policy has no coordinate {dim}; the {dim}s {names}, in any order, are needed to tell them")
    return aligned(given, ("step", dim, *game.grid.dims), labels, "policy")


def given_multiplier(game: Game, given: Any) -> np.ndarray | None:
    """Multipliers of the hard bounds, from the dataset of a solution."""
    if not game.problem.is_hard:
        return None
    if not hasattr(given, "data_vars") or not ({"capacity_multiplier", "price_multiplier"} & set(given.data_vars)):
        raise InputError(
            "the problem has hard bounds, and a policy alone does not say what they cost; pass a solution, or a "
            "dataset with capacity_multiplier or price_multiplier"
        )
    multiplier = np.zeros((game.steps + 1, game.width))
    nodes = game.time.nodes
    if "capacity_multiplier" in given:
        labels = {"time": nodes} | game.grid.labels
        values = _sized(given, "capacity_multiplier", ("time", *game.grid.dims), labels, (len(nodes), *game.grid.shape))
        multiplier[:, : game.cells] = values.reshape(game.steps + 1, -1)
    if "price_multiplier" in given:
        count = len(game.prices)
        labels = {"step": nodes[:-1], "aggregate": np.arange(count)}
        values = _sized(given, "price_multiplier", ("step", "aggregate"), labels, (game.steps, count))
        multiplier[:-1, game.width - count :] = values
    return multiplier.reshape(game.empty_crowd().shape)


def _sized(given: Any, name: str, dims: tuple[str, ...], labels: dict[str, Any], shape: tuple[int, ...]) -> np.ndarray:
    """A variable of a dataset in the order of the game."""
    values = np.asarray(aligned(given[name], dims, labels, name), dtype=float)
    if values.shape != shape:
        raise InputError(f"{name} has shape {values.shape}; {shape} is needed")
    if not np.isfinite(values).all():
        raise InputError(f"{name} has a number that is not finite")
    return values
