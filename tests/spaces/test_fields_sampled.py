"""Fields that add up are sampled at their times."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
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


def test_maps_of_a_separable_field_are_made_once(monkeypatch):
    made = []
    monkeypatch.setattr("mfgsolve.fields.AT_ONCE", 8)
    field = mfg.fields.Separable(lambda times: np.ones((len(times), 1)), lambda c: made.append(1) or c.x[None])
    values = sample_nodes(field, np.linspace(0, 1, 9), mfg.Grid.box((4,)), "reward")
    assert values.shape == (9, 4)
    assert len(made) == 1


def test_what_cannot_be_sampled_says_whose_it_is():
    path = [(0.0, 0.1, 0.1, 0.1), (1.0, 0.2, 0.2, 0.2)]
    bump = mfg.Bump(1.0, 0.1, path=path)
    with pytest.raises(mfg.InputError, match=r"^running cost: point"):
        sample_nodes(bump, np.linspace(0, 1, 3), mfg.Grid.box((4, 4)), "running cost")
