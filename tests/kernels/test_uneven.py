"""Kernels on cells of different widths: adjointness, mass, noise against matrices, equal cells by either road."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from dense import expect
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from varied_grids import uneven

import mfgsolve as mfg
from mfgsolve.games import Game
from mfgsolve.kernels import bellman, kolmogorov, noise, tangent
from mfgsolve.steps.scheme import cell_rates, make_scheme
from mfgsolve.steps.speed_policies import SpeedPolicy

properties = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
EPSILON = np.finfo(float).eps


@st.composite
def games(draw):
    """A random game on one to three axes, at least one of them uneven, with walls, rings and blocked cells."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ndim = draw(st.integers(1, 3))
    kinds = draw(st.lists(st.sampled_from(["reflecting", "periodic"]), min_size=ndim, max_size=ndim))
    axes = [
        uneven(rng, name, int(rng.integers(3, 7)), kind) for name, kind in zip("zyx"[3 - ndim :], kinds, strict=True)
    ]
    if ndim > 1 and rng.random() < 0.3:
        axes[0] = mfg.Axis(axes[0].name, axes[0].cells, 0.0, 4.0, kinds[0])
    grid = mfg.Grid(tuple(axes))
    if draw(st.booleans()):
        mask = rng.random(grid.shape) < 0.25
        mask.reshape(-1)[rng.integers(grid.size)] = False
        grid = mfg.Grid(grid.axes, mask)
    steps, explicit = 4, draw(st.booleans())
    viscosity = float(rng.choice([0.0, 0.05, 2.0]))
    if explicit:
        viscosity = min(viscosity, 0.9 * steps / (4 * sum(a.smallest**-2 for a in grid.axes)))
    density = rng.random(grid.shape) * ~grid.mask
    problem = mfg.Problem(
        grid=grid,
        time=mfg.TimeGrid(1.0, steps),
        dynamics=mfg.ControlledDiffusion(
            viscosity, rng.uniform(0.02, 1.0), "explicit" if explicit else "implicit", scheme="upwind"
        ),
        coupling=mfg.CrowdAversion(1.0),
        initial=density,
        normalise=True,
    )
    return Game(problem, 1), rng


def dense(game: Game, transpose: bool) -> np.ndarray:
    """The noise operator as a matrix, column by column."""
    columns = []
    for k in range(game.cells):
        unit, out = np.zeros(game.step.shape), np.empty(game.step.shape)
        unit.reshape(-1)[k] = 1.0
        noise.noise(unit, out, game.step.scheme, transpose)
        columns.append(out.reshape(-1))
    return np.stack(columns, axis=1)


def laplacian(axis: mfg.Axis, free: np.ndarray) -> np.ndarray:
    """(L v)_i = [(v_{i+1} - v_i) / d - (v_i - v_{i-1}) / d] / h on a line, with no flux through closed faces."""
    n, centres, widths, out = axis.cells, axis.centres, axis.widths, np.zeros((axis.cells,) * 2)
    for i in range(n if axis.periodic else n - 1):
        j = (i + 1) % n
        if free[i] and free[j]:
            gap = (centres[j] - centres[i]) % axis.length if axis.periodic else centres[j] - centres[i]
            for here, there in ((i, j), (j, i)):
                out[here, there] += 1 / (gap * widths[here])
                out[here, here] -= 1 / (gap * widths[here])
    return out


def whole_laplacian(game: Game, axis: int) -> np.ndarray:
    """The same on all lines of the grid along one of its axes."""
    grid, numbers = game.grid, np.arange(game.cells).reshape(game.grid.shape)
    out = np.zeros((game.cells, game.cells))
    lines, free = np.moveaxis(numbers, axis, -1), np.moveaxis(~grid.mask, axis, -1)
    for line, open_ in zip(lines.reshape(-1, lines.shape[-1]), free.reshape(-1, lines.shape[-1]), strict=True):
        out[np.ix_(line, line)] += laplacian(grid.axes[axis], open_)
    return out


@properties
@given(games())
def test_noise_is_what_its_equation_says(case):
    """On values the product of (I - nu dt L)^-1, or I + nu dt L; on masses its transpose, column sums 1."""
    game, _ = case
    scheme, ndim = game.step.scheme, game.grid.ndim
    viscosity = game.problem.all_dynamics[0].viscosity * game.dt
    parts = [whole_laplacian(game, axis) for axis in range(ndim)]
    eye = np.eye(game.cells)
    if game.problem.all_dynamics[0].noise == "explicit":
        wanted = eye + viscosity * sum(parts)
    else:
        wanted = eye
        for part in parts:  # z, then y, then x: the first one acts first
            wanted = np.linalg.inv(eye - viscosity * part) @ wanted
    values, masses = dense(game, False), dense(game, True)
    np.testing.assert_allclose(values, wanted, atol=1e-13)
    np.testing.assert_allclose(masses, values.T, atol=1e-14)
    np.testing.assert_allclose(values.sum(axis=1), 1.0, atol=1e-13)
    assert scheme.uneven


