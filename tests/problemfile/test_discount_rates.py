"""A discount rate in problem files: declared, named, set on the way, written and read again."""

from dataclasses import replace

import pytest

import mfgsolve as mfg
from mfgsolve.command.arguments import stated_problem
from mfgsolve.problemfile import named_problem, problem_from_toml, problem_to_toml
from tests.commands import DECLARED

LATE = DECLARED.replace("steps = 24", "steps = 24\ndiscount = 0.05")


def rate(text, **words):
    return problem_from_toml(text, **words).time.discount


def test_a_declared_rate():
    assert rate(DECLARED) == 0.0
    assert rate(LATE) == 0.05
    assert rate(LATE, settings={"time.discount": 0.2}) == 0.2
    assert rate(DECLARED, settings={"time.discount": 0.2}, steps=12) == 0.2
    assert problem_to_toml(problem_from_toml(LATE)) == LATE


def test_a_named_problem_has_one_too():
    text = 'problem = "beach-bar"\n[parameters]\n[time]\ndiscount = 0.05\n'
    assert rate(text) == 0.05
    assert rate('problem = "beach-bar"', settings={"time.discount": 0.2}) == 0.2
    late = problem_from_toml(text)
    assert rate(problem_to_toml(late)) == 0.05
    assert late.parameters == problem_from_toml('problem = "beach-bar"').parameters


def test_the_command_sets_it_for_problems_of_all_kinds(tmp_path):
    (tmp_path / "hill.toml").write_text(DECLARED)
    for name in ("beach-bar", str(tmp_path / "hill.toml")):
        problem = stated_problem(name, None, None, {"time.discount": 0.2})
        assert problem.time.discount == 0.2
        assert rate(problem_to_toml(problem)) == 0.2
    bar = stated_problem("beach-bar", None, None, {"time.discount": 0.2, "temperature": 0.5})
    assert (bar.time.discount, bar.temperature) == (0.2, 0.5)
    with pytest.raises(mfg.InputError, match="discount rate is -1"):
        named_problem("beach-bar", discount=-1)
    with pytest.raises(mfg.InputError, match="real number is needed"):
        stated_problem("beach-bar", None, None, {"time.discount": "high"})


@pytest.mark.parametrize("text", [DECLARED, 'problem = "beach-bar"', 'problem = "supply-demand"\nshape = [8, 8]'])
def test_a_rate_that_came_in_python_is_written(text):
    problem = problem_from_toml(text)
    for late in (0.1, 0.0):
        problem = replace(problem, time=replace(problem.time, discount=late))
        written = problem_to_toml(problem)
        assert rate(written) == late
        assert ("discount" in written) == (late > 0)
    more = replace(problem, time=replace(problem.time, discount=0.3))
    more = more.with_steps(64, chosen=True) if "beach" not in text else more  # whose horizon is its steps
    assert problem_from_toml(problem_to_toml(more)).time == more.time


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LATE.replace("0.05", "-0.05"), "discount rate is -0.05"),
        (LATE.replace("0.05", '"5 %"'), "is no number"),
        (LATE.replace("0.05", "nan"), "not finite"),
        ('problem = "beach-bar"\n[time]\ndiscount = -1', "discount rate is -1"),
        ('problem = "beach-bar"\n[time]\nhorizon = 2.0', "unknown key 'horizon'"),
    ],
)
def test_rates_that_are_refused(text, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        problem_from_toml(text)


def test_a_closed_form_is_that_of_no_rate():
    plain = mfg.problems.cole_hopf(shape=(16,), scheme="upwind")
    mfg.problems.closed_form(plain)
    with pytest.raises(mfg.InputError, match=r"discount rate of 0\.1"):
        mfg.problems.closed_form(replace(plain, time=replace(plain.time, discount=0.1)))
