"""What notebooks show of problems, solutions, certificates and occupations."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.display.stated import flat_levels, problem_card, space_sentence
from mfgsolve.learners import Occupation

VOID = {"img", "line", "rect"}


class Balanced(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def text_of(shown: str) -> str:
    parser = Balanced()
    parser.feed(shown)
    assert parser.open == []
    return " ".join(re.sub(r"<[^>]*>", " ", shown).split())


@pytest.mark.parametrize("name", mfg.problems.names("game"))
def test_every_named_problem_has_a_card(name):
    problem = mfg.problems.build(name)
    shown = problem_card(problem)
    assert f"Problem {name}" in text_of(shown)
    assert ("data:image/png;base64," in shown) == (problem.initial is not None)  # the picture is of the beginning
    assert len(shown) < 60_000


def test_where_agents_live_is_a_sentence():
    assert space_sentence(mfg.Grid.box((4, 8), bounds=[(0, 1), (0, 2)], unit="km")) == "4 x 8 cells, 0 to 2 x 0 to 1 km"
    assert space_sentence(mfg.States(["a", "b"])) == "2 states (a, b)"
    walls = mfg.Grid.box((4,), blocked=lambda c: c.x < 0.25)
    assert space_sentence(mfg.Populations(["red", "blue"], walls)).startswith("populations red, blue on 4 cells, 1 of")


def test_levels_become_pictures():
    assert flat_levels(np.ones((2, 5)), 1).shape == (2, 1, 5)
    assert flat_levels(np.ones((2, 3, 4, 5)), 1).sum() == 120  # depth summed out
    two = flat_levels(np.ones((1, 2, 4, 5)), 2)[0]
    assert two.shape == (9, 5)
    assert np.isnan(two[4]).all()


def test_a_problem_whose_start_is_wrong_is_shown_without_a_picture():
    grid = mfg.Grid.box((4,))
    wrong = mfg.Problem(grid, mfg.TimeGrid(1.0, 2), mfg.ControlledDiffusion(0.1), 0.0, lambda t, c: -c.x, name="<b>")
    shown = wrong._repr_html_()
    assert "img" not in shown
    assert "Problem &lt;b&gt;" in shown


@pytest.mark.parametrize("name", ["left-right", "beach-bar", "predator-prey"])
def test_solutions_certificates_and_occupations_have_cards(name):
    solution = mfg.solve(mfg.problems.build(name), tol=1e-3, check="ignore", max_iterations=3)
    shown = text_of(solution._repr_html_())
    assert f"Solution of {name}: {solution.status.value}" in shown
    assert solution.status.sentence in shown
    assert f"{solution.exploitability:.2e}" in shown
    assert "relative_exploitability" in text_of(solution.certificate._repr_html_())
    assert "Occupation" in text_of(Occupation.of(solution)._repr_html_())


def test_warnings_stand_on_the_card():
    game = mfg.problems.supply_demand(shape=(8, 8), steps=4, scheme="upwind")
    solution = mfg.solve(game, tol=1e-3, check="ignore", max_iterations=2)
    assert solution.warnings
    for caution in solution.warnings:
        assert " ".join(caution.sentence.split())[:40] in text_of(solution._repr_html_()).replace("&#x27;", "'")


@pytest.mark.slow
def test_showing_touches_no_plotting_library():
    code = (
        "import sys, mfgsolve as mfg\n"
        "s = mfg.solve('left-right', temperature=0.2)\n"
        "for shown in (s, s.problem, s.certificate): shown._repr_html_()\n"
        "print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
