"""The list of named problems: they build, rebuild, and refuse what they do not know."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from same_games import same_game

from mfgsolve import problems
from mfgsolve.errors import InputError
from mfgsolve.games import Game

SMALL = {
    "cole-hopf": ((12,), 16),
    "crowd-aversion": ((8, 16), 16),
    "evacuation": ((22, 32), 16),
    "gaussian-log": ((12,), 16),
    "linear-quadratic": ((12,), 16),
    "montreal": ((8, 10), 16),
    "planned-room": ((8, 16), 16),
    "supply-demand": ((8, 10), 16),
}


def test_the_list_is_complete() -> None:
    assert [name for name in problems.names("game") if not problems.get(name).build().is_finite] == sorted(SMALL)


@pytest.mark.parametrize("name", sorted(SMALL))  # the finite games have their own file, test_registry_of_games.py
class TestEveryProblem:
    def test_tells_what_it_is(self, name: str) -> None:
        entry = problems.get(name)
        assert entry.name == name
        assert entry.summary.endswith(".")
        assert len(entry.summary) < 121
        assert len(entry.source) > 20
        text = inspect.getdoc(entry.build)
        for key, parameter in entry.parameters.items():
            assert isinstance(parameter.default, parameter.kind)
            assert key in text.split("Parameters\n")[1], f"{key} is not documented"

    def test_default_resolution_is_a_valid_game(self, name: str) -> None:
        entry = problems.get(name)
        problem = entry.build()
        assert (problem.grid.shape, problem.time.steps) == (entry.shape, entry.steps)
        assert problem.initial_mass().sum() == pytest.approx(1, abs=1e-12)
        assert (problem.initial_mass()[problem.grid.mask] == 0).all()
        assert np.isfinite(problem.terminal_cost()).all()

    def test_name_and_parameters_rebuild_it(self, name: str) -> None:
        shape, steps = SMALL[name]
        odd = {
            key: p.default * 1.01 if p.kind is float else p.default for key, p in problems.get(name).parameters.items()
        }
        problem = problems.build(name, odd, shape, steps)
        assert problem.name == name
        assert problem.parameters == odd
        assert problem.source
        assert all(type(value) in (int, float, str, bool) for value in problem.parameters.values())
        again = problems.build(problem.name, problem.parameters, problem.grid.shape, problem.time.steps)
        assert same_game(problem, again)
        assert not same_game(problem, problems.build(name, {}, shape, steps))

    def test_every_parameter_matters(self, name: str) -> None:
        shape, steps = SMALL[name]  # so coarse that an entropic step would take a viscosity of its own
        base = problems.build(name, {}, shape, steps, "upwind")
        for key, p in problems.get(name).parameters.items():
            other = {"boundary": "periodic"}.get(key) if p.kind is str else p.default / 2 or 0.05
            if "door" in key:  # seen on fine grids only
                shape, base = (32, 64), problems.build(name, {}, (32, 64), steps, "upwind")
            assert not same_game(base, problems.build(name, {key: other}, shape, steps, "upwind")), key

    def test_rescaled_is_the_problem_built_at_that_size(self, name: str) -> None:
        shape, steps = SMALL[name]
        built = problems.build(name, {}, shape, steps)
        assert same_game(problems.get(name).build().rescaled(shape, steps), built)

    def test_refuses_what_it_does_not_know(self, name: str) -> None:
        entry = problems.get(name)
        first = next(iter(entry.parameters))
        with pytest.raises(InputError, match=f"unknown parameter of {name} '{first}x'; did you mean '{first}'"):
            problems.build(name, {first + "x": 1.0})
        with pytest.raises(InputError, match="by name"):
            entry.build(1.0)
        for bad, words in (
            (math.nan, "finite"),
            ("2", "number"),
            (True, "number"),
            (None, "number"),
            ([1.0], "number"),
        ):
            with pytest.raises(InputError, match=f"parameter {first} of {name} is .*{words}.*default"):
                problems.build(name, {first: bad})
        for bad in ("8x8", (8.5, 8), (8,) * 4, (8, 1), (True, 8)):
            with pytest.raises(InputError, match=r"shape|cells"):
                problems.build(name, shape=bad)
        for bad in (0, -1, 2.5, "7", math.inf):
            with pytest.raises(InputError, match="steps"):
                problems.build(name, steps=bad)


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("supply-demand", {"reward": -1.0}, "congestion reward is negative"),
        ("supply-demand", {"viscosity": -0.1}, "viscosity is -0.1; it must be zero or positive"),
        ("supply-demand", {"congestion": 0.0}, "congestion is 0.0; it must be positive .use RunningCost"),
        ("supply-demand", {"width": 0.0}, "width of an arc is 0.0; it must be positive"),
        ("supply-demand", {"hold": 1.0}, r"hold 1.0; .* \[0, 1\)"),
        ("crowd-aversion", {"wide_door": 0.6}, "doors of width 0.6 .* below 0.5"),
        (
            "crowd-aversion",
            {"narrow_door": 0.001},
            "no cell of shape .* narrow door .*; take more cells or a wider door",
        ),
        ("crowd-aversion", {"aversion": -1.0}, "crowd aversion strength is negative"),
        ("crowd-aversion", {"horizon": 0.0}, "time horizon is 0.0; it must be positive"),
        ("linear-quadratic", {"kappa": 0.0}, "kappa 0.0 .* kappa > 0"),
        ("linear-quadratic", {"centre": 2.0}, "spread .* at most 3"),
        ("gaussian-log", {"stiffness": -1.0}, "stiffness .* must be positive"),
        ("gaussian-log", {"strength": 5.0}, "spread .* at least 4 times the spread is needed: take a smaller reach"),
        ("cole-hopf", {"goal": 1.0}, "goal 1.0 .* between -1 and 1"),
        ("cole-hopf", {"viscosity": 0.0}, "viscosity 0.0; it must be positive"),
        ("cole-hopf", {"control_cost": 0.0}, "control cost is 0.0; it must be positive"),
        ("cole-hopf", {"boundary": "reflectin"}, "did you mean 'reflecting'"),
        ("montreal", {"width": 0.0}, "width of the points is 0.0; a positive number is needed"),
        ("montreal", {"congestion": -1.0}, "congestion is -1.0; it must be positive"),
    ],
)
def test_bad_values_are_named_with_a_remedy(name: str, parameters: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Game(problems.build(name, parameters, steps=8))


def test_unknown_names_get_the_nearest_spelling() -> None:
    with pytest.raises(InputError, match="unknown problem 'suply-demand'; did you mean 'supply-demand'"):
        problems.build("suply-demand")
    with pytest.raises(InputError, match="no closed form; those that have one: cole-hopf, gaussian-log"):
        problems.closed_form(problems.build("supply-demand", steps=8, scheme="upwind"))
    with pytest.raises(InputError, match="has 4 axes; 1, 2 or 3 are possible"):
        problems.build("gaussian-log", shape=(8, 8, 8, 8), scheme="upwind")
