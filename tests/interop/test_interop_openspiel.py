"""OpenSpiel games whose moves or ends depend on the crowd, by stand-ins: scored as by OpenSpiel's own evaluation."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest
from openspiel_standins import Again, Broken, Drift, Duel, Game, Grudge, Luck, Road, Uneven, Weather
from peer_standins import Ring, nash_conv, openspiel_modules

import mfgsolve as mfg
from mfgsolve import interop
from mfgsolve.games import make_game
from mfgsolve.interop import walks
from mfgsolve.interop.ladders import climb
from tests.interop.test_interop import random_policy


@pytest.fixture(autouse=True)
def openspiel(monkeypatch):
    for name, module in openspiel_modules().items():
        monkeypatch.setitem(sys.modules, name, module)


def taken(game):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return interop.from_openspiel(game)


GAMES = {
    "duel": Game(Duel),
    "duel, logarithm": Game(Duel, form="log"),
    "duel, product": Game(Duel, form="product"),
    "road": Game(Road, horizon=7),
    "weather": Game(Weather, horizon=3),
    "luck": Game(Luck, horizon=2),
    "drift": Game(Drift),
    "ring": Ring(coupled=True),
    "ring of two": Ring(pull=((0.0, 1.0), (-1.0, 0.0)), coupled=True),
}


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


def test_moves_against_a_crowd_are_those_of_the_game():
    """All of a crowd of mass v that enters road a waits int(4 v) steps there."""
    problem = taken(GAMES["road"])
    names = list(problem.grid.names)
    for volume in (0.0, 0.2, 0.4, 0.76, 1.0):
        mass = np.zeros(problem.grid.size)
        entered = next(k for k, name in enumerate(names) if name.startswith("a, wait=-1"))
        elsewhere = next(k for k, name in enumerate(names) if name.startswith("b, wait=-1"))
        mass[entered], mass[elsewhere] = volume, 1 - volume
        row = np.asarray(problem.dynamics.transitions(2.0, mass)[0][entered])
        wait = int(4 * volume)
        assert row.sum() == 1
        ahead = names[int(np.argmax(row))]
        assert ahead.startswith(f"a, wait={wait - 1}," if wait else "home since 3")


def test_a_crowd_is_asked_once():
    """Costs and moves against the same masses ask the game's crowd nodes once; another mass asks anew."""
    asked = []

    class Counted(Road):
        def hear(self):
            asked.append(self.t)
            super().hear()

    problem = taken(Game(Counted, horizon=7))
    game = make_game(problem)
    policy = game.uniform()
    flow = game.flow(policy)
    asked.clear()
    first = float(mfg.exploitability(problem, policy))
    used = len(asked)
    asked.clear()
    assert float(mfg.exploitability(problem, policy)) == first
    assert len(asked) <= used
    asked.clear()
    game.flow(policy)
    game.flow(policy)
    assert not asked
    assert flow.shape[0] == 8


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


def test_costs_that_depend_on_earlier_crowds_say_so():
    problem = taken(GAMES["drift"])
    assert {caution.code for caution in problem.cautions} == {"hidden-last-action", "history-rewards"}
    bound = problem.coupling.bind(problem.grid, problem.time.nodes)
    with pytest.raises(mfg.InputError, match="for all nodes in time together"):
        bound.cost(slice(2, 3), np.full((1, 5), 0.2))
    rng = np.random.default_rng(1)
    rho, change = rng.dirichlet(np.ones(5), 4), rng.normal(size=(4, 5))
    change -= change.mean(axis=1, keepdims=True)  # of a distribution
    # -0.4 a - m(x) at the nodes 1..3: the derivative is that of the mass
    tangent = bound.tangent(slice(0, 4), rho, change)
    np.testing.assert_allclose(tangent[1:][tangent[1:] != 0], change[1:][tangent[1:] != 0], rtol=1e-7)
    assert (tangent[0] == 0).all()


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (Grudge, "remembers at 'x=., t=4_end' the crowd of an earlier step"),
        (Uneven, "all of its states must be of one kind"),
        (Again, "at two depths"),
        (Broken, "broken of OpenSpiel raised IndexError when it was walked: list index out of range"),
    ],
)
def test_games_that_cannot_be_taken_over(state, says):
    with pytest.raises(mfg.InputError, match=says):
        interop.from_openspiel(Game(state))


def test_too_large_a_game_is_refused_early(monkeypatch):
    monkeypatch.setattr(walks, "LARGEST", 30)
    with pytest.raises(mfg.InputError, match=r"road of OpenSpiel has \d+ keys up to move \d of 7; games up to 30 keys"):
        interop.from_openspiel(GAMES["road"])
    monkeypatch.setattr(walks, "LARGEST", 250_000)
    monkeypatch.setattr(walks, "NUMBERS", 40)
    with pytest.raises(mfg.InputError, match="hold more than 40 numbers"):
        interop.from_openspiel(GAMES["road"])


def test_a_game_that_raises_later_is_told_by_name():
    class Late(Road):
        def hear(self):
            if Late.spoilt:
                raise KeyError("gone")
            super().hear()

    Late.spoilt = False
    problem = taken(Game(Late, horizon=7))
    Late.spoilt = True
    with pytest.raises(mfg.InputError, match=r"late of OpenSpiel raised KeyError when .* was told a distribution"):
        problem.dynamics.transitions(2.0, np.full(problem.grid.size, 1.0 / problem.grid.size))


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


def test_rungs_between_crowds_meet_every_key():
    def tell(masses):
        return f"wait={int(40 * masses[0] ** 2)}, t=3"

    low, high = np.zeros(1), np.ones(1)
    met = set(climb([low, high], [tell(low), tell(high)], tell, str)) | {tell(low), tell(high)}
    assert met == {f"wait={k}, t=3" for k in range(41)}
