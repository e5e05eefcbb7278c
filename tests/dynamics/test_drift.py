"""Games with an uncontrolled drift: closed forms with measured orders, all solvers, lattices, plane, walls, time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import mfgsolve as mfg
from mfgsolve.games import Game
from mfgsolve.problems.linear_quadratic import MeanAttraction
from mfgsolve.resolution import judge, settle
from mfgsolve.solvers import suited
from mfgsolve.solvers.cooling import dearer
from mfgsolve.steps.drift import Drift

HALF = lambda t, c: -0.5 * c.x  # the wind of Ornstein and Uhlenbeck
MEAN, VARIANCE, GAIN = 0.18195919791379, 0.130102906177426, 0.530329756621528
CELLS = (60, 120, 240, 480)


def line(cells: int, steps: int, dynamics: Any, **parts: Any) -> mfg.Problem:
    """[-3, 3] for a unit of time, from N(0.3, 0.01)."""
    stated: dict[str, Any] = {"coupling": 0.0, "initial": mfg.Bump(1.0, 0.1, (0.3,)), "normalise": True}
    return mfg.Problem(
        grid=mfg.Grid.box((cells,), bounds=[(-3, 3)]), time=mfg.TimeGrid(1.0, steps), dynamics=dynamics,
        **(stated | parts),
    )  # fmt: skip


def moments(problem: mfg.Problem, mass: np.ndarray) -> tuple[float, float]:
    x, mass = problem.coordinates.x, mass.reshape(problem.grid.shape)
    mean = float((mass * x).sum())
    return mean, float((mass * x**2).sum()) - mean**2


def at_rest(problem: mfg.Problem) -> np.ndarray:
    """The flow of agents who choose nothing, (T+1, *shape)."""
    game = Game(problem, 1)
    policy = np.zeros((game.steps, *game.step.policy_shape))
    if game.has_tables:
        policy[:, 0] = 1.0
    return game.mass(game.flow(policy))


# -- closed forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["diffusion", "lattice"])
def test_ornstein_uhlenbeck_is_of_first_order(kind: str) -> None:
    """dX = -X/2 dt + sqrt(0.2) dW: the mean falls by e^(-1/2), the variance is 0.01 / e + 0.2 (1 - 1/e)."""
    assert 0.3 * np.exp(-0.5) == pytest.approx(MEAN, abs=1e-14)
    assert 0.01 * np.exp(-1) + 0.2 * (1 - np.exp(-1)) == pytest.approx(VARIANCE, abs=1e-14)
    if kind == "diffusion":
        dynamics: Any = mfg.ControlledDiffusion(0.1, drift=HALF, scheme="upwind")
    else:
        dynamics = mfg.LatticeMoves([0, 1, -1], costs=(0.0, 1.0, 1.0), viscosity=0.1, drift=HALF)
    errors = []
    for cells in CELLS:
        problem = line(cells, cells // 3, dynamics)
        mass = at_rest(problem)
        np.testing.assert_allclose(mass.sum(axis=1), 1.0, rtol=0, atol=1e-12)
        errors.append(np.subtract(moments(problem, mass[-1]), (MEAN, VARIANCE)))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert abs(orders - 1).max() < 0.03, orders
    np.testing.assert_allclose(errors[-1] * np.array([1, 1]) * CELLS[-1], [-0.0684, 0.665], rtol=0.03)


def test_nobody_moves_by_himself_where_that_is_dear() -> None:
    """The solved plan is the flow of the wind alone, and costs nothing."""
    problem = line(60, 20, mfg.ControlledDiffusion(0.1, 1e6, drift=HALF, scheme="upwind"), terminal=lambda t, c: c.x)
    solution = mfg.solve(problem, check="ignore")
    assert solution.converged
    density = solution.dataset["density"].values * problem.grid.volumes
    np.testing.assert_allclose(density, at_rest(problem), rtol=0, atol=1e-6)
    assert solution.potential == pytest.approx(moments(problem, density[-1])[0], abs=1e-6)


def test_linear_quadratic_in_the_wind_has_the_gain_of_its_riccati_equation() -> None:
    """f = |x - mean|^2 / 2: V = eta |x - mean|^2 / 2 + ..., a = eta (mean - x), eta' = eta^2 + eta - 1, eta(1) = 0."""
    exact = solve_ivp(lambda t, eta: eta**2 + eta - 1, (1, 0), [0.0], rtol=1e-12, atol=1e-14).y[0, -1]
    assert exact == pytest.approx(GAIN, abs=1e-12)
    root = np.sqrt(5) / 2  # by separation of variables between the roots of eta^2 + eta - 1
    assert 1 / (0.5 + root / np.tanh(root)) == pytest.approx(GAIN, abs=1e-14)
    errors = []
    for cells in (48, 96, 192):
        start = mfg.Bump(1.0, 0.3, (0.3,))
        problem = line(cells, 2 * cells, mfg.ControlledDiffusion(0.1, drift=HALF, scheme="upwind"),
                       coupling=MeanAttraction(1.0),
                       initial=start)  # fmt: skip
        solution = mfg.solve(problem, check="raise")
        assert solution.relative_exploitability <= 1e-10
        speed, x = solution.dataset["speed"].isel(step=0), problem.coordinates.x
        near = abs(x - 0.3) < 0.9
        toward = (speed.sel(move="x-") - speed.sel(move="x+")).values
        errors.append(np.polyfit(x[near] - 0.3, toward[near], 1)[0] - GAIN)
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert abs(orders - 1).max() < 0.1, orders
    assert errors[-1] * 192 == pytest.approx(-1.95, rel=0.05)


