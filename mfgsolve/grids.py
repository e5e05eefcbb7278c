"""Where agents live and when they move: Cartesian grids of one to three axes, blocked cells, time nodes.

Arrays are indexed (..., y, x) and ``shape`` means that order everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np

from mfgsolve.axes import AXIS_NAMES, BOUNDARIES, Axis
from mfgsolve.errors import InputError, masked, real, shown, whole
from mfgsolve.exits import SIDES, Exits, is_face, make_exits, one_by_one, sides_of, truth_values
from mfgsolve.inputs.calls import ask
from mfgsolve.inputs.forms import count
from mfgsolve.inputs.labels import aligned, frozen, labelled
from mfgsolve.inputs.memory import affordable
from mfgsolve.spaces import Coordinates, Space, Volumes

__all__ = ["Axis", "Coordinates", "Grid", "TimeGrid"]

CELL_BYTES = 8  # of one number for every cell: its coordinates, its mass
FARTHEST = 600.0  # discount rate times horizon: with it products of costs and weights are normal numbers
UNSETTLED = (
    "the number of time steps is not settled yet; state it, TimeGrid(horizon, steps), or let the game choose: "
    "problem = mfgsolve.resolution.settle(problem), as solve does by itself"
)


@dataclass(frozen=True, eq=False)
class Grid(Space):
    """Cartesian grid of 1 to 3 axes, listed in array order (..., y, x), with blocked cells.

    Parameters
    ----------
    axes : axes in array order; the last one is x
    blocked : None, a boolean array of the grid's shape, or a function of the coordinates that returns one;
        True where no agent may be (walls, obstacles)
    exits : None, or where agents leave (`mfgsolve.exits.Exits`): a mapping from names to cells, or the cells of a
        single exit.  Cells are a boolean array of the grid's shape, a function of the coordinates that returns one, or
        a side of the grid such as "x-low" or "y-high" (or a list of sides), which is the outermost layer of cells
        there.  Who comes to such a cell has left; diffusions leave where they cross into it, half a cell from the last
        centre inside

    Examples
    --------
    >>> grid = Grid.box((4, 8), bounds=[(0, 1), (0, 2)], blocked=lambda c: (c.x > 1.7) & (c.y > 0.7))
    >>> grid.shape, grid.dims, int(grid.mask.sum())
    ((4, 8), ('y', 'x'), 1)
    """

    axes: tuple[Axis, ...]
    blocked: Callable[[Coordinates], Any] | np.ndarray | None = field(default=None, repr=False)
    exits: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        listed = np.iterable(self.axes) and not isinstance(self.axes, str)
        if not (listed and all(isinstance(axis, Axis) for axis in self.axes)):
            raise InputError(
                f"axes of the grid are {shown(self.axes)}; a list of Axis objects is needed: Grid.box(shape, bounds) "
                "makes them"
            )
        object.__setattr__(self, "axes", tuple(self.axes))
        if not 1 <= len(self.axes) <= 3:
            raise InputError(f"grid has {len(self.axes)} axes; 1, 2 or 3 are possible")
        wanted = AXIS_NAMES[: len(self.axes)][::-1]
        if self.dims != wanted:
            raise InputError(f"grid axes are named {self.dims}; in array order they must be {wanted}")
        affordable(self.size, CELL_BYTES * (1 + self.ndim), f"grid of shape {self.shape}")
        mask = self.mask  # a wrong one is an error now, not later
        if self.blocked is not None and not callable(self.blocked):
            object.__setattr__(self, "blocked", mask)
        if self.exits is not None:
            object.__setattr__(self, "exits", self.exits_of(self.exits))

    @classmethod
    def box(
        cls,
        shape: int | Sequence[int],
        bounds: Sequence[tuple[float, float]] | None = None,
        boundary: str | Sequence[str] = "reflecting",
        unit: str = "1",
        blocked: Callable[[Coordinates], Any] | np.ndarray | None = None,
        exits: Any = None,
    ) -> Grid:
        """Grid of the given shape (..., ny, nx) on a box, the unit box by default; bounds in the order of shape.

        A side that is an exit gets one more layer of cells beyond the box, which holds who has left: with
        ``exits={"left": "x-low"}`` a shape of 64 cells becomes 65, and agents leave at the start of the box.
        """
        if isinstance(shape, str) or not (isinstance(shape, Real) or np.iterable(shape)):
            raise InputError(f"shape is {shown(shape)}; whole numbers (..., ny, nx) are needed")
        sizes: tuple[Any, ...] = (shape,) if isinstance(shape, Real) else tuple(shape)
        if not 1 <= len(sizes) <= 3:
            raise InputError(f"shape {shown(sizes)} has {len(sizes)} axes; 1, 2 or 3 are possible")
        names = AXIS_NAMES[: len(sizes)][::-1]
        ends = [(0.0, 1.0)] * len(sizes) if bounds is None else _pairs(bounds, len(sizes))
        if not np.iterable(boundary):
            raise InputError(f"boundary is {shown(boundary)}; one of {BOUNDARIES}, or one for each axis, is needed")
        kinds = [boundary] * len(sizes) if isinstance(boundary, str) else list(boundary)
        for what, given in (("bounds", ends), ("boundary", kinds)):
            if len(given) != len(sizes):
                raise InputError(
                    f"{what} has {len(given)} entries for a grid of {len(sizes)} axes {names}; give one for each axis, "
                    "in the order of shape"
                )
        axes = [Axis(n, s, *e, boundary=k, unit=unit) for n, s, e, k in zip(names, sizes, ends, kinds, strict=True)]
        grid = cls(tuple(axes), blocked)
        return grid if exits is None else grid.with_exits(exits)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.cells for axis in self.axes)

    @property
    def dims(self) -> tuple[str, ...]:
        return tuple(axis.name for axis in self.axes)

    @property
    def even(self) -> bool:
        """Whether all cells are alike."""
        return all(axis.even for axis in self.axes)

    @cached_property
    def volumes(self) -> Volumes:
        if self.even:
            return math.prod(axis.spacing for axis in self.axes)
        return frozen(np.asarray(math.prod(np.ix_(*(axis.widths for axis in self.axes)))))

    @property
    def identity(self) -> Any:
        return (
            tuple(axis.identity for axis in self.axes),
            np.packbits(self.mask).tobytes() if self.mask.any() else b"",
            *(() if self.exits is None else (self.exits.identity,)),
        )

    def exits_of(self, stated: Any) -> Exits:
        """Checked exits of this grid, stated as a parameter of it."""
        return make_exits(stated, self.mask, self._cells_of)

    def _cells_of(self, name: str, where: Any) -> tuple[np.ndarray, bool]:
        """Cells of an exit as it was stated, and whether it knows nothing of walls."""
        if not is_face(where):
            labels = {axis.name: axis.centres for axis in self.axes}
            return truth_values(where, self.shape, self.dims, labels, self.coordinates, name)
        cells = np.zeros(self.shape, dtype=bool)
        for axis, side in sides_of(where, self.dims, name):
            k = self.dims.index(axis)
            if self.axes[k].periodic:
                raise InputError(f"exit {name!r} is a side of the axis {axis}, which is periodic and has none")
            np.moveaxis(cells, k, 0)[0 if side == "low" else -1] = True
        return cells, True

    def with_exits(self, stated: Any) -> Grid:
        """The same grid with other exits; a side of equal cells that is one gets a layer of cells beyond it.

        Raises
        ------
        InputError
        """
        layers = _layers(stated, self.dims)
        if self.blocked is not None and not callable(self.blocked) and layers:
            raise InputError(
                "blocked cells given as an array have the shape of the box, and sides that are exits add cells to it; "
                "give a function of coordinates, or the exits as an array, too"
            )
        return Grid(tuple(_widened(axis, layers, axis.cells) for axis in self.axes), self.blocked, stated)

    @property
    def box_shape(self) -> tuple[int, ...]:
        """Cells along each axis without the layers beyond sides of equal cells that are exits."""
        layers = set() if self.exits is None else _layers(self.exits, self.dims)
        return tuple(axis.cells - axis.even * sum(name == axis.name for name, _ in layers) for axis in self.axes)

    @property
    def is_drawn(self) -> bool:
        """Whether walls or exits are arrays, which belong to one shape."""
        walls = self.blocked is not None and not callable(self.blocked)
        return walls or (self.exits is not None and self.exits.is_drawn)

    @property
    def dimension_coordinates(self) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
        return {
            a.name: (
                a.centres,
                {"units": a.unit, "boundary": a.boundary, "start": a.start, "stop": a.stop}
                | ({} if a.even else {"edges": a.edges}),
            )
            for a in self.axes
        }

    @cached_property
    def coordinates(self) -> Coordinates:
        arrays = np.meshgrid(*(axis.centres for axis in self.axes), indexing="ij")
        for array in arrays:
            array.setflags(write=False)  # a user's function sees them, and must not move the grid
        periods = {axis.name: axis.length for axis in self.axes if axis.periodic}
        return Coordinates(dict(zip(self.dims, arrays, strict=True)), periods)

    @cached_property
    def mask(self) -> np.ndarray:
        """Boolean, True where blocked."""
        if self.blocked is None:
            return frozen(np.zeros(self.shape, dtype=bool))
        given = self.blocked
        if callable(given):
            hint = "; walls do not move: state a moving obstacle as a RunningCost"
            given = ask(given, (self.coordinates,), "blocked", "(coordinates)", hint=hint)
        if masked(given):
            raise InputError("blocked cells have masked entries; fill them first, say with array.filled(True)")
        named = labelled(given, "array of blocked cells") is not None
        labels = {axis.name: axis.centres for axis in self.axes}
        try:
            mask = np.array(aligned(given, self.dims, labels, "array of blocked cells", partial=True))
        except (TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"blocked is a {type(given).__name__}, and no array of truth values ({error})") from None
        if mask.dtype != bool:
            raise InputError(f"blocked cells came as {mask.dtype}; a boolean array (True where blocked) is needed")
        if named:
            mask = _spread(mask, self.shape)
        if mask.shape != self.shape:
            raise InputError(f"blocked cells have shape {mask.shape}; the grid has {self.shape}")
        if mask.all():
            raise InputError("every cell of the grid is blocked; leave some free")
        return frozen(mask)

    def refined(self, shape: Sequence[int]) -> Grid:
        """The same box with other cell counts; only masks that are functions, and sides, can follow.

        Where sides are exits the box inside stays the same.
        """
        if self.is_drawn:
            what = "blocked cells and exits" if self.exits is not None else "blocked cells"
            raise InputError(f"{what} given as an array belong to one shape; give a function of coordinates")
        layers = _layers(self.exits, self.dims)
        axes = [self._refined(axis, layers, int(n)) for axis, n in zip(self.axes, shape, strict=True)]
        return Grid(tuple(axes), self.blocked, self.exits)

    def _refined(self, axis: Axis, layers: set[tuple[str, str]], cells: int) -> Axis:
        own = [side in {s for name, s in layers if name == axis.name} for side in SIDES]
        if not (any(own) and axis.even) or cells - sum(own) < 1:
            return axis.refined(cells)
        inside = replace(
            axis,
            cells=cells - sum(own),
            start=axis.start + own[0] * axis.spacing,
            stop=axis.stop - own[1] * axis.spacing,
        )
        return _widened(inside, layers, inside.cells)


def _layers(exits: Any, names: Sequence[str]) -> set[tuple[str, str]]:
    """Sides that are exits, (axis, side)."""
    stated = {} if exits is None else one_by_one(exits)
    return {face for name, where in stated.items() if is_face(where) for face in sides_of(where, names, name)}


def _widened(axis: Axis, layers: set[tuple[str, str]], cells: int) -> Axis:
    """An axis of equal cells with one cell more beyond each side that is an exit."""
    low, high = ((axis.name, side) in layers for side in SIDES)
    if axis.periodic or not (low or high):
        return axis
    start, stop = axis.start - low * axis.spacing, axis.stop + high * axis.spacing
    return replace(axis, cells=cells + low + high, start=start, stop=stop)


def _pairs(bounds: Any, axes: int) -> list[tuple[Any, Any]]:
    """Bounds as pairs of numbers."""
    listed: Any = list(bounds) if np.iterable(bounds) and not isinstance(bounds, str | Mapping) else None
    if listed is None or not all(np.shape(pair) == (2,) for pair in listed):
        raise InputError(
            f"bounds is {shown(bounds)}; a pair (start, stop) for each axis is needed, in the order of shape, say "
            f"{[(0, 1)] * axes}"
        )
    return [(low, high) for low, high in listed]


def _spread(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A mask that says nothing of some axes, for all of their cells."""
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        return mask


