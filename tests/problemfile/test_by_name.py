"""A problem by its name, with its parameters among the options."""

from __future__ import annotations

import inspect

import pytest

import mfgsolve as mfg
from mfgsolve.identity import fingerprint
from mfgsolve.problemfile.by_name import stated
from mfgsolve.problems import registry

SMALL = {"shape": (6,), "steps": 4}


def test_a_name_with_parameters_is_the_problem():
    named = mfg.solve("beach-bar", aversion=2.0, **SMALL)
    built = mfg.solve(mfg.problems.beach_bar(aversion=2.0, **SMALL))
    assert named.problem.parameters["aversion"] == 2.0
    assert fingerprint(named.problem) == fingerprint(built.problem)
    assert named.potential == built.potential


def test_options_of_the_solver_stand_beside_them():
    solution = mfg.solve("left_right", temperature=0.2, method="newton", forcing=0.05, tol=1e-8)
    assert solution.problem.temperature == 0.2
    assert solution.dataset.attrs["solver"] == "newton"


def test_the_path_of_a_problem_file_will_do(tmp_path):
    (tmp_path / "game.toml").write_text('problem = "left-right"\n[parameters]\ntemperature = 0.3\n')
    assert mfg.solve(str(tmp_path / "game.toml")).problem.temperature == 0.3


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: mfg.solve("suply-demand"), "unknown problem 'suply-demand'; did you mean 'supply-demand'"),
        (lambda: mfg.solve(3), "solve got a int; a Problem is needed"),
        (lambda: mfg.solve("beach-bar", noize=0.1), "parameter of beach-bar, 'noize'; did you mean 'noise'"),
        (lambda: mfg.solve("beach-bar", tl=0.1), "parameter of beach-bar, 'tl'; did you mean 'tol'"),
        (lambda: mfg.solve(mfg.problems.beach_bar(), toll=0.1), "did you mean 'tol'"),
        (lambda: mfg.solve(mfg.problems.beach_bar(), max_iteration=3), "did you mean 'max_iterations'"),
        (lambda: mfg.solve("cole-hopf", start=0.3), r"start is a parameter of cole-hopf.*problems.cole_hopf\(start="),
        (
            lambda: mfg.solve("beach-bar", method="prior-descent", temperature=0.3),
            r"temperature is a parameter of beach-bar, and an option of what works on it.*beach_bar\(temperature=",
        ),
        (
            lambda: mfg.solve(mfg.problems.beach_bar(), noise=0.1),
            r"noise is a parameter of beach-bar, and that is built already; .*beach_bar\(noise=",
        ),
    ],
)  # fmt: skip
def test_slips_and_names_of_two_meanings_are_told(call, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        call()


def test_an_option_of_the_solver_is_no_parameter_where_the_problem_is_built():
    game = mfg.problems.beach_bar(**SMALL)
    assert mfg.solve(game, method="prior-descent", temperature=0.5, check="ignore", max_iterations=2).sweeps > 0


def test_arguments_of_solve_that_are_parameters_too_are_those_that_are_refused():
    arguments = {*inspect.signature(mfg.solve).parameters}
    double = {name: {*registry.get(name).parameters} & arguments for name in registry.names()}
    assert {name: both for name, both in double.items() if both} == {"cole-hopf": {"start"}}


def test_a_problem_comes_back_as_it_is():
    game = mfg.problems.left_right()
    assert stated(game, {"forcing": 1}, {}, lambda _: [], "solve") == (game, {"forcing": 1})
