"""What is kept of a game that was solved on one mesh, to be compared with others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from mfgsolve.certificates import Certificate
from mfgsolve.games import Game, Policy
from mfgsolve.grids import Grid
from mfgsolve.resolution.overlay import Flow, apart
from mfgsolve.solvers.base import Outcome
from mfgsolve.steps.sampling import sampling_shift

if TYPE_CHECKING:
    from mfgsolve.steps.entropic import EntropicStep

__all__ = ["Known", "Meshed", "apart_of"]

UNSEEN = 1e-9  # e_s whose effect is round-off


@dataclass(frozen=True)
class Known:
    """The numbers of a mesh: cells and steps, potential and cost; NaN where there is none, or it is not known."""

    shape: tuple[int, ...]
    steps: int
    potential: float
    cost: float = math.nan

    @property
    def name(self) -> str:
        """Cells and steps, "32x32x256"."""
        return "x".join(str(n) for n in (*self.shape, self.steps))

    @property
    def cell_steps(self) -> int:
        return math.prod(self.shape) * self.steps


@dataclass(frozen=True, eq=False)
class Meshed:
    """A game on one mesh.

    Attributes
    ----------
    numbers : cells and steps, potential and cost of its plan
    flow : mass of its crowd, and the grid
    order : formal order of its steps
    space_error : e_s
    sweeps : it took, of its own mesh
    gap : exploitability of its plan, by which its numbers may be off
    noise : `Step.noise_cost`, by the share e_s of which numbers may be off
    shift : by how much numbers are off for sums over cells (`mfgsolve.steps.sampling`); NaN where nobody knows
    """

    numbers: Known
    flow: Flow
    order: float
    space_error: float
    sweeps: float
    gap: float = 0.0
    noise: float = 0.0
    shift: float = math.nan

    @property
    def has_walls(self) -> bool:
        """Whether some cells are blocked."""
        return bool(self.flow.grid.mask.any())

    @property
    def known_shift(self) -> float:
        """``shift``, or 0."""
        return 0.0 if math.isnan(self.shift) else self.shift

    @property
    def potential(self) -> float:
        """Of a mesh with ever finer cells and the same steps, as far as that is known."""
        return self.numbers.potential - self.known_shift

    @property
    def cost(self) -> float:
        """The same of the cost."""
        return self.numbers.cost - self.known_shift

    @classmethod
    def of(cls, outcome: Outcome, certificate: Certificate, sweeps: float = 0.0, least: float = 0.0) -> Meshed:
        """Of what a solver hands over; a shift that is less than ``least`` is not worth its work."""
        return cls.made(outcome.game, outcome.crowd, certificate, sweeps, outcome.policy, least)

    @classmethod
    def made(
        cls, game: Game, crowd: np.ndarray, certificate: Certificate, sweeps: float, policy: Policy | None = None,
        least: float = 0.0,
    ) -> Meshed:  # fmt: skip
        """Of a crowd and its certificate."""
        assert isinstance(game.grid, Grid)
        numbers = Known(game.grid.shape, game.steps, certificate.potential, certificate.cost)
        flow, gap = Flow(game.grid, game.mass(crowd)), max(certificate.exploitability, 0.0)
        step, shift = game.step, _shift(game, crowd, policy, least)
        return cls(numbers, flow, step.order, step.space_error, sweeps, gap, step.noise_cost, shift)


def _shift(game: Game, crowd: np.ndarray, policy: Policy | None, least: float) -> float:
    step = game.step
    if not step.is_entropic or step.space_error <= UNSEEN:
        return 0.0
    if game.grid.mask.any() or step.space_error * step.noise_cost <= least:
        return math.nan
    array = getattr(policy, "array", None)  # an average has none: what answers it is as far off
    if array is None:
        array = game.respond(game.price(crowd), crowd=crowd).policy
    return sampling_shift(cast("EntropicStep", step), array, crowd)


def apart_of(fine: Meshed, coarse: Meshed) -> float:
    """L1 distance of the two densities."""
    return apart(fine.flow, coarse.flow, smooth=fine.order > 1)
