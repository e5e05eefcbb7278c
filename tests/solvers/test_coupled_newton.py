"""Newton where the crowd decides the transitions: its Jacobian against differences of whole sweeps, and an epidemic."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import Game
from mfgsolve.solvers import Newton
from mfgsolve.solvers.coupled import jacobian, passes


def epidemic(types: int = 8, steps: int = 20, temperature: float = 0.1) -> mfg.Problem:
    """Several types; one falls ill by the mean share of the infected among all *other* types."""

    def dynamics(p: int) -> mfg.Tabular:
        def transitions(t: float, mass: np.ndarray) -> list[np.ndarray]:
            infected = np.asarray(mass).reshape(types, 2)[:, 1]
            caught = 0.8 * (infected.sum() - infected[p]) / (types - 1)
            return [np.array([[1 - caught, caught], [0.3, 0.7]]), np.array([[1.0, 0.0], [0.3, 0.7]])]

        cost = np.array([[0.0, 1.0], [0.3 + 0.05 * p, 1.3 + 0.05 * p]])
        return mfg.Tabular(transitions, cost=cost, temperature=temperature, actions=["out", "isolate"])

    ill = np.linspace(0.05, 0.5, types)
    return mfg.Problem(
        grid=mfg.Populations([f"type {p}" for p in range(types)], mfg.States(["susceptible", "infected"])),
        time=mfg.TimeGrid(float(steps), steps),
        dynamics=[dynamics(p) for p in range(types)],
        coupling=0.0,
        initial=np.stack([1 - ill, ill], axis=1),
    )


def crowded(**options) -> mfg.Problem:
    """Three states, three actions, transitions that change with time and crowd."""
    push = np.random.default_rng(3).random((3, 3, 3)) + 0.1

    def transitions(t: float, mass: np.ndarray) -> np.ndarray:
        weights = push * np.exp(mass[None, None, :] * (1.0 + t) * np.arange(1, 4)[:, None, None])
        return weights / weights.sum(axis=2, keepdims=True)

    given = {"coupling": mfg.CrowdAversion(0.7), "initial": np.array([0.6, 0.3, 0.1])} | options
    dynamics = mfg.Tabular(transitions, cost=np.arange(9.0).reshape(3, 3) / 10, temperature=0.3)
    return mfg.Problem(mfg.States(3), mfg.TimeGrid(2.0, 4), dynamics, **given)


COUPLINGS = {
    "crowd aversion": {},
    "terminal": {"terminal_coupling": mfg.CrowdAversion(2.0)},
    "choices": {"coupling": mfg.CrowdAversion(0.7) + mfg.CrowdAversion(0.4, on="occupation")},
    "price": {"coupling": mfg.Price(mfg.QuadraticPotential(2.0), amounts=[0.0, 1.0, -1.0])},
    "interaction": {"coupling": mfg.Interaction(np.array([[0.0, 1, -2], [1, 0.5, 0], [2, 0, 0]]))},
    "no derivative": {"coupling": mfg.CustomCoupling(lambda t, c, rho: rho**2)},
}


@pytest.mark.parametrize("name", COUPLINGS)
def test_jacobian_against_differences_of_whole_sweeps(name):
    game = Game(crowded(**COUPLINGS[name]))
    believed = game.flow(game.step.uniform())  # a crowd with choices and prices that belong together
    believed[:, :3] = np.random.default_rng(0).dirichlet(np.ones(3), game.steps + 1)

    def answer(belief: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ahead = game.respond(game.price(belief), crowd=belief).policy
        return ahead, game.flow(ahead)

    ahead, crowd = answer(believed)
    found, width = jacobian(game, ahead, believed, crowd), 1e-6
    expected = np.empty_like(found)
    for k in range(believed.size):
        moved = [believed.copy(), believed.copy()]
        moved[0].reshape(-1)[k] += width
        moved[1].reshape(-1)[k] -= width
        expected[:, k] = (answer(moved[0])[1] - answer(moved[1])[1]).reshape(-1) / (2 * width)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert np.abs(expected).max() > 1e-2


def test_an_epidemic_among_types_is_solved_by_newton_as_by_prior_descent():
    problem = epidemic(types=3, steps=8)
    newton = mfg.solve(problem, method="newton", max_iterations=60)
    other = mfg.solve(problem, method="prior-descent")
    assert newton.converged
    assert other.converged
    np.testing.assert_allclose(newton.dataset["density"], other.dataset["density"], atol=1e-4)
    infected = newton.dataset["density"].values[..., 1]
    assert infected.max() < 0.6
    assert np.ptp(infected[1:]) > 0.01


def test_an_iteration_costs_sweeps_by_the_states_and_not_by_the_times():
    costs = []
    for steps in (4, 16):
        problem = epidemic(types=2, steps=steps)
        solution = mfg.solve(problem, method="newton", check="ignore", max_iterations=40)
        costs.append(np.diff(solution.dataset["sweeps"].values).max())
    assert costs[0] > passes(Game(epidemic(types=2, steps=4)))
    assert costs[1] < costs[0] + 20  # line searches differ; 48 sweeps more where every time has its own


@pytest.mark.slow
def test_eight_types_at_the_default():
    solution = mfg.solve(epidemic(), method=Newton(), max_iterations=60)
    assert solution.converged
    assert solution.sweeps < 400
