"""Solution: the dataset of schema mfgsolve/1, its certificate and status; everything downstream reads this alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from mfgsolve.cautions import Caution, stored, to_text
from mfgsolve.certificates import Certificate
from mfgsolve.discretisation import UNMEASURED, Discretisation
from mfgsolve.errors import FileError, InputError
from mfgsolve.files import plain, read_dataset, read_header, write_dataset
from mfgsolve.inputs.attributes import Suggesting
from mfgsolve.inputs.labels import aligned
from mfgsolve.solution.citations import citation
from mfgsolve.solution.evacuation import Evacuation, evacuation_of, exited_of
from mfgsolve.solution.lean import full, lean
from mfgsolve.solution.lean import whole as with_all
from mfgsolve.solution.learning import Learning
from mfgsolve.solution.timeless import is_timeless, with_times

if TYPE_CHECKING:  # a file is shown without games
    import xarray as xr

    from mfgsolve.games import Game
    from mfgsolve.grids import Grid, TimeGrid
    from mfgsolve.problem import Problem

__all__ = ["Solution", "Status", "believed_crowd", "load", "load_header"]


class Status(Enum):
    """Why a solve ended; ``.sentence`` says it in words."""

    CONVERGED = "converged"
    ITERATION_LIMIT = "iteration limit"
    TIME_LIMIT = "time limit"
    STOPPED = "stopped by callback"
    STALLED = "stalled"
    FINISHED = "finished"
    NON_FINITE = "non-finite"

    @property
    def sentence(self) -> str:
        return {
            Status.CONVERGED: "The relative exploitability is at or below the tolerance.",
            Status.ITERATION_LIMIT: "The iteration limit came first; resume from the checkpoint or allow more.",
            Status.TIME_LIMIT: "The time limit came first; resume from the checkpoint or allow more.",
            Status.STOPPED: "A callback asked to stop before the tolerance was met.",
            Status.STALLED: "No step improved the certificate any more: the tolerance lies below round-off, or another "
            "solver suits this game better.",
            Status.FINISHED: "All episodes were played; the certificate says how much was learned.",
            Status.NON_FINITE: "A number that is not finite appeared in the costs; look at their formulas and ranges.",
        }[self]


@dataclass(frozen=True, eq=False)
class Solution(Suggesting):
    """A certified plan.

    Attributes
    ----------
    dataset : xarray.Dataset of schema mfgsolve/1 (density, value, speed or policy, coupling_cost, history), made when
        first used
    status : `Status`, with a sentence
    warnings : what makes the answer less than it looks, each a `Caution` with a ``code`` and a ``sentence``
    certificate : every number of the certificate, see `mfgsolve.certificates`
    learning : how agents learned it, a `Learning`; None where a solver made it
    discretisation : estimated distance to the continuous game, a `Discretisation`
    """

    origin: xr.Dataset | Callable[[], xr.Dataset] = field(repr=False)
    status: Status
    certificate: Certificate
    iterations: int
    sweeps: float
    seconds: float
    name: str = "custom"
    problem: Problem | None = field(default=None, repr=False)
    warnings: tuple[Caution, ...] = ()
    learning: Learning | None = field(default=None, repr=False)
    discretisation: Discretisation = UNMEASURED

    @cached_property
    def dataset(self) -> xr.Dataset:
        return self.origin() if callable(self.origin) else self.origin

    def learned(self, learning: Learning) -> Solution:
        """The same plan, beside how it was learned; the dataset holds that, too."""
        return replace(self, origin=lambda: learning.written(self.dataset), learning=learning)

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled or copied: the dataset itself in place of the function that makes it."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"origin": self.dataset}

    def _elsewhere(self, name: str) -> str:
        if "origin" not in self.__dict__:  # a copy that is being filled
            return ""
        try:
            variables, attrs = self.dataset.variables, self.dataset.attrs
        except FileError:  # what the file leaves out cannot be made; hasattr has an answer all the same
            return ""
        if name in variables or name in attrs:
            kind = "" if name in variables else ".attrs"
            return f"; the dataset has it: solution.dataset{kind}[{name!r}]"
        if name in vars(self.certificate):
            return f"; the certificate has it: solution.certificate.{name}"
        return ""

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
    def density(self) -> xr.DataArray:
        """Mass per unit volume, (time, ...); `density_at` tells it between the nodes."""
        return self.dataset["density"]

    @property
    def value(self) -> xr.DataArray:
        """Least cost from each node on, against the plan's own crowd, (time, ...)."""
        return self.dataset["value"]

    @property
    def policy(self) -> xr.DataArray:
        """Probability of every action, (step, action, ...), of a finite game.

        Raises
        ------
        InputError
            for a diffusion, whose agents move at a `velocity`
        """
        if "policy" not in self.dataset:
            raise InputError(f"agents of {self.name} choose no actions, but velocities; use solution.velocity")
        return self.dataset["policy"]

    @property
    def velocity(self) -> xr.DataArray:
        """Mean velocity of a diffusion, (step, direction, ...), with directions x, y, z as far as there are.

        Raises
        ------
        InputError
            for a finite game, whose agents choose by a `policy`
        """
        return velocity_of(self.dataset, self.name)

    @property
    def exited(self) -> xr.DataArray:
        """Share of the agents that has left by each exit, (time, exit); of each population where there are several.

        Raises
        ------
        InputError
            for a game whose space has no exits
        """
        return exited_of(self.dataset, self.name)

    def evacuation(self, population: str | None = None) -> Evacuation:
        """How long agents take to leave: mean, percentiles, and how many leave by each exit; see `Evacuation`."""
        return evacuation_of(self.dataset, self.name, population)

    @property
    def sentence(self) -> str:
        """Why the solve ended, how far the plan is from the continuum, and every warning."""
        told, missed = (caution.sentence for caution in self.warnings), self.certificate.final_distance
        end = [] if math.isnan(missed) else [f"The final density is met to a total variation of {missed:.1e}."]
        return " ".join([self.status.sentence, *end, self.discretisation.sentence, *told])

    def estimated(
        self, distance: Discretisation, cautions: tuple[Caution, ...] = (), extrapolated: np.ndarray | None = None
    ) -> Solution:
        """The same plan with another estimate of its distance to the continuum; the dataset says so, too.

        Parameters
        ----------
        cautions : what is to be said besides
        extrapolated : density (time, ...) that Richardson's rule makes of several meshes, NaN where it makes none
        """
        warnings = (*self.warnings, *cautions)

        def dataset() -> xr.Dataset:
            there = self.dataset.assign_attrs(distance.attributes | {"warnings": to_text(warnings)})
            if extrapolated is None:
                return there
            attrs = there["density"].attrs | {"long_name": "density extrapolated to the continuum"}
            return there.assign(extrapolated_density=(there["density"].dims, extrapolated, attrs))

        return replace(self, origin=dataset, discretisation=distance, warnings=warnings)

    def summary(self) -> dict[str, Any]:
        """The numbers that the command prints as JSON."""
        numbers = asdict(self.certificate)
        names = ("exploitability", "relative_exploitability", "potential", "duality_gap", "cost", "scale")
        head = {"status": self.status.value} | {name: numbers[name] for name in names}
        work = {"iterations": self.iterations, "sweeps": self.sweeps, "seconds": self.seconds}
        rest = {name: numbers[name] for name in ("mass_error", "cap_fraction", "violation")}
        if not math.isnan(self.certificate.final_distance):
            rest["final_distance"] = self.certificate.final_distance
        rest |= {"discretisation": self.discretisation.facts}
        return head | work | rest | {"warnings": [asdict(caution) for caution in self.warnings]}

    def cite(self, style: str = "text") -> str:
        """What to cite: mfgsolve, the sources of the solvers that ran, and the source of the problem.

        Parameters
        ----------
        style : "text", a line each; or "bibtex", an entry for each paper

        Raises
        ------
        InputError
            if the style is another

        Examples
        --------
        >>> import mfgsolve as mfg
        >>> print(mfg.solve(mfg.problems.left_right(), method="fictitious-play", tol=1e-3).cite().split("\\n")[1])
        Solver fictitious-play: Cardaliaguet and Hadikhanloo, Learning in mean field games: the fictitious play, \
arXiv:1507.06280; Perrin et al., Fictitious play for mean field games, arXiv:2007.03458.
        """
        return citation(self.dataset.attrs, style)

    def density_at(self, times: float | Sequence[float]) -> xr.DataArray:
        """Density at any times, (time, ...) as in the dataset; without the dimension for one number.

        Between the nodes it is exact where agents follow the entropic scheme: nobody pays anything there, and where
        they are is a Schroedinger bridge (`mfgsolve.steps.bridge`).  That of other solutions is taken to be linear
        from node to node.

        Parameters
        ----------
        times : within the horizon

        Raises
        ------
        InputError
            for a time outside

        Examples
        --------
        >>> import mfgsolve as mfg
        >>> solution = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), viscosity=0.05))
        >>> solution.density_at([0.0, 0.51]).dims
        ('time', 'y', 'x')
        """
        from mfgsolve.solution.between import density_at

        if is_timeless(self.dataset):
            raise InputError(f"{self.name} has no final time, and its density is the same at all times: use .density")
        return density_at(self.dataset, times)

    def save(self, path: str | Path, *, whole: bool = False, compress: bool = True) -> Path:
        """Write NetCDF; an earlier file stays whole if writing fails.

        Parameters
        ----------
        whole : write what follows from the policy, too (coupling cost, value, speeds, mean velocities), and the density
            in double precision, for readers that do not know this package; else that is left out where it is more
            than 4 MiB, and made again by `load`, see `mfgsolve.solution.lean`
        compress : arrays of double precision; without, a file is larger by a quarter and written at once
        """
        return write_dataset(full(self.dataset) if whole else lean(self.dataset), path, compress=compress)

    def _repr_html_(self) -> str:
        from mfgsolve.solution.display import solution_card

        return solution_card(self)

    def __repr__(self) -> str:
        doubts = f"with warnings ({', '.join(caution.code for caution in self.warnings)}), " if self.warnings else ""
        return (
            f"<Solution of {self.name}: {self.status.value}, {doubts}"
            f"relative exploitability {self.relative_exploitability:.1e}, {self.sweeps:.1f} sweeps>"
        )


