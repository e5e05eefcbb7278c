"""Where cells are, by the names of their axes: what functions of (t, coordinates) are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from mfgsolve.errors import unknown

__all__ = ["Coordinates"]


class Coordinates(Mapping[str, np.ndarray]):
    """Cell centres by name, each of the full shape: ``c.x``, ``c["y"]``; ``periods`` of the periodic axes.

    A listed space has ``c.state``, the number of the state; several populations have ``c.population`` and choices have
    ``c.action`` besides, which are no part of a point and are therefore not listed by ``in`` and ``len``.
    """

    def __init__(
        self,
        arrays: Mapping[str, np.ndarray],
        periods: Mapping[str, float] | None = None,
        labels: Mapping[str, np.ndarray] | None = None,
    ):
        self._arrays, self.periods, self._labels = dict(arrays), dict(periods or {}), dict(labels or {})

    def gap(self, name: str, point: float) -> np.ndarray:
        """Signed distance from a point along an axis; to its nearest image where the axis is periodic."""
        gap, period = self[name] - point, self.periods.get(name)
        return gap if period is None else np.asarray(gap - period * np.round(gap / period))

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __getattr__(self, name: str) -> np.ndarray:
        own = self.__dict__.get("_arrays", {}) | self.__dict__.get("_labels", {})
        try:
            return own[name]
        except KeyError:
            raise AttributeError(unknown("coordinate", name, own)) from None
