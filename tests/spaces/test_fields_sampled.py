"""Fields that add up are sampled at their times."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.errors import InputError
from mfgsolve.fields import Box, Separable, Total, sample_nodes
from mfgsolve.grids import Grid


def test_fields_are_sampled_at_their_times() -> None:
    grid, times = Grid.box((3, 4)), np.array([0.0, 0.5, 2.0])
    tides = Separable(lambda t: np.stack([t, 1 - t], axis=1), lambda c: np.stack([c.x, c.y**2]))
    moving = Total((tides, 2.0, lambda t, c: t * c.x))
    c = grid.coordinates
    for field, exact in (
        (tides, lambda t: t * c.x + (1 - t) * c.y**2),
        (moving, lambda t: 2 * t * c.x + (1 - t) * c.y**2 + 2),
    ):
        np.testing.assert_allclose(sample_nodes(field, times, grid, "it"), [exact(t) for t in times], rtol=1e-13)
    assert sample_nodes(Total((1.0, Box((0.5, 0.5), (1.0, 1.0)))), times, grid, "it").shape == (1, 3, 4)
    with pytest.raises(InputError, match=r"tide is nan at t = 0.5, cell \(0, 0\); every value must be finite"):
        sample_nodes(
            Separable(lambda t: np.where(t == 0.5, np.nan, t)[:, None], lambda c: c.x[None]), times, grid, "tide"
        )