@dataclass(frozen=True)
class TimeGrid:
    """``steps`` equal steps of ``dt = horizon / steps``; nodes t_k = horizon k / steps, and the last is the horizon.

    With a ``discount`` rate r all that is paid at time t (own costs, entropy, the crowd's and the terminal cost) counts
    e^(-r t): values, costs and potentials are *present values*, at t = 0.  Prices and fields stay what they are at
    their own time, and so do the best responses of an agent at that time.

    Parameters
    ----------
    horizon : T, positive
    steps : how many; None leaves it to the game (`mfgsolve.resolution.settle`, which every solve begins with)
    unit : of time, as it is to be shown
    discount : rate r >= 0, per unit of time; e^(-r horizon) must not vanish in floats
    chosen : whether the number was chosen by that rule, and not stated
    """

    horizon: float = field(default=1.0, metadata={"needed": True})
    steps: Any = field(default=None, metadata={"form": count("grid of {} time steps")})  # None until it is settled
    unit: str = "1"
    discount: float = field(default=0.0, metadata={"since": "0.6"})
    chosen: bool = field(default=False, compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.steps is not None:
            object.__setattr__(self, "steps", whole(self.steps, "number of time steps"))
            if self.steps < 1:
                raise InputError(f"time grid has {self.steps} steps; a whole number of at least 1 is needed")
        object.__setattr__(self, "horizon", real(self.horizon, "time horizon"))
        if not (math.isfinite(self.horizon) and self.horizon > 0):
            raise InputError(f"time horizon is {self.horizon}; it must be positive and finite")
        object.__setattr__(self, "discount", real(self.discount, "discount rate"))
        if not (math.isfinite(self.discount) and self.discount >= 0):
            raise InputError(
                f"discount rate is {self.discount}; a finite number per unit of time is needed, positive where later "
                "costs count less, or 0"
            )
        if self.discount * self.horizon > FARTHEST:
            raise InputError(
                f"discount rate {self.discount:g} leaves e^(-{self.discount * self.horizon:g}) of a cost at the "
                f"horizon {self.horizon:g}, which is as good as nothing; take a shorter horizon or a rate of at most "
                f"{FARTHEST / self.horizon:.4g}"
            )

    # of games without a final time these differ, see `mfgsolve.stationary`
    is_stationary = False
    needs_initial = True
    is_control = True  # whether a potential game is one problem of optimal control
    cost_rate = 1.0  # what costs of the game are told times: steps per unit of time where they are those of one step

    @property
    def stated(self) -> dict[str, Any]:
        """The table [time] of a problem file."""
        stated: dict[str, Any] = {"horizon": self.horizon}
        if self.settled:
            stated["steps"] = self.steps
        if self.chosen:
            stated["chosen"] = True
        if self.unit != "1":
            stated["unit"] = self.unit
        return stated | ({"discount": self.discount} if self.discount else {})

    def later(self) -> TimeGrid | None:
        """The same times begun later, of games that must not know; None of others."""
        return None

    @property
    def settled(self) -> bool:
        """Whether the number of steps is known."""
        return self.steps is not None

    @property
    def dt(self) -> float:
        return self.horizon / self._known()

    @property
    def nodes(self) -> np.ndarray:
        steps = self._known()
        nodes = self.horizon * np.arange(steps + 1) / steps
        nodes[-1] = self.horizon
        return nodes

    @property
    def discounts(self) -> np.ndarray:
        """What a cost at each node is worth at t = 0, e^(-discount t), (steps + 1,)."""
        return np.exp(-self.discount * self.nodes)

    @property
    def middle_discounts(self) -> np.ndarray:
        """What a cost in the middle of each step is worth at t = 0, (steps,)."""
        return self.discounts[:-1] * math.exp(-0.5 * self.discount * self.dt)

    @property
    def attrs(self) -> dict[str, float]:
        """What datasets of costs say of the rate: ``discount``, where there is one."""
        return {"discount": self.discount} if self.discount else {}

    def _known(self) -> int:
        if self.steps is None:
            raise InputError(UNSETTLED)
        return int(self.steps)
