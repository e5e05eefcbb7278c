"""Solution: the dataset of schema mfgsolve/1, its certificate and status; everything downstream reads this alone."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from scipy.interpolate import RegularGridInterpolator

from mfgsolve.certificates import Certificate
from mfgsolve.errors import FileError, InputError
from mfgsolve.files import SCHEMA, plain, read_dataset, write_dataset
from mfgsolve.games import DiffusionGame
from mfgsolve.games.policies import FluxPolicy, ValuePolicy, move_names
from mfgsolve.problem import Problem

__all__ = ["HISTORY", "Measure", "Solution", "Status", "build_dataset", "history_dataset", "load"]


class Status(Enum):
    """Why a solve ended; ``.sentence`` says it in words."""

    CONVERGED = "converged"
    ITERATION_LIMIT = "iteration limit"
    TIME_LIMIT = "time limit"
    STOPPED = "stopped by callback"
    STALLED = "stalled"
    NON_FINITE = "non-finite"

    @property
    def sentence(self) -> str:
        return {
            Status.CONVERGED: "The relative exploitability is at or below the tolerance.",
            Status.ITERATION_LIMIT: "The iteration limit came first; resume from the checkpoint or allow more.",
            Status.TIME_LIMIT: "The time limit came first; resume from the checkpoint or allow more.",
            Status.STOPPED: "A callback asked to stop before the tolerance was met.",
            Status.STALLED: "No step improved the certificate any more: the tolerance lies below round-off, or another "
            "solver (frank-wolfe) suits this game better.",
            Status.NON_FINITE: "A number that is not finite appeared in the costs; look at their formulas and ranges.",
        }[self]


@dataclass(frozen=True)
class Measure:
    """What one iteration measured; sweeps are in units of the final grid, NaN is 'not measured'."""

    iteration: int
    sweeps: float
    exploitability: float
    relative_exploitability: float
    potential: float
    duality_gap: float
    cell_steps: int
    final_grid: bool
    seconds: float = math.nan


HISTORY = {  # name: what it is, and its unit
    "exploitability": ("exploitability of the policy on its own grid", "cost"),
    "relative_exploitability": ("exploitability / scale", "1"),
    "potential": ("potential at the policy", "cost"),
    "duality_gap": ("potential minus dual value", "cost"),
    "sweeps": ("work so far, in sweeps of the final grid", "1"),
    "seconds": ("wall time so far", "s"),
    "cell_steps": ("cells times steps of the grid of this iteration", "1"),
}


@dataclass(frozen=True, eq=False)
class Solution:
    """A certified plan.

    Attributes
    ----------
    dataset : xarray.Dataset of schema mfgsolve/1 (density, value, speed, coupling_cost, history), made at first use
    status : `Status`, with a sentence
    certificate : every number of the certificate, see `mfgsolve.certificates`
    """

    origin: xr.Dataset | Callable[[], xr.Dataset] = field(repr=False)
    status: Status
    certificate: Certificate
    iterations: int
    sweeps: float
    seconds: float
    name: str = "custom"
    problem: Problem | None = field(default=None, repr=False)

    @cached_property
    def dataset(self) -> xr.Dataset:
        return self.origin() if callable(self.origin) else self.origin

    @property
    def exploitability(self) -> float:
        return self.certificate.exploitability

    @property
    def relative_exploitability(self) -> float:
        return self.certificate.relative_exploitability

    @property
    def potential(self) -> float:
        return self.certificate.potential

    @property
    def converged(self) -> bool:
        return self.status is Status.CONVERGED

    @property
    def sentence(self) -> str:
        """Why the solve ended and, if the speed cap binds, that it does and what to do."""
        share = self.certificate.cap_fraction
        if not share > 1e-4:
            return self.status.sentence
        return (
            f"{self.status.sentence} The speed cap h / (2 d dt) binds for {share:.1%} of the mass-time: agents cannot "
            "move as fast as they want to; take more time steps."
        )

    def summary(self) -> dict[str, Any]:
        """The numbers that the command prints as JSON."""
        numbers = asdict(self.certificate)
        names = ("exploitability", "relative_exploitability", "potential", "duality_gap", "cost", "scale")
        head = {"status": self.status.value} | {name: numbers[name] for name in names}
        work = {"iterations": self.iterations, "sweeps": self.sweeps, "seconds": self.seconds}
        return head | work | {"mass_error": numbers["mass_error"], "cap_fraction": numbers["cap_fraction"]}

    def save(self, path: str | Path) -> Path:
        """Write NetCDF; an earlier file stays whole if writing fails."""
        return write_dataset(self.dataset, path)

    def __repr__(self) -> str:
        return (
            f"<Solution of {self.name}: {self.status.value}, "
            f"relative exploitability {self.relative_exploitability:.1e}, {self.sweeps:.1f} sweeps>"
        )


def history_dataset(rows: Sequence[Measure]) -> dict[str, Any]:
    """History variables on the dimension ``iteration``."""
    out: dict[str, Any] = {}
    for name, (text, unit) in HISTORY.items():
        values = np.array([float(getattr(row, name)) for row in rows])
        out[name] = ("iteration", values, {"long_name": text, "units": unit})
    return out


def build_dataset(
    game: DiffusionGame,
    policy: ValuePolicy | FluxPolicy,
    mass: np.ndarray,
    rows: Sequence[Measure],
    certificate: Certificate,
    attributes: dict[str, Any],
) -> xr.Dataset:
    """Schema mfgsolve/1 from arrays: one more backward pass for the value against the plan's own crowd."""
    problem, grid, time = game.problem, game.grid, game.time
    price = game.price(mass)
    value = game.values(price)
    moves = move_names(game)
    speed = np.empty((game.steps, len(moves), *grid.shape))
    for part in game.slabs():
        block = policy.speed(game, part)
        speed[part] = block.reshape(block.shape[0], len(moves), *grid.shape)
    nodes, length, volume = ("time", *grid.dims), grid.axes[-1].unit, "*".join(a.unit for a in grid.axes)
    per_volume = "1" if all(a.unit == "1" for a in grid.axes) else f"1/({volume})" if grid.ndim > 1 else f"1/{volume}"
    pace = length if time.unit == "1" else f"{length}/{time.unit}"
    rate = "cost" if time.unit == "1" else f"cost/{time.unit}"
    data: dict[str, Any] = {
        "density": (nodes, game.gridded(mass) / game.volume, {"units": per_volume, "long_name": "density of agents"}),
        "value": (nodes, game.gridded(value), {"units": "cost", "long_name": "value against the plan's crowd"}),
        "speed": (("step", "move", *grid.dims), speed, {"units": pace, "long_name": "speed toward a neighbour"}),
        "coupling_cost": (
            ("step", *grid.dims),
            game.gridded(price[: game.steps]),
            {"units": rate, "long_name": "cost of the crowd per unit time"},
        ),
    }
    coordinates: dict[str, Any] = {
        "time": ("time", time.nodes, {"units": time.unit, "long_name": "time"}),
        "step": ("step", time.nodes[:-1], {"units": time.unit, "long_name": "start of the step"}),
        "move": ("move", np.array(moves), {"units": "1"}),
        "iteration": ("iteration", np.array([row.iteration for row in rows]), {"units": "1"}),
    }
    for axis in grid.axes:
        meta = {"units": axis.unit, "boundary": axis.boundary, "start": axis.start, "stop": axis.stop}
        coordinates[axis.name] = (axis.name, axis.centres, meta)
    if grid.mask.any():
        data["blocked"] = (grid.dims, grid.mask.astype(np.int8), {"units": "1", "long_name": "1 where no agent may be"})
    if problem.track is not None:
        track = np.array([problem.track(t) for t in time.nodes])
        names = grid.dims[::-1][: track.shape[1]]
        coordinates["axis"] = ("axis", np.array(names), {"units": "1"})
        data["track"] = (("time", "axis"), track, {"units": length, "long_name": "position of what moves"})
    if problem.sites is not None:
        sites = np.asarray(problem.sites, dtype=float)
        for k, name in enumerate(("site_x", "site_y", "site_size")):
            data[name] = ("site", sites[:, k], {"units": length if k < 2 else "1"})
        coordinates["site"] = ("site", np.arange(len(sites)), {"units": "1"})
    data |= history_dataset(rows)
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    head = {"schema": SCHEMA, "kind": "solution", "created": created, "name": problem.name, "source": problem.source}
    return xr.Dataset(data, coordinates, attrs=head | attributes | asdict(certificate))


