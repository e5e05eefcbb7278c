"""What may stand in a problem file: its tables, and what each one makes.

Tables are checked when they are read (``made`` in ``__post_init__``), so that all faults are told at once; what needs
the size of the space, as transitions do, is made with the problem.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mfgsolve.couplings import Coupling, Interaction, Price, QuadraticPotential
from mfgsolve.dynamics import ControlledDiffusion, Dynamics, LatticeMoves, Tabular
from mfgsolve.errors import InputError
from mfgsolve.fields import Box, Field
from mfgsolve.grids import Axis, Coordinates, Grid, TimeGrid
from mfgsolve.inputs.memory import affordable
from mfgsolve.inputs.texts import cut
from mfgsolve.problemfile.datafile import DataFile, Series, numbers, truths
from mfgsolve.spaces import Populations, Space, States

__all__ = [
    "COUPLING_TABLES",
    "DYNAMICS_TABLES",
    "DataTable",
    "DeclaredProblem",
    "DynamicsTable",
    "NamedProblemTable",
    "Numbers",
]


@dataclass(frozen=True, eq=False)
class Numbers:
    """Nested lists of the file, or the name of an array of the data file."""

    stated: Any
    data: DataFile | None

    @property
    def what(self) -> str:
        return self.data.told(self.stated) if self.data and isinstance(self.stated, str) else "a list of the file"

    @property
    def given(self) -> Any:
        if not isinstance(self.stated, str):
            return self.stated
        if self.data is None:
            raise InputError(f"array {self.stated!r} is named, and no data file; write data = 'game.npz' on top")
        return self.data.array(self.stated)

    def numbers(self) -> np.ndarray:
        return numbers(self.given, self.what)

    def truths(self) -> np.ndarray:
        return truths(self.given, self.what)

    def transitions(self, states: int, actions: int | None) -> Any:
        if isinstance(self.stated, str) and self.data is not None:
            return self.data.transitions(self.stated, states, actions)
        return self.numbers()


# -- where and when --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Corners:
    """A blocked box, from corner to corner (x, y, ...)."""

    lower: tuple[float, ...]
    upper: tuple[float, ...]


class _Union:
    """Cells in any of the boxes."""

    def __init__(self, boxes: Sequence[Box]):
        self.boxes = boxes

    def __call__(self, c: Coordinates) -> np.ndarray:
        return np.asarray(np.any([box.contains(c) for box in self.boxes], axis=0))


@dataclass(frozen=True)
class GridTable:
    shape: tuple[int, ...] | None = None
    bounds: tuple[tuple[float, float], ...] | None = None
    boundary: str | tuple[str, ...] = "reflecting"
    unit: str = "1"
    blocked: tuple[Corners, ...] = ()
    edges: tuple[tuple[float, ...], ...] | None = None  # of the cells of each axis, in the order of shape

    def __post_init__(self) -> None:
        self.build()

    def build(self) -> Grid:
        if self.edges is not None:
            return self._of_edges(self.edges)
        if self.shape is None:
            raise InputError("the grid has neither a shape nor edges; write shape = [...] (..., ny, nx), say")
        if all(size > 0 for size in self.shape):
            affordable(math.prod(self.shape), 8 * (1 + len(self.shape)), f"grid of shape {cut(str(self.shape), 80)}")
        boxes = [Box(corners.lower, corners.upper) for corners in self.blocked]
        return Grid.box(self.shape, self.bounds, self.boundary, self.unit, _Union(boxes) if boxes else None)

    def _of_edges(self, edges: tuple[tuple[float, ...], ...]) -> Grid:
        """Cells between stated edges; another shape means that many cells along the same smooth map."""
        if self.bounds is not None:
            raise InputError(
                "the grid has edges and bounds; the first and the last edge are the bounds, leave them out"
            )
        if not 1 <= len(edges) <= 3:
            raise InputError(f"edges has {len(edges)} lists; one for each of 1, 2 or 3 axes is needed")
        kinds = (self.boundary,) * len(edges) if isinstance(self.boundary, str) else self.boundary
        for what, given in (("boundary", kinds), ("shape", self.shape or edges)):
            if len(given) != len(edges):
                raise InputError(
                    f"{what} has {len(given)} entries, and edges has {len(edges)} lists, one for each axis"
                )
        names = "xyz"[: len(edges)][::-1]
        axes = [
            Axis.from_edges(name, each, kind, self.unit) for name, each, kind in zip(names, edges, kinds, strict=True)
        ]
        boxes = [Box(corners.lower, corners.upper) for corners in self.blocked]
        grid = Grid(tuple(axes), _Union(boxes) if boxes else None)
        return grid if self.shape is None else grid.refined(self.shape)


@dataclass(frozen=True)
class StatesTable:
    count: int | None = None
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if (self.count is None) == (self.names is None):
            raise InputError("states need either a count or names, and not both")
        self.build()

    def build(self) -> States:
        affordable(self.count or 1, 8, f"list of {self.count} states")
        return States(self.names if self.count is None else self.count)  # type: ignore[arg-type]


@dataclass(frozen=True)
class TimeTable:
    horizon: float
    steps: int | None = None
    unit: str = "1"
    chosen: bool = False

    def __post_init__(self) -> None:
        self.build()

    def build(self) -> TimeGrid:
        affordable(max(self.steps or 0, 0) + 1, 8, f"grid of {self.steps} time steps")
        return TimeGrid(self.horizon, self.steps, self.unit, chosen=self.chosen)


# -- dynamics --------------------------------------------------------------------------------------------------------


class DynamicsTable:
    """Any of the kinds below."""

    def build(self, space: Space) -> Dynamics:
        raise NotImplementedError


@dataclass(frozen=True)
class DiffusionTable(DynamicsTable):
    viscosity: float = 0.0
    control_cost: float = 1.0
    noise: str = "implicit"

    def __post_init__(self) -> None:
        self.build()

    def build(self, space: Space | None = None) -> ControlledDiffusion:
        return ControlledDiffusion(self.viscosity, self.control_cost, self.noise)


@dataclass(frozen=True)
class JumpTable:
    offset: int | tuple[int, ...]
    probability: float


@dataclass(frozen=True)
class LatticeTable(DynamicsTable):
    moves: tuple[int | tuple[int, ...], ...]
    costs: float | tuple[float, ...] = 0.0
    jumps: tuple[JumpTable, ...] | None = None
    walls: str = "stay"
    viscosity: float = 0.0
    noise: str = "implicit"
    temperature: float = 0.0

    def __post_init__(self) -> None:
        self.build()

    def build(self, space: Space | None = None) -> LatticeMoves:
        jumps: Any = None if self.jumps is None else [(jump.offset, jump.probability) for jump in self.jumps]
        return LatticeMoves(
            self.moves, self.costs, self.viscosity, self.noise, jumps, self.walls, self.temperature
        )  # fmt: skip


@dataclass(frozen=True)
class TabularTable(DynamicsTable):
    transitions: Numbers
    cost: float | Numbers = 0.0
    allowed: Numbers | None = None
    actions: tuple[str, ...] | None = None
    temperature: float = 0.0

    def build(self, space: Space) -> Tabular:
        allowed = None if self.allowed is None else self.allowed.truths()
        actions = len(self.actions) if self.actions else None if allowed is None else len(allowed)
        return Tabular(
            transitions=self.transitions.transitions(space.size, actions),
            cost=self.cost.numbers() if isinstance(self.cost, Numbers) else self.cost,
            temperature=self.temperature,
            actions=self.actions,
            allowed=allowed,
        )


DYNAMICS_TABLES: dict[str, type[DynamicsTable]] = {
    "diffusion": DiffusionTable,
    "lattice": LatticeTable,
    "tabular": TabularTable,
}


# -- couplings that are not stated by their own fields ----------------------------------------------------------------


@dataclass(frozen=True)
class PriceTable:
    weight: float = 1.0
    centre: float | Numbers = 0.0
    lower: float | Numbers | None = None
    upper: float | Numbers | None = None
    amounts: Numbers | None = None

    def build(self, time: TimeGrid | None) -> Price:
        def series(given: float | Numbers | None, name: str) -> Any:
            if not isinstance(given, Numbers) or time is None:
                return given
            values = given.numbers()
            if not time.settled:
                raise InputError(f"{name} of the price is a list, one number for each step; state steps under [time]")
            if values.shape != (time.steps,):
                raise InputError(f"{name} of the price has shape {values.shape}; one number for each of the "
                                 f"{time.steps} steps is needed")  # fmt: skip
            return Series(tuple(values.tolist()), time.dt)

        bounds = series(self.lower, "lower bound"), series(self.upper, "upper bound")
        return Price(
            QuadraticPotential(self.weight, series(self.centre, "centre")),
            None if bounds == (None, None) else bounds,
            None if self.amounts is None else self.amounts.numbers(),
        )


@dataclass(frozen=True)
class InteractionTable:
    matrix: Numbers
    between: str = "states"

    def build(self, time: TimeGrid | None) -> Interaction:
        return Interaction(self.matrix.numbers(), self.between)


COUPLING_TABLES: dict[str, Any] = {"interaction": InteractionTable, "price": PriceTable}


# -- problems ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InitialTable:
    density: Field | None = None
    normalise: bool = False


@dataclass(frozen=True)
class TerminalTable:
    cost: Field = 0.0
    coupling: tuple[Coupling, ...] = ()


@dataclass(frozen=True)
class PopulationTable:
    name: str
    dynamics: DynamicsTable | None = None
    density: Field | None = None


@dataclass(frozen=True)
class DataTable:
    """A data file, and the digest that it must have."""

    file: str
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class DeclaredProblem:
    """A problem stated in full."""

    grid: GridTable | None = None
    states: StatesTable | None = None
    population: tuple[PopulationTable, ...] = ()
    time: TimeTable
    dynamics: DynamicsTable | None = None
    initial: InitialTable = field(default_factory=InitialTable)
    terminal: TerminalTable = field(default_factory=TerminalTable)
    coupling: tuple[Coupling, ...] = ()
    data: DataTable | None = None
    name: str = "declared"
    source: str = ""

    def __post_init__(self) -> None:
        if (self.grid is None) == (self.states is None):
            raise InputError("a problem needs either a [grid] or [states], and not both")
        if self.dynamics is None and not (self.population and all(p.dynamics for p in self.population)):
            raise InputError("dynamics: this key is missing, and needed")
        densities = [p.density is not None for p in self.population]
        if any(densities) and (not all(densities) or self.initial.density is not None):
            raise InputError("densities are given for some populations; give one for each, and none under [initial]")
        if not any(densities) and self.initial.density is None:
            raise InputError("initial.density: this key is missing, and needed")

    def space(self) -> Space:
        """Where agents live."""
        below: Space = (self.grid or self.states).build()  # type: ignore[union-attr]
        return Populations([p.name for p in self.population], below) if self.population else below

    def all_dynamics(self) -> list[Dynamics]:
        """Of every population."""
        below = (self.grid or self.states).build()  # type: ignore[union-attr]
        tables = [p.dynamics or self.dynamics for p in self.population] or [self.dynamics]
        return [table.build(below) for table in tables if table is not None]


@dataclass(frozen=True)
class NamedProblemTable:
    """The name of a problem of the list, and its parameters."""

    problem: str
    parameters: dict[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] | None = None
    steps: int | None = None
    steps_chosen: bool = False
