"""A ladder of meshes to the continuum: what each says, the observed order, and where the numbers go."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

import mfgsolve
from mfgsolve.cautions import Caution, collect, to_text, unique
from mfgsolve.checkpoints import problem_text
from mfgsolve.discretisation import Discretisation
from mfgsolve.errors import InputError, whole
from mfgsolve.files import SCHEMA, write_dataset
from mfgsolve.grids import Grid
from mfgsolve.problem import Problem
from mfgsolve.progress import Solves, live
from mfgsolve.resolution import settle
from mfgsolve.resolution.continuum import check_wish
from mfgsolve.resolution.ladder import Asked, Rung, Stop, climbed, on_mesh
from mfgsolve.solution import Solution
from mfgsolve.solution.datasets import Measure
from mfgsolve.solvers.base import Solver
from mfgsolve.solving import check_limits, mesh_solver
from mfgsolve.stationary import check_final_time

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Refinement", "refine"]

LEVELS, MOST = 3, 16  # meshes without a wish, and with one

NUMBERS = {  # of every mesh: what it is, and its unit
    "steps": ("time steps", "1"),
    "width": ("mesh width, root of the mean volume of the cells", "length"),
    "potential": ("potential of the plan", "cost"),
    "cost": ("cost of an agent", "cost"),
    "density_difference": ("L1 distance of the density to that of the mesh before, mean over its nodes", "1"),
    "order": ("observed order of the potential (cost), in the time step", "1"),
    "potential_error": ("estimated error of the potential", "cost"),
    "cost_error": ("estimated error of the cost", "cost"),
    "density_error": ("estimated error of the density in L1", "1"),
    "extrapolated_potential": ("potential extrapolated from this mesh and the one before", "cost"),
    "extrapolated_potential_error": ("estimated error of that", "cost"),
    "relative_distance": ("estimated distance to the continuum, relative", "1"),
    "relative_exploitability": ("exploitability / scale", "1"),
    "sweeps": ("work of the solve, in sweeps of its mesh", "1"),
    "seconds": ("wall time of the solve", "s"),
}
COLUMNS = ("potential", "cost", "density_difference", "order", "potential_error", "sweeps", "seconds")


@dataclass(frozen=True, eq=False)
class Refinement:
    """Result of `refine`.

    Attributes
    ----------
    dataset : on ``level``, from the coarsest mesh to the finest: ``mesh``, ``status`` and the numbers of `NUMBERS`
    solution : the plan on the finest mesh, whose ``discretisation`` is the last estimate
    """

    dataset: xr.Dataset
    solution: Solution = field(repr=False)

    @property
    def discretisation(self) -> Discretisation:
        """Estimated distance of the finest plan to the continuum."""
        return self.solution.discretisation

    @property
    def is_near(self) -> bool:
        """Whether the wish was met, where there was one."""
        return math.isnan(self.dataset.attrs["tol_continuum"]) or bool(self.dataset.attrs["reached"])

    @property
    def table(self) -> str:
        """One line a mesh, and what they come to."""
        return table(self.dataset)

    @property
    def ended(self) -> str:
        """How the ladder ended: whether the wish was met, and what said stop."""
        return ended(self.dataset)

    def __repr__(self) -> str:
        """The table, and how the ladder ended."""
        return f"{self.table}\n{self.ended}"

    def plot(self) -> Figure:
        """Errors against the mesh, logarithmic, with slopes; see `mfgsolve.plots.refinement`."""
        from mfgsolve import plots

        return plots.refinement(self.dataset)

    def save(self, path: str | Path) -> Path:
        """Write the dataset as NetCDF."""
        return write_dataset(self.dataset, path)


def refine(
    problem: Problem,
    levels: int | None = None,
    *,
    tol_continuum: float | None = None,
    method: str | Solver | None = None,
    tol: float = 1e-10,
    objective: str = "equilibrium",
    max_seconds: float | None = None,
    callback: Callable[[str, Measure], Any] | None = None,
    threads: int | None = None,
    progress: bool | None = None,
    verbose: bool | int = False,
    **options: Any,
) -> Refinement:
    """Solve a game on a ladder of meshes, and tell how far the finest is from the continuous game.

    The first mesh is that of the problem.  Upwind steps: h, h/2, h/4, ... with twice as many steps each time;
    entropic ones: twice as many steps on cells 1/sqrt(2) as large (`mfgsolve.resolution.ladder`).  With
    ``tol_continuum`` it goes on until the estimated distance is below that, or until memory or time say stop, which the
    attribute ``stopped`` tells.  ``mfgsolve.solve(problem, tol_continuum=...)`` is for the plan alone, and chooses its
    meshes itself; `mfgsolve.convergence` compares solvers on one mesh.

    Parameters
    ----------
    problem : a game on a grid, stated by functions
    levels : meshes at most; 3, or with ``tol_continuum`` as many as it takes
    tol_continuum : estimated distance of the potential (cost) to the continuum, relative, at which it ends
    method, tol, objective, threads, options : as of `mfgsolve.solve`, on every mesh
    max_seconds : of all meshes together; without, no mesh is begun that would take more than ten minutes
    callback : called with (mesh, `Measure`) after every iteration; a true value ends the ladder with this mesh
    progress, verbose : a live line, and the work in lines; see `mfgsolve.progress`

    Returns
    -------
    Refinement

    Raises
    ------
    InputError
        for a finite game, which is its own limit, and for one that arrays tie to its mesh

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> study = mfg.refine(mfg.problems.linear_quadratic(shape=(16,), steps=32, scheme="upwind"))
    >>> study.dataset.mesh.values.tolist(), round(float(study.dataset.order[-1]), 1)
    (['16x32', '32x64', '64x128'], 0.9)
    """
    if not isinstance(problem, Problem):
        raise InputError(f"refine got a {type(problem).__name__}; a Problem is needed (see mfgsolve.problems)")
    check_final_time(problem.time, "refine", "meshes and steps are refined together over a time")
    wish = 0.0 if tol_continuum is None else check_wish(tol_continuum)
    most = (MOST if wish else LEVELS) if levels is None else whole(levels, "levels")
    if most < 1:
        raise InputError(f"levels is {levels}; a whole number of at least 1 is needed, say {LEVELS}")
    check_limits(tol, None, max_seconds, "ignore", threads)
    with collect() as said, live(Solves(tol), progress, verbose) as line:
        if isinstance(problem.grid, Grid) and not problem.is_finite:
            problem = settle(problem)
        on_mesh(problem, problem.grid.shape, problem.time.steps or 1)  # what cannot be is told first
        watch = _Watch(line.beside(callback))
        of_all: dict[str, Any] = {"method": method, "objective": objective, "threads": threads, "options": options}
        on_one = mesh_solver(tol, callback=watch.one, **of_all)
        stop = Stop.after(max_seconds)
        rungs = climbed(problem, watch.named(on_one), levels=most, wish=wish, stop=stop)
    return _concluded(rungs, wish, stop, said, tol)


class _Watch:
    """Passes on what is measured, with the mesh."""

    def __init__(self, callback: Callable[[str, Measure], Any] | None):
        self.callback, self.mesh = callback, ""

    def one(self, measure: Measure) -> bool:
        return self.callback is not None and bool(self.callback(self.mesh, measure))

    def named(self, solve: Any) -> Any:
        """The same solve, of which this knows the mesh."""

        def on_one(problem: Problem, asked: Asked) -> Any:
            self.mesh = _mesh(problem)
            return solve(problem, asked)

        return on_one


def _mesh(problem: Problem) -> str:
    return "x".join(str(n) for n in (*problem.grid.shape, problem.time.steps))


def _concluded(rungs: Sequence[Rung], wish: float, stop: Stop, said: Sequence[Caution], tol: float) -> Refinement:
    last, cautions = rungs[-1], unique(said, rungs[-1].solution.warnings)
    reached = last.relative <= wish
    if wish and not reached:
        sentence = (
            f"the distance to the continuum is estimated as {last.relative:.1e} of the potential, and {wish:.1e} was "
            f"asked for: {stop.reason or f'{len(rungs)} meshes were solved'}"
        )
        cautions = (*cautions, Caution("continuum-not-reached", sentence))
    elif stop.reason:
        cautions = (*cautions, Caution("ladder-stopped", f"the ladder of meshes ends early: {stop.reason}"))
    solution = last.solution.estimated(last.distance, cautions[len(last.solution.warnings) :])
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    problem = rungs[0].problem
    attributes = {
        "schema": SCHEMA, "kind": "refinement", "mfgsolve_version": mfgsolve.__version__, "created": created,
        "name": problem.name, "source": problem.source, "problem": problem_text(problem), "tol": float(tol),
        "tol_continuum": wish or math.nan, "reached": int(bool(wish) and reached), "stopped": stop.reason,
        "warnings": to_text(cautions), "formal_order": float(last.meshed.order),
    } | problem.time.attrs | last.distance.attributes  # fmt: skip
    return Refinement(_dataset(rungs, attributes), solution)


def _dataset(rungs: Sequence[Rung], attributes: dict[str, Any]) -> xr.Dataset:
    rows = [_row(rung) for rung in rungs]
    data: dict[str, Any] = {
        name: ("level", np.array([row[name] for row in rows], dtype=float), {"long_name": text, "units": unit})
        for name, (text, unit) in NUMBERS.items()
    }
    data["mesh"] = ("level", np.array([_mesh(rung.problem) for rung in rungs]), {"long_name": "cells x steps"})
    states = np.array([rung.solution.status.value for rung in rungs])
    data["status"] = ("level", states, {"long_name": "why the solve ended"})
    numbers = np.arange(len(rungs))
    coordinates = {"level": ("level", numbers, {"units": "1", "long_name": "mesh, the coarsest first"})}
    return xr.Dataset(data, coordinates, attributes)


def _row(rung: Rung) -> dict[str, float]:
    solution, distance, grid = rung.solution, rung.distance, rung.problem.grid
    volume = float(np.mean(grid.volumes))
    return {
        "steps": rung.problem.time.steps, "width": volume ** (1.0 / len(grid.shape)),
        "potential": solution.potential, "cost": solution.certificate.cost, "density_difference": rung.apart,
        "order": distance.order, "potential_error": distance.potential, "cost_error": distance.cost,
        "density_error": distance.density, "extrapolated_potential": distance.extrapolated_potential,
        "extrapolated_potential_error": distance.extrapolated_potential_error,
        "relative_distance": rung.relative, "relative_exploitability": solution.relative_exploitability,
        "sweeps": solution.sweeps, "seconds": rung.seconds,
    }  # fmt: skip


# -- in words ----------------------------------------------------------------------------------------------------------


def table(dataset: xr.Dataset) -> str:
    """The numbers of every mesh in columns, and what they come to."""
    heads = ["mesh", "potential", "cost", "density diff.", "order", "estimate", "sweeps", "seconds"]
    rows = [heads]
    for level in dataset["level"].values:
        one = dataset.sel(level=level)
        values = [float(one[name]) for name in COLUMNS]
        if math.isnan(values[COLUMNS.index("potential_error")]):
            values[COLUMNS.index("potential_error")] = float(one["cost_error"])
        forms = (".9g", ".9g", ".2e", ".2f", ".1e", ".1f", ".2f")
        cells = ["-" if math.isnan(value) else format(value, form) for value, form in zip(values, forms, strict=True)]
        rows.append([str(one["mesh"].item()), *cells])
    widths = [max(len(row[k]) for row in rows) for k in range(len(heads))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([*lines, Discretisation.read(dataset.attrs).sentence])


def ended(dataset: xr.Dataset) -> str:
    """How a ladder ended, in a sentence."""
    about, status = dataset.attrs, str(dataset["status"].values[-1])
    wish, stopped = float(about["tol_continuum"]), str(about["stopped"])
    meshes = f"{dataset.sizes['level']} mesh{'es' * (dataset.sizes['level'] > 1)} solved"
    unsolved = "" if status == "converged" else f"; the last solve ended with status '{status}'"
    if math.isnan(wish):
        return f"{meshes}{f', and no more: {stopped}' * bool(stopped)}{unsolved}."
    distance = float(dataset["relative_distance"].values[-1])
    if about["reached"]:
        return f"{meshes}: within {wish:g} of the continuum, relative, as it was asked for ({distance:.1e}){unsolved}."
    why = stopped or "these were all the levels asked for"
    return f"{meshes}: not within {wish:g} of the continuum, relative, but {distance:.1e}; {why}{unsolved}."
