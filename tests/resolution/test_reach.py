"""A stencil grows by itself where a plan goes to its edge; a stated one is told of, with the number to take."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game, speeds
from mfgsolve.resolution import reach
from mfgsolve.steps import resolving


def posed(stated: int | None) -> mfg.Problem:
    return mfg.problems.supply_demand(shape=(16, 16), steps=20, scheme="upwind").with_scheme("entropic", stated)


@pytest.fixture(scope="module")
def far() -> mfg.Solution:
    return mfg.solve(posed(None), check="ignore")


def test_what_speeds_ask_for_is_far_enough_and_is_not_touched(far: mfg.Solution) -> None:
    assert far.problem.all_dynamics[0].reach is None  # type: ignore[attr-defined]
    assert "reach-too-small" not in [caution.code for caution in far.warnings]


def test_a_stated_one_stays_and_is_told_with_the_number_to_take(far: mfg.Solution) -> None:
    solution = mfg.solve(posed(2), check="ignore")
    assert solution.problem.all_dynamics[0].reach == 2  # type: ignore[attr-defined]
    assert solution.status is mfg.Status.CONVERGED
    (told,) = [caution for caution in solution.warnings if caution.code == "reach-too-small"]
    asked = make_game(posed(None)).step.reach
    assert f"reach = {max(asked)}" in told.sentence
    assert abs(solution.potential - far.potential) > 1e-4
    enough = mfg.solve(posed(max(asked)), check="ignore")
    assert "reach-too-small" not in [caution.code for caution in enough.warnings]
    assert enough.potential == pytest.approx(far.potential, rel=1e-9)


def test_one_that_was_guessed_too_small_grows_by_itself(far: mfg.Solution, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guess is spoilt on purpose: the same plan comes out, in a few sweeps more."""
    monkeypatch.setattr(resolving, "HASTE", 0.1)
    monkeypatch.setattr(resolving, "TAIL", 2.0)
    short = max(make_game(posed(None)).step.reach)
    solution = mfg.solve(posed(None), check="ignore")
    grown = solution.problem.all_dynamics[0].reach  # type: ignore[attr-defined]
    assert grown > short
    assert "reach-too-small" not in [caution.code for caution in solution.warnings]
    assert solution.converged
    assert solution.potential == pytest.approx(far.potential, rel=1e-7)
    np.testing.assert_allclose(solution.dataset.density, far.dataset.density, atol=1e-3)
    assert solution.dataset.attrs["problem"].count(f"reach = {grown}") == 1
    again = mfg.solve(solution.problem, check="ignore")
    assert again.potential == pytest.approx(solution.potential, rel=1e-9)


def test_the_edge_is_what_is_compared(far: mfg.Solution) -> None:
    game = make_game(posed(3))
    policy = game.respond(game.price(game.resting_crowd(game.empty_crowd()))).policy
    crowd = game.flow(policy)
    said = reach.reach_cautions(posed(3), game, game.policy_of(policy), crowd)
    assert [caution.code for caution in said] == ["reach-too-small"]
    assert reach.wider(posed(3), game, game.policy_of(policy), crowd) is None
    wider = reach.wider(posed(None), game, game.policy_of(policy), crowd)
    assert wider is not None
    assert wider.all_dynamics[0].reach == 5  # type: ignore[attr-defined]
    upwind = make_game(mfg.problems.supply_demand(shape=(8, 8), steps=8, scheme="upwind"))
    assert reach.wider(posed(None), upwind, game.policy_of(policy), crowd) is None


def test_the_speed_of_the_end_is_no_speed_of_the_way() -> None:
    """A terminal coupling counts once, by its slope; it says nothing of the price of a time before."""
    game = make_game(mfg.problems.linear_quadratic(shape=(64,), steps=32, scheme="entropic"))
    fastest = speeds.fastest_speed(game, 1.0)
    assert fastest == pytest.approx(3.0, rel=0.05)  # the slope of |x|^2 / 2 at the wall
