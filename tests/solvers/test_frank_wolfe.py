"""Fictitious play and Frank-Wolfe: steps by hand, a potential that falls, and their ends."""

from __future__ import annotations

import numpy as np
import pytest
from programmes import meeting

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solvers import FictitiousPlay, FrankWolfe


def test_frank_wolfe_decreases_the_potential_at_every_step(small_problem):
    solution = mfg.solve(small_problem, method="frank-wolfe", max_iterations=30, check="ignore")
    assert (np.diff(solution.dataset["potential"]) <= 1e-15).all()


def test_frank_wolfe_ends_where_the_slope_is_not_finite(tmp_path):
    """A cost that is no number beyond a density: the status says so, and the checkpoint says the same."""

    def broken(density, values):
        return np.where(density > 0.8, np.nan, values)

    coupling = mfg.CustomCoupling(
        lambda t, c, rho: broken(rho, rho), potential=lambda t, c, rho: broken(rho, rho**2 / 2), monotone=True
    )
    game = mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(6, 6), coupling=coupling, initial=np.array([0.75, 0.25]),
        dynamics=mfg.Tabular([np.eye(2), np.eye(2)[::-1]], cost=[[0, 1.0], [0, 0.5]], temperature=0.1),
    )  # fmt: skip
    options = {"check": "ignore"}
    ended = mfg.solve(game, method="frank-wolfe", checkpoint=tmp_path / "c.nc", **options)
    assert ended.status is mfg.Status.NON_FINITE
    assert mfg.resume(tmp_path / "c.nc", problem=game, **options).status is mfg.Status.NON_FINITE


def test_frank_wolfe_goes_to_the_minimum_along_the_segment():
    solver = FrankWolfe(accuracy=1e-12)
    state = solver.init(make_game(meeting(1.0)), 1e-9)
    np.testing.assert_array_equal(state.plan.crowd[-1, :2], [0.0, 1.0])  # all flee the place where all rest
    assert state.measure.exploitability == pytest.approx(1.0)
    state = solver.step(state)
    np.testing.assert_allclose(state.plan.crowd[-1, :2], 0.5, atol=1e-10)
    assert state.measure.potential == pytest.approx(0.25)  # (1/2)(1/4 + 1/4)
    assert state.measure.exploitability == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("average", "places"), [("linear", [1, 1 / 3, 4 / 6, 4 / 10]), ("uniform", [1 / 2] * 4)])
def test_weights_of_fictitious_play(average, places):
    """Mass of the second place; responses alternate (ties of the even crowd are broken to the first action)."""
    solver = FictitiousPlay(average=average)
    state, found = solver.init(make_game(meeting(1.0)), 1e-9), []
    for k in range(4):
        found.append(float(state.plan.crowd[-1, 1]))
        length = 2 / (k + 3) if average == "linear" else 1 / (k + 2)
        answer = float(state.response[-1, 1])
        assert answer == (found[-1] < 0.5)
        state = solver.step(state)
        assert state.plan.crowd[-1, 1] == pytest.approx((1 - length) * found[-1] + length * answer)
    if average == "linear":
        np.testing.assert_allclose(found, places)
    else:
        np.testing.assert_allclose(found[0], places[0])
    with pytest.raises(mfg.InputError, match="average"):
        FictitiousPlay(average="weighted")
