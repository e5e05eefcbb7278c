"""Measured orders of convergence: slope and constant over four grids, h and dt refined together.

The upwind scheme is of first order, so error = constant * h with slopes near 1.  Each constant is asserted within a
factor of about 1.3 of the measured one: a scheme that is of first order but worse fails too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import problems
from mfgsolve.games import Game

LINE = (32, 64, 128, 256)
PLANE = (16, 32, 64, 128)


def assert_first_order(
    cells: Sequence[int], errors: Sequence[float], constant: float, slope: float = 0.9, near: float = 0.1
) -> None:
    """error ~ constant / cells: every slope at least ``slope``, the last within ``near`` of 1."""
    e, n = np.array(errors), np.array(cells)
    slopes = np.log2(e[:-1] / e[1:]) / np.log2(n[1:] / n[:-1])
    assert len(n) >= 4
    assert slopes.min() > slope, f"slopes {slopes}, errors {e}"
    assert abs(slopes[-1] - 1) < near, f"slopes {slopes}, errors {e}"
    assert 0.75 < e[-1] * n[-1] / constant < 1.3, f"constants {e * n}, expected {constant}"


def uncapped(game: Game, ahead: np.ndarray, mass: np.ndarray) -> None:
    """The scheme is consistent only where the speed cap does not bind."""
    assert game.cost(game.policy_of(ahead), mass).capped == 0


# -- backward alone, forward alone -----------------------------------------------------------------------------------

HEAT = [  # cells, axes, parameters, constants of: value, density under the exact value, density under the own value
    (LINE, 1, {}, 0.0333, 0.873, 1.10),
    (LINE, 1, {"boundary": "periodic"}, 0.0613, 1.54, 1.64),
    (PLANE, 2, {}, 0.0173, 0.668, 0.826),
]


def cole_hopf(cells: int, axes: int, parameters: dict):
    problem = problems.build("cole-hopf", parameters, shape=(cells,) * axes, steps=4 * cells, scheme="upwind")
    return problem, Game(problem), problems.closed_form(problem)


@pytest.mark.parametrize(("cells", "axes", "parameters", "constant"), [(*h[:3], h[3]) for h in HEAT])
def test_backward_alone(cells: tuple[int, ...], axes: int, parameters: dict, constant: float) -> None:
    errors = []
    for n in cells:
        problem, game, form = cole_hopf(n, axes, parameters)
        response = game.respond(np.zeros((game.steps + 1, *game.step.shape)))
        errors.append(abs(game.mass(response.value[None])[0] - form.value(0.0, problem.coordinates)).max())
        uncapped(game, response.policy, game.flow(response.policy))
    assert_first_order(cells, errors, constant)


@pytest.mark.parametrize(("cells", "axes", "parameters", "constant"), [(*h[:3], h[4]) for h in HEAT])
def test_forward_alone_with_drift_and_walls(
    cells: tuple[int, ...], axes: int, parameters: dict, constant: float
) -> None:
    errors = []
    for n in cells:
        problem, game, form = cole_hopf(n, axes, parameters)
        c = problem.coordinates
        ahead = np.stack([form.value(t, c) for t in problem.time.nodes[:-1]]).reshape(-1, *game.step.shape)
        mass = game.flow(ahead)
        uncapped(game, ahead, mass)
        errors.append(abs(game.mass(mass)[-1] / game.grid.cell_volume - form.density(1.0, c)).max())
    assert_first_order(cells, errors, constant)


@pytest.mark.parametrize(("cells", "axes", "parameters", "constant"), [(*h[:3], h[5]) for h in HEAT])
def test_backward_then_forward(cells: tuple[int, ...], axes: int, parameters: dict, constant: float) -> None:
    errors = []
    for n in cells:
        problem, game, form = cole_hopf(n, axes, parameters)
        mass = game.flow(game.respond(np.zeros((game.steps + 1, *game.step.shape))).policy)
        errors.append(abs(game.mass(mass)[-1] / game.grid.cell_volume - form.density(1.0, problem.coordinates)).max())
    assert_first_order(cells, errors, constant)


@pytest.mark.parametrize(("boundary", "constant"), [("reflecting", 0.627), (("reflecting", "periodic"), 0.686)])
def test_forward_alone_around_an_obstacle(boundary: str | tuple[str, str], constant: float) -> None:
    """Drift -grad W / c and noise nu keep exp(-W / (c nu)) at rest, whatever walls and blocked cells there are."""
    viscosity, cost = 0.1, 0.5

    def hill(t: float, c) -> np.ndarray:
        return 0.05 * np.cos(2 * np.pi * (c.x - 0.1)) * np.cos(np.pi * c.y) + 0.05 * c.y

    def at_rest(t: float, c) -> np.ndarray:
        return np.exp(-hill(t, c) / (cost * viscosity))

    errors = []
    for n in PLANE:
        problem = mfg.Problem(
            grid=mfg.Grid.box((n, n), boundary=boundary, blocked=lambda c: (abs(c.x - 0.5) < 0.125) & (c.y < 0.625)),
            time=mfg.TimeGrid(0.5, 4 * n),
            dynamics=mfg.ControlledDiffusion(viscosity, cost, scheme="upwind"),
            coupling=0.0,
            initial=at_rest,
            normalise=True,
        )
        game = Game(problem)
        wall = np.where(problem.grid.mask, 1e30, hill(0.0, problem.coordinates))
        ahead = np.broadcast_to(wall, (game.steps, *game.step.shape)).copy()
        mass = game.flow(ahead)
        uncapped(game, ahead, mass)
        errors.append(abs(mass[-1] - mass[0]).sum())
    assert_first_order(PLANE, errors, constant, slope=0.85)


# -- coupled ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Errors:
    """Of a solution against the closed form: worst L1 distance of the density over time, worst error of the mean over
    time, and worst error of V(0, x) where the density at t = 0 is above a thousandth of its largest value."""

    density: float
    mean: float
    value: float


def means(problem: mfg.Problem, density: np.ndarray) -> np.ndarray:
    """Mean of each coordinate (x, y, ...) at every node."""
    c = problem.coordinates
    flat = density.reshape(len(density), -1) * problem.grid.cell_volume
    return np.stack([flat @ c[name].ravel() for name in sorted(c)], axis=1)


def coupled(name: str, parameters: dict, axes: int, cells: int) -> Errors:
    problem = problems.build(name, parameters, shape=(cells,) * axes, steps=4 * axes * cells, scheme="upwind")
    form, c = problems.closed_form(problem), problem.coordinates
    solution = mfg.solve(problem, tol=1e-9)
    assert solution.status is mfg.Status.CONVERGED
    density, value = solution.dataset["density"].values, solution.dataset["value"].values[0]
    assert solution.dataset.attrs["cap_fraction"] == 0
    exact = np.stack([form.density(t, c) for t in problem.time.nodes])
    distance = abs(density - exact).reshape(len(exact), -1).sum(axis=1) * problem.grid.cell_volume
    near = exact[0] > 1e-3 * exact[0].max()
    path = np.array([np.broadcast_to(form.mean(t), axes) for t in problem.time.nodes])
    followed, mirrored = abs(means(problem, density) - path).max(), abs(means(problem, density) - path[::-1]).max()
    if parameters.get("reach"):
        assert followed < 0.1 * mirrored  # in time with the well, not against it
    return Errors(distance.max(), followed, abs(value - form.value(0.0, c))[near].max())


def test_gaussian_log_at_rest() -> None:
    found = [coupled("gaussian-log", {"reach": 0.0}, 1, n) for n in LINE]
    assert_first_order(LINE, [e.density for e in found], 1.78)
    assert_first_order(LINE, [e.value for e in found], 3.0, slope=0.85)


def test_gaussian_log_with_the_moving_well() -> None:
    found = [coupled("gaussian-log", {"reach": 0.5}, 1, n) for n in LINE]
    assert_first_order(LINE, [e.density for e in found], 2.81)
    assert_first_order(LINE, [e.mean for e in found], 0.578)
    assert_first_order(LINE, [e.value for e in found], 6.0, slope=0.8)


@pytest.mark.slow
def test_gaussian_log_in_the_plane() -> None:
    found = [coupled("gaussian-log", {"reach": 0.5}, 2, n) for n in (16, 24, 32, 48)]
    assert_first_order((16, 24, 32, 48), [e.density for e in found], 3.8, slope=0.8)
    assert_first_order((16, 24, 32, 48), [e.mean for e in found], 0.63, near=0.15)


def test_linear_quadratic() -> None:
    found = [coupled("linear-quadratic", {"centre": 0.5}, 1, n) for n in LINE]
    assert_first_order(LINE, [e.density for e in found], 6.3, slope=0.8)
    assert_first_order(LINE, [e.value for e in found], 3.0)


def test_linear_quadratic_variance() -> None:
    errors = []
    for n in LINE:
        problem = problems.linear_quadratic(shape=(n,), steps=4 * n, centre=0.5, scheme="upwind")
        form, x = problems.closed_form(problem), problem.coordinates.x
        density = mfg.solve(problem, tol=1e-9).dataset["density"].values * problem.grid.cell_volume
        variance = density @ x**2 - (density @ x) ** 2
        errors.append(abs(variance - [form.variance(t) for t in problem.time.nodes]).max())
    assert_first_order(LINE, errors, 1.13)
