"""What dynamics are to a game: a statement in the user's words that binds to a step on a space and a time grid."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.grids import TimeGrid
from mfgsolve.kernels.scheme import Scheme
from mfgsolve.spaces import Space
from mfgsolve.steps import Matrices, Step, TableStep

__all__ = ["Dynamics", "TableDynamics"]


class Dynamics(ABC):
    """How the agents of one population move and what moving costs; frozen, without numerics.

    To add dynamics of one's own, subclass this, with ``bind``; or `TableDynamics`, where choices are a finite list.

    Attributes
    ----------
    has_tables : whether choices are a finite list, with tables of transitions
    is_coupled : whether the crowd changes the transitions
    temperature : cost of entropy per unit time, 0 without
    """

    has_tables = False
    temperature: float = 0.0

    @property
    def is_coupled(self) -> bool:
        return False

    def check(self, space: Space) -> None:  # noqa: B027
        """Refuse a space on which these dynamics cannot be stated.

        Raises
        ------
        InputError
        """

    def on(self, space: Space, time: TimeGrid, where: str = "") -> Self:
        """The same dynamics with labelled arrays in the order of a space and of the starts of the steps."""
        return self

    def averaged(self, space: Space, mean: Callable[[np.ndarray], np.ndarray]) -> Self:
        """The same dynamics on coarser cells than those of ``space``, where fields are means over its cells.

        ``mean`` takes levels (levels, *shape) to those of the coarser cells; dynamics without fields are the same.
        """
        return self

    def at_temperature(self, temperature: float) -> Self:
        """The same dynamics at another temperature; only softmax choices have one."""
        return self

    @property
    @abstractmethod
    def identity(self) -> Any:
        """What tells two such dynamics apart beside the arrays of their step."""

    @abstractmethod
    def bind(self, space: Space, time: TimeGrid, initial: np.ndarray) -> Step:
        """The step on a space (of one population) and a time grid; ``initial`` is the mass of the cells at t = 0."""

    @classmethod
    def join(cls, dynamics: Sequence[Any], space: Space, time: TimeGrid, initial: np.ndarray) -> Step:
        """One step for several populations, whose dynamics come in their order."""
        raise InputError(f"{cls.__name__} cannot be stated for several populations; use LatticeMoves or Tabular")


class TableDynamics(Dynamics):
    """Dynamics of a finite list of actions: all that a `TableStep` is made of."""

    has_tables = True

    @property
    @abstractmethod
    def action_names(self) -> Sequence[str] | None:
        """Names of the actions; None numbers them."""

    @abstractmethod
    def tables(
        self, space: Space, time: TimeGrid, where: str = "", asked: Any = None, moment: str = ""
    ) -> tuple[list[Matrices], np.ndarray]:
        """One matrix (state, next state) per action for every step, or for one that stands for all; and what is
        allowed, (actions, *shape).

        ``where`` names the population in errors; ``asked`` is what the crowd decides at the ``moment`` told.
        """

    @abstractmethod
    def step_costs(self, space: Space, times: np.ndarray, actions: int, where: str = "") -> np.ndarray:
        """Own cost of one step (1 or steps, actions, *shape) at the starts of the steps."""

    def asked(self, t: float, mass: np.ndarray) -> Any:
        """What the crowd decides of the transitions at time t; None without `is_coupled`."""
        return None

    def noise_schemes(self, space: Space, time: TimeGrid) -> Sequence[tuple[tuple[int, ...], Scheme]]:
        """Implicit noise after the transitions: its shape (z, y, x) and coefficients; none, or one."""
        return ()

    def speeds(self, space: Space, dt: float) -> Sequence[Any] | None:
        """Speed of each action where agents move along a line, which prices of speed look at; None elsewhere."""
        return None

    def at_temperature(self, temperature: float) -> Self:
        return replace(self, temperature=temperature)  # type: ignore[type-var]

    def bind(self, space: Space, time: TimeGrid, initial: np.ndarray) -> Step:
        return TableStep((self,), space, time, initial)

    @classmethod
    def join(cls, dynamics: Sequence[Any], space: Space, time: TimeGrid, initial: np.ndarray) -> Step:
        return TableStep(dynamics, space, time, initial)
