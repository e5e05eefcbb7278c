"""Controlled diffusion: velocities that cost, and noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np

from mfgsolve.cautions import say
from mfgsolve.dynamics.base import Dynamics
from mfgsolve.dynamics.movement import MOVEMENT, PowerCost, stated_movement
from mfgsolve.dynamics.places import (
    averaged_coefficient,
    check_viscosity,
    cost_levels,
    is_field,
    is_one_number,
    one_viscosity,
    own_coefficient,
    own_viscosity,
    timed_coefficient,
    viscosity_levels,
)
from mfgsolve.errors import InputError, real, unknown, whole
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.inputs.forms import FIELD_OR_PER_AXIS, FIELD_PER_AXIS, NUMBER_OR_FIELD, WORD
from mfgsolve.spaces import Populations, Space
from mfgsolve.steps import EntropicStep, SpeedStep, Step
from mfgsolve.steps.beside import Beside
from mfgsolve.steps.drift import averaged_drift, drift_factor, is_still, own_drift, timed_drift
from mfgsolve.steps.exit_entropic import ExitEntropicStep
from mfgsolve.steps.exit_speeds import ExitSpeedStep
from mfgsolve.steps.factors import Factor
from mfgsolve.steps.noise_fields import FORMS, ExplicitFieldNoise, FieldNoise
from mfgsolve.steps.resolving import own_viscosity as viscosity_of_cells
from mfgsolve.steps.scheme import make_scheme

__all__ = ["ControlledDiffusion", "QuadraticCost", "Slowed", "steps_of_noise"]

NOISES = ("implicit", "explicit")
SCHEMES = ("entropic", "upwind")
PREFERRED = "entropic"  # where none is stated, and it suits


def steps_of_noise(noise: str, viscosity: Any, space: Space, horizon: float) -> float:
    """The fewest steps with which noise is stable: 2 T sum nu / h^2 for the explicit one, 0 for the other; of a field
    as it is at the start."""
    if noise != "explicit":
        return 0.0
    assert isinstance(space, Grid)
    if is_one_number(viscosity):
        return 2 * viscosity * horizon * sum(axis.smallest**-2 for axis in space.axes)
    largest = [float(level.max()) for level in viscosity_levels(viscosity, space, np.zeros(1))]
    return 2 * horizon * sum(nu / axis.smallest**2 for nu, axis in zip(largest, space.axes, strict=True))


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
    """dX = (a + b(t, X)) dt + sqrt(2 nu) dW with running cost c |a|^2 / 2, as a Markov chain on a grid.

    Two chains tend to it, and each is a game in itself, on which exploitability is exact:

    *Entropic*: the agent picks any law q of its next cell and pays eps KL(q || N), eps = 2 nu c, N the Gaussian of
    variance 2 nu dt on the cells, cut off at ``reach``; by the theorem of Girsanov and the transform of Cole and Hopf
    this is the same game, with control and noise in one.  Of second order in dt, spectral in h once sqrt(2 nu dt) >=
    0.6 h, so that few steps do, and too many harm; a step costs 2 to 5 times one of upwind (benchmarks/continuum.py,
    section kernels), and there are 8 to 16 times fewer.  It needs equal cells along each axis, no drift, a cost of
    moving that is quadratic, and no hard bounds on the density.  A viscosity too small for the grid is raised to 0.18
    h^2 / dt.  Sources: Todorov, doi:10.1073/pnas.0710743106 (control that is linear after exp); Leonard,
    arXiv:1308.0215 (bridges of Schroedinger).

    *Upwind*: control, then drift, then noise.  Toward each neighbour e the agent chooses a speed 0 <= s_e <= h / (2 d
    dt), jumps with probability dt s_e / h and pays dt c s_e^2 / 2; then the drift carries it (`mfgsolve.steps.drift`),
    and the noise operator acts.  Of first order: the jumps add a viscosity |a| h / 2, the cap asks for many steps.
    Source: Kushner and Dupuis, doi:10.1007/978-1-4613-0007-6.

    Parameters
    ----------
    viscosity : nu >= 0, length^2 / time: a number; an array of the grid's shape or a function of (t, coordinates), for
        noise that differs from place to place; or a list with one of these for each axis, in the order x, y, z.  Where
        it is not one number, steps are upwind
    control_cost : c > 0, or a `QuadraticCost`; or an array or function, as of the viscosity: then steps are upwind
    noise : "implicit" (stable for any nu) or "explicit" (needs nu dt sum 2/h^2 <= 1), of upwind steps
    drift : velocity b(t, X), length / time, that nobody controls; one field for each axis in the order x, y, z (on one
        axis a single one): numbers, functions of (t, coordinates), arrays of the grid's shape, or with an axis more in
        front, a level for each step or node.  At walls it has no flux (who would leave stays in the last cell); it adds
        a viscosity |b| h (1 - c) / 2, c = |b| dt / h <= 1
    scheme : "entropic" or "upwind"; absent, what `Problem.scheme` tells
    reach : cells along each axis that an agent can go in one entropic step; absent, as far as the speeds of the game
        ask for
    movement : what moving costs, where it is not c |a|^2 / 2: one of `mfgsolve.dynamics.movement`, say PowerCost(3.0);
        its steps are upwind
    form : what a viscosity that differs from place to place means: "ito", dX = sqrt(2 nu(t, X)) dW, whose generator is
        nu Lap V (agents gather where there is less noise), or "divergence", div(nu grad V), by the mean of nu at faces
        (an even density stays even); see `mfgsolve.steps.noise_fields`

    Raises
    ------
    InputError
        for numbers out of range and unknown words; and by a `Problem` for which "entropic" is stated and does not suit

    Examples
    --------
    >>> ControlledDiffusion(0.1, drift=lambda t, c: -c.x / 2).noise
    'implicit'
    """

    viscosity: Any = field(default=0.0, metadata={"form": FIELD_OR_PER_AXIS})
    control_cost: Any = field(default=1.0, metadata={"form": NUMBER_OR_FIELD})
    noise: str = "implicit"
    drift: Any = field(default=0.0, metadata={"form": FIELD_PER_AXIS})
    scheme: str | None = field(default=None, metadata={"since": "0.7"})
    reach: int | None = field(default=None, metadata={"since": "0.7"})
    movement: Any = field(default=None, metadata={"form": MOVEMENT, "since": "0.10"})
    form: str = field(default="ito", metadata={"form": WORD, "since": "0.10"})
    hamiltonian: QuadraticCost = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "viscosity", own_viscosity(self.viscosity))
        if self.form not in FORMS:
            raise InputError(unknown("form of the noise", self.form, FORMS))
        if self.noise not in NOISES:
            raise InputError(unknown("noise operator", self.noise, NOISES))
        if self.scheme is not None and not (isinstance(self.scheme, str) and self.scheme in SCHEMES):
            raise InputError(unknown("scheme of a diffusion", self.scheme, SCHEMES))
        if self.reach is not None:
            object.__setattr__(self, "reach", whole(self.reach, "reach of a diffusion"))
            if self.reach < 1:
                raise InputError(f"reach of a diffusion is {self.reach}; a whole number of at least 1 cell is needed")
        cost = self.control_cost
        if not isinstance(cost, QuadraticCost):
            cost = own_coefficient(cost, "control cost", False)
            object.__setattr__(self, "control_cost", cost if is_field(self.control_cost) else self.control_cost)
            cost = QuadraticCost(cost) if is_one_number(cost) else QuadraticCost()
        object.__setattr__(self, "hamiltonian", cost)
        weight = math.nan if self.has_cost_field else cost.weight
        object.__setattr__(self, "movement", stated_movement(self.movement, weight))
        object.__setattr__(self, "drift", own_drift(self.drift))

    def check(self, space: Space) -> None:
        """A diffusion moves on a grid, or each of several populations does."""
        space = space.space if isinstance(space, Populations) else space
        if not isinstance(space, Grid):
            raise InputError(
                f"a controlled diffusion needs a Grid; the space is {type(space).__name__}: use LatticeMoves or "
                "Tabular dynamics there"
            )

    def on(self, space: Space, time: TimeGrid, where: str = "") -> Self:
        """Itself, with one field of the drift for each axis, whose arrays over time know their times; they are read
        when it is bound, as those of viscosity and control cost are."""
        check_viscosity(self.viscosity, space, where)
        read = {
            "drift": timed_drift(self.drift, space, time, where),
            "viscosity": timed_coefficient(self.viscosity, space, time, f"viscosity{where}"),
            "control_cost": timed_coefficient(self.control_cost, space, time, f"control cost{where}"),
        }
        return self if all(value is getattr(self, name) for name, value in read.items()) else replace(self, **read)

    def with_scheme(self, space: Space, hard: bool) -> Self:
        """The same diffusion with the scheme that is stated; or else with the entropic one where it suits.

        Raises
        ------
        InputError
            where "entropic" is stated and does not suit
        """
        check_viscosity(self.viscosity, space)
        if (alike := one_viscosity(self.viscosity)) is not self.viscosity:
            return replace(self, viscosity=alike).with_scheme(space, hard)
        obstacle = self._obstacle(space, hard)
        if self.scheme == "entropic" and obstacle:
            raise InputError(
                f"scheme of a diffusion is 'entropic', which does not suit this game: {obstacle}; take "
                "scheme = 'upwind', or leave the scheme out"
            )
        scheme = self.scheme or ("upwind" if obstacle else PREFERRED)
        if self.scheme is None and scheme != PREFERRED:
            say(
                "upwind-scheme",
                f"the scheme of the diffusion is upwind, of first order in space and time: the entropic one does not "
                f"suit this game, because {obstacle}; scheme = 'upwind' says that this is meant",
            )
        if scheme == "upwind" and self.reach is not None:
            say(
                "reach-unused",
                f"reach = {self.reach} of the diffusion is not used: upwind steps go to the neighbours only; leave it "
                "out, or take scheme = 'entropic'",
            )
        return replace(self, scheme=scheme, reach=None if scheme == "upwind" else self.reach)

    def _obstacle(self, space: Space, hard: bool) -> str:
        """Why entropic steps do not suit; empty where they do."""
        below = space.space if isinstance(space, Populations) else space
        uneven = [axis.name for axis in getattr(below, "axes", ()) if not axis.even]
        reasons = {
            "several populations move on the grid": space.populations > 1,
            f"cells along the axis {' and '.join(uneven)} of the grid have different widths": bool(uneven),
            "it has a drift": not is_still(self.drift),
            "its viscosity is not the same along all axes": isinstance(self.viscosity, tuple),
            "its viscosity is a field": is_field(self.viscosity),
            "its control cost is a field": self.has_cost_field,
            "its noise is explicit": self.noise != "implicit",
            "what moving costs is not c |a|^2 / 2": type(self.hamiltonian) is not QuadraticCost
            or not self.is_quadratic,
            f"a {type(self).__name__} makes its own steps": self._is_own,
            "the density has hard bounds": hard,
        }
        return ", and ".join(reason for reason, holds in reasons.items() if holds)

    @property
    def has_cost_field(self) -> bool:
        """Whether c may differ from place to place."""
        return not isinstance(self.control_cost, QuadraticCost) and is_field(self.control_cost)

    @property
    def is_quadratic(self) -> bool:
        """Whether moving costs c |a|^2 / 2."""
        return self.movement is None or self.movement.is_quadratic

    @property
    def is_bang_bang(self) -> bool:
        return not (self.is_quadratic or self.movement.movement.is_smooth)

    @property
    def has_steep_speeds(self) -> bool:
        return not (self.is_quadratic or self.pays_by_crowd) and self.movement.movement.is_steep

    @property
    def pays_by_crowd(self) -> bool:
        return not self.is_quadratic and self.movement.pays_by_crowd

    @property
    def chain(self) -> dict[str, Any]:
        stated = {"scheme": self.scheme, "reach": self.reach}
        return {key: value for key, value in stated.items() if value is not None}

    def on_chain(self, scheme: str | None, reach: int | None = None) -> Self:
        return replace(self, scheme=scheme, reach=reach)

    @property
    def _is_own(self) -> bool:
        """Whether a subclass makes the steps, or caps their speeds."""
        own, plain = type(self), ControlledDiffusion
        return own.bind is not plain.bind or own.speed_cap is not plain.speed_cap

    def averaged(self, space: Space, mean: Callable[[np.ndarray], np.ndarray]) -> Self:
        """The same with the mean drift, viscosity and control cost of coarser cells."""
        viscosity = averaged_coefficient(self.viscosity, space, mean, "viscosity")
        cost = averaged_coefficient(self.control_cost, space, mean, "control cost") if self.has_cost_field else None
        return replace(
            self,
            drift=averaged_drift(self.drift, space, mean),
            viscosity=viscosity,
            control_cost=self.control_cost if cost is None else cost,
        )

    def stretched(self, factor: float) -> Self:
        """With factor^2 times the viscosity; only of one number, which entropic steps have."""
        if not is_one_number(self.viscosity):
            raise InputError("a viscosity that is not one number is not stretched")
        return replace(self, viscosity=self.viscosity * factor**2)

    def bind(self, space: Space, time: TimeGrid, initial: np.ndarray) -> Step:
        """Speeds to the neighbours, the drift, and the noise."""
        assert isinstance(space, Grid)
        if self.scheme is None:
            return self.with_scheme(space, False).bind(space, time, initial)
        if self.scheme == "entropic":
            viscosity = viscosity_of_cells(self.viscosity, space, time.dt)
            reach = None if self.reach is None else (self.reach,) * space.ndim
            kind = EntropicStep if space.exits is None else ExitEntropicStep
            return kind(space, time, viscosity, self.hamiltonian.weight, reach)
        if space.exits is not None:
            self._check_exits()
        uneven = is_field(self.viscosity)
        cost, places = self._cost_of_places(space, time)
        scheme = make_scheme(space, time, 0.0 if uneven else self.viscosity, self.noise, cost, 1)
        scheme = scheme._replace(cap=self.speed_cap(scheme.cap))
        drift = drift_factor(self.drift, space, time)
        factors: tuple[Factor, ...] = () if drift is None else (drift,)
        if uneven:
            kinds = {"implicit": FieldNoise, "explicit": ExplicitFieldNoise}
            levels = viscosity_levels(self.viscosity, space, time.nodes[:-1])
            factors = (*factors, kinds[self.noise](space, time.dt, levels, self.form))
        if space.exits is not None:
            return ExitSpeedStep(space, time, scheme, factors, self.viscosity)
        if places is None and self.is_quadratic:
            return SpeedStep(space, time, scheme, factors)
        movement = PowerCost() if self.is_quadratic else self.movement
        return movement.bind(space, time, scheme, factors, places)  # type: ignore[no-any-return]

    def _check_exits(self) -> None:
        """Refuse what does not end at exits.

        Raises
        ------
        InputError
        """
        if not self.is_quadratic:
            raise InputError(
                f"movement of the diffusion is a {type(self.movement).__name__}, and its space has exits; leave one out"
            )
        if self.noise == "explicit":
            raise InputError("noise of the diffusion is 'explicit', which does not end at exits; take noise='implicit'")
        if self.has_cost_field or not is_one_number(self.viscosity):
            what = "control cost" if self.has_cost_field else "viscosity"
            raise InputError(
                f"the {what} of the diffusion is not one number, and its space has exits, where it has to be; state "
                "one number, or leave the exits out"
            )

    def _cost_of_places(self, space: Grid, time: TimeGrid) -> tuple[Any, np.ndarray | None]:
        """The least c of every step, and by how many times it is more in each cell; or the one c there is."""
        if not self.has_cost_field:
            return self.hamiltonian.weight, None
        return cost_levels(self.control_cost, space, time.nodes[:-1])

    @classmethod
    def join(cls, dynamics: Sequence[Any], space: Space, time: TimeGrid, initial: np.ndarray) -> Step:
        """The steps of the populations side by side, all by one scheme."""
        assert isinstance(space, Populations)
        rows = initial.reshape(space.populations, -1)
        parts = [one.bind(space.space, time, row) for one, row in zip(dynamics, rows, strict=True)]
        if space.exits is not None:
            raise InputError("several populations of diffusions know no exits yet; state them as LatticeMoves")
        if len({type(part) for part in parts}) > 1:
            raise InputError(
                "populations of diffusions take steps of different kinds; state scheme='upwind' for all, and one kind "
                "of movement"
            )
        return Beside(space, time, parts)

    @property
    def identity(self) -> Any:
        """What tells two such dynamics apart: all that they were stated with, c as a number or as an object alike;
        fields and movement costs are told by the step, and upwind, which was the only scheme before 0.7, by no word."""
        others = ("control_cost", "drift", "scheme", "reach", "movement", "form")
        uneven = is_field(self.viscosity)
        parts: Any = (getattr(self, part.name) for part in fields(self) if part.compare and part.name not in others)
        if uneven:
            parts = ("field", self.noise, self.hamiltonian)
        return ("diffusion", *parts, *((self.scheme, self.reach) if self.scheme == "entropic" else ()))

    def speed_cap(self, possible: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        """Largest speed along each axis z, y, x, a number or one for each face; ``possible`` is what keeps the
        probabilities of one step at most 1."""
        return possible

    def stable_steps(self, space: Space, horizon: float) -> float:
        """As many as the noise needs, and as agents at a speed limit do who are bound by it alone."""
        steps = steps_of_noise(self.noise, self.viscosity, space, horizon)
        return max(steps, self.movement.stable_steps(space, horizon)) if self.is_bang_bang else steps

    def steps_for(self, space: Space, horizon: float) -> int | None:
        """Where nothing but a speed limit is to be kept, as many steps as that asks for."""
        return math.ceil(self.stable_steps(space, horizon)) if self.is_bang_bang else None

    def for_coarse_grid(self) -> ControlledDiffusion | None:
        """Upwind, with implicit noise: explicit noise would ask for steps of its own.  None where agents go as fast as
        they may: there is nothing to measure."""
        if self.is_bang_bang:
            return None
        return replace(self, noise="implicit", scheme="upwind", reach=None)

    def thickened(self, viscosity: float) -> ControlledDiffusion:
        """The same diffusion by entropic steps with another viscosity; they reach as far as its speeds ask for."""
        return replace(self, viscosity=viscosity, scheme="entropic", reach=None)

    def slowed(self, caps: tuple[float | tuple[float, ...], ...]) -> Slowed:
        """The same diffusion, upwind, with the speed cap of another grid or time step."""
        stated = {part.name: getattr(self, part.name) for part in fields(self) if part.init}
        return Slowed(**stated | {"caps": caps, "scheme": "upwind", "reach": None})


@dataclass(frozen=True)
class Slowed(ControlledDiffusion):
    """The same diffusion with the speed cap of another grid or time step, (..., y, x), where that is lower: a number,
    or one for each face."""

    caps: tuple[float | tuple[float, ...], ...] = ()

    def speed_cap(self, possible: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        first = 3 - len(self.caps)
        lowered = (np.minimum(one, cap) for one, cap in zip(possible[first:], self.caps, strict=True))
        return (*possible[:first], *lowered)  # type: ignore[return-value]
