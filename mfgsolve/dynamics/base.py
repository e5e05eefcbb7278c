"""What dynamics are to a game: a statement in the user's words that binds to a step on a space and a time grid."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from mfgsolve.errors import InputError, shown
from mfgsolve.grids import TimeGrid
from mfgsolve.kernels.scheme import Scheme
from mfgsolve.spaces import Space
from mfgsolve.steps import Matrices, Step, TableStep
from mfgsolve.steps.exit_tables import ExitTableStep

__all__ = ["Dynamics", "TableDynamics"]


class Dynamics(ABC):
    """How the agents of one population move and what moving costs; frozen, without numerics.

    To add dynamics of one's own, subclass this, with ``bind``; or `TableDynamics`, where choices are a finite list.

    Attributes
    ----------
    has_tables : whether choices are a finite list, with tables of transitions
    has_rounds : whether steps are rounds, which are part of the game: none of its own numbers is judged, and a horizon
        without steps has rounds of 1 where nothing else says how many there are
    has_arrays : whether it is stated by arrays or lists of numbers, all of which are looked at when a file is read
    is_coupled : whether the crowd changes the transitions
    is_bang_bang : whether best responses jump, and have no derivative at any temperature
    has_steep_speeds : whether best speeds jump, or start with an infinite derivative
    pays_by_crowd : whether what agents pay themselves depends on the crowd
    temperature : cost of entropy per unit time, 0 without
    scheme : name of the chain that stands for a continuous game; empty where the game is one itself, None where it is
        left to `with_scheme`
    """

    has_tables = False
    has_rounds = False
    has_arrays = False
    temperature: float = 0.0
    scheme: str | None = ""

    @property
    def is_coupled(self) -> bool:
        return False

    @property
    def is_bang_bang(self) -> bool:
        return False

    @property
    def has_steep_speeds(self) -> bool:
        return False

    @property
    def pays_by_crowd(self) -> bool:
        return False

    def check(self, space: Space) -> None:  # noqa: B027
        """Refuse a space on which these dynamics cannot be stated.

        Raises
        ------
        InputError
        """

    def check_social(self) -> None:
        """Refuse the social optimum where it is no equilibrium among other couplings.

        Raises
        ------
        InputError
            where what agents pay themselves depends on the crowd
        """
        if self.pays_by_crowd:
            raise InputError(
                "what moving costs depends on the crowd, so that the social optimum is no equilibrium of a game with "
                "other couplings; it is not offered"
            )

    def on(self, space: Space, time: TimeGrid, where: str = "") -> Self:
        """The same dynamics with labelled arrays in the order of a space and of the starts of the steps."""
        return self

    def with_scheme(self, space: Space, hard: bool) -> Self:
        """The same dynamics with a scheme, in a game on a space in which the density has hard bounds or not.

        What makes it another one than one would wish is said as a caution.
        """
        return self

    @property
    def chain(self) -> dict[str, Any]:
        """What a problem file says of the scheme, key by key; nothing where there is none."""
        return {}

    def on_chain(self, scheme: str | None, reach: int | None = None) -> Self:
        """The same dynamics by another scheme.

        Raises
        ------
        InputError
            where there is none
        """
        raise InputError(
            f"scheme is {shown(scheme)}, and a {type(self).__name__} has none: its choices are a finite list, and so a "
            "game without a grid's errors; leave the scheme out"
        )

    def averaged(self, space: Space, mean: Callable[[np.ndarray], np.ndarray]) -> Self:
        """The same dynamics on coarser cells than those of ``space``, where fields are means over its cells.

        ``mean`` takes levels (levels, *shape) to those of the coarser cells; dynamics without fields are the same.
        """
        return self

    def at_temperature(self, temperature: float) -> Self:
        """The same dynamics at another temperature; only softmax choices have one."""
        return self

    def stretched(self, factor: float) -> Self:
        """The same dynamics, whose noise crosses cells ``factor`` times as wide as it crosses its own now; dynamics
        without a viscosity are the same."""
        return self

    @property
    @abstractmethod
    def identity(self) -> Any:
        """What tells two such dynamics apart beside the arrays of their step."""

    @abstractmethod
    def bind(self, space: Space, time: TimeGrid, initial: np.ndarray) -> Step:
        """The step on a space (of one population) and a time grid; ``initial`` is the mass of the cells at t = 0."""

    # -- how large it is -----------------------------------------------------------------------------------------

    @property
    def action_count(self) -> int:
        """How many actions an agent has; 0 where they are no finite list, or where only the crowd tells."""
        return 0

    def chance_count(self, space: Space, time: TimeGrid) -> int:
        """How many chances its tables hold on the space of one population, as far as that is known beforehand."""
        return 0

    # -- how many time steps it needs ----------------------------------------------------------------------------

    def listed_steps(self, space: Space) -> set[int]:
        """The numbers of steps for which something is stated step by step; most often none."""
        return set()

    def steps_for(self, space: Space, horizon: float) -> int | None:
        """How many steps its agents need, where it tells itself; None where it does not.

        Raises
        ------
        InputError
            for a space on which there are none
        """
        return None

    def stable_steps(self, space: Space, horizon: float) -> float:
        """The fewest steps with which it can be stated; 0 where any number will do."""
        return 0.0

    def for_coarse_grid(self) -> Dynamics | None:
        """The same dynamics as a coarse game has them, in which speeds are measured that say how many steps are enough.

        None where speeds cannot be measured so.  Dynamics that have this need a `Grid`, take any number of steps, have
        `slowed`, and bind to a `SpeedStep`; see `mfgsolve.resolution`.
        """
        return None

    def slowed(self, caps: tuple[float | tuple[float, ...], ...]) -> Dynamics:
        """The same dynamics with speed caps (..., y, x), each a number or one for each face, where these are lower."""
        raise InputError(f"a {type(self).__name__} has no speed cap")

    def thickened(self, viscosity: float) -> Dynamics:
        """The same dynamics by entropic steps with another viscosity, as cells of another width need it."""
        raise InputError(f"a {type(self).__name__} has no entropic steps")

    @classmethod
    def join(cls, dynamics: Sequence[Any], space: Space, time: TimeGrid, initial: np.ndarray) -> Step:
        """One step for several populations, whose dynamics come in their order."""
        raise InputError(f"{cls.__name__} cannot be stated for several populations; use LatticeMoves or Tabular")


class TableDynamics(Dynamics):
    """Dynamics of a finite list of actions: all that a `TableStep` is made of."""

    has_tables = True
    has_rounds = True

    @property
    @abstractmethod
    def action_names(self) -> Sequence[str] | None:
        """Names of the actions; None numbers them."""

    @property
    def action_count(self) -> int:
        """As many as have names."""
        return len(self.action_names or ())

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
        return self.join((self,), space, time, initial)

    @classmethod
    def join(cls, dynamics: Sequence[Any], space: Space, time: TimeGrid, initial: np.ndarray) -> Step:
        kind = TableStep if space.exits is None else ExitTableStep
        return kind(dynamics, space, time, initial)
