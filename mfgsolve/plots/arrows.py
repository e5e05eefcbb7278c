"""Arrows of a crowd: means over blocks of cells, on either side of a wall apart, and drawn so that none crosses one."""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import label

from mfgsolve.plots.reading import View

__all__ = ["arrows", "kept_off"]

ARROWS = 20  # per axis, at most
NEGLIGIBLE = 0.01  # of the largest density at that time
SHIFTS = (0.0, -0.5, -1.0, -0.25, -0.75)  # of its length, by which an arrow is moved back along itself
SCALES = (1.0, 0.85, 0.7, 0.6, 0.5)  # of the length of all arrows, until none crosses a wall
SAMPLES = 24  # points of an arrow that are looked at

Fields = list[list[tuple[np.ndarray, ...]]]  # (x, y, u, v) of each panel, a row for each view


def arrows(seen: View, t: float, drift: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Places and drifts (x, y, u, v) of blocks of cells, means over their mass; none where nobody is.

    A block that a wall divides has an arrow on each side.  ``drift`` are components x and y on the cells, in the step
    that contains t.
    """
    mass = seen.dataset["density"].values[seen.step_at(t)]
    if not seen.is_even(*seen.dims):
        mass = mass * math.prod(np.ix_(*(seen.widths(name) for name in reversed(seen.dims))))
    momenta = [mass * component for component in drift]
    if seen.ndim == 3:
        layers = slice(None) if seen.level is None else slice(seen.level, seen.level + 1)
        mass, momenta = mass[layers].sum(axis=0), [momentum[layers].sum(axis=0) for momentum in momenta]
    cell = seen.widths("y")[:, None] * seen.widths("x")
    area = np.ones_like(mass) if seen.is_even("x", "y") else cell
    y, x = np.meshgrid(seen.centres("y"), seen.centres("x"), indexing="ij")
    parts = _parts(mass.shape, seen.walls)
    count = int(parts.max(initial=0)) + 1
    total, sizes, places, *sums = (
        np.bincount(parts.ravel(), values.ravel(), count) for values in (mass, area, np.ones_like(mass), mass * x,
                                                                         mass * y, *momenta)
    )  # fmt: skip
    there = (total >= NEGLIGIBLE * (mass / area).max() * sizes) & (total > 0) & (places > 0)
    found = [each[there] / total[there] for each in sums]
    if seen.walls is not None:
        _into_the_open(found, seen, parts, np.flatnonzero(there))
    return tuple(found)


def _parts(shape: tuple[int, ...], walls: np.ndarray | None) -> np.ndarray:
    """A number for each cell: of its block, and of its side of the wall where one divides the block."""
    down, over = (np.arange(n) // -(-n // ARROWS) for n in shape)
    blocks = down[:, None] * (over[-1] + 1) + over
    if walls is None:
        return blocks
    parts, following = blocks.copy(), int(blocks.max()) + 1
    for block in np.unique(blocks[walls]):
        sides, count = label((blocks == block) & ~walls)
        for side in range(2, count + 1):
            parts[sides == side] = following
            following += 1
    return parts


def _into_the_open(found: list[np.ndarray], seen: View, parts: np.ndarray, numbers: np.ndarray) -> None:
    """Means of places that fall into a wall (their cells lie around a corner) move to the nearest of these cells."""
    assert seen.walls is not None
    x, y = seen.centres("x"), seen.centres("y")
    for k in np.flatnonzero(_is_blocked(seen, found[0], found[1])):
        j, i = np.nonzero((parts == numbers[k]) & ~seen.walls)
        near = int(np.argmin((x[i] - found[0][k]) ** 2 + (y[j] - found[1][k]) ** 2))
        found[0][k], found[1][k] = x[i[near]], y[j[near]]


def _is_blocked(seen: View, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether places lie in a wall or outside the box."""
    walls = seen.walls
    i = np.searchsorted(seen.edges("x"), x, side="right") - 1
    j = np.searchsorted(seen.edges("y"), y, side="right") - 1
    inside = (i >= 0) & (j >= 0) & (i < len(seen.centres("x"))) & (j < len(seen.centres("y")))
    if walls is None:
        return ~inside
    return ~inside | walls[np.clip(j, 0, walls.shape[0] - 1), np.clip(i, 0, walls.shape[1] - 1)]


def kept_off(fields: Fields, views: list[View], length: float) -> tuple[Fields, float, int]:
    """Arrows that lead through no wall: moved back along themselves, or all shorter by one factor.

    Parameters
    ----------
    fields : (x, y, u, v) of each panel, a row for each of the views
    length : how far an arrow of unit speed reaches, in units of x

    Returns
    -------
    The same with other starts, the factor of their lengths, and how many had to be left out.
    """  # fmt: skip
    walled = [view for view in views if view.walls is not None]
    if not walled:
        return fields, 1.0, 0
    best: tuple[Fields, float, int] | None = None
    for scale in SCALES:
        moved = [[_moved(panel, view, scale * length) for panel in row]
                 for row, view in zip(fields, views, strict=True)]  # fmt: skip
        lost = sum(int((~kept).sum()) for row in moved for _, kept in row)
        shown = [[tuple(part[kept] for part in panel) for panel, kept in row] for row in moved]
        if best is None or lost < best[2]:
            best = shown, scale, lost
        if lost == 0:
            break
    assert best is not None
    return best


def _moved(panel: tuple[np.ndarray, ...], view: View, length: float) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Starts from which arrows cross no wall, and which arrows have one."""
    x, y, u, v = panel
    start = np.array([x, y]).copy()
    done = np.zeros(x.shape, dtype=bool)
    reach = length * np.array([u, v])
    along = np.linspace(0.0, 1.0, SAMPLES)[:, None]
    for shift in SHIFTS:
        begin = np.array([x, y]) + shift * reach
        blocked = _is_blocked(view, begin[0] + along * reach[0], begin[1] + along * reach[1]).any(axis=0)
        now = ~done & ~blocked
        start[:, now] = begin[:, now]
        done |= now
    return (start[0], start[1], u, v), done
