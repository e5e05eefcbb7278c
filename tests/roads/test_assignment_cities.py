"""Cities of the collection of test networks, where their files are: all digits that are published, and more."""

from __future__ import annotations

import pytest
from road_networks import city

import mfgsolve as mfg

TABLE = {  # potential and total time of the equilibrium, total time of the optimum, price of anarchy
    "SiouxFalls": (4231335.28710744, 7480225.34492018, 7194256.05289298, 1.039749668336),
    "Anaheim": (1286032.17109602, 1419913.85105938, 1395015.086695, 1.017848383578),
}


@pytest.mark.parametrize("name", TABLE)
def test_equilibrium_and_optimum_to_twelve_digits(name):
    network, (potential, total, optimum, ratio) = city(name), TABLE[name]
    selfish, social = (mfg.solve(network, objective=one, tol=1e-14) for one in ("equilibrium", "social"))
    assert selfish.potential == pytest.approx(potential, rel=1e-13)
    assert selfish.numbers["total_time"] == pytest.approx(total, rel=1e-12)
    assert social.potential == pytest.approx(optimum, rel=1e-12)
    assert selfish.cost / social.cost == pytest.approx(ratio, rel=1e-12)
    for answer in (selfish, social):
        assert answer.dataset.attrs["iterations"] <= 40
        assert answer.numbers["confirmed_gap"] < 1e-13
        assert answer.warnings == ()


def test_no_path_goes_through_a_centroid_and_that_matters():
    network = city("Anaheim")
    assert (~network.through).sum() == 38
    flows = mfg.solve(network, by_destination=True)
    for k in range(38):  # what leaves a centroid began there
        leaving = flows.dataset["flow"].values[network.tail == k].sum()
        assert leaving == pytest.approx(network.demand.vehicles[network.demand.origin == k].sum(), rel=1e-12)


def test_a_city_whose_flows_are_published_to_fewer_digits():
    answer = mfg.solve(city("EMA"))
    assert answer.converged
    assert answer.dataset.attrs["iterations"] <= 40
