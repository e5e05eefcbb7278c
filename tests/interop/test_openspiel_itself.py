"""OpenSpiel itself: every one of its mean-field games is scored by its NashConv as here, or refused in a sentence."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from peer_standins import random_policy

import mfgsolve as mfg
from mfgsolve import interop
from mfgsolve.games import make_game

pyspiel = pytest.importorskip("pyspiel", reason="OpenSpiel is not installed; pip install 'mfgsolve[open-spiel]'")


pytestmark = pytest.mark.slow


QUICK = [
    "mean_field_lin_quad(size=5,horizon=2)",
    # moves by the crowd, and a hidden last action; at 0.7 no mean of these crowds lies where a move is rounded by half
    "mean_field_lin_quad(size=6,horizon=4,mean_revert=0.7)",
    "mean_field_nfg(reward_function=coop)",
    "mean_field_nfg(reward_function=dom)",
    "mean_field_nfg(reward_function=biased_indirect_rps)",
    "mfg_crowd_modelling",
    "mfg_crowd_modelling_2d(with_congestion=true,size=5,horizon=4)",
    "mfg_dynamic_routing(max_num_time_step=25,time_step_length=0.2)",
    "mfg_dynamic_routing(setting=dynamic_routing_line)",
    "mfg_garnet(size=8,eta=-1.0,seed=1)",
    "python_mfg_crowd_avoidance(coef_congestion=5.0,geometry=1,proba_noise=0.0,horizon=2)",
    "python_mfg_crowd_modelling(horizon=4)",
    "python_mfg_dynamic_routing",
    "python_mfg_dynamic_routing(setting=dynamic_routing_line)",
    "python_mfg_periodic_aversion(size=7,horizon=3,n_actions_per_side=3)",
    "python_mfg_predator_prey(horizon=2)",
]


LONG = [
    "mfg_dynamic_routing(setting=dynamic_routing_braess)",
    "python_mfg_dynamic_routing(setting=dynamic_routing_braess)",
    "mfg_crowd_modelling_2d(setting=crowd_modelling_2d_10x10)",
]


def conv(problem, solution, game):
    from open_spiel.python.mfg.algorithms.nash_conv import NashConv

    return float(NashConv(game, interop.to_openspiel_policy(solution, game)).nash_conv())


def compared(name, seeds):
    """Pairs (ours, theirs): the uniform, random and a pure policy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        problem = interop.build(f"openspiel:{name}")
    game = interop.catalogue.load_named(problem.name.partition(":")[2])
    for seed in seeds:
        array, solution = random_policy(problem, seed)
        if seed == 0:
            array = np.full_like(array, 1.0 / array.shape[1])
        elif seed == 1:
            array = (array == array.max(axis=1, keepdims=True)).astype(float)
        solution.dataset["policy"].values[:] = array
        yield float(mfg.exploitability(problem, array)), conv(problem, solution, game)


@pytest.mark.parametrize("name", QUICK)
def test_nash_conv_is_our_exploitability(name):
    for ours, theirs in compared(name, range(4)):
        assert ours == pytest.approx(theirs, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("name", LONG)
def test_nash_conv_is_our_exploitability_over_many_steps(name):
    for ours, theirs in compared(name, [0, 2]):
        assert ours == pytest.approx(theirs, rel=1e-11, abs=1e-12)


def test_every_registered_game_is_tried_here():
    told = {name.partition("(")[0] for name in QUICK}
    assert {name.partition(":")[2] for name in interop.names("openspiel")} <= told


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mfg_dynamic_routing(setting=dynamic_routing_sioux_falls)", "does not have its data"),
        ("mfg_dynamic_routing(network=nowhere)", "mfg_dynamic_routing of OpenSpiel raised IndexError"),
        ("python_mfg_dynamic_routing(setting=dynamic_routing_sioux_falls)", "games up to 250,000 keys"),
        ("mfg_crowd_modelling(size=1000000)", "too large to be walked"),
        ("mfg_crowd_modelling(size=-3)", "mfg_crowd_modelling of OpenSpiel raised"),
        ("mfg_crowd_modelling(horizon=0)", "offers no choice to anybody"),
        ("mfg_crowd_modelling(size=1e400)", "a int is needed"),
        ("mfg_crowd_modelling_2d(forbidden_states=abc)", "mfg_crowd_modelling_2d of OpenSpiel raised SpielError"),
        ("mean_field_nfg(num_actions=5)", "Unknown last action 3"),
        ("mfg_dynamic_routing(setting=dynamic_routing_brass)", "did you mean 'dynamic_routing_braess'"),
        ("mfg_dynamic_routing(setting=dynamic_routing_line,players=1)", "comes whole"),
        ("mfg_crowd_modelling(setting=crowd_modelling_2d_maze)", "Unknown parameter 'forbidden_states'"),
        ("tic_tac_toe", "unknown mean-field game"),
        ("(", "no closing bracket"),
    ],
)
def test_what_is_refused_is_told_in_a_sentence(name, says):
    with pytest.raises(mfg.InputError, match=says):
        interop.build(f"openspiel:{name}")


