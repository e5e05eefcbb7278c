"""A problem on another mesh: what is stated by an array ties it to its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg

GRID = mfg.Grid.box((4, 6))
FIELD = np.full((4, 6), 0.05)


def stated(viscosity: Any = 0.05, control_cost: Any = 1.0, **changes: Any) -> mfg.Problem:
    dynamics = mfg.ControlledDiffusion(viscosity, control_cost, scheme="upwind")
    fields: dict[str, Any] = {"grid": GRID, "initial": 1.0}
    return mfg.Problem(time=mfg.TimeGrid(1.0, 8), dynamics=dynamics, coupling=mfg.CrowdAversion(), **(fields | changes))


@pytest.mark.parametrize("kind", [np.array, lambda a: xr.DataArray(a, dims=("y", "x"))], ids=["array", "labelled"])
@pytest.mark.parametrize("name", ["viscosity", "control_cost"])
def test_a_field_of_the_dynamics_ties(name, kind):
    problem = stated(**{name: kind(FIELD)})
    assert problem.rescaled((8, 12), 16) is None


def test_an_exit_cost_by_cells_ties_and_numbers_and_functions_do_not():
    doors = {"grid": mfg.Grid.box((4, 6), exits={"door": "x-low"})}
    assert stated(exit_cost=FIELD, **doors).rescaled((8, 12), 16) is None
    others = [stated(exit_cost=0.3, **doors), stated(viscosity=lambda t, c: 0.05 + 0.01 * c.x)]
    for problem in (stated(), *others):
        assert problem.rescaled((8, 12), 16).grid.shape == (8, 12)
