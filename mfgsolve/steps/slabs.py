"""Slabs: a few time steps at a time, so that what is computed of them stays in cache."""

from __future__ import annotations

__all__ = ["CHUNK", "slabs"]

CHUNK = 16384  # numbers of a slab


def slabs(steps: int, width: int) -> list[slice]:
    """Slices of the time steps, each of about `CHUNK` numbers; ``width`` numbers belong to one step."""
    size = max(1, CHUNK // width)
    return [slice(k, min(k + size, steps)) for k in range(0, steps, size)]
