"""User equilibria and social optima: exact values, all paths of small networks, a general-purpose optimiser."""

from __future__ import annotations

import math

import numpy as np
import pytest
from road_networks import all_paths, random_network
from scipy.optimize import minimize

import mfgsolve as mfg
from mfgsolve.roads import BPR, Affine, Elastic, OwnCosts


def braess(**options):
    return mfg.problems.braess_roads(**options)


def test_braess_to_the_last_digits():
    selfish, social = (mfg.solve(braess(), objective=one, tol=1e-15) for one in ("equilibrium", "social"))
    np.testing.assert_allclose(selfish.dataset["flow"], [4, 2, 2, 4, 2], rtol=1e-12)
    np.testing.assert_allclose(social.dataset["flow"], [3, 3, 3, 3, 0], atol=1e-12)
    assert selfish.potential == pytest.approx(386, rel=1e-14)
    assert selfish.numbers["total_time"] == pytest.approx(552, rel=1e-12)
    assert social.numbers["total_time"] == social.potential == pytest.approx(498, rel=1e-14)
    np.testing.assert_allclose(social.dataset["toll"], [30, 3, 3, 30, 0], atol=1e-10)
    assert mfg.price_of_anarchy(braess(), tol=1e-15).ratio == pytest.approx(92 / 83, rel=1e-14)
    assert mfg.solve(braess(closed=True)).numbers["mean_time"] == pytest.approx(83, rel=1e-13)


def test_tolls_make_the_optimum_an_equilibrium():
    network = random_network(3)
    best = mfg.solve(network, objective="social", check="ignore")
    tolled = mfg.RoadNetwork.from_edges(
        {"from": network.tail, "to": network.head, "free_time": network.costs.constant, "b": network.costs.b,
         "capacity": network.costs.capacity, "power": network.costs.power, "toll": best.dataset["toll"].values},
        {(int(o), int(d)): float(v) for o, d, v in
         zip(network.demand.origin, network.demand.destination, network.demand.vehicles, strict=True)},
        toll=1.0,
    )  # fmt: skip
    again = mfg.solve(tolled, tol=1e-14, check="ignore")
    assert again.numbers["total_time"] == pytest.approx(best.numbers["total_time"], rel=1e-11)


def paid(network, flow, c=0, objective="equilibrium"):
    costs = network.costs if objective == "equilibrium" else network.costs.marginal()
    return costs.time(flow) + network.fixed[c]


@pytest.mark.parametrize("objective", ["equilibrium", "social"])
@pytest.mark.parametrize("seed", range(12))
def test_nobody_has_a_cheaper_path_among_all_that_there_are(seed, objective):
    network = random_network(seed)
    answer = mfg.solve(network, objective=objective, check="ignore")
    assert answer.converged
    demand, flow = network.demand, answer.dataset["flow"].values
    cost = paid(network, flow, objective=objective)
    least = [min(cost[path].sum() for path in all_paths(network, o, d))
             for o, d in zip(demand.origin, demand.destination, strict=True)]  # fmt: skip
    np.testing.assert_allclose(answer.dataset["pair_cost"], least, rtol=1e-12)
    assert flow @ cost - demand.vehicles @ least == pytest.approx(0, abs=1e-10 * (flow @ cost))
    assert answer.numbers["conservation_error"] < 1e-14
    assert answer.numbers["confirmed_gap"] < 1e-11


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_potential_is_that_of_a_general_purpose_optimiser(seed):
    network = random_network(seed, nodes=5, pairs=2)
    answer = mfg.solve(network, check="ignore")
    demand = network.demand
    paths = [all_paths(network, o, d) for o, d in zip(demand.origin, demand.destination, strict=True)]
    of_pair = np.repeat(np.arange(len(paths)), [len(each) for each in paths])
    uses = np.zeros((network.tail.size, of_pair.size))
    for k, path in enumerate(path for each in paths for path in each):
        uses[path, k] = 1
    sums = (of_pair == np.arange(len(paths))[:, None]).astype(float)
    start = demand.vehicles[of_pair] / sums.sum(axis=1)[of_pair]
    found = minimize(
        lambda h: network.costs.integral(np.maximum(uses @ h, 0)).sum(), start, method="SLSQP",
        jac=lambda h: uses.T @ network.costs.time(np.maximum(uses @ h, 0)), bounds=[(0, None)] * start.size,
        constraints={"type": "eq", "fun": lambda h: sums @ h - demand.vehicles, "jac": lambda h: sums},
        options={"maxiter": 500, "ftol": 1e-13},
    )  # fmt: skip
    assert found.fun == pytest.approx(answer.potential, rel=1e-7)
    assert found.fun >= answer.potential * (1 - 1e-12)


