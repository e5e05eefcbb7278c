"""The finite games of the list: they build, rebuild, and refuse what they do not know."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from same_games import same_game

from mfgsolve import problems
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.problemfile import problem_from_toml, problem_to_toml

GAMES = [
    "beach-bar", "bench-mfg-chain", "bonnans-lavigne-pfeiffer-1", "bonnans-lavigne-pfeiffer-2", "braess",
    "braess-traffic", "crowd-modelling", "crowd-modelling-2d", "crowd-motion", "four-rooms", "late-news",
    "lattice-supply-demand", "left-right", "predator-prey", "rock-paper-scissors", "susceptible-infected",
]  # fmt: skip


def test_the_finite_games_are_listed() -> None:
    assert set(GAMES) <= set(problems.names())
    assert [name for name in problems.names("game") if problems.get(name).build().is_finite] == GAMES


@pytest.mark.parametrize("name", GAMES)
class TestEveryGame:
    def test_tells_what_it_is(self, name: str) -> None:
        entry = problems.get(name)
        assert entry.summary.endswith(".")
        assert len(entry.summary) < 121
        assert len(entry.source) > 20
        assert "arXiv" in entry.source or "doi" in entry.source
        text = inspect.getdoc(entry.build).split("Parameters\n")[1]
        for key, parameter in entry.parameters.items():
            assert isinstance(parameter.default, parameter.kind)
            assert key in text, f"{key} is not documented"

    def test_default_is_a_valid_game(self, name: str) -> None:
        entry = problems.get(name)
        problem = entry.build()
        space = getattr(problem.grid, "space", problem.grid)
        assert entry.shape in (problem.grid.shape, space.shape)
        assert problem.time.steps == entry.steps
        assert problem.initial_mass().sum() == pytest.approx(sum(problem.grid.masses), abs=1e-12)
        game = Game(problem)
        assert np.isfinite(game.price(game.flow(game.step.uniform()))).all()

    def test_name_and_parameters_rebuild_it(self, name: str) -> None:
        parameters = problems.get(name).parameters
        odd = {key: p.default * 0.9 for key, p in parameters.items() if p.kind is float}
        problem = problems.build(name, odd)
        again = problems.build(problem.name, problem.parameters, problems.get(name).shape, problem.time.steps)
        assert same_game(problem, again)
        assert same_game(problem, problem_from_toml(problem_to_toml(problem)))

    def test_every_parameter_matters(self, name: str) -> None:
        base = problems.get(name).build()
        for key, p in problems.get(name).parameters.items():
            other = {str: "reflecting", bool: True, int: 3}.get(p.kind) or 0.5 * p.default or -0.5
            if key in ("floor", "shift"):
                other = 0.2  # of a mass, so that it is seen
            if key in ("temperature", "viscosity"):
                other = 1e-3
            if key == "news":
                other = 2
            if key == "game":
                other = "ergodic"
            changed = problems.build(name, {key: other})
            assert changed.time != base.time or not same_game(base, changed), key

    def test_refuses_what_it_does_not_know(self, name: str) -> None:
        entry = problems.get(name)
        first = next(iter(entry.parameters))
        with pytest.raises(InputError, match=f"unknown parameter of {name} '{first}x'; did you mean '{first}'"):
            problems.build(name, {first + "x": 1.0})
        with pytest.raises(InputError, match=f"parameter {first} of {name} is None.*default"):
            problems.build(name, {first: None})
        with pytest.raises(InputError, match=f"(shape|steps) of {name}|steps"):
            problems.build(name, steps=2.5)
        with pytest.raises(InputError, match=f"shape of {name} is .*(this problem has|this game has)"):
            problems.build(name, shape=(7, 7, 7, 7))


def test_states_that_are_given_cannot_be_chosen() -> None:
    with pytest.raises(InputError, match=r"shape of left-right is \(5,\); this game has \(3,\) and no other: leave sh"):
        problems.build("left-right", shape=(5,))
    with pytest.raises(InputError, match="steps of rock-paper-scissors is 7; this game has 2 and no other: leave st"):
        problems.build("rock-paper-scissors", steps=7)
    with pytest.raises(InputError, match=r"beach-bar is \(4, 4\); this problem has 1 axis, \(nx,\)"):
        problems.beach_bar(shape=(4, 4))
    assert problems.build("left-right", shape=(3,), steps=2).grid.shape == (3,), "the truth may be told"
    assert problems.susceptible_infected(steps=7).time.steps == 7


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("beach-bar", {"noise": 1.5}, "noise 1.5; the probability of a push must lie between 0 and 1"),
        ("beach-bar", {"boundary": "periodik"}, "did you mean 'periodic'"),
        ("crowd-motion", {"pause": 0}, "pause 0; the bar must wait at least 1 step"),
        ("crowd-modelling-2d", {"aversion": -1.0}, "strength -1.0; it must be zero or positive"),
        ("susceptible-infected", {"recovery": 2.0}, "recovery 2.0; a number between 0 and 1"),
        ("braess", {"bridge": -1.0}, "none may be negative"),
        ("bonnans-lavigne-pfeiffer-2", {"lowest": 1.0}, "lowest 1.0 and highest 0.0; exchange them"),
        ("lattice-supply-demand", {"hold": 1.0}, r"hold 1.0; .* \[0, 1\)"),
        ("predator-prey", {"size": 1}, "1 cells; an axis needs"),
    ],
)
def test_bad_values_are_named_with_a_remedy(name: str, parameters: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Game(problems.build(name, parameters))
