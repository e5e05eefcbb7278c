"""What the command says of distances to the continuum: of one plan, and of a ladder of meshes."""

from __future__ import annotations

import math

from mfgsolve.discretisation import Discretisation

__all__ = ["distance_rows"]


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
