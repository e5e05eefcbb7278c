"""A city of one's own: points (x, y, size, hour) as a demand that moves through the day, and a game around it.

Every point is a Gaussian bump of standard deviation ``width``, weighted by its share of all sizes, and by a profile of
the day that peaks, circularly, at its hour:

    r(t, X) = reward / Q sum_z share_z exp(rhythm cos(2 pi (begin + t - hour_z) / day)) / I_0(rhythm) G_width(X - X_z)

Q = integral of (sum_z share_z G_width(X - X_z))^2 makes ``reward`` the mean, over the day and over agents who are
spread like the points, of what one of them would earn alone.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mfgsolve.couplings import Congestion
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import InputError, real, shown
from mfgsolve.fields import Field, Separable
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.inputs.memory import affordable
from mfgsolve.problem import Problem
from mfgsolve.problems.point_table import PROJECTED, Points, read_points

__all__ = ["PointDemand", "SpreadLike", "from_points"]

MARGIN = 3.0  # widths between the outermost points and the walls


@dataclass(frozen=True)
class PointDemand:
    """The demand of points over the day; see the module."""

    points: Points
    width: float
    reward: float = 1.0
    rhythm: float = 2.0
    day: float = 24.0
    begin: float = 0.0

    def __post_init__(self) -> None:
        for name in ("width", "reward", "rhythm", "day", "begin"):  # floats, so that 1 and 1.0 are one demand
            object.__setattr__(self, name, real(getattr(self, name), f"{name} of the points"))
        for name in ("width", "day"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} of the points is {getattr(self, name)}; a positive number is needed")
        for name in ("reward", "rhythm"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"{name} of the points is {getattr(self, name)}; zero or more is needed")
        if not 0 <= self.begin < self.day:
            raise InputError(f"begin of the points is {self.begin:g}; an hour from 0 to below {self.day:g} is needed")

    @cached_property
    def _hours(self) -> tuple[np.ndarray, np.ndarray]:
        """The hours that come, and which one each point has."""
        if self.points.hour is None:
            return np.zeros(1), np.zeros(self.points.x.size, dtype=int)
        hours, index = np.unique(self.points.hour, return_inverse=True)
        return hours, index

    @cached_property
    def overlap(self) -> float:
        """Q, per area: see `Points.overlap`, which looks at all pairs of points."""
        return self.points.overlap(self.width)

    def profile(self, times: np.ndarray) -> np.ndarray:
        """exp(rhythm cos(2 pi (begin + t - hour) / day)) / I_0(rhythm), (times, hours): circular, of mean 1 a day."""
        if self.points.hour is None:
            return np.ones((len(times), 1))
        angle = 2 * math.pi * (np.asarray(times)[:, None] + self.begin - self._hours[0]) / self.day
        return np.asarray(np.exp(self.rhythm * np.cos(angle)) / np.i0(self.rhythm))

    def density(self, c: Coordinates) -> np.ndarray:
        """Density of the points by hour, (hours, *shape); the sum of all has mass 1 over the plane."""
        hours, index = self._hours
        affordable(hours.size * c.x.size, 8, f"maps of {hours.size} hours")
        out = np.zeros((hours.size, *c.x.shape))
        for x, y, share, k in zip(self.points.x, self.points.y, self.points.share, index, strict=True):
            out[k] += share * np.exp(-(c.gap("x", x) ** 2 + c.gap("y", y) ** 2) / (2 * self.width**2))
        return np.asarray(out / (2 * math.pi * self.width**2))

    def maps(self, c: Coordinates) -> np.ndarray:
        """The same, so that the mean earning is ``reward``."""
        return self.density(c) * (self.reward / self.overlap)

    def centre(self, t: float) -> np.ndarray:
        """Mean place of the demand at time t, (x, y)."""
        points = self.points
        weight = points.share * self.profile(np.array([t]))[0][self._hours[1]]
        return np.array([weight @ points.x, weight @ points.y]) / float(weight.sum())

    @property
    def viscosity(self) -> float:
        """That of `from_points` where none is stated, width^2 in ten twenty-fourths of a day."""
        return self.width**2 / (10 * self.day / 24)

    @property
    def control_cost(self) -> float:
        """That of `from_points` where none is stated: c (spread / (day / 12))^2 / 2 = reward."""
        spread = self.points.spread() or self.width
        return 2 * (self.reward or 1.0) * (self.day / 12 / spread) ** 2

    @property
    def field(self) -> Separable:
        """r(t, X)."""
        return Separable(self.profile, self.maps)

    def coupling(self, congestion: float | None = None) -> Congestion:
        """r / (1 + congestion rho); by default the reward is halved at the mean density of agents spread like the
        points, congestion = 1 / Q."""
        return Congestion(self.field, 1.0 / self.overlap if congestion is None else congestion)

    @property
    def sites(self) -> np.ndarray:
        """Rows (x, y, size), for pictures."""
        return np.column_stack([self.points.x, self.points.y, self.points.size])


@dataclass(frozen=True)
class SpreadLike:
    """Density of agents in proportion to the points."""

    demand: PointDemand

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return np.asarray(self.demand.density(c).sum(axis=0))


def from_points(
    points: Any,
    *,
    width: float,
    columns: Mapping[str, str | None] | None = None,
    degrees: bool = False,
    shape: tuple[int, int] = (64, 64),
    bounds: Any = None,
    unit: str = "km",
    steps: int | None = None,
    scheme: str | None = None,
    horizon: float | None = None,
    begin: float = 0.0,
    day: float = 24.0,
    time_unit: str = "h",
    reward: float = 1.0,
    rhythm: float = 2.0,
    congestion: float | None = None,
    control_cost: float | None = None,
    viscosity: float | None = None,
    blocked: Callable[[Coordinates], np.ndarray] | None = None,
    initial: Field | np.ndarray | None = None,
    name: str | None = None,
) -> Problem:
    """A game on the map of a city: agents meet a demand around points, each of which peaks at its hour.

    An agent at X earns r(t, X) / (1 + congestion rho) per unit of time, rho the density of all (their total is 1), and
    pays control_cost |a|^2 / 2 for moving at the velocity a.  r is in the module, `mfgsolve.problems.points`.

    Parameters
    ----------
    points : CSV file with the columns x, y, size and hour (others may stand beside them), or a data frame or mapping
    width : standard deviation of the demand around a point, in the unit of the map
    columns, degrees : other names of the columns, None where there is no size or hour; longitude and latitude as km
    shape, bounds : cells (ny, nx), and (start, stop) of y and x; by default three widths around the outermost points
    unit, time_unit : of lengths and times; of points in degrees "km"
    steps, scheme : see `ControlledDiffusion`; None chooses them
    horizon, begin, day : length of the game (a day by default), the hour at which it begins, and the length of a day
    reward, rhythm : mean earning of an agent alone, per unit of time; how strongly demand follows the clock (0: not)
    congestion : area; by default the reward is halved at the mean density of agents spread like the points
    control_cost : by default that at which crossing the spread of the points (root of the mean squared distance from
        their mean) within a twelfth of a day costs as much as ``reward`` earns meanwhile
    viscosity : length^2 / time; by default the square of the width in ten twenty-fourths of a day
    blocked : walls, a function of the coordinates
    initial : density at the start, scaled to mass 1; by default agents are spread like the points
    name : of the problem; by default that of the file

    Returns
    -------
    Problem
        from a CSV file alone (without ``blocked`` and ``initial``) one that files can hold, with the file's digest

    Raises
    ------
    InputError, FileError
        for missing columns (naming those that came), one that stands for two things, entries that are no finite
        numbers, negative sizes, hours outside the day, points outside the bounds, a table without a row, and degrees
        on a map in another unit than km

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> stops = {"x": [0.0, 4.0, 5.0], "y": [0.0, 3.0, 1.0], "size": [10, 30, 20], "hour": [8, 17.5, 18]}
    >>> problem = mfg.problems.from_points(stops, width=1.0, shape=(16, 16))
    >>> problem.grid.axes[1].start, problem.time.horizon, problem.time.unit
    (-3.0, 24.0, 'h')
    """
    demand = PointDemand(read_points(points, columns, degrees), width, reward, rhythm, day, begin)
    if degrees and unit != PROJECTED:
        raise InputError(f"unit is {shown(unit)}, and degrees become {PROJECTED}; leave it out, or degrees")
    if bounds is None:
        bounds = around(demand)
    grid = Grid.box(shape, bounds=bounds, unit=unit, blocked=blocked)
    demand.points.check(grid, day)
    dynamics = ControlledDiffusion(
        demand.viscosity if viscosity is None else viscosity,
        demand.control_cost if control_cost is None else control_cost,
        scheme=scheme,
    )
    is_file = isinstance(points, str | os.PathLike)
    problem = Problem(
        grid=grid,
        time=TimeGrid(day if horizon is None else horizon, steps, unit=time_unit),
        dynamics=dynamics,
        coupling=demand.coupling(congestion),
        initial=SpreadLike(demand) if initial is None else initial,
        normalise=True,
        name=name or (Path(points).stem if is_file else "points"),
        track=demand.centre,
        sites=demand.sites,
    )
    if not is_file or blocked is not None or initial is not None:
        return problem
    return replace(problem, text=_text(problem, dynamics, demand, points, columns, degrees, congestion))


def around(demand: PointDemand) -> list[tuple[float, float]]:
    """Bounds of y and x, three widths around the outermost points."""
    room, points = MARGIN * demand.width, demand.points
    return [(float(v.min() - room), float(v.max() + room)) for v in (points.y, points.x)]


def _text(
    problem: Problem, dynamics: ControlledDiffusion, demand: PointDemand, path: str | os.PathLike[str],
    columns: Mapping[str, str | None] | None, degrees: bool, congestion: float | None,
) -> str:  # fmt: skip
    """The statement of the problem as TOML, see `mfgsolve.problemfile`."""
    grid, time = problem.grid, problem.time
    assert isinstance(grid, Grid)
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    stated: dict[str, dict[str, Any]] = {
        "grid": {
            "shape": list(grid.shape), "bounds": [[axis.start, axis.stop] for axis in grid.axes],
            "unit": grid.axes[0].unit,
        },
        "time": {"horizon": time.horizon, "steps": time.steps, "unit": time.unit},
        "dynamics": {
            "viscosity": dynamics.viscosity, "control_cost": dynamics.control_cost, "scheme": dynamics.scheme,
        },
        "demand": {
            "points": os.path.relpath(path), "sha256": digest, "width": demand.width, "reward": demand.reward,
            "rhythm": demand.rhythm, "day": demand.day, "begin": demand.begin, "degrees": degrees,
            "congestion": congestion, **{name: text or "" for name, text in (columns or {}).items()},
        },
    }  # fmt: skip
    lines = [f"name = {_written(problem.name)}"]
    for title, table in stated.items():
        lines += [f"[{title}]", *(f"{key} = {_written(value)}" for key, value in table.items() if value is not None)]
    return "\n".join(lines) + "\n"


def _written(value: Any) -> str:
    """A value in TOML; texts, truth values and lists are written as in JSON, numbers as Python repeats them."""
    if isinstance(value, str | bool | list):
        return json.dumps(value, ensure_ascii=False)
    return repr(value if isinstance(value, int) else float(value))