def load(path: str | Path) -> Solution:
    """Read a solution file back; the same numbers, bit for bit.

    Raises
    ------
    FileError
        if the file is missing, unreadable, truncated, foreign, of an unknown schema, or a checkpoint
    """
    dataset = read_dataset(path, "solution")
    try:
        numbers = {f.name: float(dataset.attrs[f.name]) for f in fields(Certificate)}
        status = Status(dataset.attrs["status"])
        work = int(dataset.attrs["iterations"]), float(dataset.attrs["sweeps"]), float(dataset.attrs["seconds"])
    except (KeyError, ValueError, TypeError) as error:
        raise FileError(f"file {path} misses or spoils the attribute {error}; it was not written by mfgsolve") from None
    _check_layout(dataset, path)
    dataset.attrs = {name: plain(value) for name, value in dataset.attrs.items()}
    return Solution(dataset, status, Certificate(**numbers), *work, name=str(dataset.attrs.get("name", "custom")))


def _check_layout(dataset: xr.Dataset, path: str | Path) -> None:
    """The variables of schema mfgsolve/1, on the dimensions it names."""
    grid = ("z", "y", "x")[-max(1, dataset["density"].ndim - 1) :] if "density" in dataset else ("x",)
    layout = {
        "density": ("time", *grid),
        "value": ("time", *grid),
        "speed": ("step", "move", *grid),
        "coupling_cost": ("step", *grid),
    } | {name: ("iteration",) for name in HISTORY}
    for name, dims in layout.items():
        if name not in dataset.data_vars:
            raise FileError(f"file {path} has no variable {name!r}; it is not a whole solution")
        if dataset[name].dims != dims or dataset[name].dtype.kind not in "fiu":
            came = f"{dataset[name].dtype} on {dataset[name].dims}"
            raise FileError(f"file {path} has {name!r} as {came}; schema {SCHEMA!r} has numbers on {dims}")
    for name in {name for dims in layout.values() for name in dims}:
        if name not in dataset.coords:
            raise FileError(f"file {path} has no coordinate {name!r}; it is not a whole solution")


