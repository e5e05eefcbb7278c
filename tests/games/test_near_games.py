"""Games near a game share its arrays, and what is kept of one is never taken for that of another."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.certificates import certify
from mfgsolve.games import make_game


@pytest.fixture
def warm():
    return make_game(mfg.problems.beach_bar(temperature=0.5))


def certificate(game):
    response = game.respond(game.price(game.resting_crowd(game.empty_crowd())))
    return certify(game, game.policy_of(response.policy), game.flow(response.policy))


def test_a_colder_game_is_the_one_that_is_stated_cold(warm):
    certificate(warm)  # whatever is kept of the first
    cold, stated = warm.at_temperature(0.1), make_game(mfg.problems.beach_bar(temperature=0.1))
    assert certificate(cold) == certificate(stated)
    assert cold.temperature == cold.problem.temperature == stated.problem.temperature == 0.1
    assert warm.problem.temperature == 0.5
    assert cold.step.transitions is warm.step.transitions


def test_no_problem_is_stated_for_a_temperature_that_a_solve_only_passes(warm, monkeypatch):
    def refuse(*_):
        raise AssertionError("a problem was stated anew")

    monkeypatch.setattr(type(warm.problem), "at_temperature", refuse)
    assert mfg.solve(mfg.problems.beach_bar(temperature=0.1)).converged


def test_other_own_costs_have_other_least_values(warm):
    before = certificate(warm)
    dearer = warm.with_costs(warm.step.own_cost + 3.0)
    found = certificate(dearer)
    assert found.movement_cost == pytest.approx(before.movement_cost + 3.0 * warm.steps, rel=1e-12)
    assert found.scale == pytest.approx(before.scale, rel=1e-9)  # 3 a step is paid by everybody
    assert certificate(warm) == before


def test_totals_of_the_terminal_cost(warm):
    rng = np.random.default_rng(2)
    space = mfg.States(5)
    chances = rng.dirichlet(np.ones(5), (2, 5))
    dynamics = mfg.Tabular(chances, temperature=0.2)
    goal = np.array([3.0, -1.0, 2.0, 0.5, 4.0])
    problem = mfg.Problem(space, mfg.TimeGrid(3.0, 3), dynamics, mfg.CrowdAversion(1.0), 0.2, terminal=goal)
    game = make_game(problem)
    crowd = game.flow(game.step.uniform())
    totals, end = game.terminal_totals(crowd), crowd[-1]
    assert totals.cost == pytest.approx(goal @ end, rel=1e-14)
    assert totals.above == pytest.approx((goal + 1.0) @ end, rel=1e-14)
    assert totals.size == pytest.approx(np.abs(goal) @ end, rel=1e-14)
