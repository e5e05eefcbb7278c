"""Couplings on every kind of space: derivatives, sums, and what bad input is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.couplings import by_target
from mfgsolve.couplings.base import levels_at, nonnegative, total
from mfgsolve.spaces import Choices

BOX = mfg.Grid.box(
    (2, 3), bounds=[(0, 2), (0, 6)], boundary=("reflecting", "periodic"), blocked=lambda c: c.x * c.y > 7
)
TYPES = mfg.Populations(["car", "bus"], BOX)
RNG = np.random.default_rng(7)
SYMMETRIC = RNG.normal(size=(3, 3)) @ np.diag([1.0, 2.0, 0.5])
SYMMETRIC = SYMMETRIC @ SYMMETRIC.T
SKEW = np.array([[0.0, 1.0, -2.0], [-1.0, 0.0, 0.5], [2.0, -0.5, 0.0]])
CUBIC = {
    "cost": lambda t, c, rho: (1 + t) * rho**3, "potential": lambda t, c, rho: (1 + t) * rho**4 / 4,
    "derivative": lambda t, c, rho: 3 * (1 + t) * rho**2, "second": lambda t, c, rho: 6 * (1 + t) * rho,
    "monotone": True,
}  # fmt: skip
THREE = mfg.Populations(["a", "b", "c"], mfg.Grid.box((2,), bounds=[(0, 4)]))
WHOLE = mfg.CustomCoupling(
    cost=lambda t, c, rho: (rho**2).sum() * rho, potential=lambda t, c, rho: (rho**2).sum() ** 2 / 4 / rho.size,
    tangent=lambda t, c, rho, change: 2 * (rho * change).sum() * rho + (rho**2).sum() * change, monotone=True,
)  # fmt: skip
BOUND: dict[str, tuple[Any, Any]] = {
    "interaction of states": (mfg.States(3), mfg.Interaction(SYMMETRIC)),
    "interaction on a grid": (mfg.Grid.box((3,), bounds=[(0, 6)]), mfg.Interaction(SYMMETRIC)),
    "interaction of populations": (THREE, mfg.Interaction(SYMMETRIC, between="populations")),
    "interaction that turns": (THREE, mfg.Interaction(SKEW, between="populations")),
    "interaction of choices": (Choices(3, mfg.States(1)), mfg.Interaction(SYMMETRIC, on="occupation")),
    "custom": (THREE, mfg.CustomCoupling(**CUBIC)),
    "custom on choices": (Choices(2, THREE), mfg.CustomCoupling(**CUBIC, on="occupation")),
    "custom tangent": (mfg.States(4), WHOLE),
    "aversion": (Choices(2, BOX), mfg.CrowdAversion(lambda t, c: 1 + t + c.action, power=2.0, on="occupation")),
    "logarithm": (TYPES, mfg.LogCongestion(0.4, shift=0.2)),
    "congestion": (mfg.States(3), mfg.Congestion(lambda t, c: 1.0 + c.state, 0.6)),
    "running": (TYPES, mfg.RunningCost(lambda t, c: t + c.population)),
    "capacity": (mfg.States(3), mfg.Capacity(0.5)),
}


@pytest.mark.parametrize("name", BOUND)
def test_cost_potential_tangent_and_second_belong_together(name):
    space, coupling = BOUND[name]
    bound, nodes = coupling.bind(space, np.array([0.0, 0.5, 2.0])), slice(1, 3)
    rng, h = np.random.default_rng(1), 1e-5
    free = ~space.mask
    rho, change = rng.uniform(0.2, 2, (2, *space.shape)) * free, rng.normal(size=(2, *space.shape)) * free
    up, down = rho + h * change, rho - h * change
    cost = bound.cost(nodes, rho)
    assert cost.shape == rho.shape
    bend = (bound.cost(nodes, up) - bound.cost(nodes, down)) / (2 * h)
    np.testing.assert_allclose(bound.tangent(nodes, rho, change), bend, rtol=1e-6, atol=1e-8)
    if coupling.is_potential:
        rise = (bound.potential(nodes, up) - bound.potential(nodes, down)) / (2 * h)
        paid = (cost * change).reshape(2, -1).sum(axis=1) * space.cell_volume
        np.testing.assert_allclose(rise, paid, rtol=1e-6, atol=1e-8)
    slope = bound.slope(nodes, rho)
    assert (slope is not None) == coupling.is_local
    second = bound.second(nodes, rho)
    if slope is not None and second is not None:
        np.testing.assert_allclose(slope * change, bend, rtol=1e-6, atol=1e-8)
        turn = (bound.slope(nodes, up) - bound.slope(nodes, down)) / (2 * h)
        np.testing.assert_allclose(second * change, turn, rtol=1e-6, atol=1e-8)
    if not isinstance(space, Choices):
        report = mfg.check_coupling(coupling, space, t=0.5)
        assert report.is_potential == coupling.is_potential
        assert report.is_monotone or not coupling.is_monotone


def test_sums_are_sorted_by_what_they_act_on():
    one, two = mfg.CrowdAversion(1.0), mfg.CrowdAversion(2.0, on="occupation")
    price = mfg.Price(mfg.QuadraticPotential(), amounts=[0, 1])
    groups = by_target(one + two + price + (mfg.RunningCost(1.0) + price))
    assert [type(c).__name__ for c in groups["state"]] == ["Sum"]
    assert groups["occupation"] == [two]
    assert groups["aggregate"] == [price, price]
    assert (one + two).on == "several"
    assert (one + one).on == "state"


def test_a_sum_adds_up_and_knows_what_its_terms_know():
    nodes, rho, line = slice(0, 1), np.array([[0.5, 2.0]]), mfg.States(2)
    one, two = mfg.CrowdAversion(2.0), mfg.Congestion(1.0, 0.5)
    bound, parts = (one + two).bind(line, np.zeros(1)), [c.bind(line, np.zeros(1)) for c in (one, two)]
    for verb in ("cost", "potential", "slope", "second"):
        expected = sum(getattr(part, verb)(nodes, rho) for part in parts)
        np.testing.assert_allclose(getattr(bound, verb)(nodes, rho), expected, rtol=1e-14)
    assert len(bound.parts) == 2
    assert bound.bounds(nodes) is None
    caps = mfg.Capacity(np.array([0.5, 2.0])) + mfg.Capacity(1.0) + one
    low, high = caps.bind(line, np.zeros(1)).bounds(nodes)
    assert (low.tolist(), high.tolist()) == ([[0.0, 0.0]], [[0.5, 1.0]]), "the tighter of two"
    assert not (one + mfg.CustomCoupling(lambda t, c, rho: rho)).is_potential
    assert (one + one + one).terms == (one, one, one)


def test_totals_weigh_cells_by_their_volumes():
    array = np.arange(12.0).reshape(2, 3, 2)
    np.testing.assert_array_equal(total(array, 0.5), [7.5, 25.5])
    volumes = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    np.testing.assert_array_equal(total(array, volumes), [0 + 2 * 2 + 3 * 5, 6 + 2 * 8 + 3 * 11])


def test_what_may_not_be_negative():
    assert nonnegative(np.array([0.0, 0.5]), "cap").tolist() == [0.0, 0.5]
    with pytest.raises(mfg.InputError, match=r"cap is negative \(-0.5\); it must be zero or positive"):
        nonnegative(np.array([1.0, -0.5]), "cap")
    field = np.arange(3.0)[:, None]
    assert levels_at(field, slice(1, 2)).tolist() == [[1.0]]
    assert levels_at(field[:1], slice(1, 2)).tolist() == [[0.0]], "a field that rests has one level for all"