@pytest.mark.parametrize("kind", ["diffusion", "lattice"])
def test_a_steady_wind_on_a_ring_is_a_translation(kind: str) -> None:
    """Seven cells a step, exactly; half a cell a step, in two steps of the binomial (1/4, 1/2, 1/4)."""
    dynamics = {
        "diffusion": lambda b: mfg.ControlledDiffusion(0.0, drift=b, scheme="upwind"),
        "lattice": lambda b: mfg.LatticeMoves([0, 1], costs=(0, 9), drift=b),
    }[kind]
    rng = np.random.default_rng(1)
    start = rng.random(40) + 0.1
    stated: dict[str, Any] = {
        "grid": mfg.Grid.box((40,), boundary="periodic"), "time": mfg.TimeGrid(0.3, 10), "coupling": 0.0,
        "initial": start * 40 / start.sum(),
    }  # fmt: skip
    mass = at_rest(mfg.Problem(dynamics=dynamics(7 / 40 / 0.03), **stated))
    for t in range(11):
        np.testing.assert_array_equal(mass[t], np.roll(mass[0], 7 * t))
    mass = at_rest(mfg.Problem(dynamics=dynamics(-0.5 / 40 / 0.03), **stated))
    twice = 0.25 * mass[0] + 0.5 * np.roll(mass[0], -1) + 0.25 * np.roll(mass[0], -2)
    np.testing.assert_allclose(mass[2], twice, rtol=0, atol=1e-16)


def test_a_wind_that_changes_is_the_one_of_the_start_of_each_step() -> None:
    wind = lambda t, c: np.cos(5 * t) + 0 * c.x
    for dynamics in (mfg.ControlledDiffusion(0.0, drift=wind, scheme="upwind"), mfg.LatticeMoves([0], drift=wind)):
        problem = line(60, 8, dynamics)
        mass = at_rest(problem)
        carried = [moments(problem, level)[0] - 0.3 for level in mass]
        starts = np.cos(5 * problem.time.nodes[:-1]) / 8
        np.testing.assert_allclose(carried, np.append(0.0, starts.cumsum()) + carried[0], rtol=0, atol=1e-13)


def test_axes_come_in_the_order_x_y_z() -> None:
    for ndim in (1, 2, 3):
        winds = (0.3, -0.2, 0.1)[:ndim]
        problem = mfg.Problem(
            grid=mfg.Grid.box((12,) * ndim), time=mfg.TimeGrid(0.5, 4), coupling=0.0, normalise=True,
            dynamics=mfg.ControlledDiffusion(0.0, drift=winds if ndim > 1 else winds[0], scheme="upwind"),
            initial=lambda t, c: (np.max([abs(c[name] - 0.5) for name in c], axis=0) < 0.2) * 1.0,
        )  # fmt: skip
        mass = at_rest(problem)[-1]
        means = [float((mass * problem.coordinates[name]).sum()) for name in "xyz"[:ndim]]
        np.testing.assert_allclose(means, 0.5 + 0.5 * np.array(winds), rtol=0, atol=1e-14)


