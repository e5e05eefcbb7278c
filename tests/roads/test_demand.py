"""Pairs of all classes, and demand that falls with its cost."""

from __future__ import annotations

import pytest

import mfgsolve as mfg
from mfgsolve.cautions import collect
from mfgsolve.roads import Elastic
from mfgsolve.roads.demand import make_demand

NODES = {"a": 0, "b": 1, "c": 2}


def test_pairs_are_sorted_and_grouped_by_class_and_origin():
    demand = make_demand(
        {"car": {("b", "a"): 1, ("a", "c"): 2, ("a", "b"): 3}, "truck": {("a", "b"): 4}}, NODES, {"truck": 2}
    )
    assert demand.vehicles.tolist() == [3, 2, 1, 4]
    assert demand.cars.tolist() == [3, 2, 1, 8]
    groups, origin, kind = demand.groups()
    assert groups.tolist() == [0, 2, 3, 4]
    assert origin.tolist() == [0, 1, 0]
    assert kind.tolist() == [0, 0, 1]


def test_what_stays_within_a_node_is_said_and_nothing_is_left_out_in_silence():
    with collect() as said:
        make_demand({"all": {("a", "a"): 2.5, ("a", "b"): 1, ("b", "c"): 0}}, NODES, None)
    assert [each.code for each in said] == ["roads-intrazonal"]
    assert "2.5" in said[0].sentence


@pytest.mark.parametrize(
    ("entries", "pce", "sentence"),
    [
        ({"all": {("a", "z"): 1}}, None, "demand from a to z is of node z, which no link"),
        ({"all": {("a", "b"): -1}}, None, "demand from a to b is -1.0"),
        ({"all": {("a", "b"): "x"}}, None, "demand from a to b is 'x'"),
        ({"all": {}}, None, "is empty"),
        ({"car": {("a", "b"): 1}}, {"car": 0}, "pce of class car is 0.0; a positive number"),
        ({"car": {("a", "b"): 1}}, {"cars": 2}, "unknown class of drivers in pce 'cars'; did you mean 'car'"),
    ],
)
def test_demand_that_cannot_be_is_refused(entries, pce, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        make_demand(entries, NODES, pce)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [((0.0,), "reservation"), ((float("inf"),), "reservation"), ((1.0, 0.5), "power"), (("x",), "reservation")],
)
def test_elastic_demand_is_checked(args, sentence):
    with pytest.raises(mfg.InputError, match=f"{sentence} of Elastic is"):
        Elastic(*args)
