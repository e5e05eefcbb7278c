"""How agents move and what moving costs, in the user's words; each binds to a step (`mfgsolve.steps`)."""

from mfgsolve.dynamics.base import Dynamics, TableDynamics
from mfgsolve.dynamics.diffusion import ControlledDiffusion, QuadraticCost
from mfgsolve.dynamics.lattice import LatticeMoves
from mfgsolve.dynamics.movement import CongestionCost, LinearCost, MovementCost, PowerCost, SpeedLimit
from mfgsolve.dynamics.tabular import Tabular
from mfgsolve.inputs.tables import Kinds

KINDS = Kinds({"diffusion": ControlledDiffusion, "lattice": LatticeMoves, "tabular": Tabular})  # in problem files

__all__ = [
    "KINDS", "CongestionCost", "ControlledDiffusion", "Dynamics", "LatticeMoves", "LinearCost", "MovementCost",
    "PowerCost", "QuadraticCost", "SpeedLimit", "TableDynamics", "Tabular",
]  # fmt: skip
