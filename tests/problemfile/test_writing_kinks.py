"""Kinks in problem files: on top of a declared or a named problem, from the paths of bumps, and written back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mfgsolve import problems
from mfgsolve.errors import InputError
from mfgsolve.problemfile import problem_from_toml, problem_to_toml

DECLARED = """
name = "hill"
[grid]
shape = [8]
[time]
horizon = 1.0
steps = 8
[dynamics]
scheme = "entropic"
viscosity = 0.1
[[coupling]]
kind = "congestion"
congestion = 0.1
reward = {bump = {path = [[0.0, 0.1], [0.25, 0.3], [0.5, 0.4], [2.0, 0.9]]}}
[initial]
density = 1.0
"""
NAMED = 'problem = "supply-demand"\nshape = [8, 8]\nsteps = 8\n'


def test_the_turns_of_a_path_are_kinks() -> None:
    problem = problem_from_toml(DECLARED)
    assert problem.kinks == (0.25, 0.5)
    assert problem_to_toml(problem) == DECLARED


def test_what_is_stated_holds_instead() -> None:
    for text, kinks in (("kinks = [0.75]", (0.75,)), ("kinks = []", ())):
        problem = problem_from_toml(text + DECLARED)
        assert problem.kinks == kinks
        assert problem_to_toml(problem) == text + DECLARED


def test_a_named_problem_has_its_own_unless_others_are_stated() -> None:
    assert problem_from_toml(NAMED).kinks == (0.7,)
    for kinks in ((0.5, 0.6), ()):
        problem = problem_from_toml(f"kinks = {list(kinks)}\n{NAMED}")
        assert problem.kinks == kinks
        assert problem_from_toml(problem_to_toml(problem)).kinks == kinks
    assert problem_from_toml(NAMED, settings={"kinks": [0.1]}).kinks == (0.1,)


@pytest.mark.parametrize("problem", [problem_from_toml(DECLARED), problems.supply_demand(shape=(8, 8), steps=8)])
def test_a_change_in_python_is_written(problem: object) -> None:
    for kinks in ((0.9,), ()):
        changed = replace(problem, kinks=kinks)  # type: ignore[type-var]
        again = problem_from_toml(problem_to_toml(changed))
        assert again.kinks == kinks
        assert problem_to_toml(again) == problem_to_toml(changed)


@pytest.mark.parametrize(
    ("kinks", "told"), [("[1.0]", "kinks of the problem hold 1"), ("[true]", "is no number"), ("0.7", "is no list")]
)
def test_faults_are_told_with_the_file(kinks: str, told: str) -> None:
    for text in (DECLARED, NAMED):
        with pytest.raises(InputError, match=f"^problem text: .*{told}"):
            problem_from_toml(f"kinks = {kinks}\n{text}")
