"""Slabs of time steps."""

import pytest

from mfgsolve.steps.slabs import CHUNK, slabs


@pytest.mark.parametrize("steps", [0, 1, 7, 100])
@pytest.mark.parametrize("width", [1, CHUNK // 3, CHUNK, 5 * CHUNK])
def test_slabs_part_the_steps(steps, width):
    parts = slabs(steps, width)
    assert [t for part in parts for t in range(part.start, part.stop)] == list(range(steps))
    most = max(1, CHUNK // width)
    assert all(part.stop - part.start == most for part in parts[:-1])
    assert all(1 <= part.stop - part.start <= most for part in parts)
