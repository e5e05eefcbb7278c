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
    figure = plots.convergence({"newton": data, "again": solution}, stages=True)
    text = texts(figure)
    assert "newton" in text
    assert "again" in text
    assert "at or below zero" in text
    assert "tolerance" in text
    left = figure.axes[0]
    assert left.get_yscale() == "log"
    hollow = sum(
        len(line.get_xdata()) for line in left.lines if line.get_marker() in "os" and line.get_mfc() == "white"
    )
    cells = [d["cell_steps"].values for d in (data, solution.dataset)]
    assert hollow == sum((c < c[-1]).sum() for c in cells) >= 3
    below = [line for line in left.lines if line.get_marker() == "v"]
    assert [len(line.get_xdata()) for line in below] == [1]
    assert "at or below zero" not in texts(plots.convergence(solution))


def test_the_game_itself_is_drawn_and_no_line_leads_to_it_from_another_game() -> None:
    solution = solved("crowd-aversion")
    data = solution.dataset
    cells = data["cell_steps"].values
    own = data["relative_exploitability"].values[cells == cells[-1]]
    coarse = set(data["relative_exploitability"].values) - set(own)
    assert coarse
    for stages in (False, True):
        ax = plots.convergence(solution, stages=stages).axes[0]
        drawn = [line.get_ydata() for line in ax.lines if line.get_label() != "tolerance"]
        everything = np.concatenate([np.asarray(one, float) for one in drawn])
        assert coarse.isdisjoint(everything) is not stages
        for values in drawn:  # of one game alone
            assert coarse.isdisjoint(values) or set(own).isdisjoint(values)
    assert "coarser" not in texts(plots.convergence(solution))


def test_a_run_that_did_not_reach_the_game_itself_says_so() -> None:
    data = solved("crowd-aversion").dataset.copy(deep=True)
    data["final_grid"].values[:] = 0
    assert "no iteration of the game itself yet" in texts(plots.convergence(data))
    assert "no iteration" not in texts(plots.convergence(data, stages=True))


def test_measures_are_chosen_by_name() -> None:
    (ax,) = plots.convergence(solved("crowd-aversion"), measures=["exploitability"]).axes
    assert ax.get_ylabel() == "exploitability (cost)"
    with pytest.raises(InputError, match="did you mean 'duality_gap'"):
        plots.convergence(solved("crowd-aversion"), measures=["duality-gap"])


def test_a_measure_that_was_not_taken_is_said_to_be_missing() -> None:
    data = solved("gaussian-log").dataset.copy(deep=True)
    data["duality_gap"].values[:] = np.nan
    assert "not measured" in texts(plots.convergence(data))


def test_nothing_to_compare() -> None:
    for nothing in ({}, [], [solved("cole-hopf")]):
        with pytest.raises(InputError, match=r"list of \(label, solution\)"):
            plots.convergence(nothing)


def test_no_measures_are_refused_and_one_may_stand_alone() -> None:
    with pytest.raises(InputError, match="measures is empty"):
        plots.convergence(solved("beach-bar"), measures=[])
    assert len(plots.convergence(solved("beach-bar"), measures="duality_gap").axes) == 1
