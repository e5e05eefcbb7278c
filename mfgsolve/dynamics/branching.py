"""Dynamics with common noise: in every segment of a tree of scenarios the stated ones, and news between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import numpy as np
from scipy import sparse

from mfgsolve.dynamics.base import Dynamics, TableDynamics
from mfgsolve.dynamics.tabular import Tabular
from mfgsolve.errors import InputError
from mfgsolve.fields import Still
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.labels import Labelled
from mfgsolve.scenarios import Scenarios, ScenarioTree, at_start, on_layers
from mfgsolve.spaces import Space
from mfgsolve.steps.transitions import Matrices

__all__ = ["Branching", "branched", "branching"]


def branched(problem: Any) -> dict[str, Any]:
    """What a problem with scenarios is stated with, on the segments of their tree; nothing where it is there already.

    Raises
    ------
    InputError
        for what is no tree, for dates that are no nodes, and for what is not offered with scenarios
    """
    tree, space = problem.scenarios, problem.grid
    if not isinstance(tree, ScenarioTree):
        raise InputError(f"scenarios of the problem are a {type(tree).__name__}; a ScenarioTree is needed")
    time = problem.time
    if not isinstance(time, TimeGrid) or time.is_stationary:
        raise InputError(f"scenarios need times that end, a TimeGrid; this problem has {time!r}")
    if time.settled:
        tree.nodes(time)
    if problem.final is not None:
        raise InputError("final of the problem is not offered with scenarios; leave one of them out")
    if not isinstance(space, Space):
        return {}  # which is told elsewhere
    if isinstance(space, Scenarios):
        if space.tree != tree:
            raise InputError("scenarios of the problem are others than those of its space; state it anew")
        return {"dynamics": branching(problem.dynamics, space)}
    place = Scenarios(tree, space)
    return {
        "grid": place, "dynamics": branching(problem.dynamics, place),
        "initial": None if problem.initial is None else at_start(problem.initial, place),
        "terminal": on_layers(problem.terminal, place),
    }  # fmt: skip


def branching(dynamics: Any, space: Scenarios) -> Any:
    """Dynamics on the segments of a tree, made from those of one world.

    Raises
    ------
    InputError
        for dynamics that cannot be stated there
    """
    if isinstance(dynamics, list | tuple) and len(dynamics) == 1:
        dynamics = dynamics[0]
    if isinstance(dynamics, Branching) or not isinstance(dynamics, Dynamics):
        return dynamics  # what is no dynamics is told of elsewhere
    if not isinstance(dynamics, TableDynamics):
        raise InputError(
            f"scenarios with a {type(dynamics).__name__} are not offered: its steps know no news; state them as "
            "LatticeMoves or Tabular"
        )
    if dynamics.is_coupled:
        raise InputError("scenarios with transitions that depend on the crowd are not offered; state them as arrays")
    return Branching(dynamics, space)


@dataclass(frozen=True, eq=False)
class Branching(TableDynamics):
    """Tables of one world in every segment; the step that ends at a date leads each agent of a segment to one of its
    children, all agents to the same one: of the mass of a segment, its probability goes there.

    Parameters
    ----------
    of : the dynamics of one world
    place : the space of segments
    """

    of: TableDynamics
    place: Scenarios

    @property
    def temperature(self) -> float:  # type: ignore[override]
        return self.of.temperature

    @property
    def has_arrays(self) -> bool:  # type: ignore[override]
        return self.of.has_arrays

    @property
    def action_names(self) -> Sequence[str] | None:
        return self.of.action_names

    @property
    def action_count(self) -> int:
        return self.of.action_count

    def at_temperature(self, temperature: float) -> Self:
        return replace(self, of=self.of.at_temperature(temperature))

    def check(self, space: Space) -> None:
        self.of.check(self.place.space)

    def on(self, space: Space, time: TimeGrid, where: str = "") -> Self:
        self._check_levels(time, where)
        placed = self.of.on(self.place.space, time, where)
        if isinstance(self.of, Tabular):
            placed = self._laid_out(placed, time, where, isinstance(self.of.cost, Labelled))
        return self if placed is self.of else replace(self, of=placed)

    def _check_levels(self, time: TimeGrid, where: str) -> None:
        """Refuse costs of moves with as many levels as there are steps, or nodes, and scenarios."""
        shapes = [cost.values.shape for cost in getattr(self.of, "costs", ()) if isinstance(cost, Still)]
        if time.settled and self.place.count in (time.steps, time.steps + 1) and self.place.shape in shapes:
            raise InputError(
                f"cost of a move{where} has shape {self.place.shape}, which may be levels of time or of scenarios; "
                f"name its dimensions, say xarray.DataArray(array, dims={self.place.dims})"
            )

    def _laid_out(self, placed: Any, time: TimeGrid, where: str, named: bool) -> Any:
        """With an axis of scenarios in costs (step, action, *shape) of one world, which are not taken for (action,
        scenario, *shape); ``named`` where names have told that they are."""
        cost, actions, count = placed.cost, self.action_count, self.place.count
        if not isinstance(cost, np.ndarray) or cost.ndim != 2 + self.place.space.ndim:
            return placed
        by_step = named or (cost.shape[1] == actions and (not time.settled or len(cost) in (1, time.steps)))
        if by_step and not named and cost.shape[:2] == (actions, count):
            raise InputError(
                f"own cost{where} has shape {cost.shape}, which may be (step, action, state) or (action, scenario, "
                "state); state all four, (step, action, scenario, state), where step or scenario may have length 1"
            )
        return replace(placed, cost=cost[:, :, None]) if by_step else placed

    def chance_count(self, space: Space, time: TimeGrid) -> int:
        return self.place.count * self.of.chance_count(self.place.space, time)

    def listed_steps(self, space: Space) -> set[int]:
        return self.of.listed_steps(self.place)

    def steps_for(self, space: Space, horizon: float) -> int | None:
        return self.of.steps_for(self.place.space, horizon)

    def stable_steps(self, space: Space, horizon: float) -> float:
        return self.of.stable_steps(self.place.space, horizon)

    def speeds(self, space: Space, dt: float) -> Sequence[Any] | None:
        return self.of.speeds(self.place.space, dt)

    def tables(
        self, space: Space, time: TimeGrid, where: str = "", asked: Any = None, moment: str = ""
    ) -> tuple[list[Matrices], np.ndarray]:
        """One world's matrices in every segment, and after them, in a step that ends at a date, the news."""
        place = self.place
        if self.of.noise_schemes(place.space, time):
            raise InputError(
                "scenarios with implicit noise are not offered: it acts after the news; take noise = 'explicit'"
            )
        by_step, allowed = self.of.tables(place.space, time, where)
        levels, made = place.tree.levels(time), dict[tuple[int, int], Matrices]()
        worlds, cells = sparse.eye_array(place.count), sparse.eye_array(place.space.size)
        result = []
        for t in range(time.steps):
            key = min(t, len(by_step) - 1), int(levels[t + 1]) if levels[t + 1] > levels[t] else 0
            if key not in made:
                news = sparse.kron(sparse.csr_array(place.tree.branching(key[1])), cells) if key[1] else None
                each = [sparse.csr_array(sparse.kron(worlds, matrix)) for matrix in by_step[key[0]]]
                made[key] = each if news is None else [sparse.csr_array(matrix @ news) for matrix in each]
            result.append(made[key])
        shape = (len(allowed), place.count, *place.space.shape)
        return result, np.array(np.broadcast_to(allowed[:, None], shape))

    def step_costs(self, space: Space, times: np.ndarray, actions: int, where: str = "") -> np.ndarray:
        """As stated on the segments, or on the space of one world, the same in all of them."""
        place = self.place
        try:
            return self.of.step_costs(place, times, actions, where)
        except InputError as error:
            try:
                costs = self.of.step_costs(place.space, times, actions, where)
            except InputError:
                raise error from None
        return np.broadcast_to(costs[:, :, None], (len(costs), actions, *place.shape))

    @property
    def identity(self) -> Any:
        return ("branching", self.place.tree.identity, cast(Any, self.of.identity))
