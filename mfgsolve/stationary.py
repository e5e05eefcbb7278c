"""Times without an end: the same step again and again, until nothing changes any more.

A crowd that plays for ever may settle: its density and its policy depend on the state alone.  Four different games
are called stationary, and they have four different equilibria.  With P the transitions under the policy and l what a
step costs,

    Ergodic                    m = P^T m                            an agent minimises its long-run average of l
    Discounted, "renewal"      m = (1 - b) m_0 + b P^T m            ... sum_t b^t l, from m_0: it dies with chance 1 - b
                                                                    and is born again
    Discounted, "invariant"    m = P^T m                            ... sum_t b^t l, from where it is
    FirstExit                  m = dt m_0 + Q^T m                   ... sum of l until it leaves, from m_0

with Q = P without those who have left.  All but the third are optimal-control problems (a potential game stays one);
there, whoever deviates cannot choose where he begins.  It is what is mostly called the stationary mean-field
equilibrium.

Solutions have one level in place of times, and tell costs per unit of time.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mfgsolve.errors import InputError, real, unknown
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.masses import check_unit_masses

__all__ = [
    "Discounted", "Ergodic", "FirstExit", "Stationary", "check_agents", "check_final_time", "check_optimum",
    "check_steps", "check_times",
]  # fmt: skip

LATER = 37.25  # steps
POPULATIONS = ("invariant", "renewal")


class Stationary(TimeGrid):
    """One step of length dt, for ever; solvers see a grid of that one step."""

    is_stationary = True
    factor: float  # b, 1 of an ergodic game

    _begun: ClassVar[float] = 0.0  # when the step begins, which nothing must depend on

    @property
    def nodes(self) -> np.ndarray:
        """Both ends of the step."""
        return np.array([self._begun, self._begun + self.dt])

    def later(self) -> Stationary | None:
        """The same times begun at an odd moment; None of those."""
        if self._begun:
            return None
        other = copy.copy(self)
        object.__setattr__(other, "_begun", LATER * self.dt)
        return other

    @property
    def cost_rate(self) -> float:  # type: ignore[override]
        """Steps per unit of time: costs are told per unit of time."""
        return 1.0 / self.dt

    @property
    def kind(self) -> str:
        """Which of the games it is: "ergodic", "first-exit", "invariant" or "renewal"."""
        raise NotImplementedError

    @property
    def stated(self) -> dict[str, Any]:
        given: dict[str, Any] = {"dt": self.dt} if self.dt != 1.0 else {}
        return given | ({"unit": self.unit} if self.unit != "1" else {})

    @property
    def attrs(self) -> dict[str, Any]:
        """What datasets say of the times."""
        return {"stationary": self.kind, "step_length": self.dt, "time_unit": self.unit}

    def _lay(self, dt: Any, unit: str) -> None:
        dt = real(dt, "dt, the length of a step,")
        if not (math.isfinite(dt) and dt > 0):
            raise InputError(f"dt, the length of a step, is {dt}; a positive number is needed")
        for name, value in (("horizon", dt), ("steps", 1), ("unit", unit), ("discount", 0.0), ("chosen", False)):
            object.__setattr__(self, name, value)


class Ergodic(Stationary):
    """An agent minimises what it pays per unit of time in the long run; nothing remembers where it began.

    Parameters
    ----------
    dt : length of a step
    unit : of time, as it is to be shown

    Raises
    ------
    InputError
        for a length that is not positive

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> mfg.Ergodic(dt=0.5)
    Ergodic(dt=0.5)
    """

    needs_initial = False
    kind = "ergodic"
    factor = 1.0

    def __init__(self, dt: float = 1.0, unit: str = "1"):
        self._lay(dt, unit)

    @property
    def stated(self) -> dict[str, Any]:
        return {"kind": "ergodic"} | super().stated

    def __repr__(self) -> str:
        return f"Ergodic(dt={self.dt:g})"


class FirstExit(Stationary):
    """An agent minimises all that it pays until it leaves by an exit, and the exit cost; nothing is discounted.

    Agents are born at a steady rate, a mass of 1 in each unit of time (or that of their population, `Populations`),
    where ``initial`` says; the crowd is made of those who are still inside.  Its mass is the mean time until an agent
    leaves, and costs per unit of time are costs of an agent that is born.  The space has exits.

    Parameters
    ----------
    dt : length of a step
    unit : of time, as it is to be shown

    Raises
    ------
    InputError
        for a length that is not positive

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> mfg.FirstExit(dt=0.5)
    FirstExit(dt=0.5)

    Source: Bertsekas and Tsitsiklis, An analysis of stochastic shortest path problems, doi:10.1287/moor.16.3.580
    """

    kind = "first-exit"
    factor = 1.0

    def __init__(self, dt: float = 1.0, unit: str = "1"):
        self._lay(dt, unit)

    @property
    def stated(self) -> dict[str, Any]:
        return {"kind": "first-exit"} | super().stated

    def __repr__(self) -> str:
        return f"FirstExit(dt={self.dt:g})"


@dataclass(frozen=True, init=False, repr=False)
class Discounted(Stationary):
    """An agent minimises sum_t b^t of what it pays, b the discount factor of a step.

    Parameters
    ----------
    rate : r > 0 per unit of time, b = e^(-r dt); or
    factor : b itself, between 0 and 1
    dt : length of a step
    population : "invariant", the law that the policy leaves as it is; or "renewal", that of agents who leave with
        chance 1 - b in each step and begin again from ``initial``
    unit : of time, as it is to be shown

    Raises
    ------
    InputError
        unless one of rate and factor is given, in its range

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> mfg.Discounted(factor=0.9).rate
    0.10536051565782628
    """

    factor: float = 0.5
    population: str = "invariant"
    _given: ClassVar[dict[str, float]] = {}  # as it was stated

    def __init__(
        self, rate: float | None = None, factor: float | None = None, dt: float = 1.0, population: str = "invariant",
        unit: str = "1",
    ):  # fmt: skip
        if (rate is None) == (factor is None):
            came = "neither" if rate is None else "both"
            raise InputError(
                f"a Discounted got {came} of rate and factor; one is needed: rate=0.1 per unit of time, or factor=0.9 "
                "of a step"
            )
        self._lay(dt, unit)
        if population not in POPULATIONS:
            raise InputError(unknown("population of a Discounted", population, POPULATIONS))
        object.__setattr__(self, "population", population)
        object.__setattr__(self, "factor", _factor(rate, factor, self.dt))
        object.__setattr__(self, "_given", {"factor": self.factor} if rate is None else {"rate": float(rate)})

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Which population."""
        return self.population

    @property
    def rate(self) -> float:
        """r = -log(b) / dt, per unit of time."""
        return -math.log(self.factor) / self.dt

    @property
    def stated(self) -> dict[str, Any]:
        told = {"kind": "discounted", **self._given} | super().stated
        return told if self.population == "invariant" else told | {"population": self.population}

    @property
    def attrs(self) -> dict[str, Any]:
        """What datasets say of the times."""
        return super().attrs | {"discount_factor": self.factor}

    @property
    def middle_discounts(self) -> np.ndarray:
        """What a cost in the middle of the step is worth at its beginning, (1,)."""
        return np.array([math.sqrt(self.factor)])

    @property
    def needs_initial(self) -> bool:  # type: ignore[override]
        """Whether agents begin somewhere."""
        return self.population == "renewal"

    @property
    def is_control(self) -> bool:  # type: ignore[override]
        """Whether a potential game is one problem of optimal control: not where nobody chooses where he begins."""
        return self.population == "renewal"

    def __repr__(self) -> str:
        return f"Discounted(factor={self.factor:g}, dt={self.dt:g}, population={self.population!r})"


