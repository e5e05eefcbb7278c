"""Solvers of finite games against a general convex programme, each other, and published numbers."""

from __future__ import annotations

import numpy as np
import pytest
from finite_games import (
    CENTRE,
    CHOICE,
    LAST,
    STATE,
    WEIGHT,
    dense_backward,
    dense_cost,
    dense_flow,
    epidemic,
    hunters,
    small_game,
)  # fmt: skip
from scipy import optimize

import mfgsolve as mfg


def convex_programme(problem, parts, amounts):
    """Least potential over occupations, by sequential quadratic programming on the flow constraints."""
    (chance, cost, allowed), alpha = parts[0], amounts[:, 0]
    dt, tau, start, last = (
        problem.time.dt,
        problem.temperature * problem.time.dt,
        problem.initial_mass(),
        problem.terminal,
    )
    shape = cost.shape
    free = np.broadcast_to(allowed, shape)

    def full(x):
        w = np.zeros(shape)
        w[free] = x
        return w

    def masses(w):
        return np.vstack([w.sum(axis=1), np.einsum("ax,axy->y", w[-1], chance[-1])[None]])

    def energy(x):
        w = full(x)
        m = masses(w)
        total = (alpha * w).sum(axis=(1, 2))
        safe = np.maximum(w, 1e-300)
        value = (cost * w).sum() + tau * (w * np.log(safe / np.maximum(m[:-1, None], 1e-300))).sum() + last @ m[-1]
        value += dt * (STATE * m[:-1] ** 2 / 2).sum() + dt * (CHOICE * w**2 / 2).sum() + LAST * (m[-1] ** 2).sum() / 2
        value += dt * WEIGHT * ((total - CENTRE) ** 2).sum() / 2
        slope = cost + tau * np.log(safe / np.maximum(m[:-1, None], 1e-300)) + dt * (STATE * m[:-1, None] + CHOICE * w)
        slope += dt * WEIGHT * (total - CENTRE)[:, None, None] * alpha
        slope[-1] += chance[-1] @ (last + LAST * m[-1])
        return value, slope[free]

    def flows(x):
        w = full(x)
        m = masses(w)
        pushed = [np.einsum("ax,axy->y", w[t], chance[t]) for t in range(len(w) - 1)]
        return np.concatenate([m[0] - start, *[m[t + 1] - pushed[t] for t in range(len(w) - 1)]])

    guess = dense_flow(chance, allowed / allowed.sum(axis=0) * np.ones(shape), start)[:-1, None] * (
        allowed / allowed.sum(axis=0)
    )
    matrix = np.array([flows(unit) for unit in np.eye(free.sum())]).T - flows(np.zeros(free.sum()))[:, None]
    done = optimize.minimize(
        energy, guess[free], jac=True, method="SLSQP", bounds=[(1e-12, 1)] * int(free.sum()),
        constraints={"type": "eq", "fun": flows, "jac": lambda x: matrix}, options={"maxiter": 500, "ftol": 1e-15},
    )  # fmt: skip
    return done.fun, full(done.x)


@pytest.mark.parametrize("seed", [0])
def test_solvers_reach_the_minimum_of_the_convex_programme(seed):
    problem, parts, amounts = small_game(seed, 1, 3, 0.8)
    least, occupation = convex_programme(problem, parts, amounts)
    newton = mfg.solve(problem, method="newton", tol=1e-12)
    assert newton.converged
    assert newton.potential == pytest.approx(least, abs=1e-9)
    assert newton.certificate.duality_gap < 1e-11
    found = newton.dataset["policy"].values * newton.dataset["density"].values[:-1, None]
    np.testing.assert_allclose(found, occupation, atol=2e-4)
    for method, tol in (("frank-wolfe", 1e-7), ("fictitious-play", 3e-3)):
        other = mfg.solve(problem, method=method, tol=tol, max_iterations=3000)
        assert other.converged
        assert -1e-12 <= other.potential - newton.potential <= other.exploitability + 1e-12  # the free certificate
    assert other.sweeps > 1


