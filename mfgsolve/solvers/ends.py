"""Whether agents can get to a final density at all: by any path, whatever it costs."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, sparse

from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.grids import Grid
from mfgsolve.spaces import Populations

__all__ = ["check_end", "reachable"]

ROUND = 1e-12  # share of a target that is nobody


def check_end(game: Game) -> None:
    """Refuse a final density part of which no path leads to; that paths lead there is no proof that enough agents can
    come, which only a solve tells.

    Raises
    ------
    InputError
        naming the share and a cell
    """
    target = game.final_mass
    if target is None or game.is_coupled:
        return
    if game.problem.is_finite:
        missed = target * ~reachable(game)
        share, why = float(missed.sum()), f"in {game.steps} steps; allow more steps or farther moves"
    else:
        missed = np.abs(_parts(game, target))
        share, why = 0.5 * float(missed.sum()), "that walls do not bar; move it, or open a door"
    if share <= ROUND * game.grid.populations:
        return
    cell = tuple(int(k) for k in np.unravel_index(int(missed.argmax()), game.grid.shape))
    raise InputError(
        f"the final density cannot be met: {share:.3g} of its mass lies where no path leads from the initial density "
        f"(first of all in cell {cell}) {why}"
    )


def reachable(game: Game) -> np.ndarray:
    """Cells (boolean) in which an agent with tables of transitions can be at the horizon."""
    table, allowed, cells = game.step.transitions, game.step.allowed.reshape(-1), game.cells
    here = game.initial_mass.reshape(-1) > 0
    for t in range(game.steps):
        matrix = sparse.csr_array(table.matrix(t, cells))
        weights = np.tile(here, game.step.actions) & allowed
        here = (matrix.T @ weights.astype(float)) > 0
        if game.step.has_noise:
            here = game.step.diffuse(here.astype(float), True, t).reshape(-1) > 0
    return np.asarray(here)


def _parts(game: Game, target: np.ndarray) -> np.ndarray:
    """Mass of the target less that of the start, of every part of a grid that walls separate, in one cell of each."""
    grid = game.grid.space if isinstance(game.grid, Populations) else game.grid
    result = np.zeros(game.cells)
    if not isinstance(grid, Grid):
        return result
    labels, _ = ndimage.label(~grid.mask)
    labels = _joined(labels, grid).reshape(-1)
    change = (target - game.initial_mass.reshape(-1)).reshape(-1, labels.size)
    for p, row in enumerate(change):
        for part in np.unique(labels[labels > 0]):
            inside = labels == part
            place = int(np.argmax(np.where(inside, np.abs(row), -1.0)))
            result[p * labels.size + place] = row[inside].sum()
    return result


def _joined(labels: np.ndarray, grid: Grid) -> np.ndarray:
    """Parts that meet across the ends of a periodic axis have one label."""
    for k, axis in enumerate(grid.axes):
        if axis.boundary == "periodic":
            for a, b in zip(labels.take(0, k).reshape(-1), labels.take(-1, k).reshape(-1), strict=True):
                if a and b and a != b:
                    labels = np.where(labels == b, a, labels)
                    return _joined(labels, grid)
    return labels
