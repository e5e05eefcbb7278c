"""A small beach bar and its equilibrium."""

import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game


@pytest.fixture(scope="module")
def beach():
    """Problem, game, equilibrium crowd and the exact value against it."""
    problem = mfg.problems.beach_bar(shape=(8,), steps=8)
    game = make_game(problem)
    policy = mfg.solve(problem).dataset.policy.values.reshape(game.steps, game.step.actions, game.cells)
    crowd = game.flow(policy)
    return problem, game, crowd, game.respond(game.price(crowd)).mean_value