def test_several_populations_without_potential():
    problem = hunters()
    assert not problem.is_potential
    assert problem.is_monotone
    newton = mfg.solve(problem, method="newton", tol=1e-11)
    play = mfg.solve(problem, method="fictitious-play", tol=1e-4, max_iterations=4000)
    assert newton.converged
    assert play.converged
    assert np.isnan(newton.potential)
    np.testing.assert_allclose(play.dataset["density"].values, newton.dataset["density"].values, atol=0.02)
    with pytest.raises(mfg.InputError, match="no potential"):
        mfg.solve(problem, method="frank-wolfe")


def test_dynamics_coupled_to_the_crowd_are_certified_on_a_consistent_pair(tmp_path):
    problem, spread = epidemic()
    solution = mfg.solve(problem, method="fictitious-play", max_iterations=30, check="ignore")
    policy, mass = solution.dataset["policy"].values, solution.dataset["density"].values
    chance, here = [], np.array([0.4, 0.6])
    for t in range(20):
        chance.append(spread(float(t), here))
        np.testing.assert_allclose(mass[t], here, atol=1e-13)
        here = np.einsum("ax,axy,x->y", policy[t], chance[t], here)
    chance, cost = np.array(chance), np.broadcast_to([[0.0, 1.0], [0.5, 1.5]], (20, 2, 2))
    nothing = np.zeros((21, 2))
    best = dense_backward(chance, cost, nothing, np.ones((2, 2), dtype=bool), 0.0, np.zeros(2))[0]
    paid = dense_cost(policy, mass, cost, nothing, 0.0, np.zeros(2))
    assert solution.exploitability == pytest.approx(paid - np.array([0.4, 0.6]) @ best[0], abs=1e-12)
    uniform = mfg.exploitability(problem, np.full((20, 2, 2), 0.5)).exploitability
    assert 0 <= solution.exploitability < 0.2 * uniform
    np.testing.assert_allclose(solution.dataset["value"].values, best, atol=1e-12)
    assert mfg.load(solution.save(tmp_path / "epidemic.nc")).dataset["policy"].dims == ("step", "action", "state")


def test_the_published_uniform_exploitability_of_the_epidemic():
    """MFGLib 0.3.0 scores the uniform policy of its susceptible-infected game, rewards at t = 0..50, so."""
    problem, _ = epidemic(51)
    certificate = mfg.exploitability(problem, np.full((51, 2, 2), 0.5))
    assert certificate.exploitability == pytest.approx(5.46687391323, abs=1e-11)


@pytest.mark.parametrize(
    ("method", "why"), [("complementarity", "depend on the crowd"), ("frank-wolfe", "no potential")]
)
def test_solvers_that_need_fixed_transitions_say_so(method, why):
    with pytest.raises(mfg.InputError, match=why):
        mfg.solve(epidemic()[0], method=method)
    with pytest.raises(mfg.InputError, match="more than 600 masses"):
        mfg.solve(epidemic(400)[0], method="newton")


def test_newton_by_differences_finds_what_fictitious_play_finds_in_a_coupled_game():
    problem = epidemic(8)[0].at_temperature(0.3)
    newton = mfg.solve(problem, method="newton", tol=1e-12)
    play = mfg.solve(problem, method="fictitious-play", tol=1e-7)
    np.testing.assert_allclose(newton.dataset["density"], play.dataset["density"], atol=1e-3)


def two_places(coupling, temperature=0.0):
    """Stay or swap, no own costs: a uniform crowd makes no action matter, the one at the start does."""
    return mfg.Problem(
        mfg.States(2), mfg.TimeGrid(3, 3), mfg.Tabular([np.eye(2), np.eye(2)[::-1]], temperature=temperature), coupling,
        np.array([0.75, 0.25]),
    )  # fmt: skip


@pytest.mark.parametrize("temperature", [1e-2, 1e-6])
def test_newton_is_warmed_up_even_where_a_uniform_crowd_is_indifferent(temperature):
    solution = mfg.solve(two_places(mfg.CrowdAversion(1.0), temperature), method="newton")
    np.testing.assert_allclose(solution.dataset["density"][1:-1], 0.5, atol=1e-6)


@pytest.mark.parametrize("method", ["newton", "complementarity", "frank-wolfe"])
def test_costs_beyond_reason_end_in_a_status(method):
    with np.errstate(all="ignore"):
        solution = mfg.solve(two_places(mfg.CrowdAversion(1e200)), method=method, check="ignore", max_seconds=10)
    assert solution.status.name in ("STALLED", "NON_FINITE", "CONVERGED", "TIME_LIMIT")
