"""Crowds to tell a game, and the rungs between them."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.interop.ladders import climb, probes

pytestmark = pytest.mark.usefixtures("openspiel")


def test_rungs_between_crowds_meet_every_key():
    def tell(masses):
        return f"wait={int(40 * masses[0] ** 2)}, t=3"

    low, high = np.zeros(1), np.ones(1)
    met = set(climb([low, high], [tell(low), tell(high)], tell, str)) | {tell(low), tell(high)}
    assert met == {f"wait={k}, t=3" for k in range(41)}


def test_probes_are_crowds_of_every_kind():
    even, spiky, own, nobody = probes(5, 3, np.random.default_rng(0))
    np.testing.assert_array_equal(even, 0.2)
    assert spiky.sum() == pytest.approx(0.3)
    assert spiky.min() >= 0
    np.testing.assert_array_equal(own, [0, 0, 0, 1, 0])
    assert not nobody.any()
    assert [probe.size for probe in probes(0, 0, np.random.default_rng(0))] == [0]


def test_keys_that_differ_otherwise_are_bisected_to_the_end():
    """A jump at 1/3 between two texts: the narrowest rungs meet on either side of it."""
    asked = []

    def tell(masses):
        asked.append(float(masses[0]))
        return "left" if masses[0] < 1 / 3 else "right"

    assert set(climb([np.zeros(1), np.ones(1)], ["left", "right"], tell, str)) == {"left", "right"}
    below, above = max(x for x in asked if x < 1 / 3), min(x for x in asked if x >= 1 / 3)
    assert above - below < 2e-7
    assert len(asked) < 40
