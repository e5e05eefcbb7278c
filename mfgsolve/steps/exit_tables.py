"""The step of a finite list of actions on a space with exits; see `mfgsolve.steps.exits`."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.spaces import Space
from mfgsolve.steps.exits import AbsorbedNoise, absorbed_transitions, noise_matrices
from mfgsolve.steps.factors import Noise
from mfgsolve.steps.identity import unchanging
from mfgsolve.steps.shifts import Readings
from mfgsolve.steps.tables import TableStep
from mfgsolve.steps.transitions import Tabulated, Transitions, spaces_of

__all__ = ["ExitTableStep"]


class ExitTableStep(TableStep):
    """Tables of which the rows of exits say that who is there stays, by the one action that it has there.

    Where the crowd decides the transitions it is the crowd inside.
    """

    def __init__(self, dynamics: Sequence[Tabulated], space: Space, time: TimeGrid, mass: np.ndarray):
        self.gone = space.exits.cells.reshape(-1)
        super().__init__(dynamics, space, time, mass)
        self.transitions = absorbed_transitions(self.transitions, self.gone)
        first = np.arange(self.actions)[:, None] == self.allowed.argmax(axis=0)
        self.allowed = np.where(self.gone, first, self.allowed)
        self.own_cost = np.where(self.gone, 0.0, self.own_cost)
        self._readings = Readings(self.transitions, self.actions, self.states)

    def with_exits(self, paid: np.ndarray) -> ExitTableStep:
        """The same step; in an exit agents pay what they have paid less what they would pay later."""
        other, less = copy.copy(self), unchanging(paid.reshape(len(paid), -1)[:-1] - paid.reshape(len(paid), -1)[1:])
        levels = max(len(less), len(self.own_cost))
        own = np.broadcast_to(self.own_cost, (levels, *self.policy_shape))
        other.own_cost = np.where(self.gone, np.where(self.allowed, less[:, None], 0.0), own)
        return other

    def transitions_at(self, t: int, mass: np.ndarray) -> Transitions:
        """The transitions of step t."""
        if not self.is_coupled:
            return self.transitions
        inside = np.where(self.gone, 0.0, mass.reshape(-1))
        return absorbed_transitions(super().transitions_at(t, inside), self.gone)

    def _noise(self) -> list[Noise]:
        """Implicit noise of each population, which exits end at their centres, as they end explicit noise and moves."""
        own = super()._noise()
        if not own:
            return own
        grids, size = spaces_of(self.space), self.states // self.space.populations
        schemes = {part.start // size: scheme for part, _, scheme in own[0].parts}
        axes = []
        for p, grid in enumerate(grids):
            assert isinstance(grid, Grid)
            gone = self.gone[p * size : (p + 1) * size].reshape(grid.shape)
            diffused = 0.0
            if p in schemes:
                axis, rate = grid.axes[-1], schemes[p].rate[2]
                first = rate[0, 0] * axis.distances[0] if isinstance(rate, np.ndarray) else rate * axis.spacing
                diffused = float(first * axis.widths[0])
            axes.append(noise_matrices(grid, gone, diffused, at_faces=False))
        blocks = [sparse.block_diag(each, format="csc") for each in zip(*axes, strict=True)]
        return [AbsorbedNoise(blocks, grids[0])]  # type: ignore[arg-type,list-item]
