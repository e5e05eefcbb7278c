"""Small pictures of densities: cells as coloured squares, levels side by side, as PNG by the standard library alone."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np

__all__ = ["png", "strip"]

# nine colours of viridis, from nobody to the crowd
COLOURS = np.array([
    [68, 1, 84], [71, 45, 123], [59, 82, 139], [44, 114, 142], [33, 145, 140], [40, 174, 128], [94, 201, 98],
    [173, 220, 48], [253, 231, 37],
])  # fmt: skip
WALL = np.array([150, 150, 150])
SIDE = 96  # pixels of the longer side of a level, at least; cells are magnified by whole numbers,
MOST = 128  # and left out where there are more than this along an axis
GAP = 4  # pixels between two levels


def png(pixels: np.ndarray) -> bytes:
    """A picture (rows, columns, 4) of bytes, red, green, blue and opacity, first row on top, as a PNG file."""
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + 4 * width), dtype=np.uint8)  # each begins with its filter, none
    rows[:, 1:] = pixels.reshape(height, -1)
    parts = (b"IHDR", struct.pack(">2I5B", width, height, 8, 6, 0, 0, 0)), (b"IDAT", zlib.compress(rows.tobytes(), 6))
    blocks = [_block(name, data) for name, data in (*parts, (b"IEND", b""))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(blocks)


def _block(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def strip(levels: np.ndarray, mask: np.ndarray | None = None, captions: Sequence[str] = ()) -> str:
    """An image element of levels (levels, rows, columns) side by side, first row below, in one scale of colours.

    Colours grow with the root of the density, so that a thin crowd is seen beside a dense one.

    Parameters
    ----------
    levels : densities; what is not finite is drawn as a wall
    mask : (rows, columns), True where there is a wall
    captions : one sentence for all is made of them, told where the picture cannot be seen
    """
    levels = np.asarray(levels, dtype=float)
    walls = ~np.isfinite(levels) | (np.zeros(levels.shape[1:], dtype=bool) if mask is None else mask)
    thin = tuple(slice(None, None, -(-size // MOST)) for size in levels.shape[1:])
    levels, walls = levels[(slice(None), *thin)], walls[(slice(None), *thin)]
    top = levels[~walls].max(initial=0.0)
    share = np.clip(np.where(walls, 0.0, levels) / (top if top > 0 else 1.0), 0.0, 1.0)
    place = np.sqrt(share) * (len(COLOURS) - 1)
    low = np.minimum(place.astype(int), len(COLOURS) - 2)
    part = (place - low)[..., None]
    colours = np.rint((1 - part) * COLOURS[low] + part * COLOURS[low + 1])
    pixels = np.where(walls[..., None], WALL, colours).astype(np.uint8)[:, ::-1]
    larger = max(1, -(-SIDE // max(pixels.shape[1:3])))
    pixels = pixels.repeat(larger, axis=1).repeat(larger, axis=2)
    return _element(pixels, captions)


def _element(pixels: np.ndarray, captions: Sequence[str]) -> str:
    """Levels (levels, rows, columns, 3) beside each other, with gaps that are clear."""
    count, height, width = pixels.shape[:3]
    whole = np.zeros((height, count * (width + GAP) - GAP, 4), dtype=np.uint8)
    for k, level in enumerate(pixels):
        first = k * (width + GAP)
        whole[:, first : first + width, :3], whole[:, first : first + width, 3] = level, 255
    data = base64.b64encode(png(whole)).decode()
    told = ", ".join(captions)
    return f'<img alt="{told}" title="{told}" style="max-width:100%" src="data:image/png;base64,{data}">'
