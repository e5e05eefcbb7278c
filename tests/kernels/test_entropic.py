"""Sweeps of entropic steps in kernels against single steps: every form, dimension, wall and number of threads."""

import numpy as np
import pytest
from scaled_games import GAMES, entropic_game

from mfgsolve.kernels import entropic
from mfgsolve.steps import sweeps

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", GAMES)
def test_sweeps_are_those_of_single_steps(name, threads):
    g = entropic_game(**GAMES[name], threads=threads)
    step, random = g.step, np.random.default_rng(1)
    price = g.price(g.crowd_of(np.repeat(g.initial_mass[None], g.steps + 1, axis=0)))
    costs, policy, other = g.costs(price), step.new_policy(), step.new_policy()
    values, plain = (np.empty((g.steps + 1, *step.shape)) for _ in range(2))
    free = ~g.grid.mask
    step.backward(costs, policy, None, values)
    sweeps.backward(step, costs, other, plain)
    size = np.abs(plain[:, free]).max()
    np.testing.assert_allclose(values[:, free], plain[:, free], rtol=1e-13, atol=1e-14 * size)
    for t in range(g.steps):
        level = step.fields(t, values[t + 1])[0].reshape(step.shape) + costs.weights[t] * price[t]
        np.testing.assert_allclose(values[t][free], level[free], rtol=1e-13, atol=1e-14 * size)
        ahead = step.next_value(t, policy[t])
        np.testing.assert_allclose(ahead[free], values[t + 1][free], rtol=1e-13, atol=1e-14 * size)
    mass, slow = (g.resting_crowd(g.empty_crowd()) for _ in range(2))
    step.forward(policy, mass)
    sweeps.forward(step, policy, slow)
    np.testing.assert_allclose(mass, slow, rtol=1e-9, atol=1e-15)  # laws to the round-off of v / eps
    np.testing.assert_allclose(mass.reshape(g.steps + 1, -1).sum(axis=1), 1.0, rtol=0, atol=1e-14)
    assert (mass >= 0).all()
    assert not mass[:, g.grid.mask].any()
    changes = random.normal(size=(2, *mass.shape)) * free * 1e-3
    fast = [g.curvature(policy, mass, change, identity=0.0) for change in changes]
    moved = sweeps.change(step, g._changes(changes[0]), policy, mass)
    np.testing.assert_allclose(-fast[0], moved, atol=1e-9 * np.abs(moved).max())
    one, two = (fast[0] * changes[1]).sum(), (fast[1] * changes[0]).sum()
    assert one == pytest.approx(two, rel=1e-12)
    assert (fast[0] * changes[0]).sum() > 0  # crowds flee a price


def test_levels_to_work_in_begin_where_vectors_do():
    arrays = entropic_game((6, 8)).step.arrays
    for _ in range(20):
        levels, scales = entropic.empty_levels(arrays, 3)
        assert levels.shape == (3, 6, 8)
        assert levels.ctypes.data % 64 == 0
        assert scales.shape[:2] == (3, 6)
        assert not levels.any()