def test_a_solved_routing_game_is_an_equilibrium_to_openspiel_too():
    """The number of steps on a road is whole, so that it jumps with the crowd; here nobody gains."""
    problem = interop.build("openspiel:mfg_dynamic_routing(max_num_time_step=25,time_step_length=0.2)")
    solution = mfg.solve(problem, method="prior-descent", max_iterations=100, check="ignore")
    theirs = conv(problem, solution, pyspiel.load_game(problem.name.partition(":")[2]))
    assert theirs == pytest.approx(solution.exploitability, abs=1e-11)


@pytest.mark.slow
def test_the_default_finds_the_equilibrium_of_roads_that_delay():
    """Nobody gains on Braess's roads to round-off, by OpenSpiel's own score; not every solver gets there."""
    problem = interop.build("openspiel:mfg_dynamic_routing(setting=dynamic_routing_braess)")
    solution = mfg.solve(problem)
    theirs = conv(problem, solution, interop.catalogue.load_named(problem.name.partition(":")[2]))
    assert abs(theirs) <= 1e-12
    assert solution.dataset.attrs["stages"].startswith("prior-descent, mirror-descent")


@pytest.mark.slow
def test_openspiel_itself_scores_as_we_do():
    pyspiel = pytest.importorskip("pyspiel")
    from open_spiel.python.mfg.algorithms.nash_conv import NashConv

    two_d = "mfg_crowd_modelling_2d(only_distribution_reward=true,initial_distribution=[0|0;2|5]," \
            "initial_distribution_value=[0.5;0.5])"  # fmt: skip
    for name in ("mfg_crowd_modelling", two_d, "python_mfg_predator_prey", "mfg_garnet"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            problem = interop.build(f"openspiel:{name}")
        array, solution = random_policy(problem)
        theirs = NashConv(pyspiel.load_game(problem.name.partition(":")[2]), interop.to_openspiel_policy(solution))
        assert float(mfg.exploitability(problem, array)) == pytest.approx(theirs.nash_conv(), rel=1e-11), name
        if name == two_d:
            uniform = np.full_like(array, 1 / array.shape[1])
            assert float(mfg.exploitability(problem, uniform)) == pytest.approx(7.757953871773, abs=1e-11)


@pytest.mark.slow
def test_fictitious_play_of_openspiel_is_reproduced():
    """Its unit test has 0.991 after ten iterations from the uniform policy, the k-th of length 1 / (k + 1)."""
    pytest.importorskip("pyspiel")
    with pytest.warns(UserWarning, match="not Markov"):
        problem = interop.build("openspiel:python_mfg_crowd_modelling")
    game = make_game(problem)
    policy = game.step.uniform()
    occupation = policy * game.flow(policy)[:-1, None, : game.cells]
    for k in range(1, 11):
        best = game.respond(game.price(game.flow(policy))).policy
        occupation += (best * game.flow(best)[:-1, None, : game.cells] - occupation) / (k + 1)
        mass = occupation.sum(axis=1, keepdims=True)
        policy = np.where(mass > 0, occupation / np.where(mass > 0, mass, 1.0), 1 / game.step.actions)
    assert float(mfg.exploitability(problem, policy)) == pytest.approx(0.991, abs=5e-4)
