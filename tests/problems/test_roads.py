"""Named road networks."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg


def test_braess_depends_on_its_parameters_as_it_must():
    # n drivers, narrow roads c x, bridge b + x: without it all are alike, 50 + (1 + c) n / 2
    for demand, congestion in ((6.0, 10.0), (4.0, 8.0), (2.0, 3.0)):
        shut = mfg.solve("braess-roads", demand=demand, congestion=congestion, closed=True)
        assert shut.numbers["mean_time"] == pytest.approx(50 + (1 + congestion) * demand / 2, rel=1e-12)
    with pytest.raises(mfg.InputError, match="braess-roads has a demand of 0"):
        mfg.problems.braess_roads(demand=0.0)


def test_the_city_is_alike_in_all_directions():
    network = mfg.problems.ring_city(rings=2, radials=6)
    assert network.tail.size == 2 * 2 * 2 * 6
    flows = mfg.solve(network, tol=1e-14).dataset
    inward = (flows["head"] == 0).values
    np.testing.assert_allclose(flows["flow"].values[inward], flows["flow"].values[inward].mean(), rtol=1e-6)
    assert flows["demand"].sum() == pytest.approx(30000)
    assert mfg.price_of_anarchy(network).ratio >= 1
    with pytest.raises(mfg.InputError, match="ring-city has 0 rings"):
        mfg.problems.ring_city(rings=0)


def test_they_are_in_the_list_and_not_among_the_games():
    assert mfg.problems.names("roads") == ["braess-roads", "ring-city"]
    assert not set(mfg.problems.names("roads")) & set(mfg.problems.names("game"))
