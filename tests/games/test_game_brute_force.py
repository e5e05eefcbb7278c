"""Best responses and exploitabilities of finite games against all policies; sweeps that are each other's adjoint."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from finite_games import (
    CENTRE,
    CHOICE,
    LAST,
    STATE,
    WEIGHT,
    dense_cost,
    dense_flow,
    random_chances,
    random_policy,
    small_game,
)  # fmt: skip
from hypothesis import given, settings
from hypothesis import strategies as st

import mfgsolve as mfg
from mfgsolve.games import Game, make_game


def free_games():
    """Games without costs or temperature, whose cost is <v, m_T>: (problem, name)."""
    rng = np.random.default_rng(5)
    states, box = mfg.States(4), mfg.Grid.box((3, 4), boundary=("reflecting", "periodic"))
    moves = mfg.LatticeMoves([(0, 0), (1, 0), (-1, 1)], viscosity=0.05, jumps={(0, 0): 0.5, (0, 1): 0.5})
    forbid = mfg.LatticeMoves([(0, 0), (2, 1)], walls="forbid")
    table = mfg.Tabular(random_chances(rng, 5, 2, 4, 4))
    still = mfg.Tabular(random_chances(rng, 3, 4, 4))
    return {
        "lattice": (box, moves),
        "tabular": (states, table),
        "two tables": (mfg.Populations(["a", "b"], states), (table, still)),
        "two lattices": (mfg.Populations(["a", "b"], box), (moves, forbid)),
        "three": (mfg.Populations(["a", "b", "c"], box), (forbid, moves, mfg.Tabular([np.eye(12)]))),
    }


@pytest.mark.parametrize("name", free_games())
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_push_and_expect_are_adjoint_and_every_population_keeps_its_mass(name, seed):
    space, dynamics = free_games()[name]
    rng = np.random.default_rng(seed)
    reward = rng.normal(size=space.shape)
    game = make_game(mfg.Problem(
        grid=space, time=mfg.TimeGrid(1.0, 5), dynamics=dynamics, coupling=0.0, terminal=reward,
        initial=rng.random(space.shape), normalise=True))  # fmt: skip
    policy = random_policy(rng, game.step.allowed, 5)
    crowd = game.flow(policy)
    mass = game.mass(crowd)
    expected = game.evaluate(policy, np.zeros_like(crowd))[0]
    assert (mass[-1] * reward).sum() == pytest.approx(game.initial_mass @ expected[0], abs=1e-13)
    masses = mass.reshape(6, space.populations, -1).sum(axis=2)
    np.testing.assert_allclose(masses, 1.0, atol=1e-14)
    assert game.mass_error(crowd) == pytest.approx(np.abs(masses - 1).max(), abs=1e-16)
    level, other = rng.normal(size=(2, game.cells))
    there, back = game.step.diffuse(level, True) @ other, level @ game.step.diffuse(other, False)
    assert there == pytest.approx(back, abs=1e-13)


def crowd_costs(problem, parts, amounts, policies):
    """What the crowd that follows the policies makes agents pay, by population: costs of choices, of states, last."""
    dt, starts = problem.time.dt, problem.initial_mass().reshape(len(parts), 3)
    last = problem.terminal_cost().reshape(len(parts), 3)
    masses = [dense_flow(part[0], pi, m) for part, pi, m in zip(parts, policies, starts, strict=True)]
    occupations = [pi * m[:-1, None] for pi, m in zip(policies, masses, strict=True)]
    total = sum(np.einsum("ax,tax->t", amounts[: w.shape[1], p], w) for p, w in enumerate(occupations))
    price = WEIGHT * (total - CENTRE)
    found = []
    for p, (w, m) in enumerate(zip(occupations, masses, strict=True)):
        choice = parts[p][1] + dt * (CHOICE * w + price[:, None, None] * amounts[: w.shape[1], p])
        found.append((choice, dt * STATE * m, last[p] + LAST * m[-1], m))
    return found


def cheapest(part, costs, start):
    """Least cost of all deterministic Markov policies of one population, each followed by hand."""
    chance, _, allowed = part
    choice, crowd, last, _ = costs
    rules = [rule for rule in itertools.product(range(allowed.shape[0]), repeat=3) if allowed[rule, [0, 1, 2]].all()]
    rules = np.array(rules)
    plans = np.array(list(itertools.product(range(len(rules)), repeat=3)))
    mass, cost, states = np.tile(start, (len(plans), 1)), np.zeros(len(plans)), np.arange(3)
    for t in range(3):
        picked = rules[plans[:, t]]
        cost += (mass * (choice[t][picked, states] + crowd[t])).sum(axis=1)
        mass = np.einsum("nx,nxy->ny", mass, chance[t][picked, states])
    return (cost + mass @ last).min()


@pytest.mark.parametrize(("populations", "actions", "seed"), [(1, 2, 0), (1, 3, 1), (1, 3, 2), (2, 2, 3), (2, 3, 4)])
def test_best_response_and_exploitability_equal_brute_force(populations, actions, seed):
    problem, parts, amounts = small_game(seed, populations, actions)
    game, rng = Game(problem), np.random.default_rng(seed)
    starts = problem.initial_mass().reshape(populations, 3)
    for _ in range(4):
        policies = [random_policy(rng, part[2], 3) for part in parts]
        table = np.zeros((3, actions, *problem.grid.shape))
        for p, policy in enumerate(policies):
            table[(slice(None), slice(0, policy.shape[1]), *([p] if populations > 1 else []))] = policy
        costs = crowd_costs(problem, parts, amounts, policies)
        best = sum(cheapest(*parts_costs) for parts_costs in zip(parts, costs, starts, strict=True))
        paid = sum(
            dense_cost(policy, mass, choice, np.vstack([crowd, 0 * last]), 0.0, last)
            for policy, (choice, crowd, last, mass) in zip(
                policies, [(c, d[:-1], e, m) for c, d, e, m in costs], strict=True
            )
        )
        crowd = game.flow(table.reshape(3, actions, -1))
        assert game.respond(game.price(crowd)).mean_value == pytest.approx(best, abs=1e-12)
        certificate = mfg.exploitability(problem, table)
        assert certificate.cost == pytest.approx(paid, abs=1e-12)
        assert certificate.exploitability == pytest.approx(paid - best, abs=1e-12)
        assert certificate.exploitability >= 0
        assert certificate.mass_error < 1e-14


def test_the_best_of_all_policies_is_a_fixed_point_of_the_certificate():
    """In a game that the crowd does not change, the cheapest plan of brute force has exploitability zero."""
    problem, parts, _ = small_game(8, 1, 2)
    quiet = mfg.Problem(grid=problem.grid, time=problem.time, dynamics=problem.dynamics, coupling=0.0,
                        initial=problem.initial, terminal=problem.terminal)  # fmt: skip
    solution = mfg.solve(quiet, method="fictitious-play", tol=1e-14)
    none = parts[0][1], np.zeros((3, 3)), problem.terminal_cost(), None
    assert solution.certificate.cost == pytest.approx(cheapest(parts[0], none, problem.initial_mass()), abs=1e-13)
    assert abs(solution.exploitability) < 1e-14