@properties
@given(games())
def test_push_is_transpose_of_expect(case):
    """<push(m), v> = <m, expect(v)>, noise included; mass is kept."""
    game, rng = case
    free = ~game.grid.mask.reshape(game.step.shape)
    price = rng.standard_normal((game.steps + 1, *game.step.shape))
    ahead = game.respond(price).policy[:1]
    mass, v = np.zeros((2, *game.step.shape)), rng.standard_normal(game.step.shape)
    mass[0] = rng.standard_normal(game.step.shape) * free
    kolmogorov.forward(ahead, mass, game.step.scheme)
    expected = expect(game, ahead[0], v)
    size = np.abs(mass[0]).sum() * np.abs(v).max()
    assert float((mass[1] * v).sum()) == pytest.approx(float((mass[0] * expected).sum()), abs=40 * EPSILON * size)
    assert mass[1].sum() == pytest.approx(mass[0].sum(), abs=40 * EPSILON * np.abs(mass[0]).sum())


def speeds_by_hand(game: Game, ahead: np.ndarray) -> np.ndarray:
    """(moves, *shape) in the order x+, x-, y+, ...: clip((W - W') / (d c), 0, d / (2 ndim dt)), cell by cell."""
    grid, cost = game.grid, game.problem.all_dynamics[0].hamiltonian.weight
    w, out = ahead.reshape(grid.shape), np.zeros((2 * grid.ndim, *grid.shape))
    for cell in np.ndindex(grid.shape):
        for k, axis in enumerate(reversed(grid.axes)):
            place = grid.ndim - 1 - k
            for side, sign in enumerate((1, -1)):
                there = list(cell)
                there[place] += sign
                if axis.periodic:
                    there[place] %= axis.cells
                if not 0 <= there[place] < axis.cells or grid.mask[cell] or grid.mask[tuple(there)]:
                    continue
                gap = abs(axis.centres[there[place]] - axis.centres[cell[place]])
                if (
                    axis.periodic
                    and {there[place], cell[place]} == {0, axis.cells - 1}
                    and ((sign == 1) == (cell[place] == axis.cells - 1))
                ):
                    gap = axis.length - gap
                best = (w[cell] - w[tuple(there)]) / (gap * cost)
                out[(2 * k + side, *cell)] = np.clip(best, 0.0, gap / (2 * grid.ndim * game.dt))
    return out


@properties
@given(games())
def test_speeds_costs_and_values_are_those_of_the_formula(case):
    game, rng = case
    price = rng.standard_normal((game.steps + 1, *game.step.shape))
    best = game.respond(price)
    policy, free = game.policy_of(best.policy), ~game.grid.mask
    speed = policy.speed(game.step.mesh, slice(0, game.steps)).reshape(game.steps, -1, *game.grid.shape)
    wanted = np.stack([speeds_by_hand(game, ahead) for ahead in best.policy])
    np.testing.assert_allclose(speed, wanted, rtol=1e-12, atol=1e-12)
    crowd = game.flow(best.policy)
    cost = game.problem.all_dynamics[0].hamiltonian.weight
    paid = 0.5 * cost * game.dt * (game.mass(crowd)[:-1] * (wanted**2).sum(axis=1)).sum()
    own = game.cost(policy, crowd)
    assert own.cost == pytest.approx(paid, rel=1e-11, abs=1e-15)
    plain = SpeedPolicy(speed.reshape(game.steps, -1, *game.step.shape))
    np.testing.assert_allclose(game.follow(plain), crowd, atol=1e-14)
    again = game.cost(plain, crowd)
    assert (again.cost, again.capped) == (pytest.approx(paid, rel=1e-11, abs=1e-15), pytest.approx(own.capped))
    weighted = (game.weights[:, None, None, None] * price * crowd).sum()
    total = paid + weighted + (game.terminal_cost * crowd[-1]).sum()
    assert total == pytest.approx(best.mean_value, rel=1e-10, abs=1e-12)
    assert crowd.min() >= -1e-15
    assert not game.mass(crowd)[:, ~free].any()


@properties
@given(games())
def test_curvature_is_symmetric_and_the_derivative_of_the_flow(case):
    game, rng = case
    price = 0.3 * rng.standard_normal((game.steps + 1, *game.step.shape))
    response = game.respond(price)
    mass = game.flow(response.policy)
    u, v = rng.standard_normal((2, game.steps + 1, *game.step.shape))
    ku, kv = (-game.curvature(response.policy, mass, w, identity=0.0) for w in (u, v))
    size = np.abs(ku).sum() + np.abs(kv).sum() + EPSILON
    assert float((v * ku).sum()) == pytest.approx(float((u * kv).sum()), abs=1e-12 * size)
    assert float((u * ku).sum()) <= 1e-13 * size
    assert np.abs(ku.reshape(len(ku), -1).sum(axis=1)).max() <= 1e-13 * size


