"""Equations of motion: energy, symmetry, and the small swings that one knows in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfgsolve.tasks import mechanics

SEEDS = st.integers(0, 10_000)


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_an_acrobot_without_torque_keeps_its_energy(seed):
    rng = np.random.default_rng(seed)
    factors, state = rng.uniform(0.5, 2.0, (6, 4)), rng.uniform(-1.5, 1.5, (6, 4))
    before = mechanics.acrobot_energy(state, factors)

    def rate(at):
        return mechanics._acrobot_rate(at, np.zeros(6), factors)

    for _ in range(200):
        state = mechanics.runge_kutta(rate, state, 0.005)
    np.testing.assert_allclose(mechanics.acrobot_energy(state, factors), before, atol=1e-6)


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_torque_does_work_on_the_joint_alone(seed):
    """dE/dt = torque angle'."""
    rng = np.random.default_rng(seed)
    factors, state, torque = rng.uniform(0.5, 2.0, (5, 4)), rng.uniform(-2, 2, (5, 4)), rng.uniform(-2, 2, 5)
    rate, small = mechanics._acrobot_rate(state, torque, factors), 1e-5
    ahead, behind = (mechanics.acrobot_energy(state + sign * small * rate, factors) for sign in (1, -1))
    np.testing.assert_allclose((ahead - behind) / (2 * small), torque * state[:, 3], atol=1e-6)


def test_runge_kutta_is_of_order_four():
    def error(steps):
        at = np.array([1.0, 0.0])
        for _ in range(steps):
            at = mechanics.runge_kutta(lambda s: np.array([s[1], -s[0]]), at, 1.0 / steps)
        return np.abs(at - [np.cos(1.0), -np.sin(1.0)]).max()

    assert error(10) / error(20) == pytest.approx(16, rel=0.1)


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_mirrored_machines_move_in_mirrored_ways(seed):
    rng = np.random.default_rng(seed)
    for move, size, parts in ((mechanics.cart_pole, 4, 3), (mechanics.pendulum, 2, 2), (mechanics.acrobot, 4, 4)):
        state, force, factors = rng.uniform(-1, 1, (3, size)), rng.uniform(-2, 2, 3), rng.uniform(0.5, 2, (3, parts))
        np.testing.assert_allclose(move(-state, -force, factors), -move(state, force, factors), atol=1e-12)


def test_a_pole_alone_falls_at_the_rate_of_its_length():
    """With a cart of infinite mass: angle'' = 3 g angle / (4 half)."""
    state, factors = np.array([0.0, 0.0, 1e-6, 0.0]), np.array([1e9, 1.0, 2.0])
    rate = (mechanics.cart_pole(state, np.zeros(()), factors) - state) / 0.02
    assert rate[3] == pytest.approx(0.75 * 9.8 * 1e-6 / 1.0, rel=1e-6)


def test_a_push_moves_the_common_centre():
    """Total momentum grows by the force: M x'' + m (x'' + l angle'' cos - l angle'^2 sin) = force."""
    rng = np.random.default_rng(0)
    state, factors, force = rng.uniform(-1, 1, 4), np.array([1.3, 0.7, 1.2]), 7.0
    cart, pole, half = 1.3, 0.07, 0.6
    _, _, angle, turn = state
    rate = (mechanics.cart_pole(state, np.array(force), factors) - state) / 0.02
    pushed = pole * half * (rate[3] * np.cos(angle) - turn**2 * np.sin(angle))
    assert (cart + pole) * rate[1] + pushed == pytest.approx(force)


def test_angles_are_wrapped():
    angles = np.array([-np.pi, 3.0, 3.3, -3.3, 2 * np.pi, 100.0])
    found = mechanics.wrapped(angles)
    assert ((found >= -np.pi) & (found < np.pi)).all()
    np.testing.assert_allclose(np.exp(1j * found), np.exp(1j * angles), atol=1e-12)
