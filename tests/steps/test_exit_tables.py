"""Finite games with exits: the same numbers as with absorbing states of their own, by every solver, to round-off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mfgsolve as mfg
from mfgsolve.games import make_game
from tests.absorbing import enumerated, long_way

STATES, ACTIONS, STEPS = 5, 3, 6
GONE = np.array([False, False, False, True, True])


def pair(seed: int, temperature: float) -> tuple[mfg.Problem, mfg.Problem]:
    """A random game with two exits, and the long way round."""
    rng = np.random.default_rng(seed)
    transitions, cost = rng.dirichlet(np.ones(STATES), size=(ACTIONS, STATES)), rng.random((ACTIONS, STATES))
    initial = np.append(rng.dirichlet(np.ones(3)), [0.0, 0.0])
    level, slope = rng.random(2), rng.normal(size=2)
    nodes = np.linspace(0, 3.0, STEPS + 1)
    paid = np.zeros((STEPS + 1, STATES))
    paid[:, 3:] = level + slope * nodes[:, None]
    costs = {name: lambda t, c, k=k: level[k] + slope[k] * t + 0.0 * c.state for k, name in enumerate(("a", "b"))}
    one = mfg.Problem(
        mfg.States(STATES, exits={"a": 3, "b": 4}), mfg.TimeGrid(3.0, STEPS),
        mfg.Tabular(transitions, cost=cost, temperature=temperature), mfg.CrowdAversion(1.5), initial,
        terminal=1.0, exit_cost=costs,
    )  # fmt: skip
    return one, long_way(transitions, cost, temperature, initial, np.ones(STATES), GONE, paid, 1.5, 3.0)


@pytest.mark.parametrize("temperature", [0.0, 0.3])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_game_with_absorbing_states(seed: int, temperature: float):
    first, second = pair(seed, temperature)
    one = mfg.solve(first, tol=1e-13)
    same, other = mfg.exploitability(second, one), mfg.solve(second, tol=1e-13)
    assert one.certificate.relative_exploitability < 1e-13
    assert one.certificate.cost == pytest.approx(same.cost, abs=1e-13)
    assert one.exploitability == pytest.approx(same.exploitability, abs=1e-13)
    assert one.potential == pytest.approx(same.potential, abs=1e-13)
    assert one.potential == pytest.approx(other.potential, abs=1e-12)
    assert one.certificate.mass_error < 1e-14
    if temperature:
        np.testing.assert_allclose(one.density[:, :3], other.density[:, :3], atol=1e-11)
        np.testing.assert_allclose(one.exited, other.density[:, 3:], atol=1e-11)
        np.testing.assert_allclose(one.value[0, :3], other.value[0, :3], atol=1e-11)
    assert (one.density[:, 3:] == 0).all()


@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_every_solver_certifies_it(temperature: float):
    problem, _ = pair(3, temperature)
    potential = mfg.solve(problem, tol=1e-12).potential
    for method in mfg.solvers.suited(problem):
        solution = mfg.solve(problem, method=method, tol=1e-4, max_iterations=2000)
        assert solution.converged, method
        assert solution.potential == pytest.approx(potential, abs=1e-3), method


def test_a_gap_is_what_brute_force_finds():
    problem = mfg.Problem(
        mfg.States(3, exits={"out": 2}), mfg.TimeGrid(3.0, 3),
        mfg.Tabular(np.random.default_rng(5).dirichlet(np.ones(3), size=(2, 3)), cost=[[0.0] * 3, [0.2] * 3]),
        mfg.CrowdAversion(1.0), np.array([0.6, 0.4, 0.0]), terminal=2.0, exit_cost=lambda t, c: 0.3 * t + 0 * c.state,
    )  # fmt: skip
    policy = np.zeros((3, 2, 3))
    policy[:, 0], policy[:, 1] = 0.7, 0.3
    policy[:, :, 2] = [1, 0]
    certificate = mfg.exploitability(problem, policy)
    chances = np.stack([problem.dynamics.transitions[a] for a in range(2)])  # type: ignore[union-attr]

    def paid(chosen: np.ndarray, crowd: list[np.ndarray] | None) -> tuple[float, list[np.ndarray]]:
        """Cost of chances of choices (T, actions, states), and their own flow."""
        mass, total, flow = np.array([0.6, 0.4, 0.0]), 0.0, []
        for t in range(3):
            flow.append(mass)
            seen = mass if crowd is None else crowd[t]
            total += float((mass[:2] * (seen[:2] + 0.2 * chosen[t, 1, :2])).sum())
            mass = np.einsum("as,s,asy->y", chosen[t], mass, chances) * 1.0
            total += float(mass[2]) * 0.3 * (t + 1)
            mass[2] = 0.0
        return total + 2.0 * float(mass.sum()), flow

    cost, flow = paid(policy, None)
    best = enumerated(2, 2, 3, lambda d: paid(_sharp(d), flow)[0])
    assert certificate.cost == pytest.approx(cost, abs=1e-13)
    assert certificate.exploitability == pytest.approx(cost - best, abs=1e-13)


def _sharp(digits: np.ndarray) -> np.ndarray:
    chosen = np.zeros((3, 2, 3))
    for t, x in np.ndindex(digits.shape):
        chosen[t, digits[t, x], x] = 1.0
    chosen[:, 0, 2] = 1.0
    return chosen


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), temperature=st.sampled_from([0.0, 0.5]))
def test_push_is_the_transpose_of_expect(seed: int, temperature: float):
    game = make_game(pair(seed % 1000, temperature)[0])
    rng = np.random.default_rng(seed)
    step, value, mass = game.step, rng.normal(size=STATES), rng.random(STATES)
    policy = np.empty(step.policy_shape)
    best = step.best(2, value, game.costs(game.empty_crowd() * 0), policy)
    assert policy.sum(axis=0) == pytest.approx(1)
    moved = step.push(2, policy, mass)
    assert moved @ value == pytest.approx(mass @ step.expect(2, policy, value), abs=1e-12)
    assert moved.sum() == pytest.approx(mass.sum(), abs=1e-13)
    pay = step.own_cost[min(2, len(step.own_cost) - 1), 0]
    assert best[GONE] == pytest.approx(value[GONE] + pay[GONE], abs=1e-13)
    assert (moved[GONE] >= mass[GONE] - 1e-15).all()


def lattice(noise: str, viscosity: float = 0.05) -> mfg.Problem:
    return mfg.Problem(
        mfg.Grid.box((5, 6), exits={"west": lambda c: c.x < 0.2, "top": lambda c: (c.y > 0.8) & (c.x > 0.7)},
                     blocked=lambda c: (abs(c.x - 0.5) < 0.1) & (abs(c.y - 0.5) < 0.1)),
        mfg.TimeGrid(1.0, 12),
        mfg.LatticeMoves([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)], [0, *[1] * 4], viscosity, noise, temperature=0.5),
        mfg.CrowdAversion(1.0), 1.0, terminal=4.0, normalise=True, exit_cost={"top": 0.5},
    )  # fmt: skip


@pytest.mark.parametrize("noise", ["implicit", "explicit"])
def test_lattices_with_noise(noise: str):
    problem = lattice(noise, 0.05 if noise == "implicit" else 0.01)
    solution = mfg.solve(problem, tol=1e-12)
    assert solution.converged
    assert solution.certificate.mass_error < 1e-13
    exited = solution.exited.values
    assert (np.diff(exited, axis=0) >= -1e-15).all()
    total = exited.sum(axis=1) + (solution.density * problem.grid.cell_volume).sum(("x", "y"))
    assert total.values == pytest.approx(1, abs=1e-13)
    sharp = mfg.solve(problem, method="frank-wolfe", tol=1e-3)
    assert sharp.potential == pytest.approx(solution.potential, abs=5e-3)


def test_implicit_noise_is_the_limit_of_many_explicit_steps():
    """Nobody moves: of noise alone as much leaves by either, as steps become short."""
    shares = []
    for noise in ("implicit", "explicit"):
        line = mfg.Grid.box((9,), exits={"left": lambda c: c.x < 0.1, "right": lambda c: c.x > 0.9})
        still = mfg.LatticeMoves([0], 0.0, 0.05, noise)
        problem = mfg.Problem(line, mfg.TimeGrid(0.5, 2000), still, 0.0, 1.0, normalise=True)
        shares.append(mfg.solve(problem).exited[-1].values)
    assert shares[0] == pytest.approx(shares[1], abs=1e-4)
    assert shares[0][0] == pytest.approx(shares[0][1], abs=1e-13)
    assert 0.1 < shares[0].sum() < 0.9


def test_transitions_that_the_crowd_decides_see_the_crowd_inside():
    seen = []

    def transitions(t: float, mass: np.ndarray) -> list[np.ndarray]:
        seen.append(mass.copy())
        stay = 0.3 + 0.4 * mass[0]
        return [np.array([[stay, 1 - stay], [0.5, 0.5]])]

    problem = mfg.Problem(mfg.States(2, exits={"out": 1}), mfg.TimeGrid(4.0, 4), mfg.Tabular(transitions),
                          mfg.CrowdAversion(1.0), np.array([1.0, 0.0]))  # fmt: skip
    solution = mfg.solve(problem)
    inside = 1.0
    for t in range(4):
        assert solution.density[t, 0] == pytest.approx(inside, abs=1e-12)
        inside *= 0.3 + 0.4 * inside
    assert all(mass[1] == 0 for mass in seen)


def test_two_populations_leave_each_by_itself():
    space = mfg.Populations(["fast", "slow"], mfg.States(3, exits={"door": 2}))
    fast, slow = (np.array([[[1 - p, p, 0], [0, 1 - p, p], [0, 0, 1]]]) for p in (0.9, 0.2))
    problem = mfg.Problem(space, mfg.TimeGrid(5.0, 5), [mfg.Tabular(fast), mfg.Tabular(slow)], mfg.CrowdAversion(1.0),
                          np.array([[1.0, 0, 0]] * 2), terminal=1.0)  # fmt: skip
    solution = mfg.solve(problem)
    assert solution.exited.dims == ("time", "population", "exit")
    left = [np.linalg.matrix_power(table[0], 5)[0, 2] for table in (fast, slow)]
    assert solution.exited[-1, :, 0].values == pytest.approx(left, abs=1e-14)


def test_prices_count_the_choices_of_those_inside():
    stay = np.array([[[0.5, 0.5], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])
    price = mfg.Price(mfg.QuadraticPotential(1.0), amounts=np.array([1.0, 0.0]))
    problem = mfg.Problem(mfg.States(2, exits=1), mfg.TimeGrid(3.0, 3), mfg.Tabular(stay, temperature=0.5), price,
                          np.array([1.0, 0.0]), terminal=1.0)  # fmt: skip
    solution = mfg.solve(problem, tol=1e-12)
    chosen = solution.density[:-1, 0].values * solution.policy[:, 0, 0].values
    assert solution.dataset["aggregate_amount"][:, 0].values == pytest.approx(chosen, abs=1e-13)
