"""The answer: numbers, arrays, table and file."""

from __future__ import annotations

import math

import numpy as np
import pytest
from road_networks import random_network

import mfgsolve as mfg
from mfgsolve.roads import Flows
from mfgsolve.roads.assignment import assign
from mfgsolve.roads.flows import _times


@pytest.fixture(scope="module")
def answer():
    return mfg.solve(mfg.problems.ring_city(rings=2, radials=5))


def test_numbers_are_sums_of_the_arrays(answer):
    data, numbers = answer.dataset, answer.numbers
    assert numbers["total_time"] == pytest.approx(float((data["flow"] * data["time"]).sum()), rel=1e-14)
    assert numbers["drivers"] == pytest.approx(float(data["demand"].sum()), rel=1e-14)
    assert numbers["average_excess_cost"] == pytest.approx(numbers["exploitability"] / numbers["drivers"], rel=1e-12)
    assert numbers["relative_gap"] == numbers["relative_exploitability"]
    np.testing.assert_allclose(data["delay"], data["time"] / data["free_time"])
    by_pairs = float((data["pair_cost"] * data["drivers"]).sum())
    assert numbers["total_time"] - by_pairs == pytest.approx(0, abs=1e-11 * by_pairs)
    assert all(each.attrs.get("units") and each.attrs.get("long_name") for each in data.data_vars.values())


def test_a_file_is_the_answer_again_bit_for_bit(answer, tmp_path):
    again = mfg.load(answer.save(tmp_path / "flows.nc"))
    assert isinstance(again, Flows)
    assert again.numbers == answer.numbers
    for name in answer.dataset.variables:
        np.testing.assert_array_equal(again.dataset[name], answer.dataset[name])


def test_the_table_has_a_row_for_each_link(answer):
    table = answer.table()
    assert len(table) == answer.dataset.sizes["link"]
    assert list(table.columns[:4]) == ["link", "from_node", "to_node", "tail"]
    assert {"flow", "time", "delay", "toll", "cost", "length", "capacity"} <= set(table.columns)
    classes = mfg.solve(
        mfg.RoadNetwork.from_edges(
            {"from": [1], "to": [2], "constant": [1.0], "slope": [1.0]}, {"car": {(1, 2): 1.0}, "bus": {(1, 2): 1.0}}
        )
    )
    assert {"class_flow (car)", "class_cost (bus)"} <= set(classes.table().columns)


def test_a_gap_that_scipy_does_not_confirm_is_a_warning():
    network = random_network(1)
    found = assign(network, objective="equilibrium", tol=1e-12, max_iterations=None, max_seconds=None, callback=None,
                   progress=False, verbose=False)  # fmt: skip
    spoilt = found.flow.copy()
    spoilt[0, int(np.argmax(spoilt[0]))] *= 1.5
    object.__setattr__(found, "flow", spoilt)
    answer = Flows.made(network, found, "equilibrium", 1e-12, (), False)
    assert "roads-unconfirmed" in [each.code for each in answer.warnings]
    assert answer.numbers["conservation_error"] > 1e-3


def test_what_is_not_there_is_not_told(answer):
    assert "staying" not in answer.numbers
    assert "stay at home" not in dict(answer.rows())
    assert not any(math.isnan(value) for value in answer.numbers.values())
    assert _times("1", "min") == "min"
    assert _times("veh", "1") == "veh"
    assert _times("veh", "min") == "veh min"
