"""Networks by the clock: by hand, against brute force on the graph of (node, step), and on published data."""

import numpy as np
import pytest
import scipy.optimize
import xarray as xr

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.roads.costs import OwnCosts
from tests.road_networks import city

ROAD = {"from": ["A"], "to": ["B"], "constant": [2.0], "slope": [1.0]}


def _road(demand=4.0, **options):
    return mfg.RoadNetwork.from_edges(ROAD, {("A", "B"): demand}, **options)


def _solve(network, **options):
    return mfg.solve(network, check="ignore", **options)


def test_drivers_wait_until_leaving_costs_all_the_same():
    # 2 + x_0 = 3 + x_1 = 4 + x_2, x_0 + x_1 + x_2 = 4; nobody leaves later
    flows = _solve(_road().by_clock(6))
    expected = np.array([7, 4, 1, 0, 0, np.nan]) / 3
    np.testing.assert_allclose(flows.dataset["clock_flow"].values[:, 0], expected, atol=1e-12)
    np.testing.assert_allclose(flows.dataset["pair_cost"], 2 + 7 / 3, rtol=1e-13)
    assert flows.relative_exploitability <= 1e-12


def test_departures_share_the_trips_and_the_capacity_of_a_period():
    # two departures of 2 each; capacity of a period of two steps: a step costs 2 + 2 x
    flows = _solve(_road().by_clock(8, departures=[0, 1], waiting=100.0))
    np.testing.assert_allclose(flows.dataset["clock_flow"].values[:2, 0], [2, 2], rtol=1e-12)
    np.testing.assert_allclose(flows.dataset["clock_time"].values[:2, 0], [6, 6], rtol=1e-12)
    apart = _solve(_road().by_clock(8, departures={0: 0.25, 1: 0.75}, waiting=100.0, period=1))
    np.testing.assert_allclose(apart.dataset["clock_flow"].values[:2, 0], [1, 3], rtol=1e-12)


def test_without_waiting_every_departure_plays_the_static_game():
    edges = {"from": "AAB", "to": "BBC", "constant": [1.0, 2.0, 1.0], "slope": [1.0, 0.5, 0.0]}
    static = mfg.RoadNetwork.from_edges(edges, {("A", "C"): 3.0, ("B", "C"): 1.0})
    still, day = _solve(static), _solve(static.by_clock(20, departures=[0, 10], waiting=50.0))
    by_step = day.dataset["clock_flow"].sel(step=[0, 10]).values
    np.testing.assert_allclose(2 * by_step[:, :2], np.tile(still.dataset["flow"].values[:2], (2, 1)), rtol=1e-10)
    assert day.dataset["clock_flow"].sum("step").values[2] == pytest.approx(4.0, rel=1e-12)


def test_the_social_optimum_is_the_least_total_by_brute_force():
    # constant + slope x with x_k leaving at k and k steps of waiting: minimise sum x_k (2 + k + x_k)
    total = lambda x: float(np.sum(x * (2 + np.arange(5) + x)))
    least = scipy.optimize.minimize(
        total, np.full(5, 0.8), bounds=[(0, None)] * 5, constraints={"type": "eq", "fun": lambda x: x.sum() - 4},
        options={"ftol": 1e-14},
    )  # fmt: skip
    flows = _solve(_road().by_clock(6), objective="social")
    assert flows.numbers["total_cost"] == pytest.approx(least.fun, rel=1e-9)
    np.testing.assert_allclose(flows.dataset["clock_flow"].values[:5, 0], least.x, atol=1e-5)


def test_own_costs_are_those_of_the_static_network_at_period_times_the_flow():
    own = OwnCosts(lambda x: 2 + x, lambda x: 2 * x + x**2 / 2, lambda x: np.ones_like(x), links=1)
    edges = {"from": ["A"], "to": ["B"]}
    stated = mfg.RoadNetwork.from_edges(edges, {("A", "B"): 4.0}, costs=own)
    one, other = (_solve(each.by_clock(8, departures=[0, 1])) for each in (stated, _road()))
    np.testing.assert_allclose(one.dataset["clock_flow"], other.dataset["clock_flow"], atol=1e-9)
    assert one.potential == pytest.approx(other.potential, rel=1e-12)


