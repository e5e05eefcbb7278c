"""What an agent does: one policy, or the mean of many; and how policies stand in datasets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, has_labels
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.labels import aligned
from mfgsolve.spaces import Space

__all__ = ["Average", "Policy", "PolicyForm", "PolicyVariable"]


class Policy:
    """What an agent does at every time; together with the crowd it makes, it can be certified."""


class Average(Policy, ABC):
    """A mean of policies that keeps its own crowd: what fictitious play and Frank-Wolfe average.

    Attributes
    ----------
    crowd : the flow of the mean
    is_policy : whether the mean is again one policy that every agent may follow; else it is a plan of all together
    """

    crowd: np.ndarray
    is_policy = True

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that is averaged, by name."""

    @abstractmethod
    def mix(self, game: Any, policy: np.ndarray, crowd: np.ndarray, length: float) -> None:
        """average += length (policy - average), for a policy and its crowd; length 1 replaces whatever was there."""

    def own_slope(
        self, step: Any, policy: np.ndarray, crowd: np.ndarray, difference: float
    ) -> Callable[[float], float]:
        """Derivative of the own cost at average + length (policy - average), or a bound from above.

        ``difference`` is the own cost of the policy minus that of the average: the own cost is convex and lies below.
        """
        return lambda length: difference


# -- in datasets -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PolicyForm:
    """How the policies of a step stand in a dataset: on (step, ``dim``, *dimensions of the space).

    Attributes
    ----------
    name : of the variable
    dim : the dimension of what can be chosen; "" where there is none
    labels : its coordinate, a name for each
    text : what the coordinate is
    """

    name: str
    dim: str
    labels: tuple[str, ...]
    text: str

    def array_of(self, policy: Any, space: Space, time: TimeGrid) -> Any:
        """What a user or a file brings, in the order of a space and of the steps of a time grid.

        Parameters
        ----------
        policy : a Dataset that has the variable, a labelled array, or a plain one, which is returned as it is

        Raises
        ------
        InputError
            for other variables, dimensions and coordinates
        """
        if hasattr(policy, "data_vars"):
            if self.name not in policy:
                raise InputError(
                    f"policy dataset has variables {sorted(policy.data_vars)}; one named {self.name!r} is needed"
                )
            policy = policy[self.name]
        if self.dim and has_labels(policy) and self.dim not in getattr(policy, "coords", {self.dim}):
            raise InputError(
                f"policy has no coordinate {self.dim}; the {self.dim}s {list(self.labels)}, in any order, are needed "
                "to tell them"
            )
        chosen = {self.dim: np.array(self.labels)} if self.dim else {}
        if time.is_stationary:  # of one step, which need not be told
            array = aligned(policy, (*chosen, *space.dims), chosen | space.labels, "policy")
            return array[None] if np.ndim(array) == len(chosen) + len(space.dims) else array
        labels = {"step": time.nodes[:-1]} | chosen | space.labels
        return aligned(policy, ("step", *chosen, *space.dims), labels, "policy")


@dataclass(frozen=True, eq=False)
class PolicyVariable:
    """A policy as a variable of a dataset.

    Attributes
    ----------
    form : its name, and the dimension of choices
    dims : of the array, (step, choice, *dimensions of the space), or without the choice
    values : the array
    attrs : unit and sentence of the variable, and numbers that explain it
    companions : variables that explain its coordinate, by name: (dimensions, values, attributes)
    """

    form: PolicyForm
    dims: tuple[str, ...]
    values: np.ndarray
    attrs: Mapping[str, Any]
    companions: Mapping[str, tuple[Any, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def name(self) -> str:
        return self.form.name

    @property
    def coordinates(self) -> dict[str, tuple[Any, ...]]:
        """The coordinate of the dimension of choices, if there is one: (dimension, values, attributes)."""
        if not self.form.dim:
            return {}
        attrs = {"units": "1", "long_name": self.form.text}
        return {self.form.dim: (self.form.dim, np.array(self.form.labels), attrs)}

    @property
    def variables(self) -> dict[str, tuple[Any, ...]]:
        """The variable and its companions: (dimensions, values, attributes)."""
        return {self.name: (self.dims, self.values, dict(self.attrs))} | dict(self.companions)
