"""MFQ on the Ising model beside Monte Carlo, Onsager and exact enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mfgsolve.errors import InputError
from mfgsolve.stages.ising import CRITICAL_TEMPERATURE, exact_order, ising, learned_order, monte_carlo, order_of


def enumerated_order(temperature):
    """Mean |magnetisation| of the 4 x 4 torus, over all 65,536 states."""
    spins = 2 * np.array(list(itertools.product((0, 1), repeat=16))).reshape(-1, 4, 4) - 1
    pairs = (spins * (np.roll(spins, 1, axis=1) + np.roll(spins, 1, axis=2))).sum(axis=(1, 2))
    weight = np.exp((pairs - pairs.max()) / (2.0 * temperature))
    return float(weight @ np.abs(spins.mean(axis=(1, 2))) / weight.sum())


def test_critical_temperature():
    assert pytest.approx(1.1346, abs=5e-5) == CRITICAL_TEMPERATURE
    assert exact_order(CRITICAL_TEMPERATURE * (1 - 1e-9)) > 0.05
    assert exact_order(CRITICAL_TEMPERATURE * (1 + 1e-9)) == 0.0
    assert exact_order(0.8) == pytest.approx(0.98, abs=0.001)


@pytest.mark.parametrize("method", ["heat bath", "metropolis"])
@pytest.mark.parametrize("temperature", [1.0, 1.5])
def test_monte_carlo_has_the_law_of_the_model(method, temperature):
    found = monte_carlo(temperature, size=4, sweeps=60_000, method=method, rng=1).order
    assert found == pytest.approx(enumerated_order(temperature), abs=0.012)


def test_rewards_are_half_the_bonds():
    game = ising(4)
    rng = np.random.default_rng(0)
    actions = rng.integers(2, size=16)
    spins = 2 * actions.reshape(4, 4) - 1
    around = sum(np.roll(spins, step, axis) for step in (1, -1) for axis in (0, 1))
    paid = game.rewards[0, actions, game.coding.cells(game.graph, game.types, actions)]
    np.testing.assert_allclose(paid, (0.5 * spins * around).ravel())


@pytest.mark.slow
@pytest.mark.parametrize(("temperature", "low", "high"), [(0.8, 0.97, 0.985), (1.5, 0.12, 0.155)])
def test_learners_follow_monte_carlo_away_from_the_critical_point(temperature, low, high):
    learned = [learned_order(temperature, rng=seed).order for seed in range(4)]
    measured = np.mean([monte_carlo(temperature, rng=seed).order for seed in range(4)])
    assert low < np.mean(learned) < high
    assert np.mean(learned) == pytest.approx(measured, abs=0.01 if temperature < 1 else 0.02)


def test_synchronous_play_splits_the_torus():
    found = [learned_order(0.8, size=8, stages=1500, activity=1.0, rng=seed, warm=2000) for seed in range(16)]
    assert min(order.sublattice for order in found) > 0.9  # each sublattice is ordered
    opposed = sum(order.staggered > 0.9 for order in found)
    assert sum(order.order > 0.9 for order in found) == 16 - opposed
    assert 3 <= opposed <= 13  # the signs are drawn alone: half, give or take 2.5 standard deviations
    mixed = [learned_order(0.8, size=8, stages=15_000, activity=0.1, rng=seed) for seed in range(6)]
    assert max(order.staggered for order in mixed) < 0.1


@pytest.mark.slow
def test_synchronous_sublattices_are_independent_above_the_critical_point():
    every = [learned_order(1.5, stages=12_000, activity=1.0, rng=seed) for seed in range(4)]
    order, sublattice, staggered = (
        np.mean([getattr(found, name) for found in every]) for name in ("order", "sublattice", "staggered")
    )
    assert order == pytest.approx(staggered, rel=0.12)  # no sign is preferred
    assert order == pytest.approx(sublattice / np.sqrt(2.0), rel=0.08)  # means of two independent numbers


def test_order_parameters_of_patterns():
    aligned, opposed = np.array([[[0, 8], [0, 8]]]), np.array([[[0, 8], [8, 0]]])
    assert (order_of(aligned).order, order_of(aligned).staggered) == (1.0, 0.0)
    assert (order_of(opposed).order, order_of(opposed).sublattice, order_of(opposed).staggered) == (0.0, 1.0, 1.0)


def test_bad_input():
    for size in (5, 2, 4.5):
        with pytest.raises(InputError):
            ising(size)
    with pytest.raises(InputError, match="temperature"):
        learned_order(0.0)
    with pytest.raises(InputError, match="did you mean 'metropolis'"):
        monte_carlo(1.0, method="metropolys")