def test_a_rotation_of_the_plane_on_equal_and_uneven_cells() -> None:
    """The mean turns by the rotation of the whole time, to first order, whatever the widths of the cells are."""
    errors: dict[str, list[float]] = {"even": [], "uneven": []}
    for cells in (16, 32, 64):
        edges = np.linspace(-1, 1, cells + 1)
        for name, stretch in (("even", 0.0), ("uneven", 0.15)):
            axes = [mfg.Axis.from_edges(n, edges + stretch * np.sin(np.pi * edges)) for n in "yx"]
            problem = mfg.Problem(
                grid=mfg.Grid(tuple(axes)), time=mfg.TimeGrid(1.0, cells), coupling=0.0, normalise=True,
                dynamics=mfg.ControlledDiffusion(0.0, drift=(lambda t, c: -c.y, lambda t, c: c.x), scheme="upwind"),
                initial=mfg.Bump(1.0, 0.1, (0.4, 0.1)),
            )  # fmt: skip
            mass, c = at_rest(problem), problem.coordinates
            first, last = (np.array([(m * c.x).sum(), (m * c.y).sum()]) for m in (mass[0], mass[-1]))
            errors[name].append(float(np.abs(last - expm([[0, -1], [1, 0]]) @ first).max()))
    for name, found in errors.items():
        assert abs(np.log2(np.divide(found[:-1], found[1:])) - 1).max() < 0.1, (name, found)
        assert found[-1] < 5e-3


def test_what_stops_at_a_wall_piles_up_there() -> None:
    """exp(b x / nu) / Z at rest: no flux through the walls, to first order in h."""
    errors = []
    for cells in (32, 64, 128):
        problem = mfg.Problem(
            grid=mfg.Grid.box((cells,)), time=mfg.TimeGrid(4.0, 4 * cells), coupling=0.0, initial=1.0,
            dynamics=mfg.ControlledDiffusion(0.2, drift=1.0, scheme="upwind"),
        )  # fmt: skip
        rest = np.diff(np.exp(5 * problem.grid.axes[0].edges)) / np.expm1(5)
        errors.append(0.5 * float(np.abs(at_rest(problem)[-1] - rest).sum()))
    assert abs(np.log2(np.divide(errors[:-1], errors[1:])) - 1).max() < 0.15, errors
    assert errors[-1] < 0.012


# -- games -------------------------------------------------------------------------------------------------------------

ROTATION = (lambda t, c: -(c.y - 0.5), lambda t, c: (1 + t) * (c.x - 0.5))


def plane(dynamics: Any, **parts: Any) -> mfg.Problem:
    stated: dict[str, Any] = {
        "grid": mfg.Grid.box((10, 12), blocked=lambda c: (abs(c.x - 0.5) < 0.1) & (c.y < 0.7)),
        "time": mfg.TimeGrid(0.5, 40), "coupling": mfg.CrowdAversion(0.3), "initial": lambda t, c: (c.x < 0.25) * 1.0,
        "terminal": lambda t, c: (c.x - 0.8) ** 2 + (c.y - 0.6) ** 2, "normalise": True,
    }  # fmt: skip
    return mfg.Problem(dynamics=dynamics, **(stated | parts))


MOVES: dict[str, Any] = {"moves": [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)], "costs": (0.0, 0.1, 0.1, 0.1, 0.1)}
GAMES = {
    "diffusion": lambda: plane(mfg.ControlledDiffusion(0.02, drift=ROTATION, scheme="upwind")),
    "explicit": lambda: plane(mfg.ControlledDiffusion(0.02, noise="explicit", drift=ROTATION, scheme="upwind")),
    "no noise": lambda: plane(mfg.ControlledDiffusion(drift=ROTATION, scheme="upwind")),
    "nonlocal": lambda: plane(mfg.ControlledDiffusion(0.02, drift=ROTATION, scheme="upwind"),
    coupling=mfg.Nonlocal(0.2, 0.3)),
    "lattice": lambda: plane(mfg.LatticeMoves(**MOVES, viscosity=0.02, temperature=0.2, drift=ROTATION),
                             time=mfg.TimeGrid(0.5, 12)),
    "sharp lattice": lambda: plane(mfg.LatticeMoves(**MOVES, drift=ROTATION), grid=mfg.Grid.box((3, 4)),
                                   time=mfg.TimeGrid(0.5, 4)),
}  # fmt: skip


