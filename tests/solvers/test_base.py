"""The driver of all solvers: reasons to stop, history, checkpoints."""

from __future__ import annotations

import json

import numpy as np
import pytest

import mfgsolve as mfg


@pytest.mark.parametrize("method", ["newton", "frank-wolfe", "fictitious-play"])
def test_every_reason_to_stop_has_its_status(small_problem, method):
    def solve(**options):
        return mfg.solve(small_problem, method=method, check="ignore", **options)

    assert solve(max_iterations=2).status is mfg.Status.ITERATION_LIMIT
    assert solve(max_seconds=0.0).status is mfg.Status.TIME_LIMIT
    stopped = solve(callback=lambda measure: measure.iteration == 1)
    assert stopped.status is mfg.Status.STOPPED
    assert not stopped.converged
    assert stopped.iterations == 1
    assert all(status.sentence.endswith(".") for status in mfg.Status)


def test_check_decides_what_happens_when_not_converged(small_problem):
    with pytest.warns(UserWarning, match="iteration limit"):
        mfg.solve(small_problem, max_iterations=1)
    with pytest.raises(mfg.NotConverged, match="iteration limit"):
        mfg.solve(small_problem, max_iterations=1, check="raise")


def test_history_is_labelled_and_ordered(small_problem):
    history = mfg.solve(small_problem).dataset
    assert history["iteration"].values.tolist() == list(range(history.sizes["iteration"]))
    assert (np.diff(history["sweeps"]) > 0).all()
    assert (np.diff(history["seconds"]) >= 0).all()
    assert np.isfinite(history["exploitability"]).all()
    for name in history.variables:
        assert "units" in history[name].attrs, name


def test_summary_is_plain_json(small_problem):
    summary = json.loads(json.dumps(mfg.solve(small_problem).summary()))
    assert list(summary) == [
        "status", "exploitability", "relative_exploitability", "potential", "duality_gap", "cost", "scale",
        "iterations", "sweeps", "seconds", "mass_error", "cap_fraction", "violation",
        "discretisation", "warnings",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("method", ["newton", "frank-wolfe", "fictitious-play"])
def test_costs_that_are_not_finite_have_their_status(method):
    problem = mfg.Problem(
        mfg.Grid.box(8),
        mfg.TimeGrid(1.0, 8),
        mfg.ControlledDiffusion(0.01, scheme="upwind"),
        mfg.CustomCoupling(
            cost=lambda t, c, rho: rho * np.nan,
            potential=lambda t, c, rho: rho * np.nan,
            derivative=lambda t, c, rho: rho * np.nan,
            monotone=True,
        ),
        1.0,
    )
    assert mfg.solve(problem, method=method, check="ignore").status is mfg.Status.NON_FINITE


def test_a_checkpoint_is_not_continued_in_another_game(tmp_path):
    def game(aim):
        return mfg.Problem(
            mfg.Grid.box(8),
            mfg.TimeGrid(1.0, 16),
            mfg.ControlledDiffusion(0.05, scheme="upwind"),
            mfg.CrowdAversion(0.5),
            1.0,
            terminal=lambda t, c: 0.1 * (c.x - aim) ** 2,
        )

    file = tmp_path / "c.nc"
    first = mfg.solve(game(0.2), checkpoint=file)
    with pytest.raises(mfg.InputError, match="another game"):
        mfg.resume(file, problem=game(0.9))
    assert mfg.resume(file, problem=game(0.2)).exploitability == first.exploitability
