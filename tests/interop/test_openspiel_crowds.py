"""OpenSpiel games whose moves or ends depend on the crowd, by stand-ins: scored as by its own evaluation."""

from __future__ import annotations

import numpy as np
import pytest
from openspiel_standins import GAMES, Game, Road, taken
from peer_standins import nash_conv, random_policy

import mfgsolve as mfg
from mfgsolve import interop
from mfgsolve.games import make_game

pytestmark = pytest.mark.usefixtures("openspiel")


@pytest.mark.parametrize("name", GAMES)
def test_openspiel_scores_a_policy_as_we_do(name):
    game = GAMES[name]
    problem = taken(game)
    array, solution = random_policy(problem)
    for seed in range(4):
        if seed == 2:
            array = np.full_like(array, 1.0 / array.shape[1])
        elif seed == 3:  # pure
            array = (array == array.max(axis=1, keepdims=True)).astype(float)
            array /= array.sum(axis=1, keepdims=True)
        else:
            array, solution = random_policy(problem, seed)
        solution.dataset["policy"].values[:] = array
        theirs = nash_conv(game, interop.to_openspiel_policy(solution, game))
        assert float(mfg.exploitability(problem, array)) == pytest.approx(theirs, rel=1e-11, abs=1e-13)


def test_what_depends_on_the_crowd_is_found():
    built = {name: taken(game) for name, game in GAMES.items()}
    coupled = {name for name, problem in built.items() if problem.is_coupled}
    assert coupled == {"road", "weather", "drift", "ring", "ring of two"}
    assert isinstance(built["duel"].terminal_coupling, mfg.Interaction)
    assert built["duel, logarithm"].terminal_coupling.floor == pytest.approx(1e-3)
    assert isinstance(built["duel, product"].terminal_coupling, mfg.CustomCoupling)
    assert built["duel"].time.steps == 1
    assert built["duel"].initial[0] == 1.0
    assert built["weather"].time.steps == 2 * 3  # to be told, and to choose
    assert (GAMES["road"].horizon, built["road"].time.steps) == (7, 7)


def test_what_never_happens_is_no_state_and_has_a_policy_all_the_same():
    game = GAMES["road"]
    problem = taken(game)
    assert not any("b, wait=2" in name for name in problem.grid.names)
    _, solution = random_policy(problem)
    policy = interop.to_openspiel_policy(solution, game)
    assert policy.action_probabilities(game.new_initial_states()[0].child(2)) == {0: 1.0}


def test_the_matrix_of_a_normal_form_is_that_of_the_game():
    problem = taken(GAMES["duel"])
    game = make_game(problem)
    policy = np.zeros((1, 3, 4))
    policy[:] = np.array([0.2, 0.3, 0.5])[None, :, None]
    rewards = np.array([[0, 1.0, -1], [-0.7, 0, 1], [1, -2, 0]]) @ [0.2, 0.3, 0.5]
    value = game.respond(game.price(game.flow(policy)), crowd=game.flow(policy)).value
    assert value[0, 0] if value.ndim > 1 else value[0] == pytest.approx(-rewards.max())
    assert float(mfg.exploitability(problem, policy)) == pytest.approx(rewards.max() - rewards @ [0.2, 0.3, 0.5])


def test_rewards_that_are_asked_say_so_and_have_a_derivative():
    problem = taken(GAMES["duel, product"])
    assert [caution.code for caution in problem.cautions] == ["asked-rewards"]
    assert "by differences" in problem.cautions[0].sentence
    bound = problem.terminal_coupling.bind(problem.grid, np.array([1.0]))
    place = [list(problem.grid.names).index(name) for name in problem.grid.names if "played" in name]
    rho, change = np.zeros((1, 4)), np.zeros((1, 4))
    m, d = np.array([0.2, 0.5, 0.3]), np.array([0.4, -0.3, -0.1])
    rho[0, place], change[0, place] = m, d
    exact = -(3 * d[0] * (m - m[2]) + 3 * m[0] * (d - d[2]))
    np.testing.assert_allclose(bound.tangent(slice(0, 1), rho, change)[0, place], exact, rtol=1e-7, atol=1e-9)


def test_a_policy_of_another_game_is_refused():
    _, solution = random_policy(taken(GAMES["road"]))
    other = Game(type("Road", (Road,), {"where": lambda self: Road.where(self) + " "}), horizon=7)
    with pytest.raises(mfg.InputError, match="pass the game that was solved"):
        interop.to_openspiel_policy(solution, other)


def test_a_solved_road_scores_zero_where_the_crowd_is_split():
    game = GAMES["road"]
    problem = taken(game)
    solution = mfg.solve(problem, method="fictitious-play", tol=1e-3, max_iterations=200, check="ignore")
    theirs = nash_conv(game, interop.to_openspiel_policy(solution, game))
    assert theirs == pytest.approx(solution.exploitability, abs=1e-12)