def velocity_of(dataset: xr.Dataset, name: str = "the game") -> xr.DataArray:
    """Mean velocity (step, direction, ...) of a solution's dataset: as it stands there, or speed to x+ less that to x-.

    Raises
    ------
    InputError
        where agents move at no speed
    """
    if "velocity" in dataset:
        return dataset["velocity"]
    if "speed" not in dataset:
        raise InputError(f"agents of {name} choose actions, and no velocities; use solution.policy")
    import xarray as xr

    speed = dataset["speed"]
    axes = sorted({str(move)[0] for move in speed["move"].values})
    parts = [speed.sel(move=f"{axis}+", drop=True) - speed.sel(move=f"{axis}-", drop=True) for axis in axes]
    result = xr.concat(parts, xr.DataArray(axes, dims="direction", name="direction"))
    attrs = {"long_name": "mean velocity", "units": str(speed.attrs.get("units", "1"))}
    return result.transpose("step", "direction", ...).assign_attrs(attrs)


def load(path: str | Path) -> Solution:
    """Read a solution file back: the same numbers, bit for bit, as far as they stand in the file.

    What a file leaves out, since it follows from the policy (`mfgsolve.solution.lean`), is made when ``dataset`` is
    first used, by the same kernels: bit for bit where speeds are stored so, else to round-off.

    Raises
    ------
    FileError
        if the file is missing, unreadable, truncated, foreign, of an unknown schema, or a checkpoint
    """
    dataset = read_dataset(path, "solution")
    dataset.attrs = {name: plain(value) for name, value in dataset.attrs.items()}
    return _solution_of(dataset, lambda: with_all(dataset))


