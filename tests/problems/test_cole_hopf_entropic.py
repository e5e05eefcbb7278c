"""Entropic steps on closed forms: exact where there is no crowd, of second order in time, spectral in space."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfgsolve.games import make_game
from tests.accuracy import deviation, entropic, errors, solved


@pytest.mark.parametrize(
    ("shape", "steps", "parameters"),
    [
        ((24,), 16, {}),
        ((32,), 30, {"boundary": "periodic", "control_cost": 0.5}),
        ((12, 16), 6, {"goal": -0.5}),
        ((16, 12), 4, {"boundary": "periodic", "viscosity": 0.02, "horizon": 1.7}),
        ((8, 8, 10), 2, {"goal": 0.7, "start": -0.8}),
    ],
)
def test_without_a_crowd_the_step_is_exact(shape, steps, parameters):
    """Waves are eigenfunctions of Gaussian stencils; what remains is Poisson's sum, and the tail beyond nine sigma."""
    reach = max(math.ceil(9 * deviation(entropic("cole-hopf", shape, steps, **parameters)) * max(shape)), 1)
    problem = entropic("cole-hopf", shape, steps, reach, **parameters)
    assert deviation(problem) >= 1.35
    game = make_game(problem)
    crowd = game.flow(game.respond(game.price(game.resting_crowd(game.empty_crowd()))).policy)
    assert max(errors(problem, game, crowd)) <= 1e-12


@pytest.mark.parametrize(("cells", "steps"), [(15, 128), (19, 128), (24, 128), (27, 128), (11, 60)])
def test_waves_fade_as_poissons_sum_says(cells, steps):
    """The stencil takes exp(-k^2 sigma^2 / 2) [1 + e_s (cosh(2 pi k sigma^2 / h) - 1)] of a wave, to first order."""
    problem = entropic("cole-hopf", (cells,), steps, reach=cells)
    game, width = make_game(problem), deviation(problem)
    h, k = problem.grid.axes[0].spacing, math.pi
    assert 0.4 < width < 0.8
    value = game.values(game.price(game.resting_crowd(game.empty_crowd())))[0]
    wave = np.cos(k * problem.coordinates.x)
    phi = np.exp(-value / (2 * problem.dynamics.viscosity * problem.dynamics.hamiltonian.weight))
    left = 2 * (phi * wave).mean() / 0.9  # of the goal's wave
    gained = math.log(left) + problem.dynamics.viscosity * k * k
    error = 2 * math.exp(-2 * math.pi**2 * width**2)
    assert gained == pytest.approx(steps * error * (math.cosh(2 * math.pi * k * width**2 * h) - 1), rel=0.08)


@pytest.mark.parametrize(
    ("name", "shape", "steps", "density", "cost"),
    [
        ("gaussian-log", (64,), 32, 1.5e-4, 5e-5),
        ("linear-quadratic", (128,), 64, 8e-6, 3e-6),
        ("linear-quadratic", (32, 32), 8, 1e-3, 3e-4),
        ("gaussian-log", (64, 64), 32, 9e-4, 4e-4),
        ("linear-quadratic", (64, 72), 32, 5e-5, 5e-5),
        pytest.param("gaussian-log", (32, 32, 32), 16, 1.2e-3, 1e-3, marks=pytest.mark.slow),
        ("linear-quadratic", (32, 32, 32), 8, 1e-3, 1e-3),
    ],
)
def test_distance_to_the_closed_form(name, shape, steps, density, cost):
    problem = entropic(name, shape, steps)
    found = errors(problem, *solved(problem))
    assert found.density <= density
    assert found.cost <= cost


def test_second_order_in_time():
    """Where the noise of a step is wider than a cell."""
    found = []
    for cells, steps in [(48, 16), (64, 32), (96, 64), (128, 128)]:
        problem = entropic("gaussian-log", (cells,), steps)
        assert deviation(problem) >= 1
        found.append(errors(problem, *solved(problem)))
    for kind in ([one.density for one in found], [one.cost for one in found]):
        np.testing.assert_allclose(np.diff(np.log2(kind)), -2.0, atol=0.1)


def test_without_noise_the_order_is_four_thirds():
    """nu = 0 takes a viscosity of the scheme's own, 0.18 h^2 / dt; with dt ~ h^(2/3) it falls like h^(4/3)."""
    found = []
    for cells, steps in [(64, 16), (128, 25), (256, 40)]:
        problem = entropic("linear-quadratic", (cells,), steps, viscosity=0.0)
        game, crowd = solved(problem)
        assert game.step.viscosity == pytest.approx(0.18 * (6 / cells) ** 2 / problem.time.dt)
        found.append(errors(problem, game, crowd).cost)
    np.testing.assert_allclose(np.diff(np.log2(found)), -4 / 3, atol=0.1)