def believed_mass(solution: Solution, game: DiffusionGame) -> np.ndarray:
    """Density of a solution as mass on the grid and times of a game: a guess to start from."""
    density = solution.dataset["density"]
    names = game.grid.dims
    if density.dims != ("time", *names):
        raise InputError(f"start has the axes {density.dims[1:]}; the problem has {names}")
    field, source = density.values, solution.dataset
    mass = game.levels()
    view = game.gridded(mass)
    if field.shape == view.shape:
        view[:] = field * game.volume
        return mass
    target = [axis.centres for axis in game.grid.axes]
    pads = [source[name].values for name in names]
    times = source["time"].values
    mesh = np.stack([np.clip(m, p[0], p[-1]) for m, p in zip(np.meshgrid(*target, indexing="ij"), pads, strict=True)])
    share = np.interp(game.time.nodes / game.time.horizon, times / times[-1], np.arange(len(times)))
    for k, position in enumerate(share):
        left = min(int(position), len(times) - 2)
        level = (1 - (position - left)) * field[left] + (position - left) * field[left + 1]
        view[k] = RegularGridInterpolator(pads, level)(mesh.reshape(len(names), -1).T).reshape(view.shape[1:])
    view[:, game.grid.mask] = 0.0
    return np.asarray(np.multiply(mass, game.volume, out=mass))
