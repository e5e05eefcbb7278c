"""What moving costs, where it is not c |a|^2 / 2: a closed set of costs of the velocity a, each with its Hamiltonian.

With c the control cost of the diffusion, p = -grad V the slope of the value downhill, and the pair

    H(p) = max_a [a . p - L(a)],     a* = grad H(p),     so that  L(a) + H(p) >= a . p,  and both sides agree at a = a*

    =====================  =======================================  ==========================================
    cost                   L(a)                                     H(p)
    =====================  =======================================  ==========================================
    `PowerCost`            c |a|^p / p                              c^(1 - q) |p|^q / q,  q = p / (p - 1)
    `LinearCost`           c |a|, |a| <= v                          v max(|p| - c, 0)
    `SpeedLimit`           0, |a| <= v                              v |p|
    `CongestionCost`       c (c0 + rho)^alpha |a|^2 / 2             |p|^2 / (2 c (c0 + rho)^alpha)
    =====================  =======================================  ==========================================

|a| is the Euclidean size of the velocity where a cost is ``joint``; else every axis has a cost of its own, and they add
up (|a| is then what is called L1).  For one power, p = 2, both are the same.  On the chain a is made of the speeds to
the neighbours, each zero or positive, and p of the slopes toward them, those uphill taken as 0
(`mfgsolve.steps.movement`).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, real, shown, unknown
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.inputs.forms import Form, Source
from mfgsolve.inputs.tables import Kinds, table
from mfgsolve.kernels.scheme import Scheme
from mfgsolve.spaces import Space
from mfgsolve.steps import Factor, Step
from mfgsolve.steps.congested import CongestedStep
from mfgsolve.steps.control import Movement
from mfgsolve.steps.movement import MovementStep

__all__ = [
    "KINDS", "MOVEMENT", "CongestionCost", "LinearCost", "MovementCost", "PowerCost", "SpeedLimit", "stated_movement",
]  # fmt: skip


class MovementCost(ABC):
    """What moving costs; one of the classes of this module.

    Slopes and speeds are arrays with one entry for each axis first, (axes, ...); ``weight`` is c.
    """

    joint: bool

    @property
    @abstractmethod
    def movement(self) -> Movement:
        """The same in numbers, as steps take it."""

    @property
    def is_quadratic(self) -> bool:
        """Whether it is c |a|^2 / 2 and no more."""
        return False

    @property
    def needs_weight(self) -> bool:
        """Whether c plays a part."""
        return True

    @property
    def pays_by_crowd(self) -> bool:
        """Whether moving costs more in a crowd; weights are then those of a density, see `CongestionCost.weight`."""
        return False

    def bind(
        self, space: Grid, time: TimeGrid, scheme: Scheme, others: tuple[Factor, ...], places: np.ndarray | None = None
    ) -> Step:
        """The step of a diffusion with this cost; ``others`` are factors besides the noise, ``places`` what c is there,
        over that of the scheme (1 or T, cells)."""
        if not self.needs_weight:
            scheme = scheme._replace(control_cost=np.zeros_like(scheme.control_cost))
        return MovementStep(space, time, scheme, self.movement, others, places)

    def stable_steps(self, space: Space, horizon: float) -> float:
        """The fewest steps in which the chain allows the speed limit, T v sqrt(sum 2 / h^2), or of each axis."""
        assert isinstance(space, Grid)
        paces = [2.0 * axis.smallest**-2 for axis in space.axes]
        rate = math.sqrt(sum(paces)) if self.joint else space.ndim * math.sqrt(max(paces))
        return self.movement.limit * horizon * rate

    def cost(self, speeds: Any, weight: float = 1.0) -> np.ndarray:
        """L(a): c r^p / p of the size r of the velocity, or of those of its axes; inf beyond the limit."""
        power, limit = self.movement.power, self.movement.limit
        size = self._sizes(speeds)
        paid = (weight if self.needs_weight else 0.0) * size**power / power
        return np.asarray(np.where(size <= limit * (1 + 1e-12), paid, math.inf).sum(axis=0))

    def hamiltonian(self, slopes: Any, weight: float = 1.0) -> np.ndarray:
        """H(p) = r |p| - L at the best size r."""
        size = self._sizes(slopes)
        best, power = self._best(size, weight), self.movement.power
        paid = (weight if self.needs_weight else 0.0) * best**power / power
        return np.asarray((best * size - paid).sum(axis=0))

    def speeds(self, slopes: Any, weight: float = 1.0) -> np.ndarray:
        """a* = r p / |p|."""
        slope = np.asarray(slopes, dtype=float)
        size = self._sizes(slope)
        share = np.divide(self._best(size, weight), size, out=np.zeros_like(size), where=size > 0)
        return np.asarray(share * slope)

    def _sizes(self, vectors: Any) -> np.ndarray:
        """The Euclidean size (1, ...), or those of the axes (axes, ...)."""
        each = np.abs(np.asarray(vectors, dtype=float))
        return np.asarray(np.sqrt((each**2).sum(axis=0, keepdims=True)) if self.joint else each)

    def _best(self, size: np.ndarray, weight: float) -> np.ndarray:
        """The size of the best velocity."""
        power, limit = self.movement.power, self.movement.limit
        if power == 1.0:
            return np.where(size > (weight if self.needs_weight else 0.0), limit, 0.0)
        return np.minimum((size / weight) ** (1.0 / (power - 1.0)), limit)


def _own(cost: Any, name: str, what: str, least: float = 0.0, most: float = math.inf, equal: bool = False) -> None:
    """Check a parameter: a number above ``least`` (or, with ``equal``, at it), and below ``most``."""
    value = real(getattr(cost, name), what)
    object.__setattr__(cost, name, value)
    if not (value > least or (equal and value == least)) or math.isnan(value) or value > most:
        kind = f"{'at least' if equal else 'more than'} {least:g}" + (
            f" and at most {most:g}" if most < math.inf else ""
        )
        raise InputError(f"{what} is {shown(value)}; a number of {kind} is needed")


def _joint(cost: Any) -> None:
    if not isinstance(cost.joint, bool | np.bool_):
        raise InputError(
            f"joint of a {type(cost).__name__} is {shown(cost.joint)}; True (the Euclidean size of the velocity) or "
            "False (every axis by itself) is needed"
        )
    object.__setattr__(cost, "joint", bool(cost.joint))


@dataclass(frozen=True)
class PowerCost(MovementCost):
    """c |a|^p / p, p > 1; with q = p / (p - 1), H(p) = c^(1 - q) |p|^q / q and the best speed is (|p| / c)^(q - 1).

    Above 2 to be slow costs next to nothing, and to be fast much, so that all move and speeds even out; they start with
    an infinite derivative at slope 0, where Newton's method is slow and proximal points are not.  Below 2 agents stay
    on gentle slopes and are fast on steep ones.

    Parameters
    ----------
    p : the power, more than 1
    joint : whether |a| is the Euclidean size of the velocity; else c sum_k |a_k|^p / p
    limit : v, the largest |a| (or |a_k|), length / time; absent, there is none

    Source: Gomes, Pimentel and Voskanyan, Regularity theory for mean-field game systems, doi:10.1007/978-3-319-38934-9.

    Examples
    --------
    >>> PowerCost(3.0).speeds([[4.0]]).tolist()
    [[2.0]]
    """

    p: float = 2.0
    joint: bool = True
    limit: float | None = None

    def __post_init__(self) -> None:
        _own(self, "p", "the power p of a movement cost", least=1.0)
        if self.p == math.inf:
            raise InputError("the power p of a movement cost is inf; for |a| <= v and no cost below take SpeedLimit(v)")
        if self.limit is not None:
            _limited(self, "PowerCost")
        _joint(self)

    @property
    def movement(self) -> Movement:
        return Movement(self.p, self.joint, math.inf if self.limit is None else self.limit)

    @property
    def is_quadratic(self) -> bool:
        return self.p == 2.0 and self.limit is None


@dataclass(frozen=True)
class LinearCost(MovementCost):
    """c |a| with |a| <= v: a price on distance, not on speed.  H(p) = v max(|p| - c, 0).

    Who gains more than c by a unit of way goes at once and as fast as is allowed, all others stay: best speeds jump,
    and solvers that need their derivative refuse; see `mfgsolve.solvers.proximal_point`.

    Parameters
    ----------
    limit : v > 0, length / time
    joint : whether |a| is the Euclidean size of the velocity; else c sum_k |a_k| (L1), each |a_k| <= v

    Source: Bardi and Capuzzo-Dolcetta, Optimal control and viscosity solutions of Hamilton-Jacobi-Bellman equations,
    doi:10.1007/978-0-8176-4755-1.
    """

    limit: float
    joint: bool = True

    def __post_init__(self) -> None:
        _limited(self, "LinearCost")
        _joint(self)

    @property
    def movement(self) -> Movement:
        return Movement(1.0, self.joint, self.limit)


@dataclass(frozen=True)
class SpeedLimit(MovementCost):
    """|a| <= v, and moving costs nothing below: H(p) = v |p|, all go downhill at speed v.

    Best speeds jump where the slope turns: "bang-bang".  The control cost of the diffusion plays no part, and is to be
    left out.

    Parameters
    ----------
    limit : v > 0, length / time
    joint : whether |a| is the Euclidean size of the velocity; else each |a_k| <= v

    Source: Bardi and Capuzzo-Dolcetta, doi:10.1007/978-0-8176-4755-1 (the eikonal equation).
    """

    limit: float
    joint: bool = True

    def __post_init__(self) -> None:
        _limited(self, "SpeedLimit")
        _joint(self)

    @property
    def needs_weight(self) -> bool:
        return False

    @property
    def movement(self) -> Movement:
        return Movement(1.0, self.joint, self.limit)


@dataclass(frozen=True)
class CongestionCost(MovementCost):
    """c (c0 + rho)^alpha |a|^2 / 2: moving is dearer in a crowd of density rho.  H(p) = |p|^2 / (2 c (c0 + rho)^alpha).

    The density is that of the others where the agent is, at the start of a step; a best response takes it as given, and
    so does the certificate.  Such a game has no potential, whatever its coupling; with alpha <= 2 and a crowd-averse
    coupling its equilibrium is unique.

    Parameters
    ----------
    c0 : above 0, so that moving is not for nothing where nobody is, in units of a density
    alpha : from 0 to 2; 0 is the quadratic cost

    Source: Achdou and Porretta, Mean field games with congestion, doi:10.1016/j.anihpc.2017.06.001; Lions, lectures at
    the College de France (uniqueness).
    """

    c0: float = 1.0
    alpha: float = 1.0
    joint = True

    def __post_init__(self) -> None:
        _own(self, "c0", "c0 of a CongestionCost")
        if self.c0 == math.inf:
            raise InputError("c0 of a CongestionCost is inf; a finite number is needed")
        _own(self, "alpha", "alpha of a CongestionCost", most=2.0, equal=True)

    @property
    def movement(self) -> Movement:
        return Movement()

    @property
    def pays_by_crowd(self) -> bool:
        return True

    def weight(self, density: Any, control_cost: float = 1.0) -> np.ndarray:
        """c (c0 + rho)^alpha."""
        return np.asarray(control_cost * (self.c0 + np.asarray(density, dtype=float)) ** self.alpha)

    def bind(
        self, space: Grid, time: TimeGrid, scheme: Scheme, others: tuple[Factor, ...], places: np.ndarray | None = None
    ) -> Step:
        return CongestedStep(space, time, scheme, self.movement, others, self.c0, self.alpha, places)


def _limited(cost: Any, name: str) -> None:
    _own(cost, "limit", f"the limit of the speed of a {name}")
    if cost.limit == math.inf:
        raise InputError(f"the limit of the speed of a {name} is inf; a finite number is needed")


KINDS = Kinds(
    {"power": PowerCost, "linear": LinearCost, "speed-limit": SpeedLimit, "congestion": CongestionCost}
)  # in problem files


def _read(value: Any, source: Source) -> MovementCost:
    """``{kind = "power", p = 3.0}``."""
    if not isinstance(value, Mapping) or "kind" not in value:
        raise InputError(f"a movement cost is a table with a kind, one of {', '.join(KINDS)}")
    kind = value["kind"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(unknown("kind of movement cost", kind, KINDS))
    made: MovementCost = table(KINDS[kind]).read({key: item for key, item in value.items() if key != "kind"}, source)
    return made


MOVEMENT = Form("a movement cost of some kind", "tables with a kind", _read)


def stated_movement(movement: Any, weight: float) -> MovementCost | None:
    """The movement cost of a diffusion, beside the control cost ``weight``, which is NaN where it differs from place to
    place.

    Raises
    ------
    InputError
        for what is none, and for a control cost that plays no part
    """
    if movement is None:
        return None
    if not isinstance(movement, MovementCost):
        names = ", ".join(cls.__name__ for cls in KINDS.values())
        raise InputError(f"movement of a diffusion is {shown(movement)}; one of {names} is needed")
    if not movement.needs_weight and weight != 1.0:
        raise InputError(
            f"control cost is {weight:g}, and moving costs nothing up to the limit of a {type(movement).__name__}; "
            "leave it out, or take LinearCost (c |a|) or PowerCost (c |a|^p / p), both with a limit"
        )
    return movement
