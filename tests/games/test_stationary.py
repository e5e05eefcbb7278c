"""Horizons of games without a final time: fixed points, brute force over policies, derivatives, certificates."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import brentq
from stationary_games import TIMES, chain, random_game, two_populations

import mfgsolve as mfg
from mfgsolve.games import make_game


def law_of(problem: mfg.Problem, chances: np.ndarray) -> np.ndarray:
    """The law under transitions, by a plain linear solve."""
    n, time = len(chances), problem.time
    if time.needs_initial:
        return np.linalg.solve(np.eye(n) - time.factor * chances.T, (1 - time.factor) * problem.initial_mass())
    return np.linalg.lstsq(np.vstack([np.eye(n) - chances.T, np.ones(n)]), np.eye(n + 1)[n])[0]


def cost_per_step(problem: mfg.Problem, chances: np.ndarray, paid: np.ndarray, crowd: np.ndarray) -> float:
    """What one agent with these transitions pays per step: from where it is to begin."""
    time, n = problem.time, len(chances)
    if time.kind == "ergodic":
        return float(law_of(problem, chances) @ paid)
    start = problem.initial_mass() if time.needs_initial else crowd
    return float((1 - time.factor) * start @ np.linalg.solve(np.eye(n) - time.factor * chances, paid))


@pytest.mark.parametrize("kind", TIMES)
def test_exploitability_is_that_of_every_deterministic_policy(kind: str) -> None:
    rng = np.random.default_rng(5)
    problem = random_game(kind, rng)
    table, own = np.array(problem.all_dynamics[0].transitions), np.array(problem.all_dynamics[0].cost)
    policy = rng.dirichlet(np.ones(2), size=3).T
    mixed = np.einsum("as,asn->sn", policy, table)
    crowd = law_of(problem, mixed)
    certificate = mfg.exploitability(problem, policy)
    price = 2.0 * crowd
    everybody = cost_per_step(problem, mixed, (policy * own).sum(axis=0) + price, crowd)
    best = min(
        cost_per_step(problem, table[list(pure), range(3)], own[list(pure), range(3)] + price, crowd)
        for pure in itertools.product(range(2), repeat=3)
    )
    assert certificate.cost == pytest.approx(everybody, abs=1e-13)
    assert certificate.exploitability == pytest.approx(everybody - best, abs=1e-13)


@pytest.mark.parametrize("kind", TIMES)
def test_the_curvature_is_the_derivative_of_the_law_of_the_best_response(kind: str) -> None:
    rng = np.random.default_rng(1)
    game = make_game(random_game(kind, rng, 5, 0.5))
    mass = rng.dirichlet(np.ones(5))
    belief = np.stack([mass, mass])
    price, change = game.price(belief), np.zeros((2, 5))
    change[0] = rng.normal(size=5)

    def flow(length: float) -> np.ndarray:
        return game.flow(game.respond(price + length * change, crowd=belief).policy)[0]

    answer = game.respond(price, crowd=belief)
    exact = -game.curvature(answer.policy, game.flow(answer.policy), game.weights[:, None] * change, identity=0.0)[0]
    assert game.is_potential == (kind != "invariant")
    assert np.abs(exact).max() > 1e-3
    np.testing.assert_allclose((flow(1e-4) - flow(-1e-4)) / 2e-4, exact, atol=1e-8)


@pytest.mark.parametrize("dt", [1.0, 0.25])
def test_costs_are_told_per_unit_of_time(dt: float) -> None:
    whole = mfg.solve(chain("ergodic"), tol=1e-12)
    problem = chain("ergodic")
    short = mfg.Problem(problem.grid, mfg.Ergodic(dt=dt), problem.dynamics, problem.coupling)
    solution = mfg.solve(short, tol=1e-12)
    cost, own = solution.certificate.cost, solution.certificate.movement_cost
    assert cost == solution.dataset.attrs["average_cost"]
    if dt == 1.0:
        assert cost == pytest.approx(whole.certificate.cost, abs=1e-11)
    density, paid = solution.density.values, 3.0 * (np.arange(7) - 3.0) ** 2
    assert cost - own == pytest.approx(density @ (paid + 40.0 * density), abs=1e-9)
    occupied = density * solution.policy.values
    assert own == pytest.approx(2.0 * (occupied[0] + occupied[2]).sum() / dt, abs=1e-12)
    told = []
    mfg.solve(short, tol=1e-12, callback=lambda measure: told.append(measure.exploitability))
    np.testing.assert_allclose(told, solution.dataset.exploitability[:-1], atol=1e-10)  # all but the one that ends it


@pytest.mark.parametrize("temperature", [0.0, 0.3])
@pytest.mark.parametrize("kind", TIMES)
def test_several_populations(kind: str, temperature: float) -> None:
    problem = two_populations(TIMES[kind], temperature)
    solution = mfg.solve(problem, tol=1e-11)
    np.testing.assert_allclose(solution.density.sum("state"), 1.0, atol=1e-12)
    again = mfg.exploitability(problem, solution)
    assert abs(again.relative_exploitability) < 1e-10
    assert float(solution.density.sel(population="west")[:3].sum()) > 0.8


def test_social_optimum_of_an_ergodic_game() -> None:
    problem = chain("ergodic")
    social = mfg.solve(problem, objective="social", tol=1e-11)
    assert social.dataset.attrs["optimum"] == "bound"
    assert social.potential == pytest.approx(mfg.exploitability(problem, social.policy).cost, abs=1e-9)
    assert social.potential < mfg.solve(problem).certificate.cost - 0.5
    with pytest.raises(mfg.InputError, match="nobody chooses where that is"):
        mfg.solve(chain("invariant"), objective="social")


def test_a_toggle_game_has_the_law_that_makes_both_actions_alike() -> None:
    """Two states, stay or switch with some noise: the ergodic equilibrium makes both places cost the same per visit."""
    noise = 0.1
    stay, switch = (
        np.array([[1 - noise, noise], [noise, 1 - noise]]),
        np.array([[noise, 1 - noise], [1 - noise, noise]]),
    )
    problem = mfg.Problem(
        mfg.States(2), mfg.Ergodic(), mfg.Tabular([stay, switch], cost=np.array([[0.0, 0.0], [0.2, 0.2]])),
        mfg.CrowdAversion(1.0) + mfg.RunningCost(np.array([0.0, 0.5])),
    )  # fmt: skip
    solution = mfg.solve(problem, tol=1e-13)
    # v(1) - v(0) = d solves both equations; indifference of switching in state 1: 0.2 = (1 - 2 noise) d
    first = float(solution.density[0])
    gap = 0.2 / (1 - 2 * noise)
    wanted = brentq(lambda m: (0.5 + (1 - m) - m) - gap * 2 * noise, 0.0, 1.0)
    assert first == pytest.approx(wanted, abs=1e-10)


def test_several_laws_are_refused_and_their_states_named() -> None:
    space = mfg.States(["north", "south", "home"])
    rounds = [np.eye(3), np.roll(np.eye(3), 1, axis=1)]
    problem = mfg.Problem(space, mfg.Ergodic(), mfg.Tabular(rounds), mfg.CrowdAversion(1.0))
    with pytest.raises(
        mfg.InputError, match=r"3 classes that nobody leaves \(states north; states south; states home\)"
    ):
        mfg.exploitability(problem, np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]))
    periodic = mfg.exploitability(problem, np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]))  # a law all the same
    assert periodic.cost == pytest.approx(1 / 3)


@pytest.mark.parametrize("kind", ["invariant", "ergodic"])
def test_transitions_that_the_crowd_decides(kind: str) -> None:
    def transitions(t: float, mass: np.ndarray) -> list[np.ndarray]:
        caught = 0.2 + 0.5 * mass[0]
        return [np.array([[1 - caught, caught], [0.3, 0.7]]), np.array([[0.9, 0.1], [0.6, 0.4]])]

    dynamics = mfg.Tabular(transitions, cost=np.array([[0.0, 1.0], [0.2, 1.1]]), temperature=0.1, actions=["a", "b"])
    solution = mfg.solve(mfg.Problem(mfg.States(2), TIMES[kind], dynamics, mfg.CrowdAversion(0.5)), tol=1e-9)
    mass, policy = solution.density.values, solution.policy.values
    there = sum(policy[a][:, None] * transitions(0.0, mass)[a] for a in range(2))
    np.testing.assert_allclose(mass @ there, mass, atol=1e-9)


@pytest.mark.parametrize("states", [6, 80])
@pytest.mark.parametrize("population", ["invariant", "renewal"])
def test_agents_who_hardly_discount_pay_as_in_the_long_run(population: str, states: int) -> None:
    """Almost all of a value is then a constant, rho / (1 - b), which no digit of the rest is lost beside."""
    rng, less = np.random.default_rng(2), 1e-9
    chances, cost = rng.dirichlet(np.ones(states), size=(2, states)), rng.normal(size=(2, states))
    told = []
    for time in (mfg.Discounted(factor=1 - less, population=population), mfg.Ergodic()):
        start = {"initial": np.full(states, 1 / states)} if time.needs_initial else {}
        dynamics = [mfg.Tabular(chances[:n], cost=cost[:n]) for n in (1, 2)]
        alone, both = (
            mfg.Problem(mfg.States(states), time, each, mfg.CrowdAversion(2.0), **start) for each in dynamics
        )
        assert abs(mfg.exploitability(alone, np.ones((1, states))).exploitability) < 1e-14
        told.append(mfg.exploitability(both, np.full((2, states), 0.5)))
    assert told[0].exploitability == pytest.approx(told[1].exploitability, abs=20 * less)
    assert told[0].cost == pytest.approx(told[1].cost, abs=20 * less)
