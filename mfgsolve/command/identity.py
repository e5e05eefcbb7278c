"""What a line of JSON says of where its numbers come from, so that it stands alone."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from mfgsolve.solution import Solution

TIMELESS = (  # of games without a final time
    "stationary", "step_length", "discount_factor", "average_cost", "discounted_cost",
    "cost_until_exit", "time_until_exit",
)  # fmt: skip

__all__ = ["comparison_identity", "solution_identity"]


def solution_identity(solution: Solution) -> dict[str, Any]:
    """Game, parameters, resolution, solver, tolerance, sentence and version of a solution."""
    data, attrs = solution.dataset, solution.dataset.attrs
    return _game(data) | {
        "solver": str(attrs.get("solver", "")), "objective": str(attrs.get("objective", "equilibrium")),
        "tol": float(attrs.get("tol", float("nan"))), "sentence": solution.sentence,
        "mfgsolve_version": str(attrs.get("mfgsolve_version", "unknown")), "created": str(attrs.get("created", "")),
    }  # fmt: skip


def comparison_identity(compared: xr.Dataset) -> dict[str, Any]:
    """Parameters, resolution and version of a comparison of N agents with the mean field."""
    version = {"mfgsolve_version": str(compared.attrs.get("mfgsolve_version", "unknown"))}
    game = _game(compared, "density" if "density" in compared else "mean_field_density")
    return {name: game[name] for name in ("parameters", "shape")} | version


def _game(data: xr.Dataset, density: str = "density") -> dict[str, Any]:
    """Name, parameters, shape and steps."""
    dims = [str(dim) for dim in data[density].dims if dim not in ("time", "agents")]
    return {
        "problem": str(data.attrs.get("name", "custom")),
        "parameters": parameters_in(str(data.attrs.get("problem", ""))),
        "shape": [int(data.sizes[dim]) for dim in dims],
        "steps": None if "stationary" in data.attrs else int(data.sizes.get("step", data.sizes.get("time", 1) - 1)),
    } | {name: data.attrs[name] for name in TIMELESS if name in data.attrs}


def parameters_in(text: str) -> dict[str, Any]:
    """Parameters in the text of a named problem; of any other the whole text as a table, nothing of one in Python."""
    try:
        document = tomllib.loads(text)
    except ValueError:
        return {}
    if "problem" in document:
        beside = {key: document[key] for key in ("dynamics",) if key in document}
        return dict(document.get("parameters", {})) | beside
    return document
