"""What the command says of distances to the continuum: of one plan, and of a ladder of meshes."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mfgsolve.cautions import stored
from mfgsolve.discretisation import Discretisation

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["distance_rows", "refinement_facts", "refinement_rows"]


def distance_rows(distance: Discretisation) -> list[tuple[str, str]]:
    """How far the plan is from the continuous game, as far as that was measured."""
    if distance.is_exact or not distance.is_measured:
        return [("to the continuum", f"0, {distance.obtained}" if distance.is_exact else distance.obtained)]
    order = "" if math.isnan(distance.order) else f", observed order {distance.order:.2g}"
    sizes = {"potential": distance.potential, "cost": distance.cost, "density (L1)": distance.density}
    parts = ", ".join(f"{name} ±{size:.1e}" for name, size in sizes.items() if not math.isnan(size))
    rows = [("to the continuum", f"{parts} ({distance.scheme}, {distance.obtained}{order})")]
    if not math.isnan(distance.extrapolated_potential):
        error = f"±{distance.extrapolated_potential_error:.1e}"
        rows.append(("extrapolated potential", f"{distance.extrapolated_potential:.12g} {error}"))
    if distance.own_viscosity > 0:
        rows.append(("viscosity of the scheme", f"{distance.own_viscosity:.2g}, beside that of the game"))
    return rows


def refinement_facts(dataset: xr.Dataset) -> dict[str, Any]:
    """Mesh by mesh, all numbers; the last estimate, and how the ladder ended."""
    names = [str(name) for name, variable in dataset.data_vars.items() if variable.dtype.kind == "f"]
    meshes = {
        str(mesh): {"status": str(dataset["status"].values[k])}
        | {name: float(dataset[name].values[k]) for name in names}
        for k, mesh in enumerate(dataset["mesh"].values)
    }
    attrs = dataset.attrs
    wish = float(attrs["tol_continuum"])
    head = {"problem": str(attrs["name"]), "tol": float(attrs["tol"]), "tol_continuum": wish}
    end = {"reached": None if math.isnan(wish) else bool(attrs["reached"]), "stopped": str(attrs["stopped"])}
    warnings = [asdict(caution) for caution in stored(attrs)]
    distance = Discretisation.read(attrs).facts
    return head | end | {"warnings": warnings, "discretisation": distance, "meshes": meshes}


def refinement_rows(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """The small table of a ladder of meshes: a line each, and what they come to."""
    facts = refinement_facts(dataset)
    wish = facts["tol_continuum"]
    rows = [("problem", facts["problem"] + ("" if math.isnan(wish) else f" (to {wish:.1e} of the continuum)"))]
    for mesh, one in facts["meshes"].items():
        shown = {
            "potential": _form(one["potential"], ".9g"), "cost": _form(one["cost"], ".9g"),
            "density difference": _form(one["density_difference"], ".2e"), "order": _form(one["order"], ".2f"),
            "estimate": "".join(f"±{size:.1e}" for size in [_size(one)] if not math.isnan(size)),
        }  # fmt: skip
        work = f"{one['sweeps']:.1f} sweeps, {one['seconds']:.2f} s"
        known = [f"{name} {value}" for name, value in shown.items() if value]
        ended = [] if one["status"] == "converged" else [one["status"]]
        rows.append((mesh, ", ".join([*known, work, *ended])))
    return [*rows, *distance_rows(Discretisation.read(dataset.attrs))]


def _size(one: dict[str, Any]) -> float:
    """Estimated error of the potential; of the cost where there is none."""
    return float(one["cost_error"] if math.isnan(one["potential"]) else one["potential_error"])


def _form(number: float, form: str) -> str:
    return "" if math.isnan(number) else format(number, form)