def check_final_time(time: TimeGrid, who: str, why: str) -> None:
    """Refuse a game without a final time where there must be one.

    Parameters
    ----------
    time : of the game
    who : what does not suit it
    why : what it needs the end for

    Raises
    ------
    InputError
    """
    if time.is_stationary:
        raise InputError(
            f"{who} is not for games without a final time ({time!r}): {why}; state the game with a TimeGrid(horizon, "
            "steps), long enough for its middle to be stationary"
        )


def check_times(problem: Any) -> None:
    """Refuse what does not go with the times of a problem: where agents begin, what they pay at the end, and kinks."""
    time = problem.time
    if problem.initial is None and time.needs_initial:
        raise InputError(f"initial of the problem is missing; a density at t = 0 is needed with a {time!r}")
    if not time.is_stationary:
        return
    if problem.initial is not None and not time.needs_initial:
        raise InputError(
            f"initial of the problem is given, and with {time!r} nothing depends on where agents begin; leave it out "
            "(or let them be born there: Discounted(..., population='renewal'))"
        )
    leaves = isinstance(time, FirstExit)
    if not leaves:
        check_unit_masses(problem.grid, f"{time!r}", "laws of such games are those of one agent")
    for name, nothing in (("terminal", 0.0), ("terminal_coupling", None)):
        given = getattr(problem, name)
        if given is not nothing and not (isinstance(given, int | float) and given == 0):
            raise InputError(f"{name} of the problem is given, and {time!r} has no end; leave it out")
    if problem.final is not None:
        raise InputError(f"final of the problem is given, and {time!r} has no end; leave it out")
    if leaves != (getattr(problem.grid, "exits", None) is not None):
        raise InputError(
            f"{time!r} ends where agents leave, and the space has no exits; state them, States(..., exits={{'home': "
            "cells}) or Grid(..., exits=...)"
            if leaves
            else f"the grid has exits, and {time!r} has a crowd that nobody leaves; state the game with FirstExit() or "
            "a TimeGrid, or the places where agents come out as costs"
        )
    if len(problem.kinks):
        raise InputError(f"kinks of the problem are given, and with {time!r} nothing changes with time; leave them out")


