"""Exploitability by two roads: the kernels' backward pass, and brute force over all policies of tiny games."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

import mfgsolve as mfg
from mfgsolve.certificates import certify
from mfgsolve.games import Game
from mfgsolve.steps.speed_policies import FluxPolicy, SpeedPolicy, ValuePolicy, face_flux

CELLS, STEPS = 3, 3
FREE = [(0, 0), (1, 0), (1, 1), (2, 1)]  # (cell, move) that cross no wall: move 0 is x+, 1 is x-


def tiny_problem(terminal: float, periodic: bool = False) -> mfg.Problem:
    return mfg.Problem(
        grid=mfg.Grid.box((CELLS,), boundary="periodic" if periodic else "reflecting"),
        time=mfg.TimeGrid(1.0, STEPS),
        dynamics=mfg.ControlledDiffusion(viscosity=0.02, control_cost=0.7, scheme="upwind"),
        coupling=mfg.CrowdAversion(0.8) + mfg.RunningCost(lambda t, c: np.sin(5 * t + 3 * c.x)),
        initial=np.array([0.5, 1.9, 0.6]),
        terminal=lambda t, c: terminal * c.x,
    )


def noise_matrix(problem: mfg.Problem) -> np.ndarray:
    """(I - nu dt Lap)^-1 on three walled cells, built densely."""
    rate = 0.02 * (1 / STEPS) * CELLS**2
    laplacian = np.array([[-1, 1, 0], [1, -2, 1], [0, 1, -1]], dtype=float)
    return np.linalg.inv(np.eye(3) - rate * laplacian)


def evaluate(problem: mfg.Problem, speeds: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """Cost of policies (n, step, 4 free moves) against a fixed crowd (T+1, 3), forward in time by hand."""
    h, dt, c = 1 / CELLS, 1 / STEPS, 0.7
    noise = noise_matrix(problem)
    x = (np.arange(CELLS) + 0.5) * h
    mass = np.repeat(problem.initial_mass()[None], len(speeds), axis=0)
    total = np.zeros(len(speeds))
    for t in range(STEPS):
        cost = 0.8 * crowd[t] / h + np.sin(5 * t * dt + 3 * x)
        total += dt * mass @ cost
        moved = mass.copy()
        for k, (cell, move) in enumerate(FREE):
            s = speeds[:, t, k]
            flux = dt / h * s * mass[:, cell]
            total += dt * c * s**2 / 2 * mass[:, cell]
            moved[:, cell] -= flux
            moved[:, cell + (1 if move == 0 else -1)] += flux
        mass = moved @ noise
    return total + mass @ (problem.terminal_cost())


def own_flow(problem: mfg.Problem, speeds: np.ndarray) -> np.ndarray:
    h, dt, noise = 1 / CELLS, 1 / STEPS, noise_matrix(problem)
    mass = [problem.initial_mass()]
    for t in range(STEPS):
        moved = mass[-1].copy()
        for k, (cell, move) in enumerate(FREE):
            flux = dt / h * speeds[t, k] * mass[-1][cell]
            moved[cell] -= flux
            moved[cell + (1 if move == 0 else -1)] += flux
        mass.append(moved @ noise)
    return np.array(mass)


def as_policy(speeds: np.ndarray) -> np.ndarray:
    policy = np.zeros((STEPS, 2, CELLS))
    for k, (cell, move) in enumerate(FREE):
        policy[:, move, cell] = speeds[:, k]
    return policy


def test_exploitability_equals_enumeration_of_all_bang_bang_policies():
    """With a steep terminal cost the best speeds are 0 or the cap: 2^12 policies are all there is."""
    problem = tiny_problem(terminal=60.0)
    cap = (1 / CELLS) / (2 / STEPS)
    rng = np.random.default_rng(0)
    candidates = cap * np.array(list(itertools.product((0.0, 1.0), repeat=STEPS * 4))).reshape(-1, STEPS, 4)
    for _ in range(3):
        speeds = rng.uniform(0, cap, (STEPS, 4))
        crowd = own_flow(problem, speeds)
        expected = evaluate(problem, speeds[None], crowd)[0] - evaluate(problem, candidates, crowd).min()
        certificate = mfg.exploitability(problem, as_policy(speeds))
        assert certificate.exploitability == pytest.approx(expected, abs=1e-12)
        assert certificate.exploitability > 1.0  # a deliberately wrong policy shows it


def test_exploitability_equals_numerical_minimisation_when_speeds_are_interior():
    problem = tiny_problem(terminal=0.5)
    cap = (1 / CELLS) / (2 / STEPS)
    rng = np.random.default_rng(1)
    speeds = rng.uniform(0, cap, (STEPS, 4))
    crowd = own_flow(problem, speeds)
    best = min(
        minimize(
            lambda z: evaluate(problem, z.reshape(1, STEPS, 4), crowd)[0],
            rng.uniform(0, cap, STEPS * 4),
            bounds=[(0, cap)] * (STEPS * 4),
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-12},
        ).fun
        for _ in range(8)
    )
    expected = evaluate(problem, speeds[None], crowd)[0] - best
    assert mfg.exploitability(problem, as_policy(speeds)).exploitability == pytest.approx(expected, abs=1e-9)


def test_flow_of_a_policy_equals_flow_by_hand():
    problem = tiny_problem(terminal=1.0)
    speeds = np.random.default_rng(2).uniform(0, 0.4, (STEPS, 4))
    game = Game(problem)
    flow = game.follow(SpeedPolicy.checked(as_policy(speeds), game.step.mesh))
    np.testing.assert_allclose(game.mass(flow), own_flow(problem, speeds), atol=1e-15)


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_a_policy_has_one_certificate_in_all_its_forms(boundary):
    problem = mfg.Problem(
        grid=mfg.Grid.box((7, 9), boundary=boundary, blocked=lambda c: (c.x > 0.4) & (c.x < 0.6) & (c.y < 0.5)),
        time=mfg.TimeGrid(1.0, 20),
        dynamics=mfg.ControlledDiffusion(viscosity=0.01, control_cost=0.5, scheme="upwind"),
        coupling=mfg.CrowdAversion(0.3) + mfg.RunningCost(lambda t, c: (c.x - 0.8) ** 2 + np.cos(6 * c.y)),
        initial=mfg.Bump(1.0, 0.2, (0.2, 0.3)),
        normalise=True,
    )
    game = Game(problem)
    mass = game.empty_crowd()
    mass[:] = game.initial_mass
    ahead = game.respond(game.price(mass)).policy
    flow = game.flow(ahead)
    first = certify(game, ValuePolicy(ahead), flow)
    speeds = ValuePolicy(ahead).speed(game.step.mesh, slice(None)).reshape(20, 4, 7, 9)
    second = mfg.exploitability(problem, speeds)
    fluxes = [face_flux(game.step.mesh, slice(None), ahead, flow[:-1], axis) for axis in (3, 2)]
    third = certify(game, FluxPolicy(flow, fluxes), flow)
    for name in ("exploitability", "cost", "potential", "movement_cost", "crowd_cost", "scale"):
        assert getattr(second, name) == pytest.approx(getattr(first, name), rel=1e-11, abs=1e-13)
        assert getattr(third, name) == pytest.approx(getattr(first, name), rel=1e-11, abs=1e-13)
    assert first.exploitability > 1e-4
    assert second.cap_fraction == pytest.approx(first.cap_fraction, abs=1e-12)


def test_exploitability_bounds_the_potential_and_the_duality_gap_lies_below(small_problem):
    best = mfg.solve(small_problem, tol=1e-12).potential
    rough = mfg.solve(small_problem, method="fictitious-play", max_iterations=5, check="ignore")
    assert 0 < rough.potential - best <= rough.certificate.duality_gap <= rough.exploitability


def test_what_was_not_measured_is_nan():
    problem = mfg.Problem(
        grid=mfg.Grid.box((8,)),
        time=mfg.TimeGrid(1.0, 8),
        dynamics=mfg.ControlledDiffusion(0.01, scheme="upwind"),
        coupling=mfg.CustomCoupling(lambda t, c, rho: rho * c.x),
        initial=1.0,
    )
    certificate = mfg.exploitability(problem, np.zeros((8, 2, 8)))
    assert np.isnan(certificate.potential)
    assert np.isnan(certificate.duality_gap)
    assert certificate.exploitability > 0
