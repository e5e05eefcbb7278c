"""Multiples of couplings: the same game as with the number in the parameter, by every number that a game shows."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.agents.regret import nash_gap
from mfgsolve.certificates import exploitability
from mfgsolve.couplings import marginal
from mfgsolve.couplings.base import Scaled
from mfgsolve.identity import fingerprint

GRID, NODES = mfg.Grid.box((6,)), slice(0, 2)
TIMES = np.array([0.0, 0.5])
RHO = np.array([[0.2, 1.0, 3.0, 0.1, 0.7, 1.0], [1.0, 1.0, 1.0, 1.0, 2.0, 0.0]])
PAIRS = [
    (mfg.CrowdAversion(0.3, power=2.0), mfg.CrowdAversion(0.6, power=2.0)),
    (mfg.LogCongestion(0.5, shift=0.1), mfg.LogCongestion(1.0, shift=0.1)),
    (mfg.Congestion(0.7, 0.2), mfg.Congestion(1.4, 0.2)),
    (mfg.RunningCost(0.25), mfg.RunningCost(0.5)),
    (mfg.Nonlocal(0.5, width=0.3), mfg.Nonlocal(1.0, width=0.3)),
    (mfg.CrowdAversion(0.25) + mfg.RunningCost(1.0), mfg.CrowdAversion(0.5) + mfg.RunningCost(2.0)),
]


@pytest.mark.parametrize(("half", "whole"), PAIRS, ids=lambda each: type(each).__name__)
def test_twice_the_half_is_the_whole(half, whole):
    for twice in (2 * half, half * 2, np.float64(2.0) * half, 4 * (0.5 * half)):
        one, other = twice.bind(GRID, TIMES), whole.bind(GRID, TIMES)
        for verb in ("cost", "potential", "slope", "second"):
            a, b = getattr(one, verb)(NODES, RHO), getattr(other, verb)(NODES, RHO)
            assert (a is None) == (b is None), verb
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=1e-14, err_msg=verb)
        np.testing.assert_allclose(one.tangent(NODES, RHO, RHO[::-1]), other.tangent(NODES, RHO, RHO[::-1]), rtol=1e-14)
        known = [each.cost_among(NODES, RHO / 10, 7) for each in (one, other)]
        assert (known[0] is None) == (known[1] is None)
        if known[0] is not None:
            np.testing.assert_allclose(*known, rtol=1e-14)
        for flag in ("on", "is_potential", "is_monotone", "is_local", "is_differentiable", "is_hard", "is_steep"):
            assert getattr(twice, flag) == getattr(whole, flag), flag


def flagship(coupling):
    grid, moving = mfg.Grid.box((12,)), mfg.ControlledDiffusion(0.05)
    return mfg.Problem(grid, mfg.TimeGrid(1.0, 8), moving, coupling, mfg.Bump(1.0, 0.2, (0.3,)), normalise=True)


def test_the_game_is_the_same_with_its_digest_certificate_social_optimum_and_file(tmp_path):
    goal = mfg.RunningCost(lambda t, c: (c.x - 0.8) ** 2)
    twice, whole = flagship(2 * (mfg.CrowdAversion(0.25) + goal)), flagship(mfg.CrowdAversion(0.5) + goal + goal)
    assert fingerprint(twice) == fingerprint(flagship((mfg.CrowdAversion(0.25) + goal) * 2.0))
    assert fingerprint(flagship(2 * mfg.CrowdAversion(0.25))) == fingerprint(flagship(mfg.CrowdAversion(0.5)))
    one, other = mfg.solve(twice), mfg.solve(whole)
    assert one.converged
    assert one.potential == pytest.approx(other.potential, abs=1e-13)
    again = mfg.load(one.save(tmp_path / "twice.nc"))
    assert exploitability(twice, again).exploitability == pytest.approx(one.exploitability, abs=1e-15)
    best = [mfg.solve(game, objective="social") for game in (twice, whole)]
    assert best[0].potential == pytest.approx(best[1].potential, abs=1e-12)
    assert [each.dataset.attrs["optimum"] for each in best] == ["bound", "bound"]


def test_regret_of_few_agents_follows():
    def bar(coupling):
        stay, swap = np.eye(2), np.eye(2)[::-1]
        moves = mfg.Tabular([stay, swap], temperature=0.2)
        return mfg.Problem(mfg.States(2), mfg.TimeGrid(3, 3), moves, coupling, np.array([0.7, 0.3]))

    gaps = [
        nash_gap(mfg.solve(bar(each)), agents=[2, 5]).regret.values
        for each in (2 * mfg.LogCongestion(0.5, shift=0.1), mfg.LogCongestion(1.0, shift=0.1))
    ]
    np.testing.assert_allclose(*gaps, rtol=1e-9)
    own = mfg.CustomCoupling(lambda t, c, rho: rho, derivative=lambda t, c, rho: np.ones_like(rho), monotone=True)
    assert nash_gap(mfg.solve(bar(2 * own)), agents=[3]).regret.item() >= -1e-12


def test_a_negative_multiple_gathers_and_is_no_monotone_game():
    gathering = -1.0 * mfg.CrowdAversion(1.0)
    assert not gathering.is_monotone
    assert (-2 * mfg.RunningCost(1.0)).is_monotone  # the crowd changes nothing of it
    assert (0 * mfg.LogCongestion()).is_monotone
    assert not (0 * mfg.LogCongestion()).is_steep
    assert not marginal(gathering).is_monotone
    assert marginal(2 * mfg.CrowdAversion(1.0)).is_monotone


@pytest.mark.slow
def test_a_claim_that_does_not_hold_is_withdrawn_from_a_multiple_too():
    wrong = mfg.CustomCoupling(lambda t, c, rho: rho**2, derivative=lambda t, c, rho: rho, monotone=True)
    with pytest.warns(UserWarning, match="derivative that the CustomCoupling claims is withdrawn"):
        mfg.solve(flagship(2 * wrong), method="fictitious-play", tol=1e-2, max_iterations=300)


def test_bounds_and_amounts_stay():
    cap = 3 * mfg.Capacity(0.5)
    assert cap.is_hard
    assert (cap.bind(GRID, TIMES).bounds(NODES)[1] == 0.5).all()
    price = 2 * mfg.Price(mfg.QuadraticPotential(), amounts=[1.0, -2.0])
    choices = mfg.spaces.Choices(2, mfg.States(3))
    np.testing.assert_array_equal(price.amounts_on(choices, np.zeros(1), None)[0, :, 0], [1.0, -2.0])
    np.testing.assert_array_equal(price.bind(choices, np.zeros(1)).cost(slice(0, 1), np.array([[3.0]])), [[6.0]])


def test_multiples_of_multiples_are_one():
    assert isinstance(2 * (3 * mfg.LogCongestion()), Scaled)
    assert (2 * (3 * mfg.LogCongestion())).factor == 6.0


@pytest.mark.parametrize("factor", ["2", None, True, np.nan, np.inf])
def test_what_is_no_number_is_no_factor(factor):
    with pytest.raises(mfg.InputError, match="factor of the CrowdAversion is"):
        factor * mfg.CrowdAversion(1.0)


@pytest.mark.parametrize("factor", [0, -1.0])
def test_a_hard_bound_has_positive_multiples_alone(factor):
    with pytest.raises(mfg.InputError, match=r"hard bounds, which have no multiple .* positive factor"):
        factor * mfg.Capacity(1.0)
