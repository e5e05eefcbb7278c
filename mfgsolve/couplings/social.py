"""What the crowd costs everybody: the marginal cost that turns an equilibrium into a social optimum.

The social optimum minimises the total cost  C(m) = sum weight <f(m), m>,  that is, it is the equilibrium of the game in
which every agent pays besides what it costs the others (Pigou's toll; Roughgarden, ISBN 978-0-262-18243-2):

    grad C = f + (Df)' m,     which is f + rho f' of a local coupling, (K + K') m of a linear one,
    its derivative along v:  Df v + (Df)' v + (D (Df)[v])' m,     which is (2 f' + rho f'') v of a local one.

Second derivatives that nobody states are differences of the first.  C need not be convex, even where f is monotone;
where it is not known to be, an equilibrium of that game is a *stationary* plan, and need not be the best.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from mfgsolve.couplings.base import Bound, BoundDerived, Coupling, Derived, Scaled, Sum, scaled, total, unscaled
from mfgsolve.couplings.convolution import Nonlocal
from mfgsolve.couplings.hard import Capacity, Price, QuadraticPotential
from mfgsolve.couplings.interaction import Interaction
from mfgsolve.couplings.local import Congestion, CrowdAversion, LogCongestion, RunningCost
from mfgsolve.couplings.within import Within
from mfgsolve.errors import InputError
from mfgsolve.spaces import Space, Volumes, relative

__all__ = ["Marginal", "adjoint", "marginal"]

CONVEX = (Congestion, CrowdAversion, LogCongestion)  # by their formulas, rho f(rho) is convex
ASKED = 1024  # cells up to which the adjoint of a derivative is put together from its columns
NEAR = 6e-6  # relative step of a central difference: the cube root of the round-off
AHEAD = 1e-7  # relative step of a difference to one side


def marginal(coupling: Coupling) -> Coupling:
    """The coupling in which agents also pay what they cost the others.

    Raises
    ------
    InputError
        for a coupling without a derivative
    """
    if isinstance(coupling, Sum):
        return Sum(tuple(marginal(term) for term in coupling.terms))
    if isinstance(coupling, Scaled):
        inner = marginal(coupling.of)
        return Marginal(coupling) if isinstance(inner, Marginal) else scaled(inner, coupling.factor)
    if isinstance(coupling, Within):
        return Within(marginal(coupling.of))
    if isinstance(coupling, Capacity | RunningCost):
        return coupling
    if isinstance(coupling, Interaction):
        return replace(coupling, matrix=coupling.matrix + coupling.matrix.T)
    if isinstance(coupling, Nonlocal):
        return replace(coupling, strength=2 * coupling.strength)
    if not coupling.is_differentiable:
        raise InputError(
            f"the social optimum needs the derivative of every coupling, and a {type(coupling).__name__} came without "
            "one that holds; state derivative= (local) or tangent= (any other)"
        )
    return Marginal(coupling)


@dataclass(frozen=True, eq=False)
class Marginal(Derived):
    """f + (Df)' m of any differentiable coupling, with potential <f(m), m>; for a price phi' + A phi'', with A phi'.

    It is monotone where that potential is convex, which a monotone f does not imply: phi' = -1 / A^2 has A phi' =
    -1 / A, concave.  ``is_monotone`` is true only where it is known: for congestion, crowd aversion and log
    congestion, for prices of a `QuadraticPotential`, and for a coupling, or the potential of a price, that says so
    itself by ``total_is_convex = True``.
    """

    is_monotone: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_monotone", _is_convex(self.of))

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        return _BoundMarginal(self.of.bind(grid, times), 1.0 if self.on == "aggregate" else grid.volumes)


def _is_convex(coupling: Coupling) -> bool:
    """Whether rho f(rho) is convex by its formula, or said to be."""
    growing = not isinstance(coupling, Scaled) or coupling.factor >= 0
    return growing and (isinstance(unscaled(coupling), CONVEX) or _said_convex(unscaled(coupling)))


def _said_convex(coupling: Coupling) -> bool:
    """Whether the total cost is known, or said, to be convex."""
    if isinstance(coupling, Price):
        potential = coupling.potential
        return isinstance(potential, QuadraticPotential) or getattr(potential, "total_is_convex", False) is True
    return getattr(coupling, "total_is_convex", False) is True


def adjoint(bound: Bound, nodes: slice, rho: np.ndarray, weight: np.ndarray, volumes: Volumes = 1.0) -> np.ndarray:
    """(Df(rho))' weight: what a change of the density in each place changes <f, weight> by, per volume.

    From the coupling's own ``adjoint``, or its slope; else column by column from its tangent.  It is the transpose in
    the inner product of the space, <a, b> = sum a b volume.

    Raises
    ------
    InputError
        if there is neither, and more than 1024 cells
    """
    own = getattr(bound, "adjoint", None)
    result = None if own is None else own(nodes, rho, weight)
    if result is not None:
        return np.asarray(result)
    slope = bound.slope(nodes, rho)
    if slope is not None:
        return np.asarray(slope * weight)
    cells = int(np.prod(rho.shape[1:]))
    if cells > ASKED:
        raise InputError(
            f"the social optimum needs the adjoint of the derivative of a coupling that is not local; on {cells} cells "
            f"(more than {ASKED}) it is not put together from its tangent: state adjoint=(t, c, rho, weight) -> array"
        )
    each = relative(volumes)
    weight = weight * each
    out, unit = np.zeros(rho.shape), np.zeros(rho.shape)
    columns, along = out.reshape(len(rho), cells), unit.reshape(len(rho), cells)
    for cell in range(cells):
        along[:, cell] = 1.0
        columns[:, cell] = (bound.tangent(nodes, rho, unit) * weight).reshape(len(rho), cells).sum(axis=1)
        along[:, cell] = 0.0
    return out / each


@dataclass(frozen=True, eq=False)
class _BoundMarginal(BoundDerived):
    volumes: Volumes

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return self.of.cost(nodes, rho) + adjoint(self.of, nodes, rho, rho, self.volumes)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return total(rho * self.of.cost(nodes, rho), self.volumes)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray | None:
        once = self.of.slope(nodes, rho)
        if once is None:
            return None
        second = self.of.second(nodes, rho)
        if second is not None:
            return np.asarray(2 * once + rho * second)
        more, less = (self.of.slope(nodes, rho * (1 + step)) for step in (NEAR, -NEAR))
        assert more is not None
        assert less is not None
        return np.asarray(2 * once + (more - less) / (2 * NEAR))  # rho f'': the step is relative to rho

    def tangent(self, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        slope = self.slope(nodes, rho)
        if slope is not None:
            return np.asarray(slope * change)
        size = float(np.abs(change).max(initial=0.0))
        once = self.of.tangent(nodes, rho, change) + adjoint(self.of, nodes, rho, change, self.volumes)
        if size == 0:
            return np.asarray(once)
        step = AHEAD * float(np.abs(rho).max(initial=0.0)) / size
        # growth and decline both as growth, so that no density is ever negative
        more, less = (
            adjoint(self.of, nodes, rho + step * np.maximum(sign * change, 0.0), rho, self.volumes)
            for sign in (1.0, -1.0)
        )
        return np.asarray(once + (more - less) / step)