def check_agents(problem: Any) -> None:
    """Refuse what games without a final time cannot have: hard bounds, and diffusions whose law is not the only one."""
    time = problem.time
    if problem.is_hard:
        raise InputError(
            f"a density or a price of problem {problem.name!r} has hard bounds, which no solver of games without a "
            f"final time keeps ({time!r}); state a cost that rises steeply instead, or a TimeGrid"
        )
    for one in problem.all_dynamics:
        if hasattr(one, "control_cost") and one.viscosity == 0.0 and problem.initial is None:
            raise InputError(
                f"the diffusion of problem {problem.name!r} has no noise (viscosity 0), so that with {time!r} its "
                "crowd has no single law; state a viscosity above 0, or let agents be born again: "
                "Discounted(..., population='renewal')"
            )


def check_optimum(time: TimeGrid) -> None:
    """Refuse the social optimum where it is no equilibrium at marginal costs."""
    if not time.is_control:
        raise InputError(
            f"with {time!r} the social optimum is no equilibrium at marginal costs: agents discount what they pay from "
            "where the crowd is, and nobody chooses where that is; Ergodic() and population='renewal' have one"
        )


def check_steps(time: TimeGrid, steps: Any) -> None:
    """Refuse a number of steps where there is one for ever."""
    if time.is_stationary:
        raise InputError(
            f"{steps} time steps are asked for, and the game has one step for ever, {time!r}; its length is dt"
        )


def _factor(rate: float | None, factor: float | None, dt: float) -> float:
    if factor is not None:
        factor = real(factor, "discount factor")
        if not 0 < factor < 1:
            more = "; an agent that discounts nothing minimises its average: Ergodic()" if factor == 1 else ""
            raise InputError(f"discount factor of a step is {factor}; a number above 0 and below 1 is needed{more}")
        return factor
    rate = real(rate, "discount rate")
    factor = math.exp(-rate * dt) if math.isfinite(rate) else math.nan
    if not 0 < factor < 1:
        more = "; an agent that discounts nothing minimises its average: Ergodic()" if rate == 0 else ""
        raise InputError(
            f"discount rate is {rate} per unit of time with steps of {dt:g}; a positive number is needed, and "
            f"e^(-rate dt) between 0 and 1{more}"
        )
    return factor
