"""IL, MFQ, MFAC and MTMFQ by their names: what each sees decides what it can learn; checkpoints go on bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.files import read_dataset
from mfgsolve.games import make_game
from mfgsolve.learners import hunters_and_hares, learn_from_neighbours
from mfgsolve.learners import neighbours_play as module
from mfgsolve.learners.neighbours_game import Blind, NeighbourActor, softmax
from mfgsolve.learners.neighbours_play import IL, MFAC, MTMFQ

GAME = hunters_and_hares(size=4, steps=4)
BRIEF = {"agents": 60, "episodes": 12, "block": 4, "reference": False}


@pytest.mark.parametrize("name", ["il", "mfq", "mfac", "mtmfq"])
def test_every_name_learns_and_is_certified_exactly(name):
    solution = mfg.learn(GAME, name, rng=1, **BRIEF)
    assert (solution.status.value, solution.iterations) == ("finished", 3)
    again = mfg.exploitability(GAME, solution)
    assert again.exploitability == pytest.approx(solution.exploitability, abs=1e-13)
    assert solution.learning.episodes.tolist() == [0, 4, 8, 12]


def test_who_tells_hunters_from_hares_gains_and_who_does_not_cannot():
    full = {"agents": 300, "episodes": 40, "block": 20, "reference": False}
    gaps = {name: mfg.learn(hunters_and_hares(), name, **full).relative_exploitability for name in ("mfq", "mtmfq")}
    assert gaps["mtmfq"] < 0.75 * gaps["mfq"]
    for name, typed in (("mfq", False), ("mtmfq", True)):  # the same learner by its own function
        other = learn_from_neighbours(hunters_and_hares(), typed=typed, agents=300, episodes=40).certificate
        assert other.relative_exploitability == pytest.approx(gaps[name], rel=0.15)


def test_who_sees_nobody_has_one_policy_for_all_places():
    policy = mfg.learn(GAME, "il", **BRIEF).dataset["policy"].values
    assert np.ptp(policy, axis=(3, 4)).max() == 0
    assert Blind(5)(np.ones((2, 5))).tolist() == [0] * 5


def test_the_actor_follows_the_gradient_of_its_critic():
    actor = NeighbourActor(1, 1, 2, 1.0, 0.0, 1.0)
    none = np.zeros(1, dtype=int)
    actor.update(none, none, np.array([1]), np.array([2.0]), none)
    assert actor.q.tolist() == [[[0.0, 2.0]]]  # alpha = 1 at the first visit
    np.testing.assert_allclose(actor.logits, [[[-0.5, 0.5]]])  # rate pi (Q - v), v = 1
    for _ in range(200):
        actor.update(none, none, np.array([1]), np.array([2.0]), none)
    assert actor.policy()[0, 0, 1] > 0.99
    np.testing.assert_allclose(softmax(np.array([1000.0, 1000.0])), 0.5)


def test_one_population_will_do_and_mtmfq_is_then_mfq():
    bar = mfg.problems.beach_bar(shape=(8,), steps=4, temperature=0.3)
    one, other = (mfg.learn(bar, name, rng=2, **BRIEF) for name in ("mfq", "mtmfq"))
    np.testing.assert_array_equal(one.dataset["policy"], other.dataset["policy"])


@pytest.mark.parametrize("name", ["mtmfq", "mfac"])
def test_a_checkpoint_goes_on_bit_for_bit(name, tmp_path):
    whole = mfg.learn(GAME, name, rng=4, **BRIEF)
    path = tmp_path / "half.nc"
    mfg.learn(GAME, name, rng=4, checkpoint=path, callback=lambda measure: measure.iteration == 1, **BRIEF)
    again = mfg.resume(path, problem=GAME)
    np.testing.assert_array_equal(again.dataset["policy"], whole.dataset["policy"])


@pytest.mark.parametrize(
    ("problem", "options", "sentence"),
    [
        ("left-right", {}, "listed states, which have no neighbourhoods"),
        ("supply-demand", {}, "no finite list of actions"),
        ("bonnans-lavigne-pfeiffer-1", {}, "hard bounds"),
        ("beach-bar", {"radius": 0}, "radius of the learner is 0; at least 1"),
        ("beach-bar", {"radios": 2}, "unknown option, or parameter of beach-bar, 'radios'; did you mean 'radius'"),
        ("beach-bar", {"discount": 1.0}, "discount is 1.0"),
    ],
)
def test_what_does_not_suit_is_told(problem, options, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        mfg.learn(problem, "mfq", reference=False, **options)


def test_choices_that_are_priced_and_moves_that_are_forbidden_are_refused():
    grid = mfg.Grid.box((4,))
    moves = mfg.LatticeMoves((-1, 0, 1), costs=(0.1, 0.0, 0.1), walls="forbid")
    walled = mfg.Problem(grid, mfg.TimeGrid(2, 2), moves, mfg.CrowdAversion(1.0), 1.0)
    with pytest.raises(mfg.InputError, match="some moves are forbidden somewhere"):
        mfg.learn(walled, "il", reference=False)
    priced = mfg.CrowdAversion(1.0, on="occupation")
    stay = mfg.LatticeMoves((-1, 0, 1), costs=(0.1, 0.0, 0.1))
    with pytest.raises(mfg.InputError, match="choices themselves are priced"):
        mfg.learn(mfg.Problem(grid, mfg.TimeGrid(2, 2), stay, priced, 1.0), "mfac", reference=False)


def test_ready_ones_are_taken():
    assert mfg.learn(GAME, MTMFQ(agents=20, episodes=2, block=1), reference=False).iterations == 2


@pytest.mark.parametrize(
    ("name", "ready", "option", "why"),
    [
        ("il", IL(radius=3), {"radius": 2}, "its agents see nobody"),
        ("il", IL(threshold=0.3), {"threshold": 0.15}, "its agents see nobody"),
        ("mfac", MFAC(beta=2.0), {"beta": 3.0}, "its actor chooses by preferences of its own; rate is their step"),
    ],
)
def test_options_that_do_nothing_are_refused(name, ready, option, why):
    sentence = f"option {next(iter(option))} does nothing in {name}: {why}; leave it out"
    with pytest.raises(mfg.InputError, match=sentence):
        mfg.learn(GAME, name, **option, **BRIEF)  # whatever its value
    with pytest.raises(mfg.InputError, match=sentence):
        mfg.learn(GAME, ready, reference=False)


def test_the_rate_is_the_step_of_the_actor():
    agents = {"agents": 20, "episodes": 4, "block": 4}
    slow, same, fast = (
        mfg.learn(GAME, MFAC(**agents, **given), reference=False).dataset["policy"].values
        for given in ({"rate": 1e-9}, {}, {"rate": 1.0})
    )
    np.testing.assert_allclose(slow, 1 / 5, atol=1e-6)  # who does not move chooses evenly
    np.testing.assert_array_equal(same, fast)
    assert np.ptp(fast) > 0.05
    for rate in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(mfg.InputError, match="rate of the actor is"):
            mfg.learn(GAME, "mfac", rate=rate, **BRIEF)
    with pytest.raises(mfg.InputError, match="unknown option of mfq 'rate'"):
        mfg.learn(GAME, "mfq", rate=1.0, **BRIEF)


def test_a_checkpoint_of_before_the_rate_was_an_option_goes_on(tmp_path):
    path, given = tmp_path / "half.nc", {"agents": 20, "episodes": 4, "block": 2, "reference": False}
    mfg.learn(GAME, "mfac", checkpoint=path, callback=lambda measure: measure.iteration == 1, **given)
    stored = read_dataset(path, "checkpoint")
    assert stored.attrs.pop("option_rate") == 1.0
    stored.to_netcdf(tmp_path / "before.nc", engine="h5netcdf")
    again = mfg.resume(tmp_path / "before.nc", problem=GAME)
    np.testing.assert_array_equal(again.dataset["policy"], mfg.learn(GAME, "mfac", **given).dataset["policy"])


def test_neighbourhoods_are_made_once_and_flows_are_not_repeated(monkeypatch):
    made, flows = [], []
    offset, flow = module.MeanOffset, mfg.games.Game.flow
    monkeypatch.setattr(module, "MeanOffset", lambda *given: made.append(given) or offset(*given))
    monkeypatch.setattr(mfg.games.Game, "flow", lambda game, *given: flows.append(game) or flow(game, *given))
    game, learner = make_game(GAME), MTMFQ(agents=20, episodes=6, block=3)
    state = learner.init(game, 0.0)
    assert (len(made), len(flows)) == (1, GAME.time.steps + 1)  # one a step along the masses, and that of the policy
    learner.step(learner.step(state))
    assert (len(made), len(flows)) == (1, 3 * (GAME.time.steps + 1))
