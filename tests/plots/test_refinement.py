"""The picture of a ladder of meshes: errors where they were measured, the formal slope, meshes by name."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from mfgsolve.errors import InputError
from mfgsolve.plots import refinement


def ladder(**changes: object) -> xr.Dataset:
    steps, zero = np.array([32.0, 64.0, 128.0]), np.full(3, np.nan)
    error = 3.2 / steps
    data = {
        "steps": steps, "potential": 1 + error, "cost": 2 + error,
        "potential_error": 2 * error, "cost_error": 3 * error,
        "density_error": np.array([np.nan, 0.2, 0.1]), "density_difference": np.array([np.nan, 0.1, 0.05]),
        "extrapolated_potential": np.array([np.nan, 1.0, 1.0]),
    } | {name: zero for name in changes.get("unknown", ())}  # fmt: skip
    variables = {name: ("level", values) for name, values in data.items()}
    attrs = {"kind": "refinement", "name": "hill", "formal_order": 1.0, "discretisation_scheme": "upwind"}
    meshes = ("level", np.array(["16x32", "32x64", "64x128"]))
    return xr.Dataset(variables | {"mesh": meshes}, {"level": np.arange(3)}, attrs)


def test_errors_are_drawn_against_the_time_step() -> None:
    left, right = refinement(ladder()).axes
    lines = {line.get_label(): line for line in left.get_lines()}
    np.testing.assert_allclose(lines["estimated error"].get_xdata(), 1 / np.array([32, 64, 128]))
    np.testing.assert_allclose(lines["estimated error"].get_ydata(), 6.4 / np.array([32, 64, 128]))
    np.testing.assert_allclose(
        lines["distance to the extrapolated potential"].get_ydata(), 3.2 / np.array([32, 64, 128])
    )
    x, y = (np.log(np.asarray(values)) for values in lines["slope 1"].get_data())
    assert np.diff(y) / np.diff(x) == pytest.approx(1.0)
    assert [text.get_text() for text in left.texts] == ["16x32", "32x64", "64x128"]
    assert len(right.get_lines()[0].get_xdata()) == 2  # the first was not measured


def test_a_game_without_potential_shows_its_cost() -> None:
    left = refinement(ladder(unknown=("potential", "potential_error", "extrapolated_potential"))).axes[0]
    np.testing.assert_allclose(left.get_lines()[0].get_ydata(), 9.6 / np.array([32, 64, 128]))


def test_what_was_not_measured_is_said() -> None:
    right = refinement(ladder(unknown=("density_error", "density_difference"))).axes[1]
    assert [text.get_text() for text in right.texts] == ["not measured"]
    assert right.get_lines() == []


def test_other_datasets_are_refused() -> None:
    with pytest.raises(InputError, match="a ladder of meshes is needed"):
        refinement(xr.Dataset())
