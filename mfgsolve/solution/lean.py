"""Files without what follows from the plan: the policy is stored exactly, the rest is made from it on reading.

A solution is its policy in its game.  The density is the flow of the policy, f = F(m) the cost of the crowd, the value
the best response to f, speeds and mean velocities are what the policy says: each takes one sweep, and three quarters of
a file.  A lean file holds the policy (the field that speeds or laws follow from, or the probabilities) in full
precision, the density in single precision for whoever reads the file without this package, and all numbers, histories
and texts.  `whole` makes the rest, by the code that made it first; certificates, refinements and warm starts get what
they would have got.

The attribute ``made_on_reading`` of the file names the variables, and ``made_how`` says so in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mfgsolve.errors import FileError, InputError
from mfgsolve.methods import problem_builder

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["FIELD", "LEAST", "MADE", "fastest", "full", "lean", "whole"]

MADE = "made_on_reading"
FIELD = "value_after_noise"  # what speeds follow from
FOLLOWING = ("coupling_cost", "value", "speed", "velocity", "choice_cost", "aggregate_amount", "price")
PEOPLED = 0.01  # of the largest density at that time: where there are agents to speak of
LEAST = 2**22  # bytes that are worth leaving out
ROUND_OFF = 1e-9  # of the largest density: what another sum of the same may differ by
SLACK = 1e-6  # of the largest density: what single precision may change
HOW = (
    "left out of the file, since it follows from the policy: mfgsolve.load(...).dataset has it, and mfgsolve solve "
    "--whole and Solution.save(..., whole=True) write it"
)


def lean(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset of a solution without what can be made from it again; with all of it where that is little, or cannot
    be made: of a problem stated in Python, with bounds, or of a social optimum."""
    left = [name for name in FOLLOWING if name in dataset and (name != "speed" or FIELD in dataset)]
    if sum(dataset[name].nbytes for name in left) < LEAST or "stationary" in dataset.attrs:
        return dataset
    if not _follows(dataset):
        return full(dataset)
    result = dataset.drop_vars(left)
    density = dataset["density"]
    attrs = density.attrs | {"precision": "single here; mfgsolve.load(...).dataset has it in double precision"}
    result["density"] = (density.dims, density.values.astype(np.float32), attrs)
    if "velocity" in left:
        unit = str(dataset["velocity"].attrs.get("units", "1"))
        result = result.assign_attrs({"fastest": fastest(dataset), "fastest_units": unit})
    result = result.assign_attrs({MADE: " ".join(left), "made_how": HOW})
    try:
        game, policy = _played(result)
        again = game.density(game.follow(policy))
    except (InputError, ValueError, KeyError, MemoryError):  # a text that tells less than the game, no room to look
        return full(dataset)
    return result if _agree(again, density.values, ROUND_OFF) else full(dataset)


def full(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset with every variable that other readers want, and without what only `whole` reads."""
    return dataset.drop_vars(FIELD, errors="ignore")


def fastest(dataset: Any) -> float:
    """The largest mean velocity of a dataset, in cells where there are agents to speak of."""
    velocity, density = dataset["velocity"], np.asarray(dataset["density"].values)[:-1]
    speed = np.sqrt((np.asarray(velocity.values) ** 2).sum(axis=velocity.dims.index("direction")))
    there = density >= PEOPLED * density.max(axis=tuple(range(1, density.ndim)), keepdims=True)
    return float(speed[there].max())


def _follows(dataset: xr.Dataset) -> bool:
    """Whether the game and the policy are all that there is: an equilibrium without multipliers."""
    attrs = dataset.attrs
    plain = attrs.get("objective", "equilibrium") == "equilibrium" and attrs.get("status") != "non-finite"
    return plain and not {"capacity_multiplier", "price_multiplier", "final_price"} & set(map(str, dataset.data_vars))


def whole(stored: xr.Dataset) -> xr.Dataset:
    """The dataset of a solution from that of its file.

    Raises
    ------
    FileError
        if the game that the file states does not give its density: data that the problem reads were changed, say
    """
    names = str(stored.attrs.get(MADE, "")).split()
    if not names:
        return stored
    from mfgsolve.solution.datasets import plan_dataset

    try:
        game, policy = _played(stored)
        crowd = game.follow(policy)
        made = plan_dataset(game, policy, crowd)
    except (InputError, ValueError, KeyError) as error:
        raise FileError(
            f"the file leaves out {', '.join(names)}, and the problem that it states cannot be built again: {error}"
        ) from None
    density = stored["density"]
    if not _agree(made["density"].values, density.values, SLACK):
        raise FileError(
            f"the file leaves out {', '.join(names)}, and the problem that it states gives another density now: what "
            "it reads was changed, or this version steps otherwise; solve it again"
        )
    result = stored.assign_coords({str(name): made[name] for name in made.coords if name not in stored.coords})
    result = result.assign({name: made[name] for name in ("density", *names)})
    result.attrs = {
        name: value
        for name, value in stored.attrs.items()
        if name not in (MADE, "made_how", "fastest", "fastest_units")
    }
    return result


def _played(stored: xr.Dataset) -> tuple[Any, Any]:
    """The game that a lean dataset states, and its policy."""
    from mfgsolve.certificates import in_steps_of
    from mfgsolve.games import make_game

    problem = in_steps_of(problem_builder()(str(stored.attrs["problem"]), where="problem of the solution"), stored)
    game = make_game(problem.levelled())
    if FIELD in stored:
        field = np.ascontiguousarray(stored[FIELD].values, dtype=float)
        return game, game.policy_of(field.reshape(game.steps, *game.step.shape))
    return game, game.step.policy_from(stored)


def _agree(made: np.ndarray, stored: np.ndarray, slack: float) -> bool:
    """Whether two densities are the same, up to a share of the largest number."""
    if made.shape != stored.shape:
        return False
    return bool((np.abs(made - stored) <= slack * np.abs(stored).max()).all())
