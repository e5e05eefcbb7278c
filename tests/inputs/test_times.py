"""Times that a user asks for: numbers within the horizon."""

import numpy as np
import pytest

from mfgsolve.errors import InputError
from mfgsolve.inputs.times import checked_times


def test_one_time_and_many():
    np.testing.assert_array_equal(checked_times(0.5, 0.0, 1.0), [0.5])
    np.testing.assert_array_equal(checked_times([0, 1], 0.0, 1.0), [0.0, 1.0])


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ("noon", "times is 'noon'; numbers from 0 to 2"),
        ([], "at least one time"),
        ([[0.0]], "at least one time"),
        ([0.0, 2.5], "time 2.5 lies outside the horizon; times from 0 to 2 h"),
        ([float("nan")], "time nan lies outside"),
    ],
)
def test_others_are_refused(times, words):
    with pytest.raises(InputError, match=words):
        checked_times(times, 0.0, 2.0, "h")
