"""What happens across one face, by brute force over all speeds and by finite differences."""

import itertools

import numpy as np
import pytest

from mfgsolve.kernels import scheme

pytestmark = pytest.mark.kernel

DT, H, C, CAP = 0.1, 0.4, 0.7, 1.5
SLOPE, MOST = DT / (H * H * C), DT * CAP / H


@pytest.mark.parametrize("drop", [-9.0, -0.3, 0.0, 0.2, 0.4, 9.0])
def test_chance_and_gain_are_the_best_of_all_speeds(drop):
    speeds = np.linspace(0.0, CAP, 150_001)
    costs = DT * (C * speeds**2 / 2 - speeds * abs(drop) / H)
    chance, gain = scheme.chance(drop, SLOPE, MOST), scheme.gain(drop, SLOPE, MOST, 1 / (2 * SLOPE))
    assert abs(chance) == pytest.approx(DT * speeds[costs.argmin()] / H, abs=1e-5)
    assert chance * drop >= 0
    assert abs(gain) == pytest.approx(-costs.min(), abs=1e-9)
    assert gain * drop <= 0


def test_flux_is_upwind_and_the_same_from_both_sides():
    assert scheme.flux(0.1, 2.0, 5.0, SLOPE, MOST) == pytest.approx(SLOPE * 0.1 * 2.0)
    assert scheme.flux(-0.1, 2.0, 5.0, SLOPE, MOST) == pytest.approx(-SLOPE * 0.1 * 5.0)
    assert scheme.flux(9.0, 2.0, 5.0, SLOPE, MOST) == pytest.approx(MOST * 2.0)
    assert scheme.flux(0.1, 2.0, 5.0, SLOPE, MOST) == -scheme.flux(-0.1, 5.0, 2.0, SLOPE, MOST)


@pytest.mark.parametrize("drop", [-9.0, -0.2, 0.1, 9.0])
def test_change_of_flux_is_its_derivative(drop):
    change, here, there, moved_here, moved_there, e = 0.3, 2.0, 5.0, -0.4, 0.6, 1e-6
    ends = [
        scheme.flux(drop + s * change, here + s * moved_here, there + s * moved_there, SLOPE, MOST) for s in (e, -e)
    ]
    found = scheme.flux_change(drop, change, here, there, moved_here, moved_there, SLOPE, MOST)
    assert found == pytest.approx((ends[0] - ends[1]) / (2 * e), abs=1e-8)


@pytest.mark.parametrize("ring", [0, 1])
def test_neighbours_are_those_of_the_array(ring):
    rows = np.arange(12).reshape(3, 4)
    for axis, (n, stride) in enumerate(((3, 4), (4, 1))):
        for place in itertools.product(range(3), range(4)):
            wanted = []
            for side in (1, -1):
                there = list(place)
                there[axis] += side
                there[axis] = there[axis] % n if ring else min(max(there[axis], 0), n - 1)
                wanted.append(rows[tuple(there)])
            assert scheme.neighbours(rows[place], n, stride, ring) == tuple(wanted)