LOOSE = {  # what these reach in a second, with a wind and without
    "lattice": {"fictitious-play": 1e-7},
    "sharp lattice": {
        "newton": 1e-7, "frank-wolfe": 1e-3, "fictitious-play": 1e-3, "prior-descent": 1e-5, "mirror-descent": 1e-5,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", GAMES)
def test_every_solver_certifies_a_plan_in_the_wind(name: str) -> None:
    problem, potentials = GAMES[name](), {}
    for method in suited(problem):
        tol = LOOSE.get(name, {}).get(method, 1e-10)
        solution = mfg.solve(problem, method=method, tol=tol, check="ignore", max_seconds=30)
        assert solution.converged, (method, solution.relative_exploitability)
        potentials[method] = solution.potential
    exact = min(potentials.values())
    for method, potential in potentials.items():
        assert potential == pytest.approx(exact, abs=max(1e-9, 10 * LOOSE.get(name, {}).get(method, 0.0))), method


def test_newton_solves_it_from_coarse_grids_and_along_falling_costs_of_moving() -> None:
    """Three levels of grids; and what is solved where moving is dearer is the same wind."""
    fine = mfg.Grid.box((32, 32))
    plain = plane(mfg.ControlledDiffusion(0.02, drift=ROTATION, scheme="upwind"), grid=fine, time=mfg.TimeGrid(0.5, 96))
    through = mfg.solve(plain, method="newton", check="raise")
    alone = mfg.solve(plain, method="newton", coarse_grids=False, check="raise")
    assert through.sweeps < alone.sweeps
    assert through.potential == pytest.approx(alone.potential, abs=1e-11)
    game = Game(
        line(40, 60, mfg.ControlledDiffusion(0.1, drift=HALF, scheme="upwind"), terminal=lambda t, c: 5 * c.x), 1
    )
    dear = Game(
        line(40, 60, mfg.ControlledDiffusion(0.1, 8.0, drift=HALF, scheme="upwind"), terminal=lambda t, c: 5 * c.x), 1
    )
    price = np.zeros((61, *game.step.shape))
    flows = [one.flow(one.respond(price.copy()).policy) for one in (dearer(game, 8.0), dear)]
    np.testing.assert_array_equal(*flows)


def test_results_do_not_depend_on_threads() -> None:
    problem = replace(GAMES["diffusion"](), time=mfg.TimeGrid(0.5, 20))
    one, two = (mfg.solve(problem, threads=threads, max_iterations=3, check="ignore") for threads in (1, 2))
    np.testing.assert_array_equal(one.dataset["density"], two.dataset["density"])


def test_a_derivative_of_the_flow_sees_the_drift() -> None:
    """Newton's operator against differences, by tables of each step and by factors."""
    for name in ("diffusion", "lattice"):
        game = Game(GAMES[name](), 1)
        rng, small = np.random.default_rng(2), 1e-5
        price, direction = (0.2 * rng.normal(size=(game.steps + 1, *game.level_shape)) for _ in range(2))
        flows = [game.flow(game.respond(price + s * small * direction).policy) for s in (1.0, -1.0)]
        policy = game.respond(price.copy()).policy
        weighted = direction * game.weights.reshape(-1, *(1,) * len(game.level_shape))
        change = -game.curvature(policy, game.flow(policy), weighted, identity=0.0)
        np.testing.assert_allclose(
            change, (flows[0] - flows[1]) / (2 * small), rtol=0, atol=2e-5 * abs(change).max(), err_msg=name
        )


def test_lattices_have_tables_of_each_step_where_the_wind_changes() -> None:
    """Control, then drift, then the random displacement and noise: products by hand."""
    grid, time, jumps = mfg.Grid.box((6,), bounds=[(0, 6)]), mfg.TimeGrid(1.0, 4), {-1: 0.25, 0: 0.5, 1: 0.25}
    wind = lambda t, c: 1.5 * t + 0 * c.x
    dynamics = mfg.LatticeMoves([0, 2], jumps=jumps, drift=wind, noise="explicit", viscosity=0.1)
    tables, _ = dynamics.tables(grid, time)
    (still,), _ = mfg.LatticeMoves([0, 2]).tables(grid, time)
    ((after,),), _ = mfg.LatticeMoves([0], jumps=jumps, noise="explicit", viscosity=0.1).tables(grid, time)
    assert len(tables) == 4
    for t in range(4):
        share = 1.5 * t / 4 / 4  # of a cell
        drift = (1 - share) * np.eye(6) + share * np.eye(6)[np.minimum(np.arange(6) + 1, 5)]
        for move, table in zip(still, tables[t], strict=True):
            np.testing.assert_allclose(table.toarray(), move.toarray() @ drift @ after.toarray(), rtol=0, atol=1e-15)
    steady, _ = mfg.LatticeMoves([0, 2], drift=0.3).tables(grid, time)
    assert len(steady) == 1


def test_tables_take_a_drift_by_a_product() -> None:
    """The matrix of the factor, after the choice: the same game as the lattice."""
    grid, time = mfg.Grid.box((6,), bounds=[(0, 6)]), mfg.TimeGrid(1.0, 4)
    drift = Drift(grid, time.dt, np.full((1, 1, 6), 0.7)).matrix(0)
    moves = [np.eye(6), np.eye(6)[np.minimum(np.arange(6) + 1, 5)]]
    parts: dict[str, Any] = {"coupling": mfg.CrowdAversion(1.0), "initial": 1 / 6, "terminal": lambda t, c: c.x}
    tables = mfg.Tabular([move @ drift.toarray() for move in moves], cost=[0.0, 0.1], temperature=0.2)
    lattice = mfg.LatticeMoves([0, 1], costs=(0.0, 0.1), temperature=0.2, drift=0.7)
    one, two = (mfg.solve(mfg.Problem(grid, time, dynamics, **parts), check="raise") for dynamics in (tables, lattice))
    np.testing.assert_allclose(one.dataset["density"], two.dataset["density"], rtol=0, atol=1e-12)
    assert lattice.chance_count(grid, time) == 2 * mfg.LatticeMoves([0, 1]).chance_count(grid, time) == 24


def test_populations_have_winds_of_their_own() -> None:
    grid = mfg.Grid.box((12,), bounds=[(0, 12)])
    dynamics = [mfg.LatticeMoves([0], drift=1.0), mfg.LatticeMoves([0], drift=lambda t, c: -0.5 + 0 * c.x)]
    start = np.zeros((2, 12))
    start[:, 6] = 1.0
    problem = mfg.Problem(
        grid=mfg.Populations(["up", "down"], grid), time=mfg.TimeGrid(4.0, 4), dynamics=dynamics,
        coupling=mfg.CrowdAversion(0.1), initial=start,
    )  # fmt: skip
    mass = at_rest(problem)[-1].reshape(2, 12)
    np.testing.assert_allclose(mass @ grid.coordinates.x, [6.5 + 4, 6.5 - 2], rtol=0, atol=1e-13)


# -- the number of steps -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("strength", "said"), [(20.0, []), (40.0, ["drift-too-fast"])])
def test_winds_in_which_agents_pass_each_other_are_a_caution_of_the_game_itself(strength: float, said: list) -> None:
    """dt = 1/32: 20 dt < 1 here, and > 1 on Newton's coarse grid, which is no matter; on a lattice it is said once."""
    wind = lambda t, c: -strength * c.x
    moves = {"moves": [0, 1, -1], "costs": 1.0, "temperature": 0.1}
    for dynamics in (
        mfg.ControlledDiffusion(0.5, 10.0, drift=wind, scheme="upwind"),
        mfg.LatticeMoves(**moves, drift=wind),
    ):
        problem = line(48, 32, dynamics, coupling=mfg.CrowdAversion(0.01))
        solution = mfg.solve(problem, check="ignore")
        assert [caution.code for caution in solution.warnings if "drift" in caution.code] == said


@pytest.mark.slow
def test_steps_are_chosen_and_judged_with_the_wind() -> None:
    """An array is averaged over coarse cells, a function sampled there; too few steps are told."""
    grid = mfg.Grid.box((32, 32))
    c = grid.coordinates
    parts: dict[str, Any] = {"grid": grid, "time": mfg.TimeGrid(1.0)}
    stated = (lambda t, c: 3 * (0.5 - c.y), lambda t, c: 3 * (c.x - 0.5)), (3 * (0.5 - c.y), 3 * (c.x - 0.5))
    chosen = [settle(plane(mfg.ControlledDiffusion(0.02, drift=drift, scheme="upwind"), **parts)) for drift in stated]
    assert chosen[0].time.steps == chosen[1].time.steps
    judged = [judge(problem) for problem in chosen]
    assert judged[0].flow_change == pytest.approx(judged[1].flow_change, rel=1e-6)
    assert not judged[0].cautions
    assert judged[0].flow_change < 0.05
    fast = mfg.ControlledDiffusion(
        0.02, drift=(lambda t, c: 30 * (0.5 - c.y), lambda t, c: 30 * (c.x - 0.5)), scheme="upwind"
    )
    few = judge(plane(fast, **parts).with_steps(chosen[0].time.steps))
    assert [caution.code for caution in few.cautions] == ["too-few-steps"]
