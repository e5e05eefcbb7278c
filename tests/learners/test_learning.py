"""learn: names of learners, their parameters, references, and games that agents cannot play."""

from types import SimpleNamespace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.learners import (
    Mguni,
    SampledGame,
)
from mfgsolve.problems import registry

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("unknown learner 'mgunni'; did you mean 'mguni'", {"learner": "mgunni"}),
        ("agents of the learner is 1", {"agents": 1}),
        ("episodes of the learner is 0", {"episodes": 0}),
        ("agents of the learner is 2.5", {"agents": 2.5}),
        ("seed of the learner is -1", {"rng": -1}),
        ("explorers of the learner is 2", {"explorers": 2}),
        ("unknown option of mguni 'explorer'", {"explorer": 0.1}),
        ("come with a ready learner", {"learner": Mguni(), "agents": 10}),
    ],
)
def test_bad_input(message, options):
    with pytest.raises(mfg.InputError, match=message):
        mfg.learn(mfg.problems.beach_bar(), **options)


def test_games_that_learners_cannot_play():
    with pytest.raises(mfg.InputError, match="state it with LatticeMoves"):
        mfg.learn(mfg.problems.supply_demand(shape=(8, 8), steps=16))
    with pytest.raises(mfg.InputError, match="hard bounds"):
        mfg.learn(mfg.problems.bonnans_lavigne_pfeiffer_1())
    with pytest.raises(mfg.InputError, match="unknown problem or task 'beach-baar'; did you mean 'beach-bar'"):
        mfg.learn("beach-baar")
    other = mfg.solve(mfg.problems.beach_bar(shape=(6,), steps=4))
    with pytest.raises(mfg.InputError, match="the reference has a density"):
        _ = mfg.learn(mfg.problems.beach_bar(), agents=10, episodes=2, reference=other).dataset


@pytest.mark.parametrize("name", ["agents", "episodes", "rng", "max_seconds", "threads"])
def test_a_parameter_with_the_name_of_an_argument_is_no_guess(name, monkeypatch):
    entry = registry.get("beach-bar")
    both = SimpleNamespace(
        name="beach-bar", kind="game", parameters=(*entry.parameters, name), resolution=(), build=entry.build
    )
    monkeypatch.setattr(registry, "get", lambda problem: both)
    with pytest.raises(mfg.InputError, match=f"{name} is a parameter of beach-bar, and an argument of its own here"):
        mfg.learn("beach-bar", **{name: 3})


def test_more_bad_input(beach):
    problem, _, crowd, _ = beach
    with pytest.raises(mfg.InputError, match="learner is a FictitiousPlay"):
        mfg.learn(problem, learner=mfg.solvers.FictitiousPlay())
    with pytest.raises(mfg.InputError, match="learner is a list"):
        mfg.learn(problem, learner=[1])
    with pytest.raises(mfg.InputError, match="reference is a int"):
        mfg.learn(problem, agents=10, episodes=2, reference=3)
    other = mfg.solve(mfg.problems.beach_bar(shape=(8,), steps=8, distance_cost=2.0))
    with pytest.raises(mfg.InputError, match="solves another game"):
        mfg.learn(problem, agents=10, episodes=2, reference=other)
    with pytest.raises(mfg.InputError, match="no masses"):
        SampledGame(problem, 3, crowd * np.nan)
    with pytest.raises(mfg.InputError, match="hard bounds"):
        SampledGame(mfg.problems.bonnans_lavigne_pfeiffer_1(), 3)
