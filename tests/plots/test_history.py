"""Pictures of convergence."""

from __future__ import annotations

import numpy as np
import pytest
from pictured import solved, texts

from mfgsolve import plots
from mfgsolve.errors import InputError


def test_convergence_separates_grids_and_shows_what_is_below_zero() -> None:
    solution = solved("crowd-aversion")
    data = solution.dataset.copy(deep=True)
    data["relative_exploitability"].values[-1] = -1e-17
    data["cell_steps"].values[:3] /= 8
    figure = plots.convergence({"newton": data, "again": solution})
    text = texts(figure)
    assert "newton" in text
    assert "again" in text
    assert "at or below zero" in text
    assert "tolerance" in text
    left = figure.axes[0]
    assert left.get_yscale() == "log"
    hollow = sum(len(line.get_xdata()) for line in left.lines if line.get_marker() == "o" and line.get_mfc() == "white")
    cells = [d["cell_steps"].values for d in (data, solution.dataset)]
    assert hollow == sum((c < c[-1]).sum() for c in cells) >= 3
    below = [line for line in left.lines if line.get_marker() == "v"]
    assert [len(line.get_xdata()) for line in below] == [1]
    assert "at or below zero" not in texts(plots.convergence(solution))


def test_a_measure_that_was_not_taken_is_said_to_be_missing() -> None:
    data = solved("gaussian-log").dataset.copy(deep=True)
    data["duality_gap"].values[:] = np.nan
    assert "not measured" in texts(plots.convergence(data))


def test_nothing_to_compare() -> None:
    for nothing in ({}, [], [solved("cole-hopf")]):
        with pytest.raises(InputError, match=r"list of \(label, solution\)"):
            plots.convergence(nothing)
