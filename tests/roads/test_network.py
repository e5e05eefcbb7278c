"""The statement: made, refused, solved by its file and by its name."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from road_networks import random_network

import mfgsolve as mfg

EDGES = {"from": ["a", "a"], "to": ["b", "b"], "free_time": [1.0, 2.0], "capacity": [3.0, 3.0], "toll": [1.0, 0.0]}
TRIPS = {("a", "b"): 4.0}


def test_labels_links_and_units_stand_in_the_answer():
    network = mfg.RoadNetwork.from_edges(EDGES, TRIPS, units={"time": "min", "flow": "veh/h"}, toll=0.5)
    answer = mfg.solve(network)
    assert answer.dataset["time"].attrs["units"] == "min"
    assert answer.summary()["units"]["total_time"] == "veh/h min"
    np.testing.assert_allclose(answer.dataset["cost"] - answer.dataset["time"], [0.5, 0.0])
    assert dict(answer.rows())["network"] == "2 links, 2 nodes, 1 pair"
    assert network.link_name(1) == "a -> b (number 2)"


@pytest.mark.parametrize(
    ("edges", "options", "sentence"),
    [
        ({"from": ["a"], "to": ["b"]}, {}, "links have no column free_time"),
        ({"from": ["a"], "to": ["b"], "free_time": [1.0]}, {}, "links have no column capacity"),
        (EDGES, {"distance": 1.0}, "weight of distance is 1, and links have no column length"),
        ({**EDGES, "toll": [-1.0, 0.0]}, {"toll": 1.0}, "toll of a link is negative, -1"),
        (EDGES, {"toll": {"car": 1.0}}, "unknown class of drivers in toll 'car'"),
        (EDGES, {"units": {"tyme": "min"}}, "unknown unit of a road network 'tyme'; did you mean 'time'"),
    ],
)
def test_what_cannot_be_is_refused(edges, options, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        mfg.RoadNetwork.from_edges(edges, TRIPS, **options)


def test_a_negative_toll_that_does_not_count_is_let_be():
    assert mfg.solve(mfg.RoadNetwork.from_edges({**EDGES, "toll": [-1.0, 0.0]}, TRIPS)).converged


def test_it_is_pickled_and_solved_alike():
    network = random_network(2)
    again = pickle.loads(pickle.dumps(network))
    one, other = (mfg.solve(each, check="ignore").dataset for each in (network, again))
    np.testing.assert_array_equal(one["flow"], other["flow"])


def test_the_bits_do_not_depend_on_when_it_is_solved():
    network = mfg.problems.ring_city(rings=2, radials=6)
    one, other = (mfg.solve(network).dataset["flow"].values for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_a_file_without_trips_says_what_is_missing(tmp_path):
    with pytest.raises(mfg.InputError, match=r"has no trips beside it; .*--trips"):
        mfg.solve(str(tmp_path / "city_net.tntp"))


def test_a_place_that_is_not_known_is_said():
    made = mfg.RoadNetwork.from_edges(EDGES, TRIPS, nodes={"a": (0, 0)})
    assert [each.code for each in made.cautions] == ["roads-places"]
    with pytest.warns(UserWarning, match="1 nodes have no coordinates"):
        mfg.solve(made)
