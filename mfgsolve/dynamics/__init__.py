"""How agents move and what moving costs, in the user's words; no numerics here."""

from mfgsolve.dynamics.diffusion import ControlledDiffusion, QuadraticCost
from mfgsolve.dynamics.lattice import LatticeMoves
from mfgsolve.dynamics.tabular import Tabular

Dynamics = ControlledDiffusion | LatticeMoves | Tabular
FINITE = (LatticeMoves, Tabular)

__all__ = ["FINITE", "ControlledDiffusion", "Dynamics", "LatticeMoves", "QuadraticCost", "Tabular"]
