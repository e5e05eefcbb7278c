"""How agents move and what moving costs, in the user's words; each binds to a step (`mfgsolve.steps`)."""

from mfgsolve.dynamics.base import Dynamics, TableDynamics
from mfgsolve.dynamics.diffusion import ControlledDiffusion, QuadraticCost
from mfgsolve.dynamics.lattice import LatticeMoves
from mfgsolve.dynamics.tabular import Tabular

__all__ = ["ControlledDiffusion", "Dynamics", "LatticeMoves", "QuadraticCost", "TableDynamics", "Tabular"]
