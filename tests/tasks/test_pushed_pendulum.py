"""A pendulum and those who push it: a step written out, rest above and below, what everybody earns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfgsolve.errors import InputError
from mfgsolve.tasks.pushed_pendulum import PushedPendulum


def test_a_step_written_out():
    angle, speed = PushedPendulum(agents=4, strength=5.0).move(np.array(1.0), np.array(-0.5), np.array(3))
    assert speed == pytest.approx(-0.5 + 0.1 * (9.81 * math.sin(1.0) + 5.0 * 3 / 4))
    assert angle == pytest.approx(1.0 + 0.1 * speed)


def test_it_rests_above_and_below_and_falls_away_from_above():
    plant, idle = PushedPendulum(), np.array(0)
    for rest in (0.0, math.pi):
        np.testing.assert_allclose(plant.move(np.array(rest), np.array(0.0), idle), (rest, 0.0), atol=1e-12)
    assert plant.move(np.array(0.1), np.array(0.0), idle)[0] > 0.1
    assert plant.move(np.array(1.5), np.array(6.0), np.array(3))[1] == 6.0


def test_one_push_alone_does_not_hold_it_at_the_side():
    """All together overcome more of gravity than one: the share of one is strength / N."""
    plant = PushedPendulum(agents=3, strength=6.0)
    side = plant.move(np.array(math.pi / 2), np.array(0.0), np.array([0, -1, -3]))[1]
    np.testing.assert_allclose(side, 0.1 * np.array([9.81, 7.81, 3.81]))


def test_all_earn_the_same():
    plant = PushedPendulum(agents=3, effort=0.3)
    np.testing.assert_allclose(plant.costs(np.array([math.pi]), np.array([2.0])), [[2.04]] * 3)
    np.testing.assert_allclose(plant.efforts @ np.array([1.0, 0.0, 1.0]), [0.2] * 3)
    assert plant.costs(np.array([0.0]), np.array([0.0])).max() == 0.0
    for given in ({"strength": 0.0}, {"effort": -0.1}):
        with pytest.raises(InputError, match="of pushed-pendulum is"):
            PushedPendulum(**given)
