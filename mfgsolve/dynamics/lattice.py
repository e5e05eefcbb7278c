"""Moves on a grid: a finite list of offsets with a cost each, then drift, a random displacement, a noise stencil."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np
from scipy import sparse

from mfgsolve.dynamics.base import TableDynamics
from mfgsolve.dynamics.diffusion import NOISES, steps_of_noise
from mfgsolve.dynamics.lattice_matrices import chances_matrices, closed_cells, moves_matrices
from mfgsolve.dynamics.places import is_field, own_entry, timed_coefficient
from mfgsolve.errors import InputError, real, unknown, whole
from mfgsolve.fields import Still, sample_nodes
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.inputs.forms import FIELD, FIELD_PER_AXIS, OFFSET, many, one_or_many
from mfgsolve.inputs.tables import group
from mfgsolve.kernels.scheme import Scheme
from mfgsolve.spaces import Space
from mfgsolve.steps.drift import drift_chances, drift_factor, is_still, own_drift, timed_drift
from mfgsolve.steps.scheme import make_scheme
from mfgsolve.steps.transitions import Matrices

__all__ = ["LatticeMoves", "move_name"]

WALLS = ("stay", "forbid")
Offset = tuple[int, ...]


def move_name(offset: Offset) -> str:
    """'stay', 'x+', 'x-y+', 'x+2'; offsets are (x, y, ...)."""
    parts = [
        f"{axis}{'+' if step > 0 else '-'}{abs(step) if abs(step) > 1 else ''}"
        for axis, step in zip("xyz", offset, strict=False)
        if step
    ]
    return "".join(parts) or "stay"


@dataclass(frozen=True)
class LatticeMoves(TableDynamics):
    """An agent picks a move, pays its cost and lands; then a drift, a random displacement and the noise stencil act.

    One step is  x -> x + move -> D -> + jump -> N,  with D and N the drift and the noise of `ControlledDiffusion`.
    With temperature tau > 0 an agent also pays tau dt sum_a pi log pi, so that best responses are softmax policies.

    Parameters
    ----------
    moves : offsets in cells, each (x, y, ...) as points are (a whole number on one axis)
    costs : cost of making each move once (not per unit time): for each a number, a function of (t, coordinates) or an
        array of the grid's shape, told where the agent stands; one number or function stands for all
    viscosity, noise : nu >= 0 (length^2 / time) of the stencil, "implicit" or "explicit"
    jumps : from an offset to its probability, a number or a field, told where the move (and the drift) has led: a
        random displacement after it; None is none
    walls : at a reflecting wall or a blocked cell "stay" stops at the last cell inside, coordinate by coordinate (x
        first, and a blocked target is not entered at all); "forbid" makes the move unavailable there
    temperature : tau >= 0, cost per unit time
    drift : velocity b(t, X), length / time, that nobody controls; one field for each axis in the order x, y, z (on one
        axis a single one), as of `ControlledDiffusion`
    closed : cells that nobody enters in a step, by moves or jumps: obstacles that move.  An array or function of
        (t, coordinates), true (1) where a cell is closed in the step that starts at t.  Who stands in a cell that
        closes is not pushed: it may go, and stays until it does.  It needs walls="stay", no drift and no viscosity

    Examples
    --------
    >>> LatticeMoves(moves=(-1, 0, 1), costs=(0.25, 0.0, 0.25), jumps={-1: 0.1, 0: 0.8, 1: 0.1}).names
    ('x-', 'stay', 'x+')
    """

    moves: Sequence[Any] = field(metadata={"form": many(OFFSET)})
    costs: Any = field(default=0.0, metadata={"form": one_or_many(FIELD)})
    viscosity: float = 0.0
    noise: str = "implicit"
    jumps: Any = field(default=None, metadata={"form": many(group(offset=OFFSET, probability=FIELD))})
    walls: str = "stay"
    temperature: float = 0.0
    drift: Any = field(default=0.0, metadata={"form": FIELD_PER_AXIS})
    closed: Any = field(default=0.0, metadata={"form": FIELD, "since": "0.10"})

    def __post_init__(self) -> None:
        if not np.iterable(self.moves):
            raise InputError(f"lattice moves are a {type(self.moves).__name__}; a list of moves is needed")
        moves = tuple(_offset(move, "move") for move in self.moves)
        if not moves:
            raise InputError("lattice moves are an empty list; at least one move is needed, say (0, 0)")
        for move in moves:
            if moves.count(move) > 1:
                raise InputError(f"lattice move {move} is listed twice; list it once")
            if len(move) != len(moves[0]):
                raise InputError(f"lattice moves {moves[0]} and {move} have different lengths; all need one per axis")
        object.__setattr__(self, "moves", moves)
        given = self.costs if np.iterable(self.costs) else [self.costs] * len(moves)
        costs = tuple(own_entry(cost, "cost of a move") for cost in given)
        if len(costs) != len(moves):
            raise InputError(f"lattice has {len(moves)} moves and {len(costs)} costs; one cost for each is needed")
        if not all(is_field(c) or math.isfinite(c) for c in costs):
            raise InputError(f"costs of the moves are {costs}; every cost must be finite")
        object.__setattr__(self, "costs", costs)
        object.__setattr__(self, "jumps", self._checked_jumps(len(moves[0])))
        for name in ("viscosity", "temperature"):
            value = real(getattr(self, name), name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"{name} is {value}; it must be zero or positive, and finite")
            object.__setattr__(self, name, value)
        if self.noise not in NOISES:
            raise InputError(unknown("noise operator", self.noise, NOISES))
        if self.walls not in WALLS:
            raise InputError(unknown("behaviour at walls", self.walls, WALLS))
        object.__setattr__(self, "drift", own_drift(self.drift))
        truths = getattr(self.closed, "dtype", None) == np.dtype(bool)  # of arrays, with names or without
        closed = own_entry(self.closed.astype(float) if truths else self.closed, "closed cells of a lattice")
        object.__setattr__(self, "closed", closed)
        self._check_closed()

    def _check_closed(self) -> None:
        """Closed cells go with moves and jumps alone."""
        if not self.has_closed:
            return
        other = "walls = 'forbid'" if self.walls == "forbid" else "a viscosity" if self.viscosity > 0 else "a drift"
        if self.walls == "forbid" or self.viscosity > 0 or not is_still(self.drift):
            raise InputError(
                f"the lattice has closed cells and {other}, which knows none of them; leave one out (jumps, whose "
                "chances may be fields, stand for noise and wind)"
            )

    @property
    def has_closed(self) -> bool:
        """Whether cells may be closed for some time."""
        return is_field(self.closed) or self.closed != 0.0

    def _checked_jumps(self, ndim: int) -> tuple[tuple[Offset, Any], ...]:
        if self.jumps is None:
            return (((0,) * ndim, 1.0),)
        listed = self.jumps.items() if isinstance(self.jumps, Mapping) else self.jumps
        try:
            pairs = [(jump, chance) for jump, chance in listed]
        except (TypeError, ValueError):
            raise InputError(f"jumps of a lattice are {self.jumps!r}; {{offset: probability}} is needed") from None
        jumps = tuple((_offset(jump, "jump"), own_entry(chance, "probability of a jump")) for jump, chance in pairs)
        for jump, chance in jumps:
            if len(jump) != ndim:
                raise InputError(f"jump {jump} has {len(jump)} coordinates; the moves have {ndim}")
            if not is_field(chance) and not (math.isfinite(chance) and chance >= 0):
                raise InputError(f"jump {jump} has probability {chance}; it must be zero or positive")
        if any(is_field(chance) for _, chance in jumps):
            return jumps  # which must sum to 1 everywhere: told where it is
        total = sum(chance for _, chance in jumps)
        if abs(total - 1) > 1e-12:
            raise InputError(f"probabilities of the jumps sum to {total:.15g}; they must sum to 1")
        return jumps

    # -- what tables are made of -------------------------------------------------------------------------------

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of the moves."""
        return self.names

    def tables(
        self, space: Space, time: TimeGrid, where: str = "", asked: Any = None, moment: str = ""
    ) -> tuple[list[Matrices], np.ndarray]:
        """Matrices of the moves, and of the drift and the chances after them, of all steps the same where these rest;
        see `mfgsolve.dynamics.lattice_matrices`."""
        moves, allowed = moves_matrices(self, space, where)
        assert isinstance(space, Grid)
        if self.has_closed:
            closed = closed_cells(self.closed, space, time, where)
            after = chances_matrices(self, space, time, where, closed)
            count = max(len(after), len(closed))
            each = [(closed[min(t, len(closed) - 1)], after[min(t, len(after) - 1)]) for t in range(count)]
            matrices = [
                [sparse.csr_array(move @ next_) for move in moves_matrices(self, space, where, shut)[0]]
                for shut, next_ in each
            ]
            return matrices, allowed
        chances, drift = chances_matrices(self, space, time, where), drift_factor(self.drift, space, time, where)
        if drift is None:
            afters = chances
        else:
            steps = max(len(chances), 1 if drift.is_steady else time.steps)
            afters = [drift.matrix(t) @ chances[t if len(chances) > 1 else 0] for t in range(steps)]
        return [[sparse.csr_array(move @ after) for move in moves] for after in afters], allowed

    def on(self, space: Space, time: TimeGrid, where: str = "") -> Self:
        """Itself, with one field of the drift for each axis; all arrays over time know their times, and are read when
        it is bound."""
        drift, costs = (
            timed_drift(self.drift, space, time, where),
            timed_coefficient(self.costs, space, time, f"cost{where}"),
        )
        offsets, chances = zip(*self.jumps, strict=True)
        timed = timed_coefficient(chances, space, time, f"probability of a jump{where}")
        closed = timed_coefficient(self.closed, space, time, f"closed cells{where}")
        if drift is self.drift and costs is self.costs and timed is chances and closed is self.closed:
            return self
        jumps = tuple(zip(offsets, timed, strict=True))
        return replace(self, drift=drift, costs=costs, jumps=jumps, closed=closed)

    def step_costs(self, space: Space, times: np.ndarray, actions: int, where: str = "") -> np.ndarray:
        """The cost of each move; one level where all costs rest."""
        if is_field(self.costs):
            named = zip(self.costs, self.names, strict=True)  # type: ignore[arg-type]
            levels = [sample_nodes(cost, times, space, f"cost of the move {name!r}{where}") for cost, name in named]
            costs = np.stack(np.broadcast_arrays(*levels), axis=1)
            return costs[:1] if (costs == costs[:1]).all() else costs
        costs = np.asarray(self.costs, dtype=float).reshape((1, -1) + (1,) * space.ndim)
        return np.broadcast_to(costs, (1, actions, *space.shape))

    def noise_schemes(self, space: Space, time: TimeGrid) -> Sequence[tuple[tuple[int, ...], Scheme]]:
        """Implicit noise; the explicit one is part of the matrices."""
        if not (isinstance(space, Grid) and self.viscosity > 0 and self.noise == "implicit"):
            return ()
        scheme = make_scheme(space, time, self.viscosity, "implicit", 1.0, 1)
        return [((1,) * (3 - space.ndim) + space.shape, scheme)]

    def speeds(self, space: Space, dt: float) -> Sequence[Any] | None:
        """Speed of every move on a line."""
        if not (isinstance(space, Grid) and space.ndim == 1):
            return None
        return [space.axes[0].pace(move[0], dt) for move in self.moves]

    def chance_count(self, space: Space, time: TimeGrid) -> int:
        """Where each move and each jump after it leads, from every cell, and the drift from there."""
        landings = len(self.moves) * len(self.jumps) * space.size
        around = drift_chances(self.drift, space, time)
        timed = [self.closed, *(chance for _, chance in self.jumps)]
        rests = all(not is_field(each) or isinstance(each, Still) for each in timed)
        return landings * (around if rests else max(around, time.steps))

    def stable_steps(self, space: Space, horizon: float) -> float:
        """As many as the noise needs."""
        return steps_of_noise(self.noise, self.viscosity, space, horizon)

    def steps_for(self, space: Space, horizon: float) -> int:
        """Steps in which an agent can cross the space by its own moves, and with which explicit noise is stable."""
        if not isinstance(space, Grid):
            raise InputError(f"lattice moves need a Grid; the space is {type(space).__name__}: use Tabular dynamics")
        wanted = max(1, math.ceil(self.stable_steps(space, horizon)))
        for k, axis in enumerate(reversed(space.axes)):
            reach = max((abs(move[k]) for move in self.moves if k < len(move)), default=0)
            far = axis.cells // 2 if axis.periodic else axis.cells - 1
            wanted = max(wanted, math.ceil(far / reach) if reach else 1)
        return wanted

    @property
    def identity(self) -> Any:
        """What tells two such dynamics apart beside their tables: all that they were stated with but the drift, closed
        cells, and costs and jumps that are fields."""
        parts = {
            part.name: getattr(self, part.name)
            for part in fields(self)
            if part.compare and part.name not in ("drift", "closed")
        }
        if is_field(self.costs):
            parts["costs"] = "fields"
        if any(is_field(chance) for _, chance in self.jumps):  # type: ignore[union-attr]
            parts["jumps"] = "fields"
        return ("lattice", *parts.values())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the moves, as in the dataset."""
        return tuple(move_name(move) for move in self.moves)


def _offset(value: Any, what: str) -> Offset:
    steps = tuple(value) if np.iterable(value) else (value,)
    return tuple(whole(step, f"{what} {value!r} of a lattice") for step in steps)
