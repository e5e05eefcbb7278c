"""Distances to the continuum in the tables of the command."""

from __future__ import annotations

import math
from dataclasses import replace

from mfgsolve.command.distance import distance_rows
from mfgsolve.discretisation import EXACT, UNMEASURED, Discretisation

FOUND = Discretisation("upwind", 0.011, 0.95, 1.4e-2, 6.6e-3, 0.22, "from 32x256 and 16x128")


def test_all_that_is_measured_is_said() -> None:
    row, viscosity = distance_rows(FOUND)
    assert row == (
        "to the continuum",
        "potential ±1.4e-02, cost ±6.6e-03, density (L1) ±2.2e-01 (upwind, from 32x256 and 16x128, observed order "
        "0.95)",
    )
    assert viscosity == ("viscosity of the scheme", "0.011, beside that of the game")
    beyond = replace(FOUND, extrapolated_potential=-0.25, extrapolated_potential_error=0.001, own_viscosity=0.0)
    assert distance_rows(beyond)[1:] == [("extrapolated potential", "-0.25 ±1.0e-03")]


def test_what_is_not_measured_is_left_out_or_said() -> None:
    (row, _) = distance_rows(replace(FOUND, potential=math.nan, order=math.nan))
    assert row[1] == "cost ±6.6e-03, density (L1) ±2.2e-01 (upwind, from 32x256 and 16x128)"
    assert distance_rows(UNMEASURED) == [("to the continuum", "not measured")]
    assert distance_rows(EXACT) == [("to the continuum", "0, a finite game is its own limit")]
