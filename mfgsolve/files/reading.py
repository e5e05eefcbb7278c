"""A dataset that was read, and what is asked of it: names, dimensions, types, ranges; see `mfgsolve.files.schema`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mfgsolve.errors import FileError
from mfgsolve.inputs.texts import cut, visible

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["BOUNDED", "LATER", "MEASURED", "ROUND_OFF", "SCHEMA", "WORK", "Reading", "space_dims"]

SCHEMA = "mfgsolve/1"
MEASURED = (
    "exploitability", "relative_exploitability", "potential", "duality_gap", "sweeps", "seconds", "cell_steps",
)  # fmt: skip
BOUNDED = ("violation", "final_grid")  # not in the files of 0.1.0
LATER = (*BOUNDED, "stage")  # nor in those of 0.4.0
WORK = ("sweeps", "seconds", "cell_steps")
ROUND_OFF = 1e-9  # of sums of probabilities
SINGLE = 1e-6  # of the mass, where a density is stored in single precision


class Reading:
    """A dataset, and what is asked of it."""

    def __init__(self, dataset: xr.Dataset, kind: str, where: str, whole: bool = True):
        self.dataset, self.kind, self.where, self.whole = dataset, kind, where, whole

    def fault(self, sentence: str) -> FileError:
        begun = f"{self.where} misses or spoils data: it" if self.kind == "checkpoint" else self.where
        return FileError(f"{begun} {sentence}; it is damaged, or was not written by mfgsolve")

    def absent(self, what: str) -> FileError:
        begun = f"{self.where} misses or spoils data: it" if self.kind == "checkpoint" else self.where
        return FileError(f"{begun} has no {what}; it is not a whole {self.kind}")

    def dims(self, name: str) -> tuple[str, ...]:
        return tuple(map(str, self.dataset[name].dims))

    # -- attributes ----------------------------------------------------------------------------------------------

    def text(self, name: str, needed: bool = True) -> str:
        value = self.dataset.attrs.get(name)
        if isinstance(value, str) or (value is None and not needed):
            return str(value or "")
        raise self._spoilt(name, "a text")

    def number(self, name: str, needed: bool = True) -> float:
        value = self.dataset.attrs.get(name)
        if value is None and not needed:
            return math.nan
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.item()
        if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
            return float(value)
        raise self._spoilt(name, "a number")

    def _spoilt(self, name: str, wanted: str) -> FileError:
        value = self.dataset.attrs.get(name)
        came = "nothing" if value is None else cut(visible(repr(value)), 60)
        return self.fault(f"misses or spoils the attribute {name!r}: {came} came, {wanted} is needed")

    # -- variables -----------------------------------------------------------------------------------------------

    def left_out(self) -> list[str]:
        """Variables that the file does not hold, since they follow from the policy."""
        return self.text("made_on_reading", needed=False).split()

    def values(self, name: str, dims: Sequence[str] | None, kinds: str = "fiu") -> np.ndarray:
        """The array of that name, if it is there, on these dimensions and of that type."""
        self.layout(name, dims, kinds)
        return np.asarray(self.dataset.variables[name].values)

    def layout(self, name: str, dims: Sequence[str] | None, kinds: str = "fiu") -> None:
        """That there is an array of that name, on these dimensions and of that type."""
        if name not in self.dataset.variables:
            raise self.absent(f"variable {name!r}")
        variable = self.dataset.variables[name]
        if variable.dtype.kind not in kinds or (dims is not None and variable.dims != tuple(dims)):
            came = f"{variable.dtype} on {variable.dims}"
            wanted = "numbers" if "f" in kinds else "texts"
            raise self.fault(f"has {name!r} as {came}; schema {SCHEMA!r} has {wanted} on {dims or 'any dimensions'}")

    def within(self, name: str, dims: Sequence[str], low: float = -math.inf, high: float = math.inf) -> np.ndarray:
        """Numbers in a range; what was not measured (NaN) is in none, and let be."""
        values = self.values(name, dims)
        wrong = (values < low) | (values > high)
        if wrong.any():
            raise self.fault(
                f"has {name!r} with the value {values[wrong][0]:.6g}; from {low:g} to {high:g} is possible"
            )
        return values

    def finite(self, name: str, dims: Sequence[str], low: float = -math.inf, high: float = math.inf) -> np.ndarray:
        """Numbers in a range, none of them NaN or infinite."""
        values = self.values(name, dims)
        if not np.isfinite(values).all():
            raise self.fault(f"has {name!r} with {values[~np.isfinite(values)][0]} in it, which is no finite number")
        return self.within(name, dims, low, high)

    def rising(self, name: str) -> np.ndarray:
        """A coordinate: finite numbers, each larger than the one before."""
        values = self.coordinate(name, "fiu")
        if not np.isfinite(values).all() or not (np.diff(values) > 0).all():
            raise self.fault(f"has a coordinate {name!r} that does not rise from each number to the next")
        return values

    def names(self, name: str) -> list[str]:
        """A coordinate of names, all different."""
        values = [str(text) for text in self.coordinate(name, "OUSTiuf")]
        if len(set(values)) < len(values):
            raise self.fault(f"has a coordinate {name!r} in which a name comes twice")
        return values

    def coordinate(self, name: str, kinds: str) -> np.ndarray:
        if name not in self.dataset.coords:
            raise self.absent(f"coordinate {name!r}")
        values = self.values(name, (name,), kinds)
        if not values.size:
            raise self.fault(f"has a coordinate {name!r} without any entry")
        return values

    # -- what several kinds of files have ------------------------------------------------------------------------

    def space(self) -> tuple[str, ...]:
        """Dimensions of the space of the density, their coordinates checked."""
        dims = space_dims(self.dataset)
        for name in dims:
            if name in ("population", "scenario", "state"):
                self.names(name)
            else:
                self.cells(name)
        return dims

    def cells(self, name: str) -> np.ndarray | None:
        """Edges of the cells of an axis, where the file states them: their coordinate lies in the middle of each."""
        centres, edges = self.rising(name), self.dataset[name].attrs.get("edges")
        if edges is None:
            return None
        edges = np.asarray(edges)
        if edges.dtype.kind not in "fiu" or edges.shape != (centres.size + 1,):
            raise self.fault(
                f"has edges of the cells of {name!r} as {edges.dtype} of shape {edges.shape}; {centres.size + 1} "
                f"numbers belong to {centres.size} cells"
            )
        edges = edges.astype(float)
        if not np.isfinite(edges).all() or not (np.diff(edges) > 0).all():
            raise self.fault(f"has edges of the cells of {name!r} that do not rise from each number to the next")
        if not np.allclose(0.5 * (edges[1:] + edges[:-1]), centres, rtol=1e-12, atol=1e-12 * np.abs(edges).max()):
            raise self.fault(f"has a coordinate {name!r} that does not lie in the middle of the edges of its cells")
        return edges

    def history(self, dims: Sequence[str] = ("iteration",), needed: Sequence[str] = MEASURED) -> None:
        """What was measured at every iteration."""
        for name in (*MEASURED, *LATER):
            if name in needed or name in self.dataset:
                low = 0.0 if name in (*WORK, *LATER) else -math.inf
                self.within(name, dims, low, 1.0 if name == "final_grid" else math.inf)

    @property
    def timeless(self) -> bool:
        """Whether it is of a game without a final time, whose variables have no times."""
        return "stationary" in self.dataset.attrs

    @property
    def node(self) -> tuple[str, ...]:
        """The dimension of nodes in time, if there is one."""
        return () if self.timeless else ("time",)

    @property
    def step(self) -> tuple[str, ...]:
        """The dimension of steps, if there is one."""
        return () if self.timeless else ("step",)

    def _stated_masses(self) -> np.ndarray:
        """Of each population, or 1."""
        count = self.dataset.sizes["population"]
        told = np.asarray(self.dataset["population"].attrs.get("masses", np.ones(1)), dtype=float).reshape(-1)
        if told.size not in (1, count) or not (np.isfinite(told) & (told > 0)).all():
            raise self.fault(f"has {count} populations of the masses {told.tolist()}")
        return np.broadcast_to(told, count)

    def masses(self, name: str, space: Sequence[str], error: float, gone: np.ndarray | float = 0.0) -> None:
        """A density: nowhere negative, and of mass 1 (of each population) up to ``error``, with those who are ``gone``
        (time[, population])."""
        dims = self.dims(name)
        density = self.finite(name, dims)
        least, most = float(density.min(initial=0.0)), float(density.max(initial=0.0))
        if least < -1e-12 * max(most, 1e-300):
            raise self.fault(f"has {name!r} with the value {least:.6g}, and no density is negative")
        places = tuple(dims.index(axis) for axis in space if axis != "population")
        for axis in space:
            edges = None if axis in ("population", "scenario", "state") else self.cells(axis)
            if edges is not None:
                shape = [-1 if name == axis else 1 for name in dims]
                density = density * np.diff(edges).reshape(shape)
        if "scenario" in space:
            share = self.within("scenario_probability", ("scenario",), 0.0, 1.0)
            density = density * share.reshape([-1 if axis == "scenario" else 1 for axis in dims])
        mass, (volume, blur) = density.sum(axis=places, dtype=float), self._volume(space)
        error = abs(error) + (SINGLE if self.dataset[name].dtype == np.float32 else 0.0)
        wanted = self._stated_masses() if "population" in dims else np.ones(1)
        if math.isnan(volume):  # of an axis of one cell only the file's problem knows the length
            volume, blur = wanted[0] / float(mass.flat[0] or 1.0), 0.0
        off = float(np.abs(volume * mass + gone * wanted - wanted).max(initial=0.0))
        if not off <= (0.0 if math.isnan(error) else error) + blur + ROUND_OFF:
            raise self.fault(
                f"has {name!r} with a mass that is {off:.3g} from {_told(wanted)} (the file itself says {error:.3g})"
            )

    def _volume(self, space: Sequence[str]) -> tuple[float, float]:
        """Of a cell, by its neighbours, and how exactly that is known."""
        volume, blur = 1.0, 0.0
        for name in space:
            if name not in ("population", "scenario", "state") and "edges" not in self.dataset[name].attrs:
                centres = np.asarray(self.dataset[name].values, dtype=float)
                side = math.nan if centres.size < 2 else float(centres[-1] - centres[0]) / (centres.size - 1)
                volume *= side
                blur += 0.0 if math.isnan(side) else 1e-15 * float(np.abs(centres).max()) / side
        return volume, blur

    def chances(self, space: Sequence[str]) -> None:
        """A policy: probabilities that sum to 1 wherever agents may be."""
        policy = self.finite("policy", (*self.step, "action", *space), -ROUND_OFF, 1 + ROUND_OFF)
        total = policy.sum(axis=len(self.step))
        there = np.ones(total.shape, dtype=bool)
        if "blocked" in self.dataset:
            there &= np.asarray(self.dataset["blocked"].values) == 0
        if (np.abs(total - 1)[there] > ROUND_OFF).any():
            worst = float(total[there][np.abs(total - 1)[there].argmax()])
            raise self.fault(f"has a 'policy' whose probabilities sum to {worst:.9g} somewhere, and not to 1")

    def free(self, name: str, space: Sequence[str]) -> None:
        """Numbers wherever agents may be."""
        field = self.values(name, (*self.step, *space))
        if "blocked" in self.dataset:
            field = field[..., np.asarray(self.dataset["blocked"].values) == 0]
        if not np.isfinite(field).all():
            raise self.fault(f"has {name!r} with {field[~np.isfinite(field)][0]} in it, which is no finite number")

    def ahead(self, space: Sequence[str]) -> None:
        """Values that agents look ahead to, numbers wherever they may be; and mean velocities."""
        self.free("value_ahead", space)
        for name in ("viscosity", "control_cost"):
            value = self.dataset["value_ahead"].attrs.get(name)
            if not isinstance(value, int | float | np.number) or not 0 < value < math.inf:
                raise self.fault(f"has 'value_ahead' without a positive {name!r}, which its laws are made of")
        if "velocity" in self.dataset:
            self.names("direction")
            self.finite("velocity", (*self.step, "direction", *space))


def space_dims(dataset: xr.Dataset) -> tuple[str, ...]:
    """Dimensions that the density of this file should have besides time."""
    if "density" not in dataset:
        return ("x",)
    result = [str(dim) for dim in dataset["density"].dims if dim not in ("agents", "time")]
    several = tuple(dim for dim in ("population", "scenario") if dim in result)
    if "state" in result:
        return (*several, "state")
    return (*several, *("z", "y", "x")[-max(1, len(result) - len(several)) :])


def _told(masses: np.ndarray) -> str:
    return " and ".join(f"{mass:g}" for mass in np.unique(masses))
