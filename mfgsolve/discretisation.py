"""How far a plan is from the continuous game: what the mesh and the time steps do to it, as far as it was measured.

The certificate speaks of the discrete game, which is solved; this speaks of how much that game differs from the
continuous one.  An estimate, no bound, meant to be one to three times the error; see `mfgsolve.resolution.estimating`
for how it is obtained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

__all__ = ["EXACT", "UNMEASURED", "Discretisation"]

PREFIX = "discretisation_"


@dataclass(frozen=True)
class Discretisation:
    """Estimated distance of a plan from the continuous game; NaN is 'not measured'.

    Attributes
    ----------
    scheme : of the time steps, "entropic" or "upwind"; "finite" where the game is its own limit
    own_viscosity : what the scheme adds to the viscosity nu, length^2 / time: nu_h - nu of entropic steps; of upwind
        ones (s h - s^2 dt) / 2 of the speeds s along the axis on which it is largest, mean over the mass-time
    order : observed order of the potential (or cost) in the mesh width, or in the time step where that is what changes;
        believed between 0.5 and the formal one
    potential, cost : estimated error of the two numbers of the certificate, in units of cost
    density : L1 distance of the density, sum |rho_1 - rho_2| volume, mean over the time nodes that both meshes have
    obtained : from what, in words
    sweeps : what it took beside the solve, in sweeps of the solve's own grid
    extrapolated_potential : from two or three meshes (Richardson), beside the potential of the plan, never in its place
    extrapolated_potential_error : estimated error of that
    extrapolated_density_error : estimated error in L1 of ``extrapolated_density``, where a dataset has one
    """

    scheme: str = ""
    own_viscosity: float = math.nan
    order: float = math.nan
    potential: float = math.nan
    cost: float = math.nan
    density: float = math.nan
    obtained: str = "not measured"
    sweeps: float = 0.0
    extrapolated_potential: float = math.nan
    extrapolated_potential_error: float = math.nan
    extrapolated_density_error: float = math.nan

    @property
    def is_exact(self) -> bool:
        """Whether there is nothing to be far from: a finite game is its own limit."""
        return self.scheme == "finite"

    @property
    def is_measured(self) -> bool:
        """Whether anything is known of the distance."""
        return not all(math.isnan(value) for value in (self.potential, self.cost, self.density))

    @property
    def least(self) -> float:
        """Estimated error of the best number known: of the extrapolated potential, where that is smaller."""
        own = self.cost if math.isnan(self.potential) else self.potential
        return own if math.isnan(self.extrapolated_potential_error) else min(own, self.extrapolated_potential_error)

    @property
    def sentence(self) -> str:
        """What is known of the distance to the continuum."""
        if self.is_exact:
            return "A finite game is its own limit: there is no distance to a continuum."
        if not self.is_measured:
            return f"The distance to the continuum: {self.obtained}."
        known = {
            "the potential is off by about": _short(self.potential),
            "the cost by about": _short(self.cost),
            "the density by about": f"{_short(self.density)} in L1" if not math.isnan(self.density) else "",
        }
        parts = ", ".join(f"{words} {value}" for words, value in known.items() if value)
        order = "" if math.isnan(self.order) else f", observed order {self.order:.2g}"
        return f"Distance to the continuum: {parts} ({self.scheme}, {self.obtained}{order}).{self._beyond}"

    @property
    def _beyond(self) -> str:
        if math.isnan(self.extrapolated_potential):
            return ""
        return (
            f" Extrapolated potential {self.extrapolated_potential:.9g}, off by about "
            f"{_short(self.extrapolated_potential_error)}."
        )

    @property
    def short(self) -> str:
        """For titles: "+-0.0004 to the continuum"; empty where nothing is known, or nothing is off."""
        size = self.cost if math.isnan(self.potential) else self.potential
        return "" if self.is_exact or math.isnan(size) else f"±{size:.1g} to the continuum"

    @property
    def facts(self) -> dict[str, float | str | None]:
        """All fields as JSON has them: None for what was not measured."""
        return {name: None if isinstance(value, float) and math.isnan(value) else value
                for name, value in asdict(self).items()}  # fmt: skip

    @property
    def attributes(self) -> dict[str, float | str]:
        """For the dataset of a solution, flat: ``discretisation_scheme``, ``discretisation_potential``, ..."""
        return {f"{PREFIX}{name}": value for name, value in asdict(self).items()}

    @classmethod
    def read(cls, attributes: Mapping[str, Any]) -> Discretisation:
        """What the attributes of a dataset say; of a file that says nothing, that it was not measured."""
        found = {field.name: attributes.get(f"{PREFIX}{field.name}") for field in fields(cls)}
        values: dict[str, Any] = {
            name: str(value) if name in ("scheme", "obtained") else float(value)
            for name, value in found.items()
            if value is not None
        }
        return cls(**values)


def _short(number: float) -> str:
    return "" if math.isnan(number) else f"{number:.1e}"


EXACT = Discretisation(
    "finite", own_viscosity=0.0, potential=0.0, cost=0.0, density=0.0, obtained="a finite game is its own limit"
)
UNMEASURED = Discretisation()
