"""Rewards found out by asking: closed forms, potentials, states that nobody reaches."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

import mfgsolve as mfg
from mfgsolve.interop.closedforms import CrowdLogarithm, Linear
from mfgsolve.interop.rewards import crowds, is_local, state_coupling

SIZE = 6


MATRIX = np.random.default_rng(3).normal(size=(SIZE, SIZE))


SLOPES = np.arange(SIZE) + 0.5


FORMS = {
    "high floor": (lambda t, m: (1 + t) * np.log(m + 1e-3) - 3.0, CrowdLogarithm),
    "floor of everybody": (lambda t, m: SLOPES * np.log(m + 2.0), CrowdLogarithm),
    "clamped high": (lambda t, m: 2.0 * np.log(np.maximum(m, 0.02)) + t, mfg.LogCongestion),
    "logarithm": (lambda t, m: (1 + t) * np.log(m + 1e-20) - 3.0, CrowdLogarithm),
    "clamped": (lambda t, m: 2.0 * np.log(np.maximum(m, 1e-15)) + t, mfg.LogCongestion),
    "own mass": (lambda t, m: SLOPES * m + 1.0, Linear),
    "matrix": (lambda t, m: MATRIX @ m - t, mfg.Interaction),
    "both": (lambda t, m: 0.5 * np.log(m + 1e-10) + MATRIX @ m, mfg.couplings.Sum),
    "root": (lambda t, m: np.sqrt(m + 0.1), mfg.CustomCoupling),
    "product": (lambda t, m: m[::-1] * m.sum() ** 2, mfg.CustomCoupling),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_reward_is_recognised_and_costs_the_same(name):
    ask, kind = FORMS[name]
    found = state_coupling(ask, range(3), SIZE)
    assert type(found.coupling) is kind
    bound = found.coupling.bind(mfg.States(SIZE), np.arange(4.0))
    rng = np.random.default_rng(1)
    rho = np.stack([rng.dirichlet(np.full(SIZE, 0.3)) for _ in range(3)])
    cost = bound.cost(slice(0, 3), rho) + found.constant[:3]
    np.testing.assert_allclose(cost, [ask(t, rho[t]) for t in range(3)], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("name", ["logarithm", "clamped", "own mass", "root"])
def test_a_local_reward_has_its_integral_as_potential(name):
    ask, _ = FORMS[name]
    found = state_coupling(ask, range(3), SIZE)
    assert found.coupling.is_potential
    bound = found.coupling.bind(mfg.States(SIZE), np.arange(4.0))
    low, high = np.full((3, SIZE), 0.02), np.full((3, SIZE), 0.4)
    rise = bound.potential(slice(0, 3), high) - bound.potential(slice(0, 3), low)
    for t in range(3):
        exact = [quad(lambda m, x=x, t=t: ask(t, np.full(SIZE, m))[x], 0.02, 0.4)[0] for x in range(SIZE)]
        assert rise[t] + 0.38 * found.constant[t].sum() == pytest.approx(sum(exact), rel=1e-9)


def test_states_that_nobody_reaches_are_left_alone():
    reached = [np.arange(SIZE) < 3, np.arange(SIZE) < 5]
    found = state_coupling(lambda t, m: np.log(m + 1e-20), (1, 2), SIZE, reached=reached)
    assert (found.coupling.strength[[0, 0, 1, 2], [0, 5, 4, 4]] == [0, 0, 0, 1]).all()


def test_a_cost_of_ones_own_mass_is_told_from_one_of_a_neighbour():
    rng = np.random.default_rng(0)
    assert is_local(lambda m: np.sqrt(m) - 2 * m, 7, rng)
    assert not is_local(lambda m: m + 1e-6 * np.roll(m, 1), 7, rng)
    assert is_local(lambda m: m, 1, rng)


def test_crowds_are_distributions():
    found = crowds(6, 5, np.random.default_rng(0))
    assert len(found) == 5
    for mass in found:
        assert mass.sum() == pytest.approx(1.0)
        assert mass.min() >= 0