def test_elastic_demand_of_one_road_by_hand():
    rise, vehicles, reservation = 0.5, 8.0, 12.0
    network = mfg.RoadNetwork.from_edges(
        {"from": ["a"], "to": ["b"], "constant": [2.0], "slope": [rise]}, {("a", "b"): vehicles},
        elastic=Elastic(reservation),
    )  # fmt: skip
    cost = (2 + rise * vehicles) / (1 + rise * vehicles / reservation)
    answer = mfg.solve(network, check="raise")
    drivers = vehicles * (1 - cost / reservation)
    assert answer.dataset["pair_cost"].values[0] == pytest.approx(cost, rel=1e-12)
    assert answer.numbers["drivers"] == pytest.approx(drivers, rel=1e-12)
    assert answer.numbers["staying"] == pytest.approx(vehicles - drivers, rel=1e-12)
    lost = (vehicles - drivers) ** 2 * reservation / vehicles / 2
    assert answer.numbers["total_cost"] == pytest.approx(drivers * cost + lost, rel=1e-12)
    # the social optimum: 2 + 2 rise x = reservation (1 - x / vehicles)
    best = mfg.solve(network, objective="social", check="raise")
    assert best.numbers["drivers"] == pytest.approx((reservation - 2) / (2 * rise + reservation / vehicles), rel=1e-12)
    assert mfg.price_of_anarchy(network).ratio > 1


@pytest.mark.parametrize("power", [1.0, 3.0])
def test_elastic_demand_on_a_network_meets_its_curve(power):
    network = random_network(5, elastic=Elastic(20.0, power))
    answer = mfg.solve(network, check="ignore")
    assert answer.converged
    data = answer.dataset
    wanted = data["demand"] * (1 - np.minimum(data["pair_cost"] / 20.0, 1.0)) ** (1 / power) if power == 1 else None
    if power == 1:
        np.testing.assert_allclose(data["drivers"], wanted, rtol=1e-9)
    staying = (data["demand"] - data["drivers"]) / data["demand"]
    np.testing.assert_allclose(20.0 * staying**power, data["pair_cost"], rtol=1e-9)
    assert answer.numbers["confirmed_gap"] < 1e-11


def test_who_cannot_pay_stays_at_home():
    network = mfg.RoadNetwork.from_edges(
        {"from": ["a"], "to": ["b"], "constant": [5.0], "slope": [1.0]}, {("a", "b"): 3.0}, elastic=Elastic(4.0)
    )
    assert mfg.solve(network).numbers["drivers"] == 0


def test_two_classes_share_roads_and_pay_different_tolls():
    # two roads: free but narrow, tolled but wide; trucks count 2.5 cars and mind the toll less
    edges = {"from": ["a", "a"], "to": ["b", "b"], "constant": [1.0, 1.0], "slope": [1.0, 0.2], "toll": [0.0, 2.0]}
    network = mfg.RoadNetwork.from_edges(
        edges,
        {"car": {("a", "b"): 4.0}, "truck": {("a", "b"): 2.0}},
        toll={"car": 1.0, "truck": 0.3},
        pce={"truck": 2.5},
    )
    answer = mfg.solve(network)

    def potential(h):  # vehicles of each class on the free road
        x = np.array([h[0] + 2.5 * h[1], 9 - h[0] - 2.5 * h[1]])
        tolled = (4 - h[0]) * 2.0 + 2.5 * (2 - h[1]) * 0.3 * 2.0
        return x @ (1 + np.array([0.5, 0.1]) * x) + tolled

    found = minimize(potential, [2.0, 1.0], bounds=[(0, 4), (0, 2)], options={"ftol": 1e-15, "gtol": 1e-12})
    assert answer.potential == pytest.approx(found.fun, rel=1e-9)
    np.testing.assert_allclose(answer.dataset["class_flow"].values[:, 0], found.x, atol=1e-4)
    assert list(answer.dataset["class"].values) == ["car", "truck"]
    np.testing.assert_allclose(
        answer.dataset["flow"], answer.dataset["class_flow"].values[0] + 2.5 * answer.dataset["class_flow"].values[1]
    )
    assert "roads-classes" in [each.code for each in mfg.solve(network, objective="social", check="ignore").warnings]


@pytest.mark.parametrize("objective", ["equilibrium", "social"])
def test_functions_of_ones_own_come_to_the_same_flows(objective):
    network = mfg.problems.ring_city(rings=2, radials=5, commuters=20000.0)
    table = {"from": network.tail, "to": network.head}
    trips = {(int(o), int(d)): float(v) for o, d, v in
             zip(network.demand.origin, network.demand.destination, network.demand.vehicles, strict=True)}  # fmt: skip
    bpr = network.costs
    own = OwnCosts(bpr.time, bpr.integral, bpr.slope, bpr.size)
    one, other = (mfg.solve(mfg.RoadNetwork.from_edges(table, trips, costs=costs), objective=objective, tol=1e-12)
                  for costs in (bpr, own))  # fmt: skip
    assert other.potential == pytest.approx(one.potential, rel=1e-12)
    np.testing.assert_allclose(other.dataset["flow"], one.dataset["flow"], rtol=1e-4, atol=1e-2)


