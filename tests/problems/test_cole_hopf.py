"""Closed forms solve both equations, and meet both ends."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve import problems
from mfgsolve.games import Game
from mfgsolve.grids import Coordinates

CASES = [
    ("cole-hopf", 1, {}),
    ("cole-hopf", 2, {"boundary": "periodic", "control_cost": 0.5}),
    ("linear-quadratic", 1, {"centre": 0.3}),
    ("linear-quadratic", 2, {"terminal": 0.2}),
    ("gaussian-log", 1, {}),
    ("gaussian-log", 2, {"strength": 0.4, "viscosity": 0.1}),
    ("gaussian-log", 3, {"reach": 0.4}),
]


def derivative(function, c: Coordinates, name: str, order: int, step: float = 2e-3) -> np.ndarray:
    """Central difference of fourth order along one coordinate."""

    def at(k: int) -> np.ndarray:
        return function(Coordinates({n: c[n] + k * step * (n == name) for n in c}))

    if order == 1:
        return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)
    return (16 * (at(1) + at(-1)) - (at(2) + at(-2)) - 30 * at(0)) / (12 * step**2)


def crowd_cost(problem, form, t: float, c: Coordinates) -> np.ndarray:
    """f of the named problem, written down a second time."""
    p = problem.parameters
    if problem.name == "linear-quadratic":
        return 0.5 * p["kappa"] * sum((c[n] - p["centre"]) ** 2 for n in c)
    if problem.name == "gaussian-log":
        well = dict(zip("xyz", problem.track(t), strict=False))
        return 0.5 * p["stiffness"] * sum((c[n] - well[n]) ** 2 for n in c) + p["strength"] * np.log(form.density(t, c))
    return np.zeros(c.x.shape)


@pytest.mark.parametrize(("name", "axes", "parameters"), CASES)
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_closed_forms_solve_both_equations(name: str, axes: int, parameters: dict, share: float) -> None:
    problem = problems.build(name, parameters, shape=(16,) * axes)
    form, t = problems.closed_form(problem), share * problem.time.horizon
    rng = np.random.default_rng(3)
    low = 0.1 if name == "cole-hopf" else -0.9
    c = Coordinates({n: rng.uniform(low, 0.9, 40) for n in problem.grid.dims})
    nu, cost = problem.dynamics.viscosity, problem.dynamics.hamiltonian.weight
    step = 1e-4
    slopes = {n: lambda q, n=n: derivative(lambda r: form.value(t, r), q, n, 1) for n in c}

    value_t = (form.value(t + step, c) - form.value(t - step, c)) / (2 * step)
    curve = sum(derivative(lambda r: form.value(t, r), c, n, 2) for n in c)
    gain = sum(slopes[n](c) ** 2 for n in c) / (2 * cost)
    np.testing.assert_allclose(-value_t - nu * curve + gain, crowd_cost(problem, form, t, c), atol=1e-6)

    density_t = (form.density(t + step, c) - form.density(t - step, c)) / (2 * step)
    spread = sum(derivative(lambda r: form.density(t, r), c, n, 2) for n in c)
    drift = sum(derivative(lambda r, n=n: form.density(t, r) * slopes[n](r), c, n, 1) for n in c) / cost
    np.testing.assert_allclose(density_t, nu * spread + drift, atol=2e-6)


@pytest.mark.parametrize(("name", "axes", "parameters"), CASES)
def test_closed_forms_meet_both_ends(name: str, axes: int, parameters: dict) -> None:
    problem = problems.build(name, parameters, shape=(64,) * axes, steps=4, scheme="upwind")
    form, c, game = problems.closed_form(problem), problem.coordinates, Game(problem)
    exact = form.density(0.0, c)
    np.testing.assert_allclose(problem.initial_mass() / problem.grid.cell_volume, exact, atol=1e-4 * exact.max())
    last = np.stack([form.density(t, c) for t in problem.time.nodes]) * problem.grid.cell_volume
    terminal = game.terminal_cost + game.weights[-1] * game.price(last.reshape(-1, *game.step.shape))[-1]
    np.testing.assert_allclose(terminal.reshape(c.x.shape), form.value(problem.time.horizon, c), atol=1e-3)
