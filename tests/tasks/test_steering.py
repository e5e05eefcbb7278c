"""One car, two drivers: a step written out, and what each earns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfgsolve.errors import InputError
from mfgsolve.tasks import make_task
from mfgsolve.tasks.steering import OpposedSteering, SharedSteering


def test_a_step_written_out():
    offset, heading = SharedSteering(speed=8.0).move(np.array(0.5), np.array(0.1), np.array(-3))
    assert heading == pytest.approx(0.1 - 0.15)
    assert offset == pytest.approx(0.5 + 8.0 * 0.2 * math.sin(-0.05))


def test_the_car_stays_on_the_road():
    offset, heading = SharedSteering().move(np.array([1.9, -1.9]), np.array([0.3, -0.25]), np.array([4, -4]))
    assert heading.tolist() == [0.3, -0.3]
    assert offset.tolist() == [2.0, -2.0]


def test_drivers_with_a_goal_in_common_earn_the_same():
    plant = SharedSteering(effort=0.1)
    np.testing.assert_allclose(plant.costs(np.array(0.5), np.array(-0.2)), [0.25 + 4 * 0.04] * 2)
    np.testing.assert_allclose(plant.efforts @ np.array([4.0, 1.0]), [0.1 * 5 / 2] * 2)


def test_opposed_drivers_want_two_sides_and_pay_for_themselves():
    plant = OpposedSteering(effort=0.1, apart=0.5)
    np.testing.assert_allclose(plant.costs(np.array(0.5), np.array(0.0)), [1.0, 0.0])
    np.testing.assert_allclose(plant.efforts @ np.array([4.0, 1.0]), [0.4, 0.1])


def test_the_same_plant_by_its_name():
    assert make_task("shared-steering-opposed", {"apart": 1}) == OpposedSteering(apart=1.0)
    assert make_task("shared-steering").parameters["speed"] == 10.0
    assert SharedSteering().controls[0] == 0
    for given in ({"speed": 0.0}, {"effort": -1.0}):
        with pytest.raises(InputError, match="of shared-steering is"):
            SharedSteering(**given)