def stretched(cells: int, boundary: str, strength: float = 0.15) -> mfg.Axis:
    """Edges x(s) = s + strength sin(2 pi s) / (2 pi) on [0, 1]: smooth, also around a ring."""
    s = np.linspace(0.0, 1.0, cells + 1)
    return mfg.Axis.from_edges("x", s + strength * np.sin(2 * np.pi * s) / (2 * np.pi) * 4, boundary)


@pytest.mark.parametrize(("boundary", "waves"), [("reflecting", 1), ("periodic", 2)])
@pytest.mark.parametrize("kind", ["explicit", "implicit"])
def test_noise_operator_has_order_two_on_a_stretched_grid(boundary, waves, kind):
    """cos(pi waves x) decays like exp(-nu (pi waves)^2 t): errors of values and of densities fall by 4 for 2."""
    viscosity, horizon, errors = 0.1, 0.2, {False: [], True: []}
    for cells in (16, 32, 64):
        axis = stretched(cells, boundary)
        grid = mfg.Grid((axis,))
        steps = 20 * cells**2 // 16**2 * 16  # time steps of order h^2: their error is of the same order
        time = mfg.TimeGrid(horizon, steps)
        scheme = make_scheme(grid, time, viscosity, kind, 1.0, 1)
        wave = np.cos(np.pi * waves * axis.centres)
        exact = np.exp(-viscosity * (np.pi * waves) ** 2 * horizon) * wave
        for transpose, scale in ((False, np.ones(cells)), (True, axis.widths)):
            level, out = (wave * scale).reshape(1, 1, -1).copy(), np.empty((1, 1, cells))
            for _ in range(steps):
                noise.noise(level.copy(), out, scheme, transpose)
                level[...] = out
            errors[transpose].append(float(np.abs(level.reshape(-1) / scale - exact).max()))
    for found in errors.values():
        for coarse, fine in itertools.pairwise(found):
            assert coarse / fine == pytest.approx(4.0, rel=0.12)
        assert found[-1] < 1e-3


def test_edges_of_equal_cells_are_the_axis_of_equal_cells():
    """The same object by equality, hence the same kernels and the same bits."""
    for start, stop, cells in ((0.0, 1.0, 10), (-3.7, 11.1, 64), (1e6, 1e6 + 1, 7)):
        axis = mfg.Axis.from_edges("x", np.linspace(start, stop, cells + 1), "periodic")
        assert axis == mfg.Axis("x", cells, start, stop, "periodic")
        assert axis.even


def test_both_roads_agree_on_equal_cells():
    """The kernels for arrays, given equal cells, to round-off; with movement, tangent and explicit noise."""
    rng, shape = np.random.default_rng(3), (5, 6, 7)
    for kind in ("implicit", "explicit"):
        grid = mfg.Grid.box(shape, boundary=["periodic", "reflecting", "periodic"])
        problem = mfg.Problem(
            grid=grid, time=mfg.TimeGrid(1.0, 5), dynamics=mfg.ControlledDiffusion(0.005, 0.1, kind, scheme="upwind"),
            coupling=mfg.CrowdAversion(1.0), initial=1.0, normalise=True,
        )  # fmt: skip
        game = Game(problem, 1)
        plain, axes = game.step.scheme, game.grid.axes
        rates = [cell_rates(a, 0.005 * game.dt) for a in axes]
        arrays = plain._replace(
            spacing=tuple(a.distances for a in axes),
            cap=tuple(np.full(a.cells, cap) for a, cap in zip(axes, plain.cap, strict=True)),
            rate=tuple(rates), open=np.ones(shape), uneven=1,
        )  # fmt: skip
        price = rng.standard_normal((6, *shape))
        results = []
        for scheme in (plain, arrays):
            value, ahead, mass = rng.standard_normal(shape) * 0, np.empty((5, *shape)), np.empty((6, *shape))
            mass[0] = game.initial_mass
            bellman.backward(price, game.weights, value, ahead, scheme)
            kolmogorov.forward(ahead, mass, scheme)
            moved = kolmogorov.movement(ahead, mass, scheme)
            result, none = np.empty_like(mass), np.empty((0, 1, 1, 1))
            tangent.curvature(ahead, mass, price, none, result, 0.0, none, none, 0.0, 0.0, scheme)
            results.append([value, ahead, mass, np.array(moved), result])
        for one, other in zip(*results, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)
