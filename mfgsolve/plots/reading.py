"""What pictures read: a dataset of schema mfgsolve/1, checked, with its units in words and its times by value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from mfgsolve.cautions import stored, unique
from mfgsolve.errors import InputError
from mfgsolve.inputs.texts import cut, visible
from mfgsolve.inputs.times import checked_times
from mfgsolve.plots.style import Style, current
from mfgsolve.solution.leaves import by_branch

if TYPE_CHECKING:
    from mfgsolve.solution import Solution
    from mfgsolve.solution.between import Between

__all__ = ["View", "dataset_of", "doubts", "labelled", "offset_of", "round_times", "view", "words"]

OTHERS = (  # what a picture needs, what the dataset has instead, what it is of then, and its picture
    ("speed", "policy", "finite game", "policy"), ("policy", "speed", "controlled diffusion", "speed"),
    ("policy", "velocity", "controlled diffusion", "speed"),
)  # fmt: skip
LONGEST = 60  # characters of a name in a picture
AXIS_NAMES = ("x", "y", "z", "state")

# The schema has no word for what moves and what rests; these problems' own words make a better legend.
TRACK_NAMES = {
    "crowd-motion": "bar", "gaussian-log": "well", "lattice-supply-demand": "demand", "montreal": "centre of demand",
    "supply-demand": "demand",
}  # fmt: skip
SITE_NAMES = {"montreal": "zones (area: car hours)"}


def words(text: object) -> str:
    """A text of users as Matplotlib draws it letter by letter: no formula, no control character, no endless line.

    Every name that a picture shows comes through here.  A text that begins with an underscore would be left out of
    legends; a thin space stands before it.
    """
    plain = cut(visible(str(text)), LONGEST).replace("$", r"\$")
    return f"\N{THIN SPACE}{plain}" if plain.startswith("_") else plain


def labelled(name: str, unit: str) -> str:
    """``name (unit)``; the name alone where the quantity has no unit."""
    return name if unit in ("", "1") else f"{name} ({unit})"


def dataset_of(solution: Solution | xr.Dataset, needed: Sequence[str] = ()) -> xr.Dataset:
    """The dataset, if it is one of a solution and holds what is needed."""
    dataset = getattr(solution, "dataset", solution)
    if not isinstance(dataset, xr.Dataset):
        raise InputError(f"a picture was asked of a {type(solution).__name__}; a Solution or its dataset is needed")
    if not str(dataset.attrs.get("schema", "")).startswith("mfgsolve/1"):
        result = dataset.attrs.get("schema", "missing")
        raise InputError(f"dataset has schema {result!r}; pictures read 'mfgsolve/1', from mfg.solve or mfg.load")
    for name, other, kind, picture in OTHERS:
        if name in needed and name not in dataset and other in dataset:
            raise InputError(f"dataset has no {name}: it is of a {kind}; use mfg.plots.{picture}")
    missing = [name for name in needed if name not in dataset]
    if missing:
        raise InputError(f"dataset has no {', '.join(missing)}; it is not a whole solution")
    return dataset


def round_times(horizon: float, counts: Sequence[int]) -> np.ndarray:
    """Times from 0 to the horizon, as many of ``counts`` as make the interval the shortest number to write."""
    best = min(counts, key=lambda n: (len(f"{horizon / (n - 1):.6g}"), counts.index(n)))
    return np.linspace(0.0, horizon, best)


def offset_of(action: str) -> tuple[int, int, int] | None:
    """Displacement (x, y, z) in cells of a lattice move by its name: 'stay', 'x+', 'x-y+2'; None for other names."""
    if action == "stay":
        return 0, 0, 0
    result = re.fullmatch(r"(x[+-]\d*)?(y[+-]\d*)?(z[+-]\d*)?", action)
    if result is None or not action:
        return None
    x, y, z = (0 if not part else int(part[1] + (part[2:] or "1")) for part in result.groups())
    return x, y, z


def doubts(*datasets: xr.Dataset) -> str:
    """The line of a title that says which warnings stand beside the answers; empty where there are none."""
    cautions = unique(*(stored(dataset.attrs) for dataset in datasets))
    words = list(dict.fromkeys(caution.code.replace("-", " ") for caution in cautions))
    return f"\nwarning: {', '.join(words)}" if words else ""


@dataclass(frozen=True, eq=False)
class View:
    """A solution's dataset as pictures see it: grid axes x, y, z (or states), extents, walls, track and sites."""

    dataset: xr.Dataset
    population: str | None = None
    options: Style = field(default_factory=current)

    @cached_property
    def level(self) -> int | None:
        """Of three axes, the cells along z that are shown; None where they are integrated over z, or where there is
        none."""
        cut, project = self.options.slice, self.options.project
        if (cut is not None or project is not None) and self.ndim < 3:
            which = "slice" if cut is not None else "project"
            raise InputError(f"{which} of a picture is for three axes; {self.name} has {', '.join(self.dims)}: drop it")
        if cut is None:
            return None
        edges, height = self.edges("z"), float(cut["z"])
        if not edges[0] <= height <= edges[-1]:
            unit = self.unit("z")
            among = f"{edges[0]:g} to {edges[-1]:g}{'' if unit == '1' else f' {unit}'}"
            raise InputError(f"slice of a picture is at z = {height:g}; the axis reaches from {among}")
        return min(int(np.searchsorted(edges, height, side="right")) - 1, len(edges) - 2)

    @cached_property
    def each(self) -> list[View]:
        """One view per population."""
        if "population" not in self.dataset.dims:
            return [self]
        names = [words(name) for name in self.dataset["population"].values]
        return [View(self.dataset.isel(population=k), name, self.options) for k, name in enumerate(names)]

    @cached_property
    def dims(self) -> tuple[str, ...]:
        """Names of the grid's axes, x first; of listed states the one dimension they have."""
        return tuple(name for name in AXIS_NAMES if name in self.dataset["density"].dims)

    @property
    def ndim(self) -> int:
        return len(self.dims)

    @property
    def is_listed(self) -> bool:
        """Whether the cells are listed states, without geometry."""
        return self.dims == ("state",)

    @property
    def is_finite(self) -> bool:
        """Whether agents choose actions at every step, as opposed to a diffusion that is made discrete."""
        return "policy" in self.dataset

    @property
    def name(self) -> str:
        return words(self.dataset.attrs.get("name", "solution"))

    @property
    def earns(self) -> bool:
        """Whether the game is stated by rewards: what is told are earnings, -cost."""
        return bool(self.dataset.attrs.get("sense") == "reward")

    @property
    def is_timeless(self) -> bool:
        """Whether the game has no final time, and every variable one level."""
        return "stationary" in self.dataset.attrs

    @property
    def times(self) -> np.ndarray:
        return np.asarray(self.dataset["time"].values, dtype=float)

    @property
    def clock(self) -> tuple[float, float]:
        """Ends of an image with one column per node."""
        return self.clock_of(self.times)

    @staticmethod
    def clock_of(times: np.ndarray) -> tuple[float, float]:
        """Ends of an image with one column for each time: half a step beyond the first and the last."""
        half = 0.5 * (times[-1] - times[0]) / (len(times) - 1)
        return float(times[0]) - half, float(times[-1]) + half

    def unit(self, name: str) -> str:
        return words(self.dataset[name].attrs.get("units", "1"))

    def axis_label(self, name: str) -> str:
        return labelled(name, self.unit(name))

    def place(self, name: str, value: float, symbol: str | None = None) -> str:
        """``x = 0.25 km``."""
        unit = self.unit(name)
        return f"{symbol or name} = {value:.4g}" + ("" if unit == "1" else f" {unit}")

    def time_title(self, t: float) -> str:
        return "" if self.is_timeless else self.place("time", t, "t")

    def centres(self, name: str) -> np.ndarray:
        if name == "state":
            return np.arange(self.dataset.sizes["state"], dtype=float)
        return np.asarray(self.dataset[name].values, dtype=float)

    @property
    def state_names(self) -> list[str]:
        return [words(name) for name in self.dataset["state"].values]

    def is_even(self, *names: str) -> bool:
        """Whether all cells along these axes have the same width."""
        return not any("edges" in self.dataset[name].attrs for name in names)

    def spacing(self, name: str) -> float:
        """Width of a cell, or the mean width where they differ."""
        centres = self.centres(name)
        if not self.is_even(name):
            return float(np.ptp(self.edges(name))) / len(centres)
        return 1.0 if len(centres) == 1 else float(centres[-1] - centres[0]) / (len(centres) - 1)

    def edges(self, name: str) -> np.ndarray:
        """Ends of the cells, one more than there are cells."""
        if not self.is_even(name):
            return np.asarray(self.dataset[name].attrs["edges"], dtype=float)
        centres, half = self.centres(name), self.spacing(name) / 2
        return np.append(centres[0] - half, centres + half)

    def widths(self, name: str) -> np.ndarray:
        return np.diff(self.edges(name))

    def ends(self, name: str) -> tuple[float, float]:
        """The walls: where all cells are alike, half a cell beyond the first and the last centre."""
        edges = self.edges(name)
        return float(edges[0]), float(edges[-1])

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Of an image of the first two axes."""
        return (*self.ends("x"), *self.ends("y"))

    @property
    def aspect(self) -> float:
        """Width over height of the plane shown."""
        left, right, bottom, top = self.extent
        return (right - left) / (top - bottom)

    # -- fields ------------------------------------------------------------------------------------------------

    @property
    def quantity(self) -> str:
        """What density is called on this space, with its unit."""
        if self.is_listed and self.dataset.attrs.get("stationary") == "first-exit":
            return "agents inside"
        return "share of agents" if self.is_listed else f"density of agents ({self.density_unit})"

    @property
    def density_unit(self) -> str:
        """Of the density shown: with three axes, the one integrated over z, or that of the cut."""
        if self.is_listed:
            return "mass per state"
        units = [self.unit(name) for name in self.dims[: 2 if self.level is None else 3]]
        if all(unit == "1" for unit in units):
            return f"mass per unit {('length', 'area', 'volume')[len(units) - 1]}"
        power = {1: "", 2: "²", 3: "³"}
        return "mass per " + "·".join(unit + power[units.count(unit)] for unit in dict.fromkeys(units))

    @property
    def density_label(self) -> list[str]:
        """Lines of a colour bar's label."""
        if self.is_listed:
            return ["share of agents", "colour ∝ √share"]
        projected = ["integrated over z" if self.level is None else self.cut_name] if self.ndim == 3 else []
        return ["density of agents", *projected, f"({self.density_unit})", "colour ∝ √density"]

    def densities(self) -> np.ndarray:
        """Density at every node, over (y, x) or x; three axes are integrated over z."""
        return self._flat(np.asarray(self.dataset["density"].values))

    def density(self, t: float) -> np.ndarray:
        """Density at any time, over (y, x) or x; three axes are integrated over z.

        Between nodes it is exact in the entropic scheme, and linear elsewhere (`mfgsolve.solution.between`).
        """
        return self._flat(self._between.density(t))

    @cached_property
    def _between(self) -> Between:
        from mfgsolve.solution.between import Between  # games, and the compiler, only where they are needed

        return Between(self.dataset)

    def course(self, least: int) -> tuple[np.ndarray, np.ndarray]:
        """Times and densities at them: all nodes, and times between where these are exact and nodes fewer than that."""
        steps = len(self.times) - 1
        parts = -(-least // steps) if self._between.is_exact else 1
        if parts == 1:
            return self.times, self.densities()
        shares = np.arange(parts) / parts
        times = np.append((self.times[:-1, None] + shares * np.diff(self.times)[:, None]).reshape(-1), self.times[-1])
        return times, np.array([self.density(float(t)) for t in times])

    def _flat(self, values: np.ndarray) -> np.ndarray:
        if self.ndim < 3:
            return values
        if self.level is not None:
            return values[..., self.level, :, :]
        if self.is_even("z"):
            return np.asarray(values.sum(axis=-3) * self.spacing("z"))
        return np.asarray((values * self.widths("z")[:, None, None]).sum(axis=-3))

    def between(self, name: str, t: float) -> np.ndarray:
        """A variable on nodes at any time, linear between them."""
        times = self.times
        right = int(np.clip(np.searchsorted(times, t), 1, len(times) - 1))
        share = (t - times[right - 1]) / (times[right] - times[right - 1])
        values = self.dataset[name]
        return np.asarray((1 - share) * values.values[right - 1] + share * values.values[right])

    def cut(self, values: np.ndarray) -> np.ndarray:
        """Over (y, x) or x; three axes are cut through z, the first axis of ``values``, in its middle by default."""
        if self.ndim < 3:
            return values
        return np.asarray(values[len(values) // 2 if self.level is None else self.level])

    @property
    def cut_name(self) -> str:
        """``at z = 0.5 m``: where three axes are cut."""
        return f"at {self.place('z', float(self.cut(self.centres('z'))))}"

    @cached_property
    def _blocked(self) -> np.ndarray | None:
        return self.dataset["blocked"].values.astype(bool) if "blocked" in self.dataset else None

    @property
    def walls(self) -> np.ndarray | None:
        """True where no agent may be, over (y, x) or x; with three axes where the whole column is blocked."""
        blocked = self._blocked
        if blocked is None or self.ndim < 3:
            return blocked
        return np.asarray(blocked.all(axis=0) if self.level is None else blocked[self.level])

    @property
    def doors(self) -> np.ndarray | None:
        """True in the cells of exits, over (y, x) or x; of three axes in any cell of the column, or where it is cut."""
        if "exit_number" not in self.dataset:
            return None
        gone = np.asarray(self.dataset["exit_number"].values) >= 0
        if self.ndim < 3:
            return gone
        return np.asarray(gone.any(axis=0) if self.level is None else gone[self.level])

    @property
    def walls_cut(self) -> np.ndarray | None:
        return None if self._blocked is None else self.cut(self._blocked)

    @cached_property
    def track(self) -> np.ndarray | None:
        """Place of what moves at every node, (T+1, axes), x first; None where nothing does."""
        if "track" not in self.dataset:
            return None
        names = [name for name in self.dims if name in self.dataset["axis"].values]
        return np.asarray(self.dataset["track"].sel(axis=names).values, dtype=float)

    def track_at(self, t: float) -> np.ndarray | None:
        return None if self.track is None else np.array([np.interp(t, self.times, row) for row in self.track.T])

    @property
    def track_name(self) -> str:
        return TRACK_NAMES.get(self.name, "target")

    @property
    def site_name(self) -> str:
        return SITE_NAMES.get(self.name, "sites (area: size)")

    # -- choices of finite games ---------------------------------------------------------------------------------

    @property
    def actions(self) -> list[str]:
        return [words(name) for name in self.dataset["action"].values]

    @cached_property
    def offsets(self) -> np.ndarray | None:
        """Displacement (action, axes) in cells, x first, where every action is a lattice move."""
        result = [offset_of(name) for name in self.actions]
        if self.is_listed or any(offset is None for offset in result):
            return None
        return np.array(result)[:, : self.ndim]

    def step_at(self, t: float) -> int:
        """The step that contains a time; the last one at the horizon."""
        return max(int(np.searchsorted(self.dataset["step"].values, t, side="right")) - 1, 0)

    # -- times -------------------------------------------------------------------------------------------------

    def moments(self, times: Sequence[float] | np.ndarray | None, counts: Sequence[int]) -> list[float]:
        """The times asked for, checked; by default equally spaced ones, and nodes of a finite game.

        Raises
        ------
        InputError
            for no time, one that is not a number, or one outside the horizon
        """
        if self.is_timeless:
            if times is not None:
                raise InputError(f"times is {times!r}, and {self.name} has no final time: leave times out")
            return [0.0]
        first, last = float(self.times[0]), float(self.times[-1])
        if times is None and self.is_finite:
            nodes = len(self.times)
            fits = [n for n in counts if n <= nodes and (nodes - 1) % (n - 1) == 0] or [min(counts[0], nodes)]
            places = np.linspace(0, nodes - 1, fits[0]).round().astype(int)
            return [float(t) for t in self.times[places]]
        if times is None:
            return [float(t) for t in round_times(last, counts)]
        wanted = checked_times(times, first, last, self.unit("time"))
        return [float(t) for t in wanted]


def view(solution: Solution | xr.Dataset, *needed: str) -> View:
    """Check a solution and wrap it; what has no times gets two nodes, and one step between them."""
    dataset = getattr(solution, "dataset", solution)
    if isinstance(dataset, xr.Dataset) and "stationary" in dataset.attrs:
        from mfgsolve.solution.timeless import with_times

        solution = with_times(dataset)
    seen = View(by_branch(dataset_of(solution, ("time", "density", *needed))))
    _ = seen.level  # checked
    return seen
