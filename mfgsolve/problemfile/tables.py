"""What may stand in a problem file beside the fields of dynamics, couplings, times and axes, which say so themselves.

See `mfgsolve.inputs.tables` for how a table follows from a dataclass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from mfgsolve import couplings, dynamics
from mfgsolve.errors import InputError, unknown
from mfgsolve.fields import Box, Field
from mfgsolve.grids import Axis, Grid, TimeGrid
from mfgsolve.inputs.forms import NUMBER, TEXT, Form, Source, count, echoed, many, one_or_many, row
from mfgsolve.inputs.tables import Kinds, Part, Table, table
from mfgsolve.problemfile.exits import BOXES, Boxes, ExitTable, with_exits
from mfgsolve.problems.point_table import read_points
from mfgsolve.problems.points import PointDemand
from mfgsolve.scenarios import ScenarioTree
from mfgsolve.spaces import Populations, Space, States
from mfgsolve.stationary import Discounted, Ergodic, FirstExit

__all__ = [
    "COUPLING",
    "DYNAMICS",
    "GRID",
    "STATES",
    "TIMES",
    "DataTable",
    "DeclaredProblem",
    "NamedProblem",
    "data_table",
]

# -- where -------------------------------------------------------------------------------------------------------------


def _texts(value: Any, source: Source) -> Any:
    if isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        return value
    raise InputError(f"{echoed(value)} is neither a text nor a list of texts")


BOX = [
    Part("shape", many(count("axis of {} cells")), False),
    Part("bounds", many(row(NUMBER, NUMBER)), False),
    Part("boundary", Form("a text, or one for each axis", "", _texts), False, "reflecting"),
    Part("unit", TEXT, False, "1"),
    Part("blocked", BOXES, False, ()),
]
EDGES = Part("edges", many(many(NUMBER)), False)
STATED = {"name", "cells", "start", "stop", "boundary", "unit", "uneven"}  # of an axis, by the box


def _grid(blocked: Sequence[Any] = (), **stated: Any) -> Grid:
    """A box with blocked cells.

    Parameters
    ----------
    shape : cells along each axis, (..., ny, nx); not needed where edges are stated
    bounds : (start, stop) of each axis, in the order of shape
    edges : of the cells of each axis, in the order of shape, instead of bounds
    boundary : "reflecting" or "periodic", in the order of shape
    unit : of the coordinates
    blocked : boxes from corner to corner, (x, y, ...)
    stated : whatever else an `Axis` has: one value for all axes, or a list with one for each, in the order of shape
    """
    boxes = [Box(*corners) for corners in blocked]
    box = {part.name: stated.pop(part.name) for part in BOX if part.name in stated}
    union = Boxes(boxes) if boxes else None
    if "edges" in stated:
        grid = _of_edges(stated.pop("edges"), union, **box)
    elif "shape" not in box:
        raise InputError("the grid has neither a shape nor edges; write shape = [...] (..., ny, nx), say")
    else:
        grid = Grid.box(**box, blocked=union)
    for name, value in stated.items():
        values = value if isinstance(value, tuple) else [value] * grid.ndim
        if len(values) != grid.ndim:
            raise InputError(
                f"{name} has {len(values)} entries for a grid of {grid.ndim} axes {grid.dims}; give one for each axis, "
                "in the order of shape"
            )
        axes = [replace(axis, **{name: each}) for axis, each in zip(grid.axes, values, strict=True)]
        grid = Grid(tuple(axes), grid.blocked)
    return grid


def _of_edges(
    edges: Sequence[Sequence[float]],
    blocked: Boxes | None,
    shape: Sequence[int] | None = None,
    bounds: Any = None,
    boundary: str | Sequence[str] = "reflecting",
    unit: str = "1",
) -> Grid:
    """Cells between stated edges; another shape means that many cells along the same smooth map."""
    if bounds is not None:
        raise InputError("the grid has edges and bounds; the first and the last edge are the bounds, leave them out")
    if not 1 <= len(edges) <= 3:
        raise InputError(f"edges has {len(edges)} lists; one for each of 1, 2 or 3 axes is needed")
    kinds = (boundary,) * len(edges) if isinstance(boundary, str) else boundary
    for what, stated in (("boundary", kinds), ("shape", shape or edges)):
        if len(stated) != len(edges):
            raise InputError(f"{what} has {len(stated)} entries, and edges has {len(edges)} lists, one for each axis")
    names = "xyz"[: len(edges)][::-1]
    axes = [Axis.from_edges(name, each, kind, unit) for name, each, kind in zip(names, edges, kinds, strict=True)]
    grid = Grid(tuple(axes), blocked)
    return grid if shape is None else grid.refined(shape)


def _states(count: int | None = None, names: Sequence[str] | None = None) -> States:
    """Listed states.

    Parameters
    ----------
    count : how many
    names : of each, instead of their number
    """
    if (count is None) == (names is None):
        raise InputError("states need either a count or names, and not both")
    return States(names if count is None else count)  # type: ignore[arg-type]


AXIS = [Part(p.name, one_or_many(p.form), False, p.default) for p in table(Axis).parts if p.name not in STATED]
GRID = Table(_grid, [*BOX, EDGES, *AXIS])
STATES = Table(_states, [Part("count", count("list of {} states"), False), Part("names", many(TEXT), False)])

# -- when --------------------------------------------------------------------------------------------------------------

LENGTH = [Part("dt", NUMBER, False, 1.0), Part("unit", TEXT, False, "1")]
TIMES = {
    "finite": table(TimeGrid),
    "ergodic": Table(Ergodic, LENGTH),
    "first-exit": Table(FirstExit, LENGTH),
    "discounted": Table(
        Discounted,
        [
            Part("rate", NUMBER, False),
            Part("factor", NUMBER, False),
            Part("population", TEXT, False, "invariant"),
            *LENGTH,
        ],
    ),
}


def _time(value: Any, source: Source) -> Any:
    if not isinstance(value, Mapping):
        return TIMES["finite"].read(value, source)
    kind = value.get("kind", "finite")
    if not isinstance(kind, str) or kind not in TIMES:
        raise InputError(unknown("kind of time", kind, TIMES))
    return TIMES[kind].read({key: item for key, item in value.items() if key != "kind"}, source)


TIME = Form("times of some kind", "tables of times", _time)

# -- dynamics and couplings, by their kinds ----------------------------------------------------------------------------


def _of_kind(kinds: Kinds, what: str, sentence: str, default: str | None = None) -> Form:
    def read(value: Any, source: Source) -> Any:
        if not isinstance(value, Mapping) or (default is None and "kind" not in value):
            raise InputError(f"{sentence} a kind, one of {', '.join(kinds)}")
        kind = value.get("kind", default)
        if not isinstance(kind, str) or kind not in kinds:
            raise InputError(unknown(f"kind of {what}", kind, kinds))
        return table(kinds[kind]).read({key: item for key, item in value.items() if key != "kind"}, source)

    return Form(f"{what} of some kind", "tables with a kind", read)


DYNAMICS = _of_kind(dynamics.KINDS, "dynamics", "dynamics are a table, with", "diffusion")
COUPLING = _of_kind(couplings.KINDS, "coupling", "a coupling is a table with")
COUPLINGS = {"form": many(COUPLING)}


def _by_date(item: Form, what: str) -> Form:
    """A list, or a list of them for each date."""

    def read(value: Any, source: Source) -> Any:
        if isinstance(value, list) and value and all(isinstance(each, list) for each in value):
            return tuple(tuple(item.read(entry, source) for entry in each) for each in value)
        if not isinstance(value, list):
            raise InputError(f"{echoed(value)} is no list of {what}")
        return tuple(item.read(entry, source) for entry in value)

    return Form(f"a list of {what}, or one for each date", f"lists of {what}", read)


SCENARIOS = Table(
    ScenarioTree,
    [
        Part("dates", many(NUMBER), True),
        Part("probabilities", _by_date(NUMBER, "probabilities"), True),
        Part("names", _by_date(TEXT, "names"), False),
    ],
)

# -- problems ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DataTable:
    """A data file, and the digest that it must have."""

    file: str
    sha256: str | None = None


def data_table(value: Any, _: Any = None) -> DataTable:
    """A file name; or, as a solution keeps it, a table with the digest besides."""
    if isinstance(value, str):
        return DataTable(value)
    if (
        isinstance(value, dict)
        and {"file"} <= set(value) <= {"file", "sha256"}
        and all(isinstance(v, str) for v in value.values())
    ):
        return DataTable(**value)
    raise InputError(f"{echoed(value)} is no name of a data file; write data = 'game.npz'")


@dataclass(frozen=True)
class InitialTable:
    density: Field | None = None
    normalise: bool = False


@dataclass(frozen=True)
class TerminalTable:
    cost: Field = 0.0
    coupling: tuple[Any, ...] = field(default=(), metadata=COUPLINGS)


@dataclass(frozen=True)
class FinalTable:
    """What the density has to be at the horizon, or a cap on it."""

    density: Field | None = None
    normalise: bool = False
    cap: Field | None = None

    def __post_init__(self) -> None:
        if (self.density is None) == (self.cap is None):
            raise InputError("[final] needs either a density, which is met, or a cap, which is not exceeded")


@dataclass(frozen=True)
class PopulationTable:
    name: str
    dynamics: Any = field(default=None, metadata={"form": DYNAMICS})
    density: Field | None = None
    mass: float = 1.0


@dataclass(frozen=True, kw_only=True)
class DemandTable:
    """Demand around the points of a CSV file, see `mfgsolve.problems.points`: agents earn it, less where they crowd.

    x, y, size and hour are the names of the columns; "" where there is no size or no hour.
    """

    points: str
    width: float
    sha256: str | None = None
    reward: float = 1.0
    rhythm: float = 2.0
    day: float = 24.0
    begin: float = 0.0
    congestion: float | None = None
    degrees: bool = False
    x: str = "x"
    y: str = "y"
    size: str = "size"
    hour: str = "hour"

    @cached_property
    def demand(self) -> PointDemand:
        """What it stands for."""
        columns: dict[str, str | None] = {"x": self.x, "y": self.y, "size": self.size, "hour": self.hour}
        points = read_points(self.points, columns, self.degrees)
        return PointDemand(points, self.width, self.reward, self.rhythm, self.day, self.begin)


@dataclass(frozen=True, kw_only=True)
class DeclaredProblem:
    """A problem stated in full."""

    grid: Grid | None = field(default=None, metadata={"form": GRID})
    states: States | None = field(default=None, metadata={"form": STATES})
    exit: tuple[ExitTable, ...] = field(default=(), metadata={"form": many(table(ExitTable))})
    population: tuple[PopulationTable, ...] = ()
    time: TimeGrid = field(metadata={"form": TIME})
    dynamics: Any = field(default=None, metadata={"form": DYNAMICS})
    initial: InitialTable = field(default_factory=InitialTable)
    terminal: TerminalTable = field(default_factory=TerminalTable)
    final: FinalTable | None = None
    scenarios: Any = field(default=None, metadata={"form": SCENARIOS})
    coupling: tuple[Any, ...] = field(default=(), metadata=COUPLINGS)
    demand: DemandTable | None = None
    data: Any = field(default=None, metadata={"form": Form("the name of a data file", "", data_table)})
    name: str = "declared"
    source: str = ""
    kinks: tuple[float, ...] | None = None  # of the data: on top, beside the tables that state these
    sense: str = "cost"

    def __post_init__(self) -> None:
        if (self.grid is None) == (self.states is None):
            raise InputError("a problem needs either a [grid] or [states], and not both")
        if self.dynamics is None and not (self.population and all(p.dynamics for p in self.population)):
            raise InputError("dynamics: this key is missing, and needed")
        densities = [p.density is not None for p in self.population]
        if any(densities) and (not all(densities) or self.initial.density is not None):
            raise InputError("densities are given for some populations; give one for each, and none under [initial]")
        if self.demand is not None and (self.grid is None or self.population):
            raise InputError("demand: points are places of a [grid], on which a single population lives")
        if not any(densities) and self.initial.density is None and self.demand is None and self.time.needs_initial:
            raise InputError("initial.density: this key is missing, and needed")

    @property
    def space(self) -> Space:
        """Where agents live."""
        below = with_exits(self.grid or self.states, self.exit)  # type: ignore[arg-type]
        if not self.population:
            return below
        return Populations([p.name for p in self.population], below, [p.mass for p in self.population])

    @property
    def all_dynamics(self) -> list[Any]:
        """Of every population."""
        return [p.dynamics or self.dynamics for p in self.population] or [self.dynamics]


def _parameters(value: Any, _: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{echoed(value)} is no table; parameters by name are needed")
    return value


@dataclass(frozen=True)
class DiscountTable:
    """What may be said of the times of a named problem."""

    discount: float = 0.0


@dataclass(frozen=True)
class ChainTable:
    """What may be said of the dynamics of a named problem: the scheme of a diffusion, and its reach."""

    scheme: str | None = None
    reach: int | None = None


@dataclass(frozen=True)
class NamedProblem:
    """The name of a problem of the list, and its parameters."""

    problem: str
    parameters: dict[str, Any] = field(default_factory=dict, metadata={"form": Form("a table", "", _parameters)})
    shape: tuple[int, ...] | None = None
    steps: int | None = None
    steps_chosen: bool = False
    time: DiscountTable = field(default_factory=DiscountTable)
    dynamics: ChainTable | None = None
    kinks: tuple[float, ...] | None = None
    sense: str | None = None  # its own, if absent
