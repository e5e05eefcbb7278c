"""Upwind steps that end at exits: rates at faces, transposes, optimal speeds, drift, policies, closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.steps.exit_speeds import Faces


def pillar(c: mfg.Coordinates) -> np.ndarray:
    return (abs(c.x - 0.5) < 0.15) & (abs(c.y - 0.5) < 0.15)


def room(**more: object) -> mfg.Problem:
    grid = mfg.Grid.box((6, 7), blocked=pillar, exits={"west": "x-low", "top": lambda c: (c.y > 0.8) & (c.x > 0.7)})
    stated = {"terminal": 2.0, "exit_cost": {"top": lambda t, c: 0.2 + 0.4 * t + 0 * c.x}, "normalise": True}
    moving = {"viscosity": 0.05, "scheme": "upwind"} | more
    return mfg.Problem(grid, mfg.TimeGrid(0.5, 40), mfg.ControlledDiffusion(**moving),  # type: ignore[arg-type]
                       mfg.RunningCost(1.0) + mfg.CrowdAversion(1.0), 1.0, **stated)  # type: ignore[arg-type]  # fmt: skip


def test_speeds_into_an_exit_cross_half_a_cell():
    """One step, h = 1/4: s = (V - k) / (d c), V falls by dt s^2 c / 2, the chance is dt s / d, d = h / 2."""
    grid = mfg.Grid.box((4,), exits={"door": "x-low"})
    problem = mfg.Problem(grid, mfg.TimeGrid(0.1, 10), mfg.ControlledDiffusion(0.0, 2.0, scheme="upwind"), 0.0, 1.0,
                          terminal=1.0, exit_cost=0.9)  # fmt: skip
    step = make_game(problem).step
    after, policy = np.array([[[0.9, 1, 1, 1, 1]]]), np.empty((1, 1, 5))
    value = step.best(0, after, None, policy)  # type: ignore[arg-type]
    speed, dt = 0.1 / (0.125 * 2.0), 0.01
    assert value[0, 0] == pytest.approx([0.9, 1 - dt * speed**2, 1, 1, 1])
    moved = step.push(0, policy, np.array([[[0.0, 0.25, 0.25, 0.25, 0.25]]]))
    assert moved[0, 0, :2] == pytest.approx([0.25 * dt * speed / 0.125, 0.25 * (1 - dt * speed / 0.125)])
    faces = step.scheme
    assert isinstance(faces, Faces)
    assert faces.distance(2)[0, 0, :4].tolist() == [0.125, 0.25, 0.25, 0.25]
    assert faces.fastest(2, 1)[0, 0, 1] == pytest.approx(0.125 / (2 * dt))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), windy=st.booleans())
def test_push_is_the_transpose_of_expect(seed: int, windy: bool):
    rng = np.random.default_rng(seed)
    game = make_game(room(drift=[0.3, -2.0]) if windy else room())
    step = game.step
    after, mass = rng.normal(size=step.shape) * rng.choice([0.01, 1.0]), rng.random(step.shape)
    policy = np.empty(step.policy_shape)
    value = step.best(1, after, game.costs(0 * game.empty_crowd()), policy)
    moved, other = step.push(1, policy, mass), rng.normal(size=step.shape)
    assert (moved * other).sum() == pytest.approx((mass * step.expect(1, policy, other)).sum(), abs=1e-12)
    assert moved.min() >= 0
    gone = step.gone
    np.testing.assert_allclose(value[gone], after[gone] + step.pay[1][gone], atol=1e-13)
    whole = step.diffuse(moved, True, 1)
    assert whole.sum() == pytest.approx(mass.sum(), abs=1e-12)
    assert (whole[gone] >= mass[gone] - 1e-14).all()
    assert (whole * other).sum() == pytest.approx((moved * step.diffuse(other, False, 1)).sum(), abs=1e-11)


def test_a_tangent_is_a_derivative():
    game, rng = make_game(room()), np.random.default_rng(1)
    step, costs = game.step, None
    after, change, mass = rng.normal(size=step.shape) * 0.01, rng.normal(size=step.shape), rng.random(step.shape)

    def pushed(h: float) -> np.ndarray:
        policy = np.empty(step.policy_shape)
        step.best(0, after + h * change, costs, policy)  # type: ignore[arg-type]
        return step.push(0, policy, mass)

    slope = (pushed(1e-7) - pushed(-1e-7)) / 2e-7
    np.testing.assert_allclose(step.tangent(0, after, mass, change), slope, atol=1e-6)


def test_no_other_speeds_are_better():
    problem = room()
    solution = mfg.solve(problem, tol=1e-12)
    rng = np.random.default_rng(0)
    speeds = solution.dataset["speed"].values
    same = mfg.exploitability(problem, speeds)
    assert same.cost == pytest.approx(solution.certificate.cost, abs=1e-12)
    assert abs(same.exploitability) < 1e-12
    for size in (0.01, 0.1):
        other = mfg.exploitability(problem, speeds * (1 - size * rng.random(speeds.shape)))
        assert other.exploitability > 1e-6
        assert other.mass_error < 1e-13


def test_nobody_moves_out_of_an_exit():
    problem = room()
    speeds = np.zeros((40, 4, 6, 8))
    speeds[:, 0, 2, 0] = 0.1  # x+ from the west exit
    with pytest.raises(InputError, match=r"moves toward x\+ through a wall or a blocked cell"):
        mfg.exploitability(problem, speeds)
    speeds[:] = 0.0
    speeds[:, 1, 2, 1] = 0.1  # x- into it
    assert mfg.exploitability(problem, speeds).cost > 0


def test_wind_carries_agents_out():
    grid = mfg.Grid.box((16,), exits={"left": "x-low"})
    blown = mfg.ControlledDiffusion(0.0, 1e6, drift=-1.0, scheme="upwind")
    problem = mfg.Problem(grid, mfg.TimeGrid(1.0, 16), blown, 0.0, 1.0)
    solution = mfg.solve(problem)
    assert solution.exited[:, 0].values == pytest.approx(np.arange(17) / 16, abs=1e-6)
    assert solution.evacuation().mean == pytest.approx(0.5, abs=1e-3)


def test_without_noise_the_value_is_the_distance():
    """nu = 0, cost 1 + a^2 / 2: u = sqrt 2 dist, from the face on."""
    errors = []
    for cells in (8, 16, 32):
        grid = mfg.Grid.box((cells,), exits={"door": "x-low"})
        problem = mfg.Problem(grid, mfg.TimeGrid(2.0, 8 * cells), mfg.ControlledDiffusion(0.0, scheme="upwind"),
                              1.0, 1.0, terminal=3.0)  # fmt: skip
        solution = mfg.solve(problem, tol=1e-9)
        x = grid.coordinates.x[1:]
        errors.append(np.abs(solution.value[0].values[1:] - math.sqrt(2.0) * x).max())
    assert errors[-1] < 0.04
    assert errors[0] > 1.6 * errors[1] > 1.6**2 * errors[2]


def test_uneven_cells_and_hard_bounds():
    edges = np.r_[-0.1, np.linspace(0, 1, 9) ** 1.3]
    grid = mfg.Grid((mfg.Axis.from_edges("x", edges),), exits={"door": "x-low"})
    problem = mfg.Problem(grid, mfg.TimeGrid(1.0, 64), mfg.ControlledDiffusion(0.05, scheme="upwind"),
                          mfg.RunningCost(1.0) + mfg.CrowdAversion(0.5), lambda t, c: c.x > 0, normalise=True,
                          terminal=2.0)  # fmt: skip
    solution = mfg.solve(problem, tol=1e-11)
    assert solution.converged
    assert solution.certificate.mass_error < 1e-13
    assert float(solution.exited[-1, 0]) > 0.5


def test_explicit_noise_knows_no_exits():
    with pytest.raises(InputError, match="'explicit', which does not end at exits"):
        mfg.solve(room(noise="explicit", viscosity=0.01))
