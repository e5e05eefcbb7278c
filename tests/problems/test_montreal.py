"""Montreal: zones on the plane, the demand of all of them, and what an empty city pays."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

from mfgsolve import problems
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.problems.montreal import zones
from mfgsolve.problems.point_table import EARTH_RADIUS
from mfgsolve.problems.points import PointDemand


def test_projection_keeps_the_distances_of_the_sphere() -> None:
    rows = np.loadtxt(
        inspect.getfile(problems).replace("__init__.py", "data/montreal-carshare.csv"), delimiter=",", skiprows=1
    )
    z = zones()
    assert len(z.x) == len(rows) == 249
    latitude, longitude = np.radians(rows[:, 0]), np.radians(rows[:, 1])
    i, j = np.random.default_rng(0).integers(0, 249, (2, 500))
    half = (
        np.sin((latitude[i] - latitude[j]) / 2) ** 2
        + np.cos(latitude[i]) * np.cos(latitude[j]) * np.sin((longitude[i] - longitude[j]) / 2) ** 2
    )
    sphere = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(half))
    flat = np.hypot(z.x[i] - z.x[j], z.y[i] - z.y[j])
    np.testing.assert_allclose(flat, sphere, rtol=3e-3, atol=1e-9)


def test_montreal_has_units_zones_and_room_around_them() -> None:
    problem = problems.build("montreal", shape=(8, 8), steps=4, scheme="upwind")
    y, x = problem.grid.axes
    assert (y.unit, x.unit, problem.time.unit, problem.time.horizon) == ("km", "km", "h", 24.0)
    for axis, column in ((x, 0), (y, 1)):
        assert axis.start + 2 <= problem.sites[:, column].min()
        assert problem.sites[:, column].max() <= axis.stop - 2
    assert problem.sites.shape == (249, 3)
    assert problem.sites[:, 2].sum() == pytest.approx(272039.6667)
    path = np.array([problem.track(t) for t in range(25)])
    np.testing.assert_allclose(path[0], path[24], atol=1e-12)  # the day is a circle
    assert np.ptp(path, axis=0).max() > 0.5


def test_montreal_demand_is_the_sum_over_all_zones() -> None:
    problem = problems.build("montreal", shape=(7, 9), steps=5, scheme="upwind")
    reward, z, c = problem.coupling.reward, zones(), problem.coordinates
    share = z.size / z.size.sum()
    overlap = sum(
        share[i] * share[j] * math.exp(-((z.x[i] - z.x[j]) ** 2 + (z.y[i] - z.y[j]) ** 2) / 4) / (4 * math.pi)
        for i in range(249)
        for j in range(249)
    )
    profile = [math.exp(2 * math.cos(2 * math.pi * k / 2400)) for k in range(2400)]
    for t in (0.0, 9.6, 24.0):
        plain = sum(
            share[i]
            * math.exp(2 * math.cos(2 * math.pi * (t - z.hour[i]) / 24))
            / (sum(profile) / 2400)
            * np.exp(-((c.x - z.x[i]) ** 2 + (c.y - z.y[i]) ** 2) / 2)
            / (2 * math.pi)
            for i in range(249)
        )
        np.testing.assert_allclose(reward(t, c), plain / overlap, rtol=1e-10)


def test_montreal_reward_is_the_mean_earning_of_a_car_alone() -> None:
    grid = problems.build("montreal", shape=(48, 48), steps=4, scheme="upwind").grid
    demand, start = (
        PointDemand(zones(), 1.0, 1.7, 2.0),
        problems.build("montreal", shape=(48, 48), steps=4, scheme="upwind").initial_mass(),
    )
    hours = np.arange(0, 24, 0.5)
    field = np.tensordot(demand.profile(hours), demand.maps(grid.coordinates), axes=1)
    assert (field * start).sum(axis=(1, 2)).mean() == pytest.approx(1.7, rel=2e-3)


def test_montreal_price_of_an_empty_city_follows_the_clock() -> None:
    problem = problems.build("montreal", shape=(6, 7), steps=5, scheme="upwind")
    game = Game(problem)
    price = game.price(np.zeros((6, *game.step.shape)))
    for k, t in enumerate(problem.time.nodes[:-1]):
        np.testing.assert_allclose(price[k, 0], -problem.coupling.reward(t, problem.coordinates), rtol=1e-12)


@pytest.mark.parametrize(("name", "value"), [("width", 0.0), ("reward", -1.0), ("rhythm", -2.0)])
def test_montreal_refuses_what_is_no_demand(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{name} of the points is {value}"):
        problems.build("montreal", {name: value}, shape=(6, 7))