def load_header(path: str | Path) -> Solution:
    """What stands in the head of a solution file, its certificate, status, history and texts, at once: no array is
    read, and none is compared with its checksum (`load` does that).

    ``dataset`` is a `mfgsolve.files.header.Header`, which reads an array when it is asked for.

    Raises
    ------
    FileError
        as `load`, but for what is wrong within an array
    """
    header = read_header(path, "solution")
    return _solution_of(header, header)


def _solution_of(dataset: Any, origin: Any) -> Solution:
    """The solution that attributes and history of a dataset tell."""
    numbers = {f.name: float(dataset.attrs.get(f.name, f.default)) for f in fields(Certificate)}  # type: ignore[arg-type]
    status = Status(dataset.attrs["status"])
    work = int(dataset.attrs["iterations"]), float(dataset.attrs["sweeps"]), float(dataset.attrs["seconds"])
    cautions = stored(dataset.attrs)
    name = str(dataset.attrs.get("name", "custom"))
    learning = Learning.read(dataset)
    distance = Discretisation.read(dataset.attrs)
    return Solution(
        origin, status, Certificate(**numbers), *work, name=name, warnings=cautions, learning=learning,
        discretisation=distance,
    )  # fmt: skip


def believed_crowd(solution: Solution, game: Game) -> np.ndarray:
    """The crowd of a solution on the grid and times of a game: a guess to start from.

    On the game's own grid the policy of the solution is followed, where actions are a finite list; elsewhere its
    density is interpolated, where cells and steps sample a continuum (`Step.is_continuum`).
    """
    dataset, grid, step = solution.dataset, game.grid, game.step
    if is_timeless(dataset) and not game.time.is_stationary:
        raise InputError(
            "start is of a game without a final time, and the problem has one; a stationary crowd is where such a game "
            "ends: state it as the initial density"
        )
    dataset = with_times(dataset)
    density, names = dataset["density"], grid.dims
    if density.dims != ("time", *names):
        raise InputError(f"start has the axes {density.dims[1:]}; the problem has {names}")
    if step.is_continuum:
        return game.crowd_of(_interpolated(dataset, cast("Grid", grid), game.time) * grid.volumes)
    wanted = (game.steps + 1, *grid.shape)
    if density.shape != wanted:
        raise InputError(f"start has shape {density.shape}; the problem has {wanted}, and only grids are interpolated")
    policy, actions = dataset.get("policy"), step.action_names
    tabular = step.policy_shape == (step.actions, step.cells)
    if policy is not None and tabular and sorted(policy["action"].values) == sorted(actions):
        labels = {"step": lambda _: policy["step"].values, "action": np.array(actions)} | grid.labels  # any horizon
        table = aligned(policy, ("step", "action", *names), labels, "policy of the start")
        return game.flow(np.ascontiguousarray(table).reshape(game.steps, *step.policy_shape))
    return game.crowd_of(aligned(density, ("time", *names), grid.labels, "density of the start") * grid.volumes)


