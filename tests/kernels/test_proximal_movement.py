"""Speeds that are left at a cost: no other speeds are better, and their change is that of two nearby answers."""

from __future__ import annotations

import numpy as np
import pytest
from moving_games import MOVEMENTS, game

from mfgsolve.kernels import proximal_movement as kernel

POWERS = ["p-1.5", "p-3", "p-3-limit", "p-2-limit", "linear", "limit", "p-3-apart", "l1", "box"]


def level(name, seed=0, stiffness=0.3):
    """Arguments of the kernels on a small level with walls, and what they come from."""
    own, rng = game(MOVEMENTS[name], (3, 4), 16), np.random.default_rng(seed)
    control, step = own.step.control, own.step
    after = 0.2 * rng.normal(size=12)
    open_ = control.near != np.arange(12)
    former = rng.uniform(0.0, 0.25, size=control.near.shape) * open_ * (rng.random(control.near.shape) > 0.4)
    weight = step.weight(0, after)
    data = (
        after,
        weight,
        former,
        control.near,
        control.pace,
        control.most,
        control.group,
        step.movement.power,
        stiffness,
    )
    return step, control, data


def paid(step, control, data, speed):
    """What an agent pays per unit time at those speeds (cells,), term by term."""
    after, weight, former, near, pace, _, _, _, stiffness = data
    gain = (speed * (after[None] - after[near]) * pace).sum(axis=0)
    own = weight * step.movement.cost(speed[None])[0]
    return own + 0.5 * stiffness * ((speed - former) ** 2).sum(axis=0) - gain


@pytest.mark.parametrize("name", POWERS)
def test_no_other_speeds_are_better(name):
    step, control, data = level(name)
    after, *_ = data
    speed, value = np.empty(control.near.shape), np.empty(12)
    kernel.speeds(*data, speed)
    kernel.best(*data, step.dt, value)
    least = paid(step, control, data, speed)
    np.testing.assert_allclose(value, after + step.dt * least, rtol=1e-13)
    assert (speed >= 0).all()
    assert (speed[control.near == np.arange(12)] == 0).all()
    rng = np.random.default_rng(1)
    for size in [1.0, 1e-1, 1e-2, 1e-3] * 60:
        other = np.where(control.near == np.arange(12), 0.0, np.maximum(speed + size * rng.normal(size=speed.shape), 0))
        for j, group in enumerate(step.movement.groups(len(speed))):
            sizes = step.movement.sizes(other[None], group)[0]
            other[group] *= np.minimum(1.0, control.most[j] / np.maximum(sizes, 1e-300))
        assert (paid(step, control, data, other) >= least - 1e-14).all()


@pytest.mark.parametrize("name", POWERS)
def test_the_change_is_that_of_two_nearby_answers(name):
    step, control, data = level(name, seed=2)
    after, *rest = data
    rng = np.random.default_rng(3)
    mass, change = rng.random(12), rng.normal(size=12)
    moved, sides = np.empty(12), []
    for sign in (1.0, -1.0):
        speed = np.empty(control.near.shape)
        kernel.speeds(after + sign * 1e-7 * change, *rest, speed)
        sides.append(control.push(speed, mass))
    kernel.push_change(*data, step.dt, mass, change, moved)
    np.testing.assert_allclose(moved, (sides[0] - sides[1]) / 2e-7, atol=1e-6)
    assert abs(moved.sum()) < 1e-13


def test_at_a_small_cost_of_leaving_speeds_are_those_of_the_cost_of_moving():
    _, control, data = level("p-3", stiffness=1e-9)
    speed = np.empty(control.near.shape)
    kernel.speeds(*data, speed)
    np.testing.assert_allclose(speed, control.speeds(data[0], data[1]), atol=1e-7)
