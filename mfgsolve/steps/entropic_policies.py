"""What an agent of an entropic step does: one best response, or one of many that it drew at the start.

A best response is told by the value v_{t+1} that agents look ahead to: the chance of cell y is
K(x, y) exp(-v_{t+1}(y) / eps), divided by the sum of them.  That field stands in datasets as ``value_ahead``, and
beside it the mean velocity,

    velocity = sum_k k h p(k) / dt      along each axis, the moves k counted through walls: noise alone has none

which is for pictures: a mean does not tell the law.

A mean of such laws has no field of its own.  What averages is the *belief*: agents who draw one of the responses at
t = 0 and keep it are a crowd, m = sum_j w_j m_j, and pay sum_j w_j eps KL_j themselves.  That is a plan of all agents
whose exploitability is exact, and no policy of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mfgsolve.errors import InputError, numbers
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.inputs.labels import labelled
from mfgsolve.steps.costs import Costs
from mfgsolve.steps.draws import Drawing, draws_of
from mfgsolve.steps.policies import Average, Policy, PolicyForm, PolicyVariable

__all__ = ["FORM", "BeliefAverage", "EntropicPolicy", "described", "pass_axes", "policy_from", "velocity"]

FORM = PolicyForm("value_ahead", "", (), "")
REMEDY = (
    "an agent of the entropic scheme chooses any law of its next cell, which a mean velocity does not tell; bring the "
    "field 'value_ahead' (step, *dimensions of the grid) that the laws follow from, or state the game with "
    "scheme='upwind', whose policies are speeds"
)


@dataclass(frozen=True)
class EntropicPolicy(Policy):
    """A best response, by the array of its step; its laws and its field are asked of the step."""

    array: np.ndarray


@dataclass(frozen=True)
class BeliefAverage(Average):
    """A mean of crowds, each of agents who keep to one response, and of what these pay themselves; see the module.

    Attributes
    ----------
    crowd : (T+1, *shape)
    own : (1,), cost of the agents themselves
    """

    crowd: np.ndarray
    own: np.ndarray
    is_policy = False

    def arrays(self) -> dict[str, np.ndarray]:
        return {"crowd": self.crowd, "own": self.own}

    def mix(self, game: Any, policy: np.ndarray, crowd: np.ndarray, length: float) -> None:
        own = game.cost(game.policy_of(policy), crowd).cost
        if length == 1.0:
            self.crowd[:], self.own[:] = crowd, own
            return
        self.own[:] += length * (own - self.own)
        for mean, newest in zip(self.crowd, crowd, strict=True):
            mean += length * (newest - mean)


class Laws(Drawing, Protocol):
    """What is asked of a step; see `mfgsolve.steps.entropic.EntropicStep`."""

    space: Grid
    time: TimeGrid
    shape: tuple[int, ...]
    viscosity: float
    control_cost: float

    def best(self, t: int, after: np.ndarray, costs: Costs, policy: np.ndarray) -> np.ndarray: ...


def pass_axes(ndim: int, t: int) -> tuple[int, ...]:
    """The axes in the order in which agents take them in step t, as numbers in array order: x last in even steps."""
    axes = tuple(range(ndim))
    return axes if t % 2 == 0 else axes[::-1]


def velocity(step: Laws, policy: EntropicPolicy, t: int) -> np.ndarray:
    """Mean velocity in step t, (axes in array order, *shape), in cells where agents may be; 0 in blocked ones."""
    means: dict[int, np.ndarray] = {}
    order = pass_axes(step.space.ndim, t)
    for axis, draw in reversed(list(zip(order, draws_of(step, policy, t), strict=True))):
        kernel = step.draw_kernel
        means = {other: kernel.expect_draw(mean, draw) for other, mean in means.items()}  # of the draws to come
        means[axis] = kernel.mean_move(draw) * (step.space.axes[axis].spacing / step.time.dt)
    free = ~step.space.mask.reshape(-1)
    return np.stack([means[axis] * free for axis in range(step.space.ndim)]).reshape(-1, *step.space.shape)


def described(step: Laws, policy: Policy) -> PolicyVariable:
    """A best response as the variables of a dataset: its field, and the mean velocity."""
    assert isinstance(policy, EntropicPolicy)
    grid, steps = step.space, step.steps
    field = np.stack([step.after(policy, t).reshape(grid.shape) for t in range(steps)])
    field[:, grid.mask] = np.nan
    means = np.stack([velocity(step, policy, t)[::-1] for t in range(steps)])  # x first
    length, unit = grid.axes[-1].unit, step.time.unit
    names = np.array([axis.name for axis in reversed(grid.axes)])
    about = {"units": length if unit == "1" else f"{length}/{unit}", "long_name": "mean velocity chosen"}
    companions = {
        "direction": ("direction", names, {"units": "1", "long_name": "axis of a velocity"}),
        "velocity": (("step", "direction", *grid.dims), means, about),
    }
    attrs = {
        "units": "cost", "long_name": "value that agents look ahead to, at the end of the step",
        "viscosity": step.viscosity, "control_cost": step.control_cost,
    }  # fmt: skip
    return PolicyVariable(FORM, ("step", *grid.dims), field, attrs, companions)


def policy_from(step: Laws, policy: Any) -> EntropicPolicy:
    """The best response to a field of values (step, *shape), of a user or of a file.

    Parameters
    ----------
    policy : a Dataset with ``value_ahead``, a labelled array or a plain one; what stands in blocked cells is not looked
        at, and a constant added to a level changes nothing

    Raises
    ------
    InputError
        for velocities and speeds, for other dimensions, coordinates and shapes, and for values that are not finite
    """
    grid, wanted = step.space, (step.steps, *step.space.shape)
    _refuse_velocities(policy, grid)
    array = numbers(FORM.array_of(policy, grid, step.time), "policy", "values that agents look ahead to are needed")
    if array.shape != wanted:
        raise InputError(f"policy has shape {array.shape}; value_ahead, {('step', *grid.dims)} = {wanted}, is needed")
    field = np.where(grid.mask, 0.0, array)
    if not np.isfinite(field).all():
        t, *cell = (int(i) for i in np.argwhere(~np.isfinite(field))[0])
        raise InputError(
            f"policy has the value {field[(t, *cell)]} in cell {tuple(cell)} at step {t}; values that agents look "
            "ahead to are finite wherever they may be: take a large number for a place to be kept out of"
        )
    made, nothing = step.new_policy(), np.zeros(0)
    for t in range(step.steps):
        step.best(t, field[t].reshape(step.shape), Costs(nothing, nothing, nothing), made[t])
    return EntropicPolicy(made)


def _refuse_velocities(policy: Any, grid: Grid) -> None:
    """A sentence for who brings speeds or velocities."""
    if hasattr(policy, "data_vars"):
        came = [name for name in ("velocity", "speed") if name in policy and FORM.name not in policy]
    else:
        result = labelled(policy, "policy")
        dims = () if result is None else result.dims
        ndim = np.ndim(policy) if result is None else len(dims)
        came = [name for name, dim in (("velocity", "direction"), ("speed", "move")) if dim in dims]
        if not came and ndim == grid.ndim + 2:
            came = ["plain array (step, axis or move, *dimensions of the grid)"]
    if came:
        raise InputError(f"policy is a {came[0]}: {REMEDY}")
