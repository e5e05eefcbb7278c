"""How much of a solve is done, counted in sweeps of the final grid, and how much is to come.

Work is what was measured: `Measure.sweeps`, which counts a sweep of a coarser grid by its share of the final one.  What
is to come is not known; it is estimated from what is, in one of three ways:

- **coarser grids.**  A grid of the share c of the final cell-steps is reached after about c / REACHED of all work, and
  solves take about USUAL sweeps; the estimate is the geometric mean of both.
- **the final grid, without a certificate yet.**  The final grid takes about as much again, AGAIN times what it took to
  come there.
- **certificates.**  The relative exploitability r falls by so many decades a sweep: as many sweeps are to come as the
  decades to the tolerance take at the pace of the last ones (RECENT of those made).  Solvers that end quadratically are
  sooner there.

The two of the final grid are averaged, geometrically, where both are known.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mfgsolve.solution.datasets import Measure

__all__ = ["Work"]

USUAL = 35.0  # sweeps of a solve from coarse to fine
REACHED = 2.5  # at the share c of the final cell-steps, c / REACHED of the work is done
AGAIN = 1.2  # as much as it took to come to the final grid, the final grid takes
RECENT = 0.5  # of the sweeps since the final grid was reached, by which the pace is judged
FLOOR = 1e-16  # below it a relative exploitability is round-off


class Work:
    """Sweeps done and to come, told measure by measure.

    Parameters
    ----------
    tol : relative exploitability to reach
    cell_steps : of the final grid; None takes the largest that was met
    most : sweeps at which it ends in any case; None is no limit
    """

    def __init__(self, tol: float, cell_steps: int | None = None, most: float | None = None):
        self.tol, self.final, self.most = max(tol, FLOOR), cell_steps, math.inf if most is None else most
        self.done = 0.0
        self._began = math.nan  # sweeps when the final grid was reached
        self._falls: list[tuple[float, float]] = []  # sweeps and log10 of the least exploitability so far
        self._share, self._stage, self._ended = 0.0, 0, False

    def update(self, measure: Measure) -> None:
        """Enter what an iteration measured."""
        if measure.sweeps < self.done or measure.stage != self._stage:  # another solver, or another mesh
            self._falls, self._stage = [], measure.stage
            self._began = math.nan if measure.sweeps < self.done else self._began
        self.done = measure.sweeps
        final = max(self.final or measure.cell_steps, 1)
        self._share = min(measure.cell_steps / final, 1.0)
        if not measure.final_grid:
            return
        if math.isnan(self._began):
            self._began = self.done
        reached = measure.relative_exploitability
        if not math.isfinite(reached):
            return
        depth = math.log10(max(reached, FLOOR))
        self._ended = reached <= self.tol
        if not self._falls or depth < self._falls[-1][1]:
            self._falls.append((self.done, depth))

    @property
    def total(self) -> float:
        """All sweeps, as far as can be told; never fewer than are done."""
        if self._ended:
            return self.done
        if math.isnan(self._began):
            by_grid = REACHED * self.done / max(self._share, 1e-3)
            estimate = math.sqrt(USUAL * by_grid) if self.done > 0 else USUAL
        else:
            estimate = self._on_final_grid()
        return min(max(estimate, self.done), max(self.most, self.done))

    def _on_final_grid(self) -> float:
        again = (1 + AGAIN) * self._began if self._began > 1.0 else math.nan
        pace = self._by_pace()
        if math.isnan(pace):
            return max(again if math.isfinite(again) else USUAL, self.done)
        if math.isnan(again) or again <= self.done:
            return pace
        return math.sqrt(pace * again)

    def _by_pace(self) -> float:
        """Sweeps in all at the pace of the last certificates; NaN before there are two."""
        if len(self._falls) < 2:
            return math.nan
        last, depth = self._falls[-1]
        since = last - RECENT * (last - self._falls[0][0])
        first = max((fall for fall in self._falls[:-1] if fall[0] <= since), default=self._falls[0])
        pace = (first[1] - depth) / max(self.done - first[0], 1e-9)
        return self.done + max(depth - math.log10(self.tol), 0.0) / pace

    @property
    def share(self) -> float:
        """What is done of all, in [0, 1]."""
        return self.done / self.total if self.total > 0 else 0.0