def _interpolated(source: xr.Dataset, grid: Grid, time: TimeGrid) -> np.ndarray:
    """Density of a solution on another grid and at other times (stretched to the horizon)."""
    from scipy.interpolate import RegularGridInterpolator

    field, names = source["density"].values, grid.dims
    there = all(np.allclose(source[axis.name].values, axis.centres, atol=1e-3 * axis.smallest)
                for axis in grid.axes if source.sizes[axis.name] == axis.cells)  # fmt: skip
    if field.shape == (time.steps + 1, *grid.shape) and there:
        return field
    pads, times = [source[name].values for name in names], source["time"].values
    points = zip(np.meshgrid(*(axis.centres for axis in grid.axes), indexing="ij"), pads, strict=True)
    mesh = np.stack([np.clip(m, p[0], p[-1]) for m, p in points])
    out = np.empty((time.steps + 1, *grid.shape))
    for k, position in enumerate(np.interp(time.nodes / time.horizon, times / times[-1], np.arange(len(times)))):
        left = min(int(position), len(times) - 2)
        level = (1 - (position - left)) * field[left] + (position - left) * field[left + 1]
        out[k] = RegularGridInterpolator(pads, level)(mesh.reshape(len(names), -1).T).reshape(grid.shape)
    out[:, grid.mask] = 0.0
    return out
