"""What may stand in a file of schema mfgsolve/1: names, dimensions, types and ranges, by the kind of the file.

Whatever is read is compared with this before any of it is used; what does not fit is an error that names it.  Variables
and attributes that are not named here are let be: later versions add some.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.errors import FileError
from mfgsolve.inputs.texts import cut, visible

__all__ = ["SCHEMA", "Reading", "check", "space_dims"]

SCHEMA = "mfgsolve/1"
MEASURED = (
    "exploitability", "relative_exploitability", "potential", "duality_gap", "sweeps", "seconds", "cell_steps",
)  # fmt: skip
BOUNDED = ("violation", "final_grid")  # not in the files of 0.1.0
LATER = (*BOUNDED, "stage")  # nor in those of 0.4.0
WORK = ("sweeps", "seconds", "cell_steps")
CERTIFIED = (
    "exploitability", "relative_exploitability", "potential", "duality_gap", "cost", "scale", "movement_cost",
    "crowd_cost", "terminal_cost", "mass_error", "cap_fraction",
)  # fmt: skip
STATUSES = (
    "converged", "iteration limit", "time limit", "stopped by callback", "stalled", "finished", "non-finite",
)  # fmt: skip
ROUND_OFF = 1e-9  # of sums of probabilities


def check(dataset: xr.Dataset, kind: str, where: str, *, whole: bool = True) -> None:
    """Compare a dataset that was read with what a file of its kind holds.

    Parameters
    ----------
    where : the beginning of every sentence, ``file plan.nc``
    whole : whether the arrays of several dimensions were read, too

    Raises
    ------
    FileError
        naming the variable or the attribute that is missing, or of another type, shape or range
    """
    if kind in CHECKS:
        CHECKS[kind](Reading(dataset, kind, where, whole))


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

    def values(self, name: str, dims: Sequence[str] | None, kinds: str = "fiu") -> np.ndarray:
        """The array of that name, if it is there, on these dimensions and of that type."""
        if name not in self.dataset.variables:
            raise self.absent(f"variable {name!r}")
        variable = self.dataset.variables[name]
        if variable.dtype.kind not in kinds or (dims is not None and variable.dims != tuple(dims)):
            came = f"{variable.dtype} on {variable.dims}"
            wanted = "numbers" if "f" in kinds else "texts"
            raise self.fault(f"has {name!r} as {came}; schema {SCHEMA!r} has {wanted} on {dims or 'any dimensions'}")
        return np.asarray(variable.values)

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
            if name in ("population", "state"):
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

    def masses(self, name: str, space: Sequence[str], error: float) -> None:
        """A density: nowhere negative, and of mass 1 (of each population) up to ``error``."""
        dims = self.dims(name)
        density = self.finite(name, dims)
        least, most = float(density.min(initial=0.0)), float(density.max(initial=0.0))
        if least < -1e-12 * max(most, 1e-300):
            raise self.fault(f"has {name!r} with the value {least:.6g}, and no density is negative")
        places = tuple(dims.index(axis) for axis in space if axis != "population")
        for axis in space:
            edges = None if axis in ("population", "state") else self.cells(axis)
            if edges is not None:
                shape = [-1 if name == axis else 1 for name in dims]
                density = density * np.diff(edges).reshape(shape)
        mass, (volume, blur) = density.sum(axis=places), self._volume(space)
        if math.isnan(volume):  # of an axis of one cell only the file's problem knows the length
            volume, blur = 1.0 / float(mass.flat[0] or 1.0), 0.0
        off = float(np.abs(volume * mass - 1.0).max(initial=0.0))
        if not off <= (0.0 if math.isnan(error) else abs(error)) + blur + ROUND_OFF:
            raise self.fault(f"has {name!r} with a mass that is {off:.3g} from 1 (the file itself says {error:.3g})")

    def _volume(self, space: Sequence[str]) -> tuple[float, float]:
        """Of a cell, by its neighbours, and how exactly that is known."""
        volume, blur = 1.0, 0.0
        for name in space:
            if name not in ("population", "state") and "edges" not in self.dataset[name].attrs:
                centres = np.asarray(self.dataset[name].values, dtype=float)
                side = math.nan if centres.size < 2 else float(centres[-1] - centres[0]) / (centres.size - 1)
                volume *= side
                blur += 0.0 if math.isnan(side) else 1e-15 * float(np.abs(centres).max()) / side
        return volume, blur

    def chances(self, space: Sequence[str]) -> None:
        """A policy: probabilities that sum to 1 wherever agents may be."""
        policy = self.finite("policy", ("step", "action", *space), -ROUND_OFF, 1 + ROUND_OFF)
        total = policy.sum(axis=1)
        there = np.ones(total.shape, dtype=bool)
        if "blocked" in self.dataset:
            there &= np.asarray(self.dataset["blocked"].values) == 0
        if (np.abs(total - 1)[there] > ROUND_OFF).any():
            worst = float(total[there][np.abs(total - 1)[there].argmax()])
            raise self.fault(f"has a 'policy' whose probabilities sum to {worst:.9g} somewhere, and not to 1")


def space_dims(dataset: xr.Dataset) -> tuple[str, ...]:
    """Dimensions that the density of this file should have besides time."""
    if "density" not in dataset:
        return ("x",)
    result = [str(dim) for dim in dataset["density"].dims if dim not in ("agents", "time")]
    several = ("population",) if "population" in result else ()
    if "state" in result:
        return (*several, "state")
    return (*several, *("z", "y", "x")[-max(1, len(result) - len(several)) :])


# -- one kind of file each ---------------------------------------------------------------------------------------------


def _solution(file: Reading) -> None:
    space = file.space()
    for name, dims in {
        "density": ("time", *space),
        "value": ("time", *space),
        "coupling_cost": ("step", *space),
    }.items():
        file.values(name, dims)
    choices, what = _choices(file, space)
    file.values(choices, ("step", what, *space))
    times, steps, _ = file.rising("time"), file.rising("step"), file.names(what)
    if steps.shape != times[:-1].shape or not np.allclose(steps, times[:-1]):
        raise file.fault(f"has {times.size} times and {steps.size} steps, which do not start at them")
    _iterations(file)
    file.history()
    if "blocked" in file.dataset:
        file.within("blocked", tuple(dim for dim in file.dims("blocked") if dim in space), 0, 1)
    status = _certificate(file)
    if status != "non-finite":
        file.masses("density", space, file.number("mass_error"))
        if choices == "policy":
            file.chances(space)
        else:  # what somebody's own step calls a policy may have any sign
            file.finite(choices, ("step", what, *space), 0.0 if choices == "speed" else -math.inf)
    if status == "converged":
        _converged(file)


def _choices(file: Reading, space: tuple[str, ...]) -> tuple[str, str]:
    """Name and dimension of the policy: of finite games, of diffusions, or the only variable on (step, any, *space)."""
    for name, what in (("policy", "action"), ("speed", "move")):
        if name in file.dataset:
            return name, what
    dims = {str(name): tuple(map(str, variable.dims)) for name, variable in file.dataset.data_vars.items()}
    own = [(name, on[1]) for name, on in dims.items() if len(on) > 1 and on == ("step", on[1], *space)]
    return own[0] if len(own) == 1 else ("speed", "move")


def _iterations(file: Reading) -> None:
    rows = file.coordinate("iteration", "fiu")
    if rows.dtype.kind not in "iu" or (rows < 0).any() or (np.diff(rows) < 0).any():
        raise file.fault("has a coordinate 'iteration' that does not count iterations")


def _certificate(file: Reading) -> str:
    """Every number of the certificate is there; the status."""
    for name in (*CERTIFIED, "iterations", "sweeps", "seconds"):
        file.number(name)
    if not math.isfinite(file.number("iterations")):
        raise file.fault("misses or spoils the attribute 'iterations', which counts none")
    for name in ("tol", "violation", "discount"):
        file.number(name, needed=False)
    file.text("name")
    for name in ("solver", "solver_source", "problem", "objective", "source", "created", "mfgsolve_version"):
        file.text(name, needed=False)
    if "episodes" in file.dataset:
        _learned(file)
    status = file.text("status")
    if status not in STATUSES:
        raise file.fault(f"misses or spoils the attribute 'status': {cut(visible(status), 60)!r} is none")
    return status


def _learned(file: Reading) -> None:
    """How agents learned, and what it is compared with."""
    for name in ("episodes", "agent_steps"):
        file.finite(name, ("iteration",), 0.0)
    for name in ("agents", "density_distance", "reference_exploitability"):
        file.number(name)
    if not math.isfinite(file.number("agents")):
        raise file.fault("misses or spoils the attribute 'agents', which counts none")
    file.text("solver")
    if "reference_density" in file.dataset:
        file.values("reference_density", file.dims("density"))
        file.masses("reference_density", space_dims(file.dataset), 1e-6)


def _converged(file: Reading) -> None:
    """What is called converged has a certificate that says so, and a history that comes to it."""
    reached, tol = file.number("relative_exploitability"), file.number("tol", needed=False)
    for name in ("exploitability", "relative_exploitability"):
        if not math.isfinite(file.number(name)):
            raise file.fault(f"calls itself converged, and has {name!r} as {file.number(name)}")
    if reached > 100 * tol + ROUND_OFF:
        raise file.fault(f"calls itself converged at a relative exploitability of {reached:.3g} (tol {tol:.3g})")
    measured = file.dataset["relative_exploitability"].values
    slack = ROUND_OFF if math.isnan(tol) else 10 * tol + 1e-12
    if not (np.abs(measured - reached) <= 0.5 * np.abs(measured) + slack).any():
        raise file.fault(
            f"has a relative exploitability of {reached:.3g} in its attributes, which no iteration of its history has"
        )


def _comparison(file: Reading) -> None:
    space = file.space()
    who = ("population",) if "population" in space else ()
    numbers = file.rising("agents")
    if numbers.dtype.kind not in "iu" or numbers[0] < 1:
        raise file.fault("has a coordinate 'agents' that does not count agents")
    file.rising("time")
    for name, wanted in (("end", ["low", "high"]), ("measure", ["l2", "wasserstein", "regret", "cost_difference"])):
        if file.names(name) != wanted:
            raise file.fault(f"has a coordinate {name!r} with other names than {wanted}")
    for name in ("l2", "wasserstein"):
        file.within(name, ("agents", "replica", "time"), 0.0)
        file.within(f"{name}_mean", ("agents",), 0.0)
        file.values(f"{name}_band", ("agents", "end"))
    file.values("simulated_cost", ("agents", "replica", *who))
    file.values("simulated_cost_mean", ("agents", *who))
    file.values("simulated_cost_band", ("agents", *who, "end"))
    if not file.dataset.sizes["replica"]:
        raise file.fault("has no replica")
    for name in ("regret", "cost", "cost_difference"):
        by = ("agents",) if file.values(name, None).ndim == 1 else ("agents", *who)  # not known: one for all
        file.values(name, by)
    for name in ("slope", "slope_last"):
        file.values(name, ("measure",))
    file.values("slope_band", ("measure", "end"))
    file.values("slope_used", ("measure", "agents"))
    for name in ("density", "mean_field_density"):
        file.values(name, ("agents", "time", *space) if name == "density" else ("time", *space))
        file.masses(name, space, 0.0)
    for name in ("name", "seed", "problem"):
        file.text(name)
    for name in ("wasserstein_metric", "regret_unknown", "status"):
        file.text(name, needed=False)
    for name in ("exploitability", "relative_exploitability"):
        file.number(name, needed=False)


def _convergence(file: Reading) -> None:
    file.names("solver")
    _iterations(file)
    file.history(("solver", "iteration"), (*MEASURED, *BOUNDED))
    file.within("best", ("solver", "iteration"))
    file.values("status", ("solver",), "OUST")
    for name in ("name", "problem"):
        file.text(name)
    file.number("tol")


def _checkpoint(file: Reading) -> None:
    _iterations(file)
    file.history(needed=(*MEASURED, *BOUNDED))
    for name in ("final_grid", "cell_steps"):
        file.finite(name, ("iteration",))
    file.names("number_name")
    file.values("number", ("number_name",))
    for name in map(str, file.dataset.data_vars):
        if name.startswith("array_") and np.isnan(file.values(name, None, "biuf")).any():
            raise file.fault(f"has {name!r} with NaN in it")
    for name in ("problem", "solver"):
        file.text(name)
    for name in ("fingerprint", "objective"):
        file.text(name, needed=False)
    file.number("tol")
    for name in map(str, file.dataset.attrs):
        is_number = name.startswith("option_") and not isinstance(file.dataset.attrs[name], str)
        if is_number and not math.isfinite(file.number(name)):
            raise file.fault(f"misses or spoils the attribute {name!r}, which is not finite")


def _occupation(file: Reading) -> None:
    for name in ("mass", "allowed", "blocked"):
        if name not in file.dataset:
            raise FileError(f"{file.where} misses {[name]}; it is not a whole occupation")
    file.finite("mass", file.dims("mass"), 0.0)
    for name in ("allowed", "blocked"):
        file.within(name, file.dims(name), 0, 1)
    file.number("ends")


CHECKS: dict[str, Callable[[Reading], Any]] = {
    "solution": _solution,
    "comparison": _comparison,
    "convergence": _convergence,
    "checkpoint": _checkpoint,
    "occupation": _occupation,
}
