"""Games without a final time whose equilibria are known in closed form, by schemes that converge to them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import i0

import mfgsolve as mfg

RHO_GAUSSIAN = -0.805944955247924
ROOMS = -4.6443908991414


def on_a_line(time: mfg.Discounted | mfg.Ergodic, crowd: bool = True, cells: int = 64, **start: object) -> mfg.Problem:
    """Agents who are drawn to the middle, x^2 / 2, and pay log of the density, with noise s = 1."""
    grid = mfg.Grid.box((cells,), bounds=((-8.0, 8.0),))
    well = mfg.RunningCost(lambda t, c: c.x**2 / 2)
    coupling = mfg.LogCongestion(1.0) + well if crowd else well
    return mfg.Problem(grid, time, mfg.ControlledDiffusion(0.5, scheme="entropic"), coupling, **start)


def gaussian(x: np.ndarray, variance: float) -> np.ndarray:
    return np.exp(-(x**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def orders(errors: list[float], ratio: float = 2.0) -> np.ndarray:
    return np.log(np.array(errors[:-1]) / np.array(errors[1:])) / np.log(ratio)


def test_four_rooms_are_filled_evenly() -> None:
    wall = np.zeros((11, 11), dtype=bool)
    wall[5, :] = wall[:, 5] = True
    wall[5, [2, 8]] = wall[[2, 8], 5] = False
    grid = mfg.Grid(mfg.Grid.box((11, 11), bounds=((0, 11), (0, 11))).axes, wall)
    moves = mfg.LatticeMoves([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)], 0.0)
    problem = mfg.Problem(grid, mfg.Discounted(factor=0.99), moves, mfg.LogCongestion(1.0))
    solution = mfg.solve(problem, tol=1e-13)
    np.testing.assert_allclose(solution.density.values[~wall], 1 / 104, atol=1e-12)
    assert solution.certificate.cost == pytest.approx(ROOMS, abs=1e-12)


def test_ergodic_torus_is_of_second_order() -> None:
    def potential(t: float, c: mfg.Grid) -> np.ndarray:
        angle = 2 * np.pi * c.x
        return 2 * np.pi**2 * (np.sin(angle) + np.cos(angle) ** 2) + 2 * np.sin(angle)

    grid, found = mfg.Grid.box((32,), boundary="periodic"), []
    for dt in (1 / 128, 1 / 256, 1 / 512):
        dynamics = mfg.ControlledDiffusion(0.5, scheme="entropic")
        problem = mfg.Problem(grid, mfg.Ergodic(dt=dt), dynamics, mfg.LogCongestion(1.0) + mfg.RunningCost(potential))
        solution = mfg.solve(problem, method="newton", tol=1e-13)
        assert solution.iterations <= 10
        u = np.sin(2 * np.pi * grid.coordinates.x)
        errors = (
            abs(solution.dataset.attrs["average_cost"] + np.log(i0(2))),
            np.abs(solution.density - np.exp(-2 * u) / i0(2)).max(),
            np.abs(solution.value - u).max(),
        )
        found.append([float(error) for error in errors])
    for errors in zip(*found, strict=True):
        assert (orders(list(errors)) > 1.9).all()
    assert max(found[-1]) < 5e-3


@pytest.mark.slow
def test_ergodic_gaussian() -> None:
    variance, found = (1 + np.sqrt(2)) / 2, []
    for dt in (0.2, 0.1):
        solution = mfg.solve(on_a_line(mfg.Ergodic(dt=dt), cells=48), method="newton", tol=1e-11)
        density = gaussian(solution.dataset.x.values, variance)
        cost = abs(solution.dataset.attrs["average_cost"] - RHO_GAUSSIAN)
        found.append((cost, float(np.abs(solution.density.values - density).max())))
    assert found[-1][0] < 3e-5
    assert found[-1][1] < 3e-5
    for errors in zip(*found, strict=True):
        assert (orders(list(errors)) > 1.6).all()


@pytest.mark.slow
def test_discounted_quadratic_with_log() -> None:
    found = []
    for dt in (0.2, 0.1):
        solution = mfg.solve(on_a_line(mfg.Discounted(rate=0.1, dt=dt), cells=48), method="newton", tol=1e-10)
        x = solution.dataset.x.values
        near = np.abs(x) < 2
        value = -8.30510308861778 + 0.4 * x**2 / 2
        errors = np.abs(solution.value.values - value)[near].max(), np.abs(solution.density - gaussian(x, 1.25)).max()
        found.append([float(error) for error in errors])
    assert (orders([value for value, _ in found]) > 1.7).all()
    assert found[-1][0] < 5e-4
    assert found[-1][1] < 5e-5


@pytest.mark.parametrize("population", ["invariant", "renewal"])
def test_discounted_linear_quadratic(population: str) -> None:
    found, eta = [], 0.618033988749895
    start = {"initial": lambda t, c: np.exp(-(c.x**2) / 2), "normalise": True} if population == "renewal" else {}
    mean = 1.0 if population == "renewal" else 1 / (2 * eta)  # of x^2, where agents begin
    for dt in (0.1, 0.05):
        time = mfg.Discounted(rate=1.0, dt=dt, population=population)
        solution = mfg.solve(on_a_line(time, False, **start), method="newton", tol=1e-11)
        x = solution.dataset.x.values
        near = np.abs(x) < 2
        value = 0.309016994374947 + eta * x**2 / 2
        lifetime = 0.309016994374947 + eta * mean / 2
        errors = np.abs(solution.value.values - value)[near].max(), abs(solution.dataset.discounted_cost - lifetime)
        found.append([float(error) for error in errors])
    for errors in zip(*found, strict=True):
        assert (orders(list(errors)) > 1.8).all()
    assert found[-1][0] < 1e-3


def test_turnpike_is_the_middle_of_a_long_time() -> None:
    def potential(t: float, c: mfg.Grid) -> np.ndarray:
        return np.cos(2 * np.pi * c.x) + 0.3 * np.sin(4 * np.pi * c.x)

    def stated(time: mfg.TimeGrid, **start: object) -> mfg.Problem:
        grid = mfg.Grid.box((32,), boundary="periodic")
        coupling = mfg.LogCongestion(1.0) + mfg.RunningCost(potential)
        return mfg.Problem(grid, time, mfg.ControlledDiffusion(0.25, scheme="upwind"), coupling, **start)

    solution = mfg.solve(stated(mfg.Ergodic(dt=1 / 2048)), tol=1e-11)
    assert solution.dataset.attrs["average_cost"] == pytest.approx(-0.07254832799750, abs=1e-12)
    gaps = []
    for horizon in (0.5, 1.0):
        finite = mfg.solve(stated(mfg.TimeGrid(horizon, int(2048 * horizon)), initial=1.0), tol=1e-8, check="ignore")
        gaps.append(float(np.abs(finite.density.values[int(1024 * horizon)] - solution.density.values).max()))
    assert gaps[0] < 5e-2
    assert gaps[1] < gaps[0] / 10


def test_upwind_steps_of_implicit_noise_are_exact_games() -> None:
    grid = mfg.Grid.box((16,))
    dynamics = mfg.ControlledDiffusion(0.1, scheme="upwind")
    coupling = mfg.CrowdAversion(0.5) + mfg.RunningCost(lambda t, c: (c.x - 0.3) ** 2)
    problem = mfg.Problem(grid, mfg.Discounted(rate=0.5, dt=0.01), dynamics, coupling)
    solution = mfg.solve(problem, tol=1e-11)
    again = mfg.exploitability(problem, solution)
    assert abs(again.relative_exploitability) < 1e-10
    still = mfg.exploitability(problem, np.zeros((2, 16)))
    assert still.exploitability > 1e-3
    np.testing.assert_allclose(problem.grid.cell_volume * solution.density.sum(), 1.0, atol=1e-12)
