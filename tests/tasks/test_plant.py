"""Plants on their grids, and the best of a centre, found a second time by trying everything."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from mfgsolve.errors import InputError
from mfgsolve.tasks import make_task
from mfgsolve.tasks.plant import Axis, cheapest, optimum, policy_value, tabulate
from mfgsolve.tasks.pushed_pendulum import PushedPendulum
from mfgsolve.tasks.steering import OpposedSteering, SharedSteering


class Uneven(SharedSteering):
    """One driver pays for both, and more for the other's turns."""

    name = "uneven-steering"

    @property
    def efforts(self):
        return np.array([[0.1, 0.4], [0.0, 0.0]])


SMALL = SharedSteering(offsets=5, headings=5, discount=0.8)
PLANTS = [
    SMALL,
    Uneven(offsets=5, headings=5, discount=0.8),
    OpposedSteering(offsets=5, headings=7, apart=0.7, discount=0.8),
    PushedPendulum(angles=7, speeds=5, discount=0.7),
]


def test_a_place_between_nodes_has_two_neighbours():
    line, circle = Axis("x", "m", -1.0, 1.0, 5), Axis("angle", "rad", 0.0, 4.0, 4, circle=True)
    assert line.nodes.tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert circle.nodes.tolist() == [0.0, 1.0, 2.0, 3.0]
    low, high, share = line.between(np.array([-3.0, -0.5 + 1e-12, 0.1, 1.0, 7.0]))
    assert low.tolist() == [0, 1, 2, 4, 4]
    assert high.tolist() == [1, 2, 3, 4, 4]
    np.testing.assert_allclose(share, [0, 0, 0.2, 0, 0], atol=1e-12)
    low, high, share = circle.between(np.array([3.25, -0.5, 4.0, 9.0]))
    assert low.tolist() == [3, 3, 0, 1]
    assert high.tolist() == [0, 0, 1, 2]
    np.testing.assert_allclose(share, [0.25, 0.5, 0, 0])


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_the_next_state_is_f_in_the_mean(plant):
    tables, (one, two) = tabulate(plant), plant.axes
    np.testing.assert_allclose(tables.chance.sum(axis=-1), 1.0, rtol=1e-14)
    assert tables.chance.min() >= 0
    state = np.arange(tables.states)
    first, second = one.nodes[state // two.size], two.nodes[state % two.size]
    for k, total in enumerate(tables.totals):
        moved = plant.move(first, second, total)
        share, after = tables.chance[:, k], tables.successor[:, k]
        np.testing.assert_allclose((share * two.nodes[after % two.size]).sum(axis=1), moved[1], atol=1e-12)
        place = one.nodes[after // two.size]
        if one.circle:  # the neighbours of a place on a circle, seen from there
            turn = one.high - one.low
            place = moved[0][:, None] + np.mod(place - moved[0][:, None] + turn / 2, turn) - turn / 2
        np.testing.assert_allclose((share * place).sum(axis=1), moved[0], atol=1e-9)


def brute_force(plant, tables):
    """Value iteration over all joint controls, each told one by one."""
    value = np.zeros(tables.states)
    joints = list(product(range(len(tables.controls)), repeat=plant.agents))
    for _ in range(150):
        worth = np.empty((len(joints), tables.states))
        for row, joint in enumerate(joints):
            u = tables.controls[list(joint)]
            k = int(np.flatnonzero(tables.totals == u.sum())[0])
            worth[row] = -np.mean([plant.efforts[i] @ u**2 for i in range(plant.agents)])
            for corner in range(4):
                y = tables.successor[:, k, corner]
                gain = np.mean(tables.reward[:, y], axis=0) + plant.discount * value[y]
                worth[row] += tables.chance[:, k, corner] * gain
        value = worth.max(axis=0)
    return value


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_the_best_of_a_centre_is_the_best_of_all_joint_controls(plant):
    tables = tabulate(plant)
    value, choices = optimum(tables)
    np.testing.assert_allclose(value, brute_force(plant, tables), atol=1e-9 * (1 + np.abs(value).max()))
    np.testing.assert_allclose(policy_value(tables, choices), value, rtol=1e-9)
    rng = np.random.default_rng(0)
    for _ in range(5):
        other = rng.integers(len(tables.controls), size=choices.shape)
        assert (policy_value(tables, other) <= value + 1e-9).all()


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_the_value_of_a_policy_is_the_sum_of_its_rewards(plant):
    """Step by step with the whole distribution, until the discount leaves nothing."""
    tables, rng = tabulate(plant), np.random.default_rng(1)
    choices = rng.integers(len(tables.controls), size=(tables.states, plant.agents))
    u = tables.controls[choices]
    at = (np.arange(tables.states), u.sum(axis=1) - tables.totals[0])
    start, total, weight = np.zeros(tables.states), 0.0, 1.0
    start[tables.states // 3] = 1.0
    mass = start.copy()
    for _ in range(500):
        after = np.zeros_like(mass)
        np.add.at(after, tables.successor[at], mass[:, None] * tables.chance[at])
        paid = np.mean([(plant.efforts[i] * u**2).sum(axis=1) for i in range(plant.agents)], axis=0)
        total += weight * (np.mean(tables.reward @ after) - paid @ mass)
        mass, weight = after, weight * plant.discount
    assert policy_value(tables, choices) @ start == pytest.approx(total, rel=1e-9)


def test_the_cheapest_of_every_sum():
    tables = tabulate(PushedPendulum(agents=4, angles=5, speeds=5))
    paid, who = cheapest(tables)
    assert paid.shape == (9,)
    np.testing.assert_array_equal(tables.controls[who].sum(axis=1), tables.totals)
    np.testing.assert_allclose(paid, 0.05 * np.abs(tables.totals) / 4)  # mean of squares, as many as are needed
    opposed = tabulate(OpposedSteering(offsets=5, headings=5, effort=0.2))
    paid, who = cheapest(opposed)
    np.testing.assert_allclose(paid, 0.1 * np.array([8, 5, 2, 1, 0, 1, 2, 5, 8]))  # evenly shared: 2+2, 2+1, 1+1, 1
    paid, who = cheapest(tabulate(PLANTS[1]))
    assert who[5].tolist() == [2, 0]  # who is cheaper turns the wheel alone
    np.testing.assert_allclose(paid[4:], [0, 0.05, 0.2, 0.4, 1.0])


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (PushedPendulum, {"agents": 1}, "agents of pushed-pendulum is 1; at least 2"),
        (PushedPendulum, {"agents": 30}, "joint controls"),
        (SharedSteering, {"discount": 1.0}, "discount of shared-steering is 1"),
        (SharedSteering, {"steps": 0}, "steps of shared-steering is 0"),
        (SharedSteering, {"offsets": 2}, "2 nodes of offset"),
        (SharedSteering, {"offsets": 1000, "headings": 1000}, "1000000 states"),
    ],
)
def test_what_is_no_plant_is_refused(kind, given, words):
    with pytest.raises(InputError, match=words):
        kind(**given)


@pytest.mark.parametrize("name", ["shared-steering", "shared-steering-opposed", "pushed-pendulum"])
def test_parameters_are_finite(name: str):
    for parameter, value in make_task(name).parameters.items():
        if isinstance(value, float):
            for bad in (float("inf"), float("nan")):
                with pytest.raises(InputError, match=f"{parameter} of {name} is"):
                    make_task(name, {parameter: bad})
