"""Controlled diffusion: velocities that cost, and noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np

from mfgsolve.dynamics.base import Dynamics
from mfgsolve.errors import InputError, real, unknown
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.inputs.forms import FIELD_PER_AXIS, NUMBER
from mfgsolve.spaces import Space
from mfgsolve.steps import EntropicStep, SpeedStep, Step
from mfgsolve.steps.drift import averaged_drift, check_drift, drift_factor, own_drift
from mfgsolve.steps.resolving import own_viscosity
from mfgsolve.steps.scheme import make_scheme

__all__ = ["ControlledDiffusion", "QuadraticCost", "Slowed", "steps_of_noise"]

NOISES = ("implicit", "explicit")
SCHEMES = ("entropic", "upwind")


def steps_of_noise(noise: str, viscosity: float, space: Space, horizon: float) -> float:
    """The fewest steps with which noise is stable: 2 nu T sum 1 / h^2 for the explicit one, 0 for the other."""
    if noise != "explicit":
        return 0.0
    assert isinstance(space, Grid)
    return 2 * viscosity * horizon * sum(axis.smallest**-2 for axis in space.axes)


@dataclass(frozen=True)
class QuadraticCost:
    """Running cost c |a|^2 / 2 of the velocity a; Hamiltonian |p|^2 / (2 c), best speed p / c.

    Movement costs are a closed set: each one names the formulas (speed, gain, flux and its change) that
    ``kernels/scheme.py`` holds for it.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", real(self.weight, "control cost"))
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise InputError(f"control cost is {self.weight}; it must be positive and finite")


@dataclass(frozen=True)
class ControlledDiffusion(Dynamics):
    """dX = (a + b(t, X)) dt + sqrt(2 nu) dW with running cost c |a|^2 / 2, in steps of *control, drift, noise*.

    One step is a Markov chain (Kushner and Dupuis, doi:10.1007/978-1-4613-0007-6): toward each neighbour e the agent
    chooses a speed 0 <= s_e <= h / (2 d dt), jumps with probability dt s_e / h and pays dt c s_e^2 / 2; then the
    drift carries it (`mfgsolve.steps.drift`), and the noise operator acts.

    Parameters
    ----------
    viscosity : nu >= 0, length^2 / time
    control_cost : c > 0, or an object of the closed set of movement costs (`QuadraticCost`)
    noise : "implicit" (stable for any nu) or "explicit" (needs nu dt sum 2/h^2 <= 1)
    drift : velocity b(t, X), length / time, that nobody controls; one field for each axis in the order x, y, z (on one
        axis a single one): numbers, arrays of the grid's shape, functions of (t, coordinates).  At walls it has no flux
        (who would leave stays in the last cell); it adds a viscosity |b| h (1 - c) / 2, c = |b| dt / h <= 1

    Examples
    --------
    >>> ControlledDiffusion(0.1, drift=lambda t, c: -c.x / 2).noise
    'implicit'
    """

    viscosity: float = 0.0
    control_cost: float | QuadraticCost = field(default=1.0, metadata={"form": NUMBER})
    noise: str = "implicit"
    drift: Any = field(default=0.0, metadata={"form": FIELD_PER_AXIS})
    scheme: str = field(default="upwind", metadata={"since": "0.7"})
    reach: int | None = field(default=None, metadata={"since": "0.7"})
    hamiltonian: QuadraticCost = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "viscosity", real(self.viscosity, "viscosity"))
        if not (math.isfinite(self.viscosity) and self.viscosity >= 0):
            raise InputError(f"viscosity is {self.viscosity}; it must be zero or positive, and finite")
        if self.noise not in NOISES:
            raise InputError(unknown("noise operator", self.noise, NOISES))
        if self.scheme not in SCHEMES:
            raise InputError(unknown("scheme of a diffusion", self.scheme, SCHEMES))
        cost = self.control_cost
        if not isinstance(cost, QuadraticCost):
            cost = QuadraticCost(cost)
        object.__setattr__(self, "hamiltonian", cost)
        object.__setattr__(self, "drift", own_drift(self.drift))

    def check(self, space: Space) -> None:
        """A diffusion moves on a grid."""
        if not isinstance(space, Grid):
            raise InputError(
                f"a controlled diffusion needs a Grid; the space is {type(space).__name__}: use LatticeMoves or "
                "Tabular dynamics there"
            )

    def on(self, space: Space, time: TimeGrid, where: str = "") -> Self:
        """Itself, with one field of the drift for each axis; labelled ones are read when it is bound."""
        check_drift(self.drift, space, where)
        return self

    def averaged(self, space: Space, mean: Callable[[np.ndarray], np.ndarray]) -> Self:
        """The same with the mean drift of coarser cells."""
        return replace(self, drift=averaged_drift(self.drift, space, mean))

    def stretched(self, factor: float) -> Self:
        """With factor^2 times the viscosity."""
        return replace(self, viscosity=self.viscosity * factor**2)

    def bind(self, space: Space, time: TimeGrid, initial: np.ndarray) -> Step:
        """Speeds to the neighbours, the drift, and the noise."""
        assert isinstance(space, Grid)
        if self.scheme == "entropic":
            viscosity = own_viscosity(self.viscosity, space, time.dt)
            reach = None if self.reach is None else (self.reach,) * space.ndim
            return EntropicStep(space, time, viscosity, self.hamiltonian.weight, reach)
        scheme = make_scheme(space, time, self.viscosity, self.noise, self.hamiltonian.weight, 1)
        drift = drift_factor(self.drift, space, time)
        return SpeedStep(
            space, time, scheme._replace(cap=self.speed_cap(scheme.cap)), () if drift is None else (drift,)
        )

    @property
    def identity(self) -> Any:
        """What tells two such dynamics apart: all that they were stated with, c as a number or as an object alike; the
        drift is told by its factor."""
        others = ("control_cost", "drift")
        parts = (getattr(self, part.name) for part in fields(self) if part.compare and part.name not in others)
        return ("diffusion", *parts)

    def speed_cap(self, possible: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        """Largest speed along each axis z, y, x, a number or one for each face; ``possible`` is what keeps the
        probabilities of one step at most 1."""
        return possible

    def stable_steps(self, space: Space, horizon: float) -> float:
        """As many as the noise needs."""
        return steps_of_noise(self.noise, self.viscosity, space, horizon)

    def for_coarse_grid(self) -> ControlledDiffusion:
        """With implicit noise: explicit noise would ask for steps of its own."""
        return replace(self, noise="implicit")

    def slowed(self, caps: tuple[float | tuple[float, ...], ...]) -> Slowed:
        """The same diffusion with the speed cap of another grid or time step."""
        stated = {part.name: getattr(self, part.name) for part in fields(self) if part.init}
        return Slowed(**stated | {"caps": caps})


@dataclass(frozen=True)
class Slowed(ControlledDiffusion):
    """The same diffusion with the speed cap of another grid or time step, (..., y, x), where that is lower: a number,
    or one for each face."""

    caps: tuple[float | tuple[float, ...], ...] = ()

    def speed_cap(self, possible: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        first = 3 - len(self.caps)
        lowered = (np.minimum(one, cap) for one, cap in zip(possible[first:], self.caps, strict=True))
        return (*possible[:first], *lowered)  # type: ignore[return-value]
