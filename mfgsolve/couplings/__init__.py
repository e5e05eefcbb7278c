"""What the crowd does to an agent: f_t(x, m), a cost per unit time, in terms of the density.

A coupling is stated with numbers and fields, and *bound* to a grid and a list of times, which gives a `Bound` object
that works on arrays of densities ``rho (levels, *shape)`` for a slice of time nodes:

- ``cost``       f, per unit time
- ``potential``  F with f = dF/d rho, summed over cells times cell volume, one number a level
- ``slope``      f' where the coupling is local, else None
- ``tangent``    the derivative of f applied to a change of density
- ``second``     f'' where it is known
- ``bounds``     lowest and highest density allowed, for hard constraints
- ``cost_among`` expected cost of one of N agents, where it has a closed form
- ``parts``      the terms of a sum

``is_potential`` says that F exists (local, or a symmetric kernel); ``is_monotone`` that F is convex (a crowd-averse
game: one equilibrium).  `check_coupling` tests both numerically for any coupling.
"""

from mfgsolve.couplings.base import Bound, Coupling, Sum, by_target
from mfgsolve.couplings.check import CouplingReport, check_coupling
from mfgsolve.couplings.convolution import Nonlocal
from mfgsolve.couplings.custom import CustomCoupling
from mfgsolve.couplings.hard import Capacity, Price, QuadraticPotential
from mfgsolve.couplings.interaction import Interaction
from mfgsolve.couplings.local import Congestion, CrowdAversion, LogCongestion, RunningCost
from mfgsolve.couplings.social import marginal
from mfgsolve.inputs.tables import Kinds

KINDS = Kinds({  # as problem files call them
    "capacity": Capacity,
    "congestion": Congestion,
    "crowd-aversion": CrowdAversion,
    "log": LogCongestion,
    "nonlocal": Nonlocal,
    "running-cost": RunningCost,
    "interaction": Interaction,
    "price": Price,
})  # fmt: skip

__all__ = [
    "KINDS",
    "Bound",
    "Capacity",
    "Congestion",
    "Coupling",
    "CouplingReport",
    "CrowdAversion",
    "CustomCoupling",
    "Interaction",
    "LogCongestion",
    "Nonlocal",
    "Price",
    "QuadraticPotential",
    "RunningCost",
    "Sum",
    "by_target",
    "check_coupling",
    "marginal",
]
