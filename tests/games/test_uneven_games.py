"""Games on cells of different widths: the same equilibrium, certificates, agents, files and lattices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.agents.play import stated_problem
from mfgsolve.games import Game, make_game
from mfgsolve.games.transfer import prolong
from mfgsolve.problemfile import problem_from_toml, problem_to_toml


def stretch(s: np.ndarray, strength: float = 0.5) -> np.ndarray:
    """A smooth map of [0, 1] onto itself: cells near the middle are (1 - strength), near the ends (1 + strength)."""
    return np.asarray(s + strength * np.sin(2 * np.pi * s) / (2 * np.pi))


def axis(name: str, cells: int, boundary: str = "reflecting", strength: float = 0.5) -> mfg.Axis:
    return mfg.Axis.from_edges(name, stretch(np.linspace(0, 1, cells + 1), strength), boundary)


def line(space: mfg.Axis, steps: int, **options: object) -> mfg.Problem:
    """Crowd aversion against a place that attracts."""
    given = {
        "grid": mfg.Grid((space,)), "time": mfg.TimeGrid(0.5, steps),
        "dynamics": mfg.ControlledDiffusion(0.05, 0.5, scheme="upwind"),
        "coupling": mfg.CrowdAversion(0.3) + mfg.RunningCost(lambda t, c: 2 * (c.x - 0.7) ** 2),
        "initial": lambda t, c: np.exp(-((c.x - 0.3) ** 2) / 0.02), "normalise": True,
    }  # fmt: skip
    return mfg.Problem(**(given | options))


def plane(blocked: object = None, kinds: tuple[str, str] = ("reflecting", "periodic"), **options: object):
    given = {
        "grid": mfg.Grid((axis("y", 6, kinds[0], 0.4), axis("x", 8, kinds[1], -0.5)), blocked),
        "time": mfg.TimeGrid(0.5, 16), "dynamics": mfg.ControlledDiffusion(0.02, 0.3, scheme="upwind"),
        "coupling": mfg.CrowdAversion(0.5) + mfg.RunningCost(lambda t, c: np.cos(2 * np.pi * c.x) + c.y),
        "initial": lambda t, c: 1.0 + (c.x < 0.4), "normalise": True,
    }  # fmt: skip
    return mfg.Problem(**(given | options))


BLOCKED = np.zeros((6, 8), dtype=bool)
BLOCKED[2:4, 3] = True


def integrals(solution: mfg.Solution, problem: mfg.Problem) -> np.ndarray:
    """Mean and mean square of the place at the end, and the potential: what does not know the grid."""
    mass = solution.dataset["density"].values[-1] * problem.grid.volumes
    x = problem.grid.coordinates.x
    return np.array([(mass * x).sum(), (mass * x**2).sum(), solution.certificate.potential])


def test_equilibrium_is_that_of_a_fine_uniform_grid_to_first_order():
    """Errors of a stretched grid fall toward the extrapolated uniform grids, and extrapolation cancels most of them."""
    uniform = []
    for cells in (128, 256):
        problem = line(mfg.Axis("x", cells), 4 * cells)
        uniform.append(integrals(mfg.solve(problem, tol=1e-9), problem))
    exact = 2 * uniform[1] - uniform[0]  # first order
    found = []
    for cells in (32, 64, 128):
        problem = line(axis("x", cells), 8 * cells)
        solution = mfg.solve(problem, tol=1e-9)
        assert solution.converged
        assert solution.certificate.duality_gap < 1e-8
        found.append(integrals(solution, problem))
    coarse, middle, fine = (np.abs(one - exact) for one in found)
    assert (fine < 3e-4).all()
    assert fine.max() < 0.6 * middle.max() + 1e-5 < 0.8 * coarse.max()
    assert (np.abs(2 * found[2] - found[1] - exact) < 1e-4).all()  # what is of first order cancels


@pytest.mark.parametrize("method", ["newton", "fictitious-play", "frank-wolfe"])
def test_solvers_agree_and_certify(method):
    problem = plane(BLOCKED)
    best = mfg.solve(problem, tol=1e-10)
    tol = 1e-9 if method == "newton" else 1e-3
    solution = mfg.solve(problem, method=method, tol=tol, max_iterations=2000)
    assert solution.converged
    assert mfg.exploitability(problem, solution).relative_exploitability == pytest.approx(
        solution.certificate.relative_exploitability, rel=1e-3, abs=1e-12
    )
    gap = solution.certificate.potential - best.certificate.potential
    assert -1e-9 < gap <= solution.certificate.exploitability + 1e-12
    mass = solution.dataset["density"].values * problem.grid.volumes
    np.testing.assert_allclose(mass.sum(axis=(1, 2)), 1.0, atol=1e-12)
    assert not mass[:, BLOCKED].any()


@pytest.mark.parametrize("noise", ["implicit", "explicit"])
@pytest.mark.parametrize("kinds", [("reflecting", "periodic"), ("periodic", "reflecting")])
@pytest.mark.parametrize("blocked", [None, BLOCKED])
def test_mean_of_agents_is_the_flow(noise, kinds, blocked):
    """The chain of one agent, its implicit noise as a walk included, step by step."""
    viscosity = 0.02 if noise == "explicit" else 0.3
    problem = plane(
        blocked,
        kinds,
        dynamics=mfg.ControlledDiffusion(viscosity, 0.3, noise, scheme="upwind"),
        time=mfg.TimeGrid(0.5, 40),
    )
    game = make_game(problem)
    best = game.respond(game.price(game.resting_crowd(game.empty_crowd())))
    flow = game.flow(best.policy)
    chain = game.step.chain(game.policy_of(best.policy))
    assert bool(chain.law.walks) == (noise == "implicit")
    np.testing.assert_allclose(chain.choices.sum(axis=2), 1.0)
    for t in range(game.steps):
        mean = chain.expect(t, flow[t].reshape(-1))
        np.testing.assert_allclose(mean, flow[t + 1].reshape(-1), atol=1e-14)
    paid = game.cost(game.policy_of(best.policy), flow).cost
    own = (chain.own_cost[:, :, 0] * flow[:-1].reshape(game.steps, -1)).sum()
    assert own == pytest.approx(paid, rel=1e-12)


def test_simulated_agents_meet_the_flow_and_the_regret_is_small():
    problem = plane(BLOCKED)
    solution = mfg.solve(problem, tol=1e-9)
    data = mfg.simulate(solution, 20000, 4, rng=1, problem=problem)
    volumes = problem.grid.volumes
    mass = data["density"].values * volumes
    np.testing.assert_allclose(mass.sum(axis=(-2, -1)), 1.0)
    limit = solution.dataset["density"].sel(time=data["time"]).values * volumes
    apart = 0.5 * np.abs(mass.mean(axis=0) - limit).sum(axis=(1, 2))
    assert apart.max() < 5 * np.sqrt(problem.grid.size / (4 * 20000 * 4))
    np.testing.assert_allclose(data["mean_field_density"].values * volumes, limit, atol=1e-9)
    assert float(data["cost"].mean()) == pytest.approx(float(data["mean_field_cost"]), abs=0.01)


TOML = """
name = "stretched"
[grid]
edges = [[0.0, 0.2, 0.5, 1.0], [0.0, 0.1, 0.25, 0.5, 1.0]]
boundary = ["reflecting", "periodic"]
unit = "km"
[time]
horizon = 1.0
steps = 8
[dynamics]
scheme = "upwind"
viscosity = 0.02
[[coupling]]
kind = "crowd-aversion"
[[coupling]]
kind = "running-cost"
cost = {quadratic = {weight = 4.0, centre = [0.7, 0.6]}}
[initial]
density = 1.0
"""


def test_problem_files_state_edges_and_solutions_keep_them(tmp_path: Path):
    problem = problem_from_toml(TOML)
    assert problem.grid.shape == (3, 4)
    assert problem.grid.axes[1] == mfg.Axis.from_edges("x", [0.0, 0.1, 0.25, 0.5, 1.0], "periodic", "km")
    whole = mfg.solve(problem, tol=1e-8)
    whole.save(tmp_path / "plan.nc")
    loaded = mfg.load(tmp_path / "plan.nc")
    assert loaded.dataset.identical(whole.dataset) or np.array_equal(
        loaded.dataset["density"], whole.dataset["density"]
    )
    np.testing.assert_array_equal(loaded.dataset["x"].attrs["edges"], problem.grid.axes[1].edges)
    again = mfg.exploitability(problem, loaded)
    assert again.relative_exploitability == pytest.approx(whole.certificate.relative_exploitability, abs=1e-12)
    assert stated_problem(loaded).grid.identity == problem.grid.identity


def test_another_shape_follows_the_same_map():
    problem = problem_from_toml(TOML.replace("edges =", "shape = [6, 8]\nedges ="))
    assert problem.grid.axes[1] == mfg.Axis.from_edges("x", [0.0, 0.1, 0.25, 0.5, 1.0], "periodic", "km").refined(8)
    assert problem_from_toml(problem_to_toml(problem)).grid.identity == problem.grid.identity
    with pytest.raises(mfg.InputError, match="neither a shape nor edges"):
        problem_from_toml(TOML.replace("edges = [[0.0, 0.2, 0.5, 1.0], [0.0, 0.1, 0.25, 0.5, 1.0]]", ""))
    with pytest.raises(mfg.InputError, match="edges and bounds"):
        problem_from_toml(TOML.replace("edges =", "bounds = [[0, 1], [0, 1]]\nedges ="))
    with pytest.raises(mfg.InputError, match="edges of axis x must increase"):
        problem_from_toml(TOML.replace("0.25", "0.05"))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_solve_that_was_stopped_goes_on(tmp_path: Path):
    problem = problem_from_toml(TOML)
    whole = mfg.solve(problem, method="fictitious-play", tol=1e-12, max_iterations=30)
    mfg.solve(problem, method="fictitious-play", tol=1e-12, max_iterations=12, checkpoint=tmp_path / "c.nc")
    resumed = mfg.resume(tmp_path / "c.nc", max_iterations=30)
    np.testing.assert_array_equal(resumed.dataset["density"].values, whole.dataset["density"].values)


def test_transfer_keeps_linear_densities_and_starts_are_interpolated():
    coarse, fine = (Game(line(axis("x", n), 8), 1) for n in (12, 24))
    for game in (coarse, fine):
        assert game.grid.axes[0].cells in (12, 24)
    levels = np.stack([(1 + c * coarse.grid.coordinates.x) * coarse.grid.volumes for c in np.linspace(0, 1, 9)])
    found = prolong(levels.reshape(9, 1, 1, -1), coarse, fine).reshape(9, -1) / fine.grid.volumes
    x = np.clip(fine.grid.coordinates.x, coarse.grid.coordinates.x[0], coarse.grid.coordinates.x[-1])
    np.testing.assert_allclose(found, np.stack([1 + c * x for c in np.linspace(0, 1, 9)]), rtol=1e-13)


def test_steps_are_chosen_on_uneven_grids():
    problem = line(axis("x", 48), 4, time=mfg.TimeGrid(0.5))
    solution = mfg.solve(problem, tol=1e-6)
    assert solution.converged
    assert solution.certificate.cap_fraction < 0.02
    even = mfg.solve(line(mfg.Axis("x", 48), 4, time=mfg.TimeGrid(0.5)), tol=1e-6)
    ratio = solution.dataset.sizes["step"] / even.dataset.sizes["step"]
    assert 0.5 < ratio < 4.0  # cells in the middle are half as wide
