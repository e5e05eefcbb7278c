"""How agents move and what moving costs, in the user's words; no numerics here."""

from mfgsolve.dynamics.diffusion import ControlledDiffusion, QuadraticCost
from mfgsolve.dynamics.lattice import LatticeMoves
from mfgsolve.dynamics.tabular import Tabular
from mfgsolve.inputs.tables import Kinds

KINDS = Kinds({"diffusion": ControlledDiffusion, "lattice": LatticeMoves, "tabular": Tabular})  # in problem files
Dynamics = ControlledDiffusion | LatticeMoves | Tabular
FINITE = (LatticeMoves, Tabular)

__all__ = ["FINITE", "KINDS", "ControlledDiffusion", "Dynamics", "LatticeMoves", "QuadraticCost", "Tabular"]