def test_a_node_that_none_passes_is_left_and_reached_at_any_step():
    edges = {"from": ["A", "M", "A"], "to": ["M", "B", "B"], "constant": [1.0, 1.0, 9.0], "slope": [1.0, 1.0, 0.0]}
    trips = {("A", "B"): 2.0, ("M", "B"): 1.0, ("A", "M"): 1.0}
    through = _solve(mfg.RoadNetwork.from_edges(edges, trips).by_clock(12))
    shut = _solve(mfg.RoadNetwork.from_edges(edges, trips, closed=["M"]).by_clock(12))
    assert through.dataset["clock_flow"].sum("step").sel(road=3) == pytest.approx(0.0, abs=1e-12)
    assert shut.dataset["clock_flow"].sum("step").sel(road=3) == pytest.approx(2.0)
    assert shut.numbers["conservation_error"] <= 1e-12


def test_roads_that_take_no_whole_number_of_steps_are_told():
    with pytest.warns(UserWarning, match=r"rounded, .* A -> B .*2.5 steps to 2"):
        mfg.solve(mfg.RoadNetwork.from_edges(ROAD | {"constant": [2.5]}, {("A", "B"): 1.0}).by_clock(6))


def test_files_keep_the_clock_and_the_map_shows_all_steps(tmp_path):
    flows = _solve(_road().by_clock(6))
    again = mfg.load(flows.save(tmp_path / "day.nc"))
    np.testing.assert_array_equal(again.dataset["clock_flow"], flows.dataset["clock_flow"])
    assert again.dataset["clock_step"].dims == ("link",)
    figure = again.plot()
    assert [text.get_text() for text in figure.axes[0].texts][:2] == ["A", "B"]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"steps": 0}, "steps of a network by the clock are 0"),
        ({"steps": 1}, "no path leads from origin to destination for A@0 -> B"),
        ({"steps": 6, "departures": [6]}, "a departure is at step 6; steps 0 to 5"),
        ({"steps": 6, "departures": [0, 0]}, "name a step twice"),
        ({"steps": 6, "departures": {0: 0.5}}, "add up to 0.5; 1 is needed"),
        ({"steps": 6, "departures": {0: -1, 1: 2}}, "share of the departures at step 0 is -1"),
        ({"steps": 6, "departures": "now"}, "departures are 'now'"),
        ({"steps": 6, "departures": xr.DataArray([0.5, 0.5], dims="step")}, "departures came as an array with names"),
        ({"steps": 6, "waiting": -1}, "waiting of a network by the clock is -1"),
        ({"steps": 6, "step": 0}, "step of a network by the clock is 0"),
        ({"steps": 6, "period": np.nan}, "period of a network by the clock is nan"),
        ({"steps": 10**8}, "up to 2000000 are solved"),
    ],
)
def test_bad_input_is_told_in_a_sentence(options, match):
    with pytest.raises(InputError, match=match):
        _road().by_clock(**options)


def test_a_network_by_the_clock_has_one_clock():
    with pytest.raises(InputError, match="by the clock already"):
        _road().by_clock(6).by_clock(6)


def test_sioux_falls_by_the_clock():
    flows = _solve(city("SiouxFalls").by_clock(40, departures=range(4)))
    assert flows.relative_exploitability <= 1e-12
    assert abs(flows.numbers["confirmed_gap"]) <= 1e-12
    assert flows.potential == pytest.approx(3313828.8561345, rel=1e-13)  # published methods end at 3313828.858
    assert flows.dataset.attrs["iterations"] <= 40
