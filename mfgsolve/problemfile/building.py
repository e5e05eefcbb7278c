"""From tables to a problem, and one evaluation of everything that was stated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mfgsolve.couplings import Capacity, Coupling, Price, Sum, by_target
from mfgsolve.couplings.final import FinalDensity
from mfgsolve.errors import InputError
from mfgsolve.exit_costs import exit_costs
from mfgsolve.fields import Arc, Bump, Field, Total, sample
from mfgsolve.problem import Problem
from mfgsolve.problemfile.datafile import ArrayField
from mfgsolve.problemfile.tables import DeclaredProblem
from mfgsolve.problems.points import SpreadLike
from mfgsolve.resolution.finite import finite_steps
from mfgsolve.spaces import Choices, Populations, Space
from mfgsolve.steps.transitions import own_costs, step_matrices

__all__ = ["build", "check", "on_what"]


def build(table: DeclaredProblem, text: str) -> Problem:
    """The problem that the tables state; ``text`` is kept with it."""
    stated = (*table.coupling, *table.terminal.coupling, *table.all_dynamics)
    rides = [term for term in _parts(table.coupling) if isinstance(term, Bump | Arc)]
    moving = [ride for ride in rides if isinstance(ride, Arc) or ride.path is not None]
    demand, couplings = None if table.demand is None else table.demand.demand, table.coupling
    if demand is not None:
        assert table.demand is not None
        demand.points.check(table.space, demand.day)
        couplings = (demand.coupling(table.demand.congestion), *couplings)
    like_points = demand is not None and table.initial.density is None
    problem = Problem(
        grid=table.space,
        time=table.time,
        dynamics=table.all_dynamics,
        coupling=_joined(couplings) if couplings else 0.0,
        initial=SpreadLike(demand) if demand is not None and like_points else _initial(table),
        terminal=table.terminal.cost,
        terminal_coupling=_joined(table.terminal.coupling) if table.terminal.coupling else None,
        normalise=table.initial.normalise or like_points,
        name=table.name,
        source=table.source,
        text=text,
        track=demand.centre if demand is not None else moving[0].position if len(moving) == 1 else None,
        sites=None if demand is None else demand.sites,
        kinks=_bends(moving, table.time.horizon) if table.kinks is None else table.kinks,
        sense=table.sense,
        final=_final(table),
        scenarios=table.scenarios,
        exit_cost={one.name: one.cost for one in table.exit} if table.exit else 0.0,
    )
    if any(isinstance(term, ArrayField) for term in (*_parts(stated), *_terms(table.terminal.cost))) and (
        problem.initial is not None
    ):
        return replace(problem, initial=problem.initial_mass() / problem.grid.volumes)  # tied to its grid
    return problem


def _bends(moving: Sequence[Bump | Arc], horizon: float) -> list[float]:
    """Times before the horizon at which paths turn, or end: data have a kink there."""
    times = {row[0] for ride in moving if isinstance(ride, Bump) for row in ride.path or ()}
    times |= {ride.arrival for ride in moving if isinstance(ride, Arc)}
    return [time for time in times if 0 < time < horizon]


def _joined(couplings: Sequence[Coupling]) -> Coupling:
    return couplings[0] if len(couplings) == 1 else Sum(tuple(couplings))


def _initial(table: DeclaredProblem) -> Field | np.ndarray | None:
    """Density of all populations; an array where it was stated as one; None where agents begin nowhere."""
    if not table.population or table.population[0].density is None:
        if table.initial.density is None and not table.time.needs_initial:
            return None
        assert table.initial.density is not None  # as the table has checked
        return _array(table.initial.density)
    space = table.space
    assert isinstance(space, Populations)
    return np.stack(
        [
            sample(_array(population.density), 0.0, space.space, f"initial density of population {population.name!r}")  # type: ignore[arg-type]
            for population in table.population
        ]
    )


def _final(table: DeclaredProblem) -> Capacity | None:
    """What the density has to be at the horizon."""
    stated = table.final
    if stated is None:
        return None
    if stated.density is not None:
        return FinalDensity(_array(stated.density), stated.normalise)
    assert stated.cap is not None
    return Capacity(stated.cap)


def _array(field: Field) -> Field | np.ndarray:
    return field.values if isinstance(field, ArrayField) else field


def _terms(value: Any) -> list[Any]:
    """A field, or all of several, sums taken apart."""
    if isinstance(value, list | tuple):
        return [term for each in value for term in _terms(each)]
    return list(value.terms) if isinstance(value, Total) else [value]


def _parts(stated: Sequence[Any]) -> list[Any]:
    """What couplings and dynamics were stated with, sums taken apart."""
    return [term for each in stated for value in vars(each).values() for term in _terms(value)]


# -- checks ------------------------------------------------------------------------------------------------------------


def on_what(problem: Problem, on: str) -> Space:
    """Where a coupling acts: on the states of the problem, or on choices."""
    if on != "state" and not problem.is_finite:
        raise InputError(f"a coupling on an {on} needs actions; state the dynamics as lattice moves or tabular")
    return Choices(_actions(problem), problem.grid) if on == "occupation" else problem.grid


def _actions(problem: Problem) -> int:
    """How many actions agents have, the most of all populations."""
    count = max(dynamics.action_count for dynamics in problem.all_dynamics)
    if not count:
        raise InputError(
            f"how many actions agents of problem {problem.name!r} have, only the crowd tells; give the dynamics their "
            "names: actions = [...]"
        )
    return count


def check(problem: Problem, where: str) -> None:
    """Evaluate everything once, so that what does not fit is told of now, and all of it together."""
    first = np.zeros(1)  # t = 0, whatever the number of steps
    checks: list[Callable[[], Any]] = [problem.initial_mass, problem.terminal_cost]
    if any(dynamics.has_arrays for dynamics in problem.all_dynamics):
        checks.append(lambda: _check_dynamics(problem))
    if problem.grid.exits is not None:
        checks.append(lambda: exit_costs(problem.exit_cost, first, problem.grid))
    space = getattr(problem.grid, "space", problem.grid)
    for dynamics in problem.all_dynamics:
        named = [(name, term) for name, value in vars(dynamics).items() for term in _terms(value) if callable(term)]
        checks += [lambda name=name, term=term: sample(term, 0.0, space, name) for name, term in named]  # type: ignore[misc]
    for coupling in problem.couplings:
        for on, terms in by_target(coupling).items():
            checks += [lambda term=term, on=on: term.bind(on_what(problem, on), first) for term in terms]  # type: ignore[misc]
            prices = [price for price in terms if isinstance(price, Price)]
            checks += [lambda price=price: _check_price(problem, price, first) for price in prices]  # type: ignore[misc]
    faults = []
    for evaluate in checks:
        try:
            evaluate()
        except InputError as error:
            if str(error) not in faults:
                faults.append(str(error))
    if faults:
        raise InputError("\n".join(f"{where}: {fault}" for fault in faults))


def _check_dynamics(problem: Problem) -> None:
    time = problem.time
    tables: Any = problem.all_dynamics
    if not time.settled:
        time = replace(time, steps=finite_steps(problem))
    space = problem.grid.space if isinstance(problem.grid, Populations) else problem.grid
    _, allowed = step_matrices(tables, problem.grid, time)
    for table, where in zip(tables, allowed, strict=True):
        own_costs([table], space, time.nodes[:-1], where.reshape(len(where), -1))


def _check_price(problem: Problem, price: Price, first: np.ndarray) -> None:
    if price.amounts is not None:
        price.amounts_on(Choices(_actions(problem), problem.grid), first, None)
