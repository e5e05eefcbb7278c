"""Occupations to try things on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

import mfgsolve as mfg
from mfgsolve.learners.occupation import Occupation

few = settings(max_examples=25, deadline=None)


seeds = st.integers(0, 2**31)


BLOCKED = np.zeros((4, 5), dtype=bool)


BLOCKED[1:3, 2] = True


SPACES = {
    "states": mfg.States(["a", "b", "c"]),
    "circle": mfg.Grid.box(6, bounds=[(0.0, 3.0)], boundary="periodic"),
    "walls": mfg.Grid.box((4, 5), bounds=[(0.0, 2.0), (0.0, 1.0)], blocked=BLOCKED),
    "two": mfg.Populations(["red", "blue"], mfg.Grid.box((3, 4), boundary="periodic")),
}


def random_occupation(name: str, seed: int, levels: int = 3) -> Occupation:
    """Some cells empty, some actions not allowed; the last action always is."""
    space, rng = SPACES[name], np.random.default_rng(seed)
    allowed = np.random.default_rng(1).random((3, *space.shape)) < 0.8
    allowed[-1] = True
    mass = rng.exponential(size=(levels, *space.shape, 3)) * (rng.random((levels, *space.shape, 1)) < 0.7)
    mass *= np.moveaxis(allowed & ~space.mask, 0, -1)
    free = tuple(np.argwhere(~space.mask)[0])
    mass[(slice(None), ..., *free[-getattr(space, "space", space).ndim :], 2)] += 0.1
    flat = mass.reshape(levels, space.populations, -1)
    flat /= flat.sum(axis=2, keepdims=True)
    return Occupation.of_array(mass, space, ["l", "r", "s"], np.arange(levels) * 0.5, allowed, ends=True)


everywhere = pytest.mark.parametrize("name", list(SPACES))