def test_a_cost_with_a_pole_is_searched_along_the_way():
    # Davidson's t = 1 + x / (c - x), infinite at its capacity: straight lines overshoot, the search does not
    room = np.array([4.0, 9.0])

    def time(x):
        return 1 + np.where(x < room, x / np.maximum(room - x, 1e-12), 1e6 + 1e6 * x)

    def integral(x):
        inside = -room * np.log1p(-np.minimum(x, room * (1 - 1e-9)) / room)
        return np.where(x < room, inside, inside + 1e6 * x)

    def slope(x):
        return np.where(x < room, room / np.maximum(room - x, 1e-12) ** 2, 1e6)

    costs = OwnCosts(time, integral, slope, 2)
    object.__setattr__(costs, "check", lambda name, scale: None)  # the pole is within the demand
    network = mfg.RoadNetwork.from_edges({"from": ["a", "a"], "to": ["b", "b"]}, {("a", "b"): 8.0}, costs=costs)
    flow = mfg.solve(network, check="ignore").dataset["flow"].values
    assert flow.sum() == pytest.approx(8)
    np.testing.assert_allclose(time(flow)[0], time(flow)[1], rtol=1e-8)


def test_a_network_that_costs_nothing_is_solved():
    network = mfg.RoadNetwork.from_edges({"from": [1], "to": [2], "constant": [0.0], "slope": [0.0]}, {(1, 2): 1.0})
    answer = mfg.solve(network, check="ignore")
    assert answer.converged
    assert answer.relative_exploitability == 0


def test_limits_and_callbacks_end_it():
    network = mfg.problems.ring_city()
    for options, status in (({"max_iterations": 1}, "iteration limit"), ({"max_seconds": 0}, "time limit"),
                            ({"callback": lambda row: row.iteration == 2}, "stopped by callback"),
                            ({"tol": 0.0}, "stalled")):  # fmt: skip
        answer = mfg.solve(network, check="ignore", **{"tol": 1e-15, **options})
        assert answer.status.value == status or (options.get("tol") == 0.0 and answer.relative_exploitability <= 0)
        history = answer.dataset["exploitability"].values
        assert answer.exploitability == history[-1] == np.min(history)
    with pytest.raises(mfg.InputError, match="tol is -1"):
        mfg.solve(network, tol=-1)
    with pytest.raises(mfg.InputError, match="unknown objective 'sozial'; did you mean 'social'"):
        mfg.solve(network, objective="sozial")


def test_the_potential_falls_and_bounds_itself():
    answer = mfg.solve(mfg.problems.ring_city(rings=3, radials=7))
    potential, gap = answer.dataset["potential"].values, answer.dataset["duality_gap"].values
    assert (np.diff(potential) <= 1e-9 * potential[-1]).all()
    assert (potential - gap <= answer.potential * (1 + 1e-12)).all()


def test_parallel_links_share_and_bpr_and_lines_agree():
    lines = mfg.RoadNetwork.from_edges(
        {"from": [1, 1], "to": [2, 2], "constant": [1.0, 2.0], "slope": [1.0, 1.0]}, {(1, 2): 3.0}
    )
    np.testing.assert_allclose(mfg.solve(lines).dataset["flow"], [2, 1], rtol=1e-12)
    bpr = mfg.RoadNetwork.from_edges(
        {"from": [1, 1], "to": [2, 2]}, {(1, 2): 3.0}, costs=BPR([1.0, 2.0], [1.0, 2.0], 1.0, 1.0)
    )
    np.testing.assert_allclose(mfg.solve(bpr).dataset["flow"], [2, 1], rtol=1e-12)
    assert isinstance(lines.costs, Affine)


def test_flows_toward_each_destination_add_up():
    network = random_network(7)
    data = mfg.solve(network, by_destination=True, check="ignore").dataset
    np.testing.assert_allclose(data["flow_toward"].sum("toward"), data["flow"], rtol=1e-12, atol=1e-12)
    for end in data["toward"].values:
        k = network.nodes.index(int(end))
        arriving = data["flow_toward"].sel(toward=end).values[network.head == k].sum()
        leaving = data["flow_toward"].sel(toward=end).values[network.tail == k].sum()
        wanted = network.demand.vehicles[network.demand.destination == k].sum()
        assert arriving - leaving == pytest.approx(wanted, rel=1e-12)
        assert math.isclose(leaving, 0, abs_tol=1e-12)
