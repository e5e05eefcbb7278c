"""Problem: what the user states.  Python functions of (t, coordinates) are welcome here; no numba, no solver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from typing import Any

import numpy as np

from mfgsolve.cautions import Caution, collect, unique
from mfgsolve.couplings import Capacity, Coupling, RunningCost, marginal
from mfgsolve.couplings.final import final_cap, scaled_to_one, with_final
from mfgsolve.couplings.timed import timed
from mfgsolve.couplings.within import in_scenarios
from mfgsolve.display import problem_card
from mfgsolve.dynamics import Dynamics
from mfgsolve.dynamics.branching import branched
from mfgsolve.errors import InputError, has_labels, numbers, real, unknown
from mfgsolve.exit_costs import at_exits, own_exit_cost, with_exits
from mfgsolve.fields import Field, Still, own_field, sample
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.initial_masses import initial_mass
from mfgsolve.inputs.attributes import Suggesting
from mfgsolve.inputs.calls import ask, is_of_package
from mfgsolve.inputs.labels import Labelled, aligned, frozen
from mfgsolve.inputs.texts import check_names
from mfgsolve.inputs.times import kinks_of
from mfgsolve.scenarios import ScenarioTree
from mfgsolve.spaces import Populations, Space
from mfgsolve.stationary import check_agents, check_optimum, check_steps, check_times
from mfgsolve.steps import Step

__all__ = ["Levelled", "Problem"]

SENSES = ("cost", "reward")  # how what agents pay, or earn, is told


@dataclass(frozen=True, eq=False)
class Problem(Suggesting):
    """A mean-field game on a grid or any finite space.

    An agent minimises  E sum_t [own cost + dt f_t(X_t, m_t)] + g(X_T)  where m is the density of all agents; where the
    `TimeGrid` has a discount rate, what is paid at t counts e^(-rate t).

    A problem owns copies of all arrays, which nobody can change.  Plain arrays go by position, (..., y, x); arrays with
    names (xarray, pandas), also those that functions return, by the names of their dimensions and coordinates.

    Parameters
    ----------
    grid, time : where (a `Grid`, `States`, or `Populations` on one of them) and when; a `TimeGrid` without steps leaves
        their number to the game (`mfgsolve.resolution`); of games without a final time a `Discounted` or an `Ergodic`
    dynamics : `ControlledDiffusion` (on a grid), `LatticeMoves` (on a grid) or `Tabular`; for several populations a
        list, one for each
    coupling : f, a `Coupling`; or a number or function of (t, coordinates), a cost the crowd does not change.  Plain
        arrays in it have the shape of the grid, or a level for each step (or node) before that
    initial : density of agents at t = 0 (mass per unit volume): function of (t, coordinates), array or number; the
        mass of every population is 1, or what `Populations` says.  Left out where nothing depends on it (`Ergodic`, an
        invariant population)
    terminal : terminal cost g: function of (t, coordinates), array or number
    terminal_coupling : a `Coupling` added at the last node with weight 1
    final : density of agents at the horizon, to which a terminal price leads them (the planning problem); or a
        `Capacity`, which it must not exceed
    scenarios : a `ScenarioTree`, news that all agents hear (common noise), of a game of finite actions.  ``grid`` and
        the rest are stated for one world; functions of (t, coordinates) see ``c.scenario``, arrays may have a leading
        dimension of segments
    normalise : scale ``initial`` and ``final`` to total mass 1; otherwise a density that does not sum to 1 is an error
    name, source : how the problem is listed, and where it comes from
    parameters : what `mfgsolve.problems` built it from; with ``name`` it rebuilds the problem
    track : position (x, y, ...) of what moves (demand, a well) at time t, for pictures
    sites : rows (x, y, size) of fixed places, for pictures
    cautions : what was noticed while it was stated; every solution of it repeats them
    kinks : times between 0 and the horizon at which its data (costs, demand) bend or jump.  Where the number of steps
        is chosen, nodes fall on them if they can: without, a scheme of second order in time has no order.  They change
        nothing for a stated number

    exit_cost : what an agent pays who leaves by an exit of the grid: a number, array or function of (t, coordinates),
        or one of these for each exit by name (0 for the others)
    sense : "cost", or "reward" where agents are thought of as earning: reports and pictures then tell earnings, -cost.
        It changes no number of the game, whose costs are stated, and kept, as costs

    Raises
    ------
    InputError
        naming the object, what came, what is allowed and the remedy

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> problem = mfg.Problem(
    ...     grid=mfg.Grid.box((32,)), time=mfg.TimeGrid(1.0, 64), dynamics=mfg.ControlledDiffusion(viscosity=0.01),
    ...     coupling=mfg.CrowdAversion(0.1), initial=1.0, terminal=lambda t, c: (c.x - 0.8) ** 2)
    >>> mfg.solve(problem).status.name
    'CONVERGED'
    """

    grid: Space
    time: TimeGrid
    dynamics: Dynamics | Sequence[Dynamics]
    coupling: Coupling | Field
    initial: Field | np.ndarray | None = None
    terminal: Field | np.ndarray = 0.0
    terminal_coupling: Coupling | None = None
    normalise: bool = False
    name: str = "custom"
    source: str = ""
    parameters: Mapping[str, Any] | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    track: Callable[[float], np.ndarray] | None = field(default=None, repr=False)
    sites: np.ndarray | None = field(default=None, repr=False)
    cautions: tuple[Caution, ...] = field(default=(), repr=False)
    kinks: Sequence[float] = ()
    sense: str = "cost"
    exit_cost: Any = 0.0
    final: Field | np.ndarray | Capacity | None = None
    scenarios: ScenarioTree | None = None

    def __post_init__(self) -> None:
        with collect() as said:
            self._check()
            check_names(self)
        object.__setattr__(self, "cautions", unique(self.cautions, said))

    def _check(self) -> None:
        if self.scenarios is not None:
            for name, value in branched(self).items():
                object.__setattr__(self, name, value)
        for what, value, kind, name in (
            ("grid", self.grid, Space, "Grid, States or Populations"),
            ("time", self.time, TimeGrid, "TimeGrid"),
        ):
            if not isinstance(value, kind):
                raise InputError(f"{what} of the problem is a {type(value).__name__}; a {name} is needed")
        check_times(self)
        if self.sense not in SENSES:
            raise InputError(unknown("sense of the problem", self.sense, SENSES))
        self._check_dynamics()
        object.__setattr__(self, "exit_cost", own_exit_cost(self))
        object.__setattr__(self, "kinks", kinks_of(self.kinks, self.time.horizon))
        for what, of in (("initial", "initial density"), ("terminal", "terminal cost")):
            value = getattr(self, what)
            if value is None:
                continue
            if isinstance(value, Real):
                real(value, f"{what} of the problem")
            elif not callable(value):
                if not has_labels(value):
                    numbers(value, f"{what} of the problem", "real numbers or a function are needed")
                own = aligned(value, self.grid.dims, self.grid.labels, of, partial=True)
                own = own_field(own, f"{what} of the problem")
                object.__setattr__(self, what, self._spread(own) if has_labels(value) else own)
        if self.sites is not None:
            sites = numbers(self.sites, "sites of the problem")
            if sites.ndim != 2 or sites.shape[1] != 3:
                raise InputError(f"sites of the problem have shape {sites.shape}; rows (x, y, size) are needed")
            object.__setattr__(self, "sites", frozen(sites))
        if self.track is not None:  # an error now, not after the solve
            numbers(ask(self.track, (0.0,), "track of the problem", "(t)", " at t = 0"), "track of the problem")
        if not isinstance(self.coupling, Coupling):
            if not (callable(self.coupling) or isinstance(self.coupling, Real)):
                raise InputError(
                    f"coupling of the problem is a {type(self.coupling).__name__}; "
                    "a Coupling, a number or a function of (t, coordinates) is needed; write RunningCost(array)"
                )
            if not callable(self.coupling):
                real(self.coupling, "coupling of the problem")
            object.__setattr__(self, "coupling", RunningCost(self.coupling))  # type: ignore[arg-type]
        if self.scenarios is not None:
            for each in ("coupling", "terminal_coupling"):
                object.__setattr__(self, each, in_scenarios(getattr(self, each)))
        if self.terminal_coupling is not None and not isinstance(self.terminal_coupling, Coupling):
            raise InputError(f"terminal coupling is a {type(self.terminal_coupling).__name__}; a Coupling is needed")
        if self.terminal_coupling is not None and self.terminal_coupling.on != "state":
            raise InputError(
                f"terminal coupling acts on {self.terminal_coupling.on!r}; nothing is chosen at the end: use couplings "
                "on 'state' there"
            )
        object.__setattr__(self, "final", final_cap(self.final, self.normalise))
        for each in ("coupling", "terminal_coupling"):
            if (given := getattr(self, each)) is not None:
                object.__setattr__(self, each, timed(given, self.grid, self.time))
        if self.time.is_stationary:
            check_agents(self)
        settled = tuple(one.with_scheme(self.grid, self.couplings[0].is_hard) for one in self.all_dynamics)
        object.__setattr__(self, "_settled", settled)

    def _check_dynamics(self) -> None:
        given = self.dynamics
        if isinstance(given, list | tuple):
            object.__setattr__(self, "dynamics", tuple(given) if len(given) > 1 else given[0] if given else None)
        for one in self.all_dynamics:
            if not isinstance(one, Dynamics):
                raise InputError(
                    f"dynamics of the problem is a {type(one).__name__}; a ControlledDiffusion, LatticeMoves or "
                    "Tabular is needed"
                )
        if len(self.all_dynamics) != self.grid.populations:
            raise InputError(
                f"the space has {self.grid.populations} populations and dynamics are given for "
                f"{len(self.all_dynamics)}; give one for each, in the order of the populations"
            )
        if self.is_finite and not all(one.has_tables for one in self.all_dynamics):
            raise InputError("controlled diffusions and finite dynamics cannot be mixed; state all as LatticeMoves")
        for one in self.all_dynamics:
            one.check(self.grid)

        placed = tuple(self._placed(p, one) for p, one in enumerate(self.all_dynamics))
        if any(new is not old for new, old in zip(placed, self.all_dynamics, strict=True)):
            object.__setattr__(self, "dynamics", placed if len(placed) > 1 else placed[0])
        temperatures = {one.temperature for one in self.all_dynamics}
        if len(temperatures) > 1:
            raise InputError(f"populations have the temperatures {sorted(temperatures)}; one for all is needed")

    def _placed(self, p: int, one: Dynamics) -> Dynamics:
        """Dynamics of a population whose labelled arrays are in the order of the space."""
        several = isinstance(self.grid, Populations)
        where = f" of population {self.grid.names[p]!r}" if several else ""  # type: ignore[attr-defined]
        space = self.grid.space if several else self.grid  # type: ignore[attr-defined]
        return one.on(space, self.time, where)

    def _spread(self, array: np.ndarray) -> np.ndarray:
        """What came with names may leave dimensions out in which it does not change."""
        fits = all(n in (1, m) for n, m in zip(array.shape, self.grid.shape, strict=True))
        return frozen(np.broadcast_to(array, self.grid.shape)) if fits else array

    @property
    def all_dynamics(self) -> tuple[Dynamics, ...]:
        """Dynamics of every population, each with the scheme that the game takes where none was stated."""
        settled: tuple[Dynamics, ...] | None = self.__dict__.get("_settled")
        return self.stated_dynamics if settled is None else settled

    @property
    def stated_dynamics(self) -> tuple[Dynamics, ...]:
        """Dynamics of every population as they were stated."""
        return self.dynamics if isinstance(self.dynamics, tuple) else (self.dynamics,)  # type: ignore[return-value]

    def bind(self, mass: np.ndarray) -> Step:
        """One step of its agents; ``mass`` is that of the cells at t = 0."""
        first = self.all_dynamics[0]
        if len(self.all_dynamics) == 1 and self.grid.populations == 1:
            given = self.grid, self.time, mass
            if is_of_package(first):
                step = first.bind(*given)
            else:
                step = ask(first.bind, given, f"bind of {type(first).__name__}", "(space, time, initial)")
        else:
            step = type(first).join(self.all_dynamics, self.grid, self.time, mass)
        return with_exits(step, self.exit_cost, self.grid, self.time)

    @property
    def scheme(self) -> str:
        """How a continuous game is made a chain on its grid: "entropic" or "upwind"; empty for finite games.

        Where nothing is stated the entropic scheme is taken if it suits, and otherwise upwind, which a caution says.
        """
        return self.all_dynamics[0].scheme or ""

    @property
    def is_finite(self) -> bool:
        """Whether agents choose from a finite list of actions."""
        return any(one.has_tables for one in self.all_dynamics)

    @property
    def is_coupled(self) -> bool:
        """Whether the crowd changes the transitions themselves."""
        return any(one.is_coupled for one in self.all_dynamics)

    @property
    def temperature(self) -> float:
        """tau of a finite game, the same for all populations; 0 for a controlled diffusion."""
        return self.all_dynamics[0].temperature

    @property
    def is_hard(self) -> bool:
        """Whether a density or a price has hard bounds."""
        return any(c.is_hard for c in self.couplings)

    @property
    def is_local(self) -> bool:
        return all(c.is_local for c in self.couplings)

    def at_temperature(self, temperature: float) -> Problem:
        """The same finite game with another temperature."""
        cooled = [one.at_temperature(temperature) for one in self.all_dynamics]
        return replace(self, dynamics=cooled)

    def social(self) -> Problem:
        """The game whose equilibrium is the social optimum of this one: agents pay what they cost the others, too.

        Raises
        ------
        InputError
            where moving costs more in a crowd: what movers cost those around them is no coupling; and where a crowd
            that starts where it is discounts its future, which the optimum does not
        """
        check_optimum(self.time)
        for one in self.all_dynamics:
            one.check_social()
        last = self.terminal_coupling
        return replace(
            self,
            coupling=marginal(self.couplings[0]),
            terminal_coupling=None if last is None else marginal(last),
            parameters=None,
            text=None,
        )

    @property
    def attrs(self) -> dict[str, Any]:
        """What its datasets say of how costs are to be read: their discount, and their sense where agents earn."""
        return self.time.attrs | ({} if self.sense == "cost" else {"sense": self.sense})

    is_levelled = False

    def levelled(self) -> Levelled:
        """The same game for solvers: what everybody pays whatever all do is kept apart (`games.constants`)."""
        return Levelled(**{f.name: getattr(self, f.name) for f in fields(self)})

    @property
    def couplings(self) -> tuple[Coupling, ...]:
        """The running coupling and, where there is one, the terminal one, with what the final density has to be."""
        running: Coupling = self.coupling  # type: ignore[assignment]
        last = with_final(self.terminal_coupling, self.final)  # type: ignore[arg-type]
        return (running,) if last is None else (running, last)

    @property
    def is_potential(self) -> bool:
        alone = not any(one.is_coupled or one.pays_by_crowd for one in self.all_dynamics)
        return alone and self.time.is_control and all(c.is_potential for c in self.couplings)

    @property
    def is_monotone(self) -> bool:
        return all(c.is_monotone for c in self.couplings)

    @property
    def is_differentiable(self) -> bool:
        return not self.is_coupled and all(c.is_differentiable for c in self.couplings)

    @property
    def coordinates(self) -> Coordinates:
        return self.grid.coordinates

    def initial_mass(self) -> np.ndarray:
        """Mass per cell at t = 0, shape of the grid; sums to 1."""
        return initial_mass(self.initial, self.grid, self.normalise)

    def terminal_cost(self) -> np.ndarray:
        """g at the cell centres, shape of the grid; at exits, what it costs to leave at the end."""
        if isinstance(self.terminal, np.ndarray) and self.terminal.shape != self.grid.shape:
            raise InputError(f"terminal cost has shape {self.terminal.shape}; the grid has {self.grid.shape}")
        cost = sample(self.terminal, self.time.horizon, self.grid, "terminal cost")
        return at_exits(cost, self.exit_cost, self.grid, self.time.horizon)

    def with_steps(self, steps: int, chosen: bool = False) -> Problem:
        """The same game in that many time steps; ``chosen`` where nobody stated the number."""
        check_steps(self.time, steps)
        return replace(self, time=replace(self.time, steps=steps, chosen=chosen))

    def with_scheme(self, scheme: str | None, reach: int | None = None) -> Problem:
        """The same game of controlled diffusions by the entropic or the upwind scheme; None takes what suits.

        ``reach`` is that of entropic steps; see `ControlledDiffusion`.

        Raises
        ------
        InputError
            for a finite game, which has none, an unknown scheme, and one that does not suit

        Examples
        --------
        >>> import mfgsolve as mfg
        >>> mfg.problems.cole_hopf().with_scheme("upwind").scheme
        'upwind'
        """
        return replace(self, dynamics=[one.on_chain(scheme, reach) for one in self.stated_dynamics])

    def _repr_html_(self) -> str:
        return problem_card(self)

    def rescaled(self, shape: tuple[int, ...], steps: int) -> Problem | None:
        """The same game on another grid, or None where arrays tie it to this one.

        The initial density is normalised anew: sampled at other points, it sums to 1 only nearly.
        """
        ends = (self.initial, self.terminal, getattr(self.final, "cap", None), self.exit_cost)
        parts = [field for dynamics in self.all_dynamics for field in vars(dynamics).values()]
        tied = self.time.is_stationary or any(
            isinstance(field, np.ndarray | Labelled | Still) for field in (*ends, *parts)
        )
        if tied or self.is_finite or not isinstance(self.grid, Grid) or self.grid.is_drawn:
            return None
        time = replace(self.time, steps=steps, chosen=False)
        final = scaled_to_one(self.final)  # type: ignore[arg-type]
        return replace(self, grid=self.grid.refined(shape), time=time, normalise=True, final=final)


@dataclass(frozen=True, eq=False)
class Levelled(Problem):
    """A problem whose games lower all costs of a time step by their least value; see `games.constants`."""

    is_levelled = True
