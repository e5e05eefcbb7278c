"""Noise that differs from place to place: against dense inverses, transposes, laws that rest, moments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from varied_grids import grids, uneven

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.steps.noise_fields import FORMS, ExplicitFieldNoise, FieldNoise

properties = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def places(draw):
    """Any grid, and viscosities of three steps."""
    grid, rng = draw(grids(most=5))
    size = 10.0 ** rng.integers(-2, 5)
    viscosity = tuple(
        size * rng.random((3 if rng.random() < 0.5 else 1, *grid.shape)) * (rng.random(grid.shape) < 0.8)
        for _ in range(grid.ndim)
    )
    return grid, viscosity, str(rng.choice(FORMS)), rng


def generators(grid: mfg.Grid, nu: list[np.ndarray], form: str) -> list[np.ndarray]:
    """L_k (cells, cells) of each axis of the arrays, entry by entry."""
    result, number = [], np.arange(grid.size).reshape(grid.shape)
    for k, axis in enumerate(grid.axes):
        matrix = np.zeros((grid.size, grid.size))
        for cell in np.ndindex(grid.shape):
            for side in (1, -1):
                there = list(cell)
                there[k] += side
                if not (0 <= there[k] < axis.cells):
                    if not axis.periodic:
                        continue
                    there[k] %= axis.cells
                other = tuple(there)
                if grid.mask[cell] or grid.mask[other]:
                    continue
                distance = axis.distances[cell[k] if side == 1 else cell[k] - 1]
                here = nu[k][cell] if form == "ito" else 0.5 * (nu[k][cell] + nu[k][other])
                matrix[number[cell], number[other]] += here / (distance * axis.widths[cell[k]])
        result.append(matrix - np.diag(matrix.sum(axis=1)))
    return result


@properties
@given(places())
def test_it_is_the_product_of_the_inverses_and_push_is_its_transpose(made):
    grid, viscosity, form, rng = made
    noise, dt, one = FieldNoise(grid, 0.1, viscosity, form), 0.1, np.eye(grid.size)
    for t in range(3):
        levels = [level[t if len(level) > 1 else 0] for level in viscosity]
        matrix = one
        for along in reversed(generators(grid, levels, form)):  # masses go along x first
            matrix = matrix @ np.linalg.inv(one - dt * along)
        mass, value = rng.random(grid.shape), rng.normal(size=grid.shape)
        pushed, expected = noise.push(t, mass), noise.expect(t, value)
        np.testing.assert_allclose(expected.reshape(-1), matrix @ value.reshape(-1), rtol=0, atol=1e-9)
        np.testing.assert_allclose(pushed.reshape(-1), matrix.T @ mass.reshape(-1), rtol=0, atol=1e-9)
        assert float((pushed * value).sum()) == pytest.approx(float((mass * expected).sum()), abs=1e-11)
        assert pushed.sum() == pytest.approx(mass.sum(), abs=1e-11)
        assert pushed.min() >= 0
    if noise.is_steady:
        flat = mass.reshape(-1)
        for walk in noise.walks(grid.size):
            flat = walk.push(flat)
        np.testing.assert_allclose(flat, pushed.reshape(-1), rtol=0, atol=1e-11)


@properties
@given(places())
def test_explicit_noise_is_one_plus_the_rates(made):
    grid, viscosity, form, rng = made
    dt = 0.02 / max(1.0, *(float(level.max()) for level in viscosity))
    noise, one = ExplicitFieldNoise(grid, dt, viscosity, form), np.eye(grid.size)
    for t in range(3):
        levels = [level[t if len(level) > 1 else 0] for level in viscosity]
        matrix = one + dt * sum(generators(grid, levels, form))
        np.testing.assert_allclose(noise.matrix(t).toarray(), matrix, rtol=0, atol=1e-14)
        mass, value = rng.random(grid.shape), rng.normal(size=grid.shape)
        np.testing.assert_allclose(noise.push(t, mass).reshape(-1), matrix.T @ mass.reshape(-1), atol=1e-13)
        np.testing.assert_allclose(noise.expect(t, value).reshape(-1), matrix @ value.reshape(-1), atol=1e-13)


def test_explicit_noise_that_would_empty_a_cell_twice_is_refused():
    grid = mfg.Grid.box((10,))
    with pytest.raises(InputError, match=r"has 2; take a time step at most 0.01 \(about 100 steps per unit of time\)"):
        ExplicitFieldNoise(grid, 0.02, (np.full((1, 10), 0.5),), "ito")


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_one_viscosity_everywhere_is_the_noise_of_kernels(boundary):
    grid = mfg.Grid.box((5, 7), bounds=[(0, 1), (0, 2)], boundary=boundary, blocked=lambda c: (c.x < 0.9) & (c.y > 0.7))
    game = Game(
        mfg.Problem(grid=grid, time=mfg.TimeGrid(0.3, 3), dynamics=mfg.ControlledDiffusion((0.2, 0.7), scheme="upwind"),
        coupling=0.0, initial=1.0, normalise=True)
    )  # fmt: skip
    (kernel,), rng = game.step.factors, np.random.default_rng(3)
    noise = FieldNoise(grid, 0.1, (np.full((1, 5, 7), 0.7), np.full((1, 5, 7), 0.2)), "ito")
    level = rng.random((1, 5, 7))
    np.testing.assert_allclose(noise.expect(0, level), kernel.expect(0, level), rtol=1e-14)
    np.testing.assert_allclose(noise.push(0, level), kernel.push(0, level), rtol=1e-14)


@pytest.mark.parametrize("kind", [FieldNoise, ExplicitFieldNoise])
def test_what_rests_an_even_density_in_divergence_form_and_one_over_nu_in_itos(kind):
    rng = np.random.default_rng(7)
    mask = np.zeros((6, 8), dtype=bool)
    mask[2, 1:4] = True
    grid = mfg.Grid((uneven(rng, "y", 6, "reflecting"), uneven(rng, "x", 8, "periodic")), mask)
    nu = rng.uniform(0.1, 2.0, (1, 6, 8))
    volume = np.where(mask, 0.0, grid.volumes)
    np.testing.assert_allclose(kind(grid, 0.02, (nu, nu), "divergence").push(0, volume), volume, rtol=1e-13)
    np.testing.assert_allclose(kind(grid, 0.02, (nu, nu), "ito").push(0, volume / nu[0]), volume / nu[0], rtol=1e-13)
    assert abs(kind(grid, 0.02, (nu, nu), "ito").push(0, volume) - volume).max() > 1e-3


def test_moments_of_noise_that_grows_with_x():
    """nu = s^2 x^2 / 2.  Ito: E X = x, E X^2 = x^2 e^(s^2 t); divergence: E X = x e^(s^2 t); here 1 / (1 - s^2 dt)."""
    grid, s, dt = mfg.Grid.box((4000,), bounds=[(0, 40)]), 0.5, 0.05
    x = grid.coordinates.x
    nu, inside = 0.5 * (s * x)[None] ** 2, (x > 0.5) & (x < 2)
    ito, divergence = (FieldNoise(grid, dt, (nu,), form) for form in FORMS)
    growth = 1.0 / (1.0 - s**2 * dt)
    np.testing.assert_allclose(ito.expect(0, x)[inside], x[inside], rtol=1e-7)
    np.testing.assert_allclose(ito.expect(0, np.minimum(x, 30) ** 2)[inside], growth * x[inside] ** 2, rtol=1e-5)
    np.testing.assert_allclose(divergence.expect(0, x)[inside], growth * x[inside], rtol=1e-6)


def test_agents_need_walks_that_do_not_change():
    grid = mfg.Grid.box((4,))
    noise = FieldNoise(grid, 0.1, (np.arange(8.0).reshape(2, 4),), "ito")
    with pytest.raises(InputError, match="viscosity changes with time, and agents one by one take implicit noise by"):
        noise.walks(4)
