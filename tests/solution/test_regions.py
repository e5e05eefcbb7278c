"""Regions: shares of cells by conditions, boxes, functions, arrays and names; what is refused, and how."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.grids import Axis
from mfgsolve.solution.regions import edges_of, share_of, space_dims, volumes_of


def grid_dataset(grid: mfg.Grid) -> xr.Dataset:
    """A dataset with a density on a grid."""
    coordinates = {name: ((name,), *rest) for name, rest in grid.dimension_coordinates.items()}
    return xr.Dataset({"density": (("time", *grid.dims), np.ones((1, *grid.shape)))}, coordinates)


PLANE = grid_dataset(mfg.Grid.box((10, 8), bounds=[(0, 1), (0, 2)]))
STATES = xr.Dataset({"density": (("time", "state"), np.ones((1, 3)))}, {"state": ["A", "B", "C d"]})
NUMBERS = xr.Dataset({"density": (("time", "state"), np.ones((1, 5)))}, {"state": np.arange(5)})


def area(where: object, dataset: xr.Dataset = PLANE) -> float:
    whole = share_of(where, dataset) * volumes_of(dataset) * xr.ones_like(dataset["density"].isel(time=0))
    return float(whole.sum())


@pytest.mark.parametrize(
    ("where", "size"),
    [
        (None, 2.0),
        ("x>0.6", 1.4),
        ("0.6 < x", 1.4),
        ("0.2<x<0.5 & y<=0.4", 0.12),
        ("x<.5 and y>=5e-1", 0.25),
        ("x<0.3 | x>1.9", 0.4),
        ("x<1 | y<0.5", 1.5),
        ("x<1 || x<1.5 or x<0.25", 1.5),
        ("x<1 | x<1.5 & y<0.5", 1.25),
        (mfg.Box((0.1, 0.0), (1.1, 0.33)), 0.33),
        (lambda c: c.x > 1.0, 1.0),
        (np.arange(80).reshape(10, 8) < 8, 0.2),
    ],
)
def test_a_region_has_its_area(where: object, size: float):
    assert area(where) == pytest.approx(size, abs=1e-14)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 60)] * 4), min_size=1, max_size=4))
def test_a_union_is_what_counting_points_says(boxes: list[tuple[int, ...]]):
    ordered = [(min(a, b) / 30, max(a, b) / 30, min(c, d) / 60, max(c, d) / 60) for a, b, c, d in boxes]
    parts = [part for part in ordered if part[0] < part[1] and part[2] < part[3]] or [(0.0, 2.0, 0.0, 1.0)]
    text = " | ".join(f"x>{a!r} & x<{b!r} & y>{c!r} & y<{d!r}" for a, b, c, d in parts)
    edges = [np.unique([0.0, top, *(e for part in parts for e in part[i : i + 2])]) for i, top in ((0, 2), (2, 1))]
    x, y = (0.5 * (e[1:] + e[:-1]) for e in edges)
    inside = np.zeros((len(y), len(x)), dtype=bool)
    for a, b, c, d in parts:
        inside |= ((x > a) & (x < b))[None, :] & ((y > c) & (y < d))[:, None]
    exact = float((inside * np.diff(edges[1])[:, None] * np.diff(edges[0])[None, :]).sum())
    assert area(text) == pytest.approx(exact, abs=1e-12)


def test_uneven_cells_and_labels_have_their_volumes():
    uneven = grid_dataset(mfg.Grid((Axis.from_edges("x", [0.0, 0.1, 0.4, 1.0]),)))
    assert edges_of(uneven, "x").tolist() == [0.0, 0.1, 0.4, 1.0]
    assert area("x>0.25", uneven) == pytest.approx(0.75)
    assert space_dims(STATES) == ("state",)
    assert area(["A", "C d"], STATES) == area("state == 'C d' | state = A", STATES) == 2
    assert area("state >= 3", NUMBERS) == area("2 < state", NUMBERS) == 2
    assert area("1 <= state < 3", NUMBERS) == 2


def test_labelled_masks_may_come_in_any_order():
    mask = xr.DataArray(np.arange(80).reshape(10, 8) < 8, {"y": PLANE.y, "x": PLANE.x}, ("y", "x"))
    assert area(mask.transpose("x", "y")) == area(mask) == pytest.approx(0.2)


def test_sites_own_the_cells_that_are_nearest_to_them():
    dataset = PLANE.assign(site_x=("site", [0.5, 1.5]), site_y=("site", [0.5, 0.5]))
    assert area("site 0", dataset) == area("site 1", dataset) == pytest.approx(1.0)
    with pytest.raises(InputError, match="has the sites 0 to 1"):
        share_of("site 2", dataset)
    with pytest.raises(InputError, match="has no sites"):
        share_of("site 0", PLANE)


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("q<3", "unknown coordinate in where 'q'"),
        ("y=0.3", "no cell at a single y"),
        ("x<", "is no comparison"),
        ("x<(3)", "is no comparison"),
        ("__import__('os')", "is no comparison"),
        ("x<0.3 &", "is no comparison"),
        ("x<0.3 & & y<1", "is no comparison"),
        ("", "nothing in it"),
        ("x<nan", "no number"),
        ("x<1e999", "no number"),
        ("x>2", "no cell of the space lies: y goes from 0 to 1; x goes from 0 to 2"),
        (" | ".join(f"x<{k}" for k in range(1, 11)), "10 parts"),
        ("x<1 | " * 200, "characters"),
        (["A"], "is a list of names, and the space is a grid"),
        (mfg.Box((0,), (1,)), "a box of 1 coordinates"),
        (np.ones((3, 3), dtype=bool), "shape"),
        (np.ones((10, 8)), "truth values"),
        (lambda c: c.x, "truth values"),
    ],
)
def test_what_is_no_region_is_told(where: object, sentence: str):
    with pytest.raises(InputError) as told:
        share_of(where, PLANE)
    assert sentence in str(told.value)


def test_names_that_are_not_there_are_told():
    with pytest.raises(InputError, match="state in where 'D'"):
        share_of(["D"], STATES)
    with pytest.raises(InputError, match="state in where 'a'"):
        share_of("state == 'a'", STATES)
    with pytest.raises(InputError, match="have no order"):
        share_of("state > 3", STATES)
