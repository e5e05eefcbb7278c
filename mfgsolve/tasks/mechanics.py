"""Equations of motion of three small machines, for as many of them at once as arrays have entries.

Every function takes a state (..., d), a force or torque (...) and the machine's constants as factors (..., k) on the
standard ones, k of them in the order of its ``PARTS``; all broadcast.  Constants are those of Gymnasium's classic
control, whose environments these reproduce step for step where factors are 1.

Sources: cart-pole: Barto, Sutton and Anderson (1983), doi:10.1109/TSMC.1983.6313077, with the friction-free equations
of Florian, Correct equations for the dynamics of the cart-pole system (2007); acrobot: Sutton (NeurIPS 1996) and
Sutton and Barto, Reinforcement Learning, 2nd ed.; constants: Towers et al., Gymnasium, arXiv:2407.17032.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["ACROBOT", "CART_POLE", "PENDULUM", "acrobot", "acrobot_energy", "cart_pole", "pendulum", "wrapped"]

GRAVITY = 9.8  # m/s^2; of the pendulum 10

CART_POLE = {"mass of the cart": 1.0, "mass of the pole": 0.1, "half the length of the pole": 0.5}  # kg, kg, m
CART_POLE_STEP = 0.02  # s

PENDULUM = {"mass": 1.0, "length": 1.0}  # kg, m
PENDULUM_STEP, PENDULUM_GRAVITY, PENDULUM_FASTEST = 0.05, 10.0, 8.0  # s, m/s^2, 1/s

ACROBOT = {"mass of the upper link": 1.0, "mass of the lower link": 1.0, "length of the upper link": 1.0,
           "length of the lower link": 1.0}  # kg, kg, m, m  # fmt: skip
ACROBOT_STEP, ACROBOT_FASTEST = 0.2, np.array([4.0, 9.0]) * np.pi  # s, 1/s
INERTIA = 1.0  # kg m^2, of a standard link about its centre


def cart_pole(state: np.ndarray, force: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The state (x, x', angle from upright, angle') a step of explicit Euler later."""
    _, speed, angle, turn = np.moveaxis(state, -1, 0)
    cart, pole, half = (factors[..., k] * constant for k, constant in enumerate(CART_POLE.values()))
    total, sine, cosine = cart + pole, np.sin(angle), np.cos(angle)
    push = (force + pole * half * turn**2 * sine) / total
    turn_rate = (GRAVITY * sine - cosine * push) / (half * (4.0 / 3.0 - pole * cosine**2 / total))
    speed_rate = push - pole * half * turn_rate * cosine / total
    rate = np.stack([speed, speed_rate, turn, turn_rate], axis=-1)
    return np.asarray(state + CART_POLE_STEP * rate)


def pendulum(state: np.ndarray, torque: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The state (angle from upright, angle') a step of semi-implicit Euler later, within the largest speed."""
    angle, turn = np.moveaxis(state, -1, 0)
    mass, length = (factors[..., k] * constant for k, constant in enumerate(PENDULUM.values()))
    rate = 1.5 * PENDULUM_GRAVITY / length * np.sin(angle) + 3.0 / (mass * length**2) * torque
    turn = np.clip(turn + PENDULUM_STEP * rate, -PENDULUM_FASTEST, PENDULUM_FASTEST)
    return np.stack([angle + PENDULUM_STEP * turn, turn], axis=-1)


def acrobot(state: np.ndarray, torque: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The state (angle of the upper link from hanging, of the lower from the upper, angle', angle') a step of
    Runge-Kutta of order four later, angles in [-pi, pi), within the largest speeds."""

    def rate(at: np.ndarray) -> np.ndarray:
        return _acrobot_rate(at, torque, factors)

    moved = runge_kutta(rate, state, ACROBOT_STEP)
    turns = np.clip(moved[..., 2:], -ACROBOT_FASTEST, ACROBOT_FASTEST)
    return np.concatenate([wrapped(moved[..., :2]), turns], axis=-1)


def runge_kutta(rate: Callable[[np.ndarray], np.ndarray], state: np.ndarray, step: float) -> np.ndarray:
    """The classical method of order four."""
    first = rate(state)
    second = rate(state + 0.5 * step * first)
    third = rate(state + 0.5 * step * second)
    fourth = rate(state + step * third)
    return np.asarray(state + step / 6.0 * (first + 2.0 * second + 2.0 * third + fourth))


def acrobot_energy(state: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Kinetic and potential energy (...) in joules, constant where there is no torque."""
    upper, lower, turn, fold = np.moveaxis(state, -1, 0)
    inertia, coupling, below, weights, _ = _acrobot_masses(lower, factors)
    kinetic = 0.5 * inertia * turn**2 + coupling * turn * fold + 0.5 * below * fold**2
    return np.asarray(kinetic - weights[0] * np.cos(upper) - weights[1] * np.cos(upper + lower))


def wrapped(angle: np.ndarray) -> np.ndarray:
    """The same direction in [-pi, pi)."""
    return np.asarray(np.mod(angle + np.pi, 2.0 * np.pi) - np.pi)


def _acrobot_masses(lower: np.ndarray, factors: np.ndarray) -> tuple[np.ndarray, ...]:
    """Entries of the mass matrix (both angles, between them, the lower), weights times lever arms, and the lever
    m2 l1 c2 of the links' coupling; inertia of a link goes with its mass and the square of its length."""
    first, second, long, short = np.moveaxis(np.asarray(factors), -1, 0)
    middle, end = 0.5 * long, 0.5 * short  # centres of the links
    lever, cosine = second * long * end, np.cos(lower)
    own = second * end**2 + INERTIA * second * short**2
    whole = first * middle**2 + INERTIA * first * long**2 + second * long**2 + own + 2.0 * lever * cosine
    weights = np.stack(np.broadcast_arrays(GRAVITY * (first * middle + second * long), GRAVITY * second * end))
    return whole, own + lever * cosine, own, weights, lever


def _acrobot_rate(state: np.ndarray, torque: np.ndarray, factors: np.ndarray) -> np.ndarray:
    upper, lower, turn, fold = np.moveaxis(state, -1, 0)
    whole, coupling, own, weights, lever = _acrobot_masses(lower, factors)
    sine = np.sin(lower)
    swing = weights[1] * np.sin(upper + lower)
    drag = weights[0] * np.sin(upper) + swing - lever * sine * fold * (fold + 2.0 * turn)
    numerator = torque + coupling / whole * drag - lever * turn**2 * sine - swing
    fold_rate = numerator / (own - coupling**2 / whole)
    turn_rate = -(coupling * fold_rate + drag) / whole
    return np.stack(np.broadcast_arrays(turn, fold, turn_rate, fold_rate), axis=-1)
