"""Coordinates: by name, read-only, and around a ring."""

from __future__ import annotations

import pytest

import mfgsolve as mfg


def test_coordinates_go_by_name():
    c = mfg.Grid.box((2, 3)).coordinates
    assert set(c) == {"x", "y"}
    assert len(c) == 2
    assert (c.x == c["x"]).all()
    with pytest.raises(AttributeError, match="unknown coordinate 'z'"):
        _ = c.z


def test_a_gap_is_the_shorter_way_around():
    c = mfg.Grid.box((4,), boundary="periodic").coordinates
    assert c.gap("x", 0.0).tolist() == [0.125, 0.375, -0.375, -0.125]
    assert mfg.Grid.box((4,)).coordinates.gap("x", 0.0).tolist() == [0.125, 0.375, 0.625, 0.875]
