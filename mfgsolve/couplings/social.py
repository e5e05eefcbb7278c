"""What the crowd costs everybody: the marginal cost that turns an equilibrium into a social optimum.

The social optimum minimises the total cost  sum weight <f(m), m>, that is, it is the equilibrium of the game in which
every agent pays besides what it costs the others,  f + rho f'  (Pigou's toll; Roughgarden, ISBN 978-0-262-18243-2).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mfgsolve.couplings.base import Bound, Coupling, Sum
from mfgsolve.couplings.convolution import Nonlocal
from mfgsolve.couplings.hard import Capacity, Price, QuadraticPotential
from mfgsolve.couplings.interaction import Interaction
from mfgsolve.couplings.local import Congestion, CrowdAversion, LogCongestion, RunningCost
from mfgsolve.errors import InputError
from mfgsolve.spaces import Space

__all__ = ["Marginal", "marginal"]

CONVEX = (Congestion, CrowdAversion, LogCongestion)  # by their formulas, rho f(rho) is convex


def marginal(coupling: Coupling) -> Coupling:
    """The coupling in which agents also pay what they cost the others.

    Raises
    ------
    InputError
        for a coupling without a potential, or neither local nor linear; for a price without a third derivative
    """
    if isinstance(coupling, Sum):
        return Sum(tuple(marginal(term) for term in coupling.terms))
    if isinstance(coupling, Capacity | RunningCost):
        return coupling
    if isinstance(coupling, Interaction):
        return replace(coupling, matrix=coupling.matrix + coupling.matrix.T)
    if isinstance(coupling, Nonlocal):
        return replace(coupling, strength=2 * coupling.strength)
    if isinstance(coupling, Price) and not callable(getattr(coupling.potential, "third", None)):
        raise InputError(
            f"the social optimum needs the third derivative of the potential of the price, and a "
            f"{type(coupling.potential).__name__} has no third(t, A); give it one, or use QuadraticPotential"
        )
    if not coupling.is_potential or not coupling.is_local:
        raise InputError(
            f"the social optimum needs the marginal cost f + rho f', which a {type(coupling).__name__} that is not "
            "local or has no potential does not give; use local couplings, Nonlocal or Interaction"
        )
    return Marginal(coupling)


@dataclass(frozen=True, eq=False)
class Marginal(Coupling):
    """f + rho f' of a local coupling, with the potential rho f; for a price phi' + A phi'', with A phi'.

    It is monotone where that potential is convex, 2 f' + rho f'' >= 0, which a convex phi does not imply: phi' =
    -1 / A^2 has A phi' = -1 / A, concave.  ``is_monotone`` is true only where it is known: for congestion, crowd
    aversion and log congestion, for prices of a `QuadraticPotential`, and for those of another potential that says so
    by an attribute ``total_is_convex = True``, which is taken at its word.
    """

    of: Coupling
    is_monotone: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_monotone", isinstance(self.of, CONVEX) or _convex_price(self.of))

    @property
    def on(self) -> str:  # type: ignore[override]
        return self.of.on

    @property
    def is_hard(self) -> bool:  # type: ignore[override]
        return self.of.is_hard

    @property
    def is_differentiable(self) -> bool:  # type: ignore[override]
        return self.of.is_differentiable

    def amounts_on(self, *where: Any) -> np.ndarray:
        """alpha of a price; see `Price`."""
        return self.of.amounts_on(*where)  # type: ignore[attr-defined,no-any-return]

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        return _BoundMarginal(self.of.bind(grid, times), 1.0 if self.on == "aggregate" else grid.cell_volume)


def _convex_price(coupling: Coupling) -> bool:
    """Whether A phi'(A) is known to be convex."""
    if not isinstance(coupling, Price):
        return False
    potential = coupling.potential
    return isinstance(potential, QuadraticPotential) or getattr(potential, "total_is_convex", False) is True


@dataclass(frozen=True, eq=False)
class _BoundMarginal(Bound):
    of: Bound
    volume: float

    def _known(self, values: np.ndarray | None, what: str) -> np.ndarray:
        if values is None:
            raise InputError(f"the social optimum needs the {what} of the coupling, which was not given")
        return values

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self.of.cost(nodes, rho) + rho * self._known(self.of.slope(nodes, rho), "derivative")

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray((rho * self.of.cost(nodes, rho)).reshape(rho.shape[0], -1).sum(axis=1) * self.volume)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        once = self._known(self.of.slope(nodes, rho), "derivative")
        return 2 * once + rho * self._known(self.of.second(nodes, rho), "second derivative")

    def bounds(self, nodes: slice) -> tuple[np.ndarray, np.ndarray] | None:
        return self.of.bounds(nodes)
