"""Warnings: one list beside an answer, the same in Python, the file, JSON, the terminal and every picture."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from command_line import run

import mfgsolve as mfg
from mfgsolve.cautions import Caution, collect, from_text, say, stored, to_text, unique

FAST = {"shape": (16, 16), "steps": 64}  # too few steps: agents at the cap


@pytest.fixture(scope="module")
def doubted():
    return mfg.solve(mfg.problems.supply_demand(**FAST, scheme="upwind"), tol=1e-6, check="ignore")


def codes(solution) -> list[str]:
    return [caution.code for caution in solution.warnings]


def test_collections_nest_and_outside_of_any_a_caution_is_a_warning():
    with collect() as outer:
        say("a", "first")
        with collect() as inner:
            say("b", "second")
        say("a", "first")
    assert inner == [Caution("b", "second")]
    assert unique(outer, inner) == (Caution("a", "first"), Caution("b", "second"))
    with pytest.warns(UserWarning, match="third"):
        say("c", "third")


def test_text_of_a_file():
    cautions = (Caution("a", 'has "quotes", \n lines and ü'), Caution("b", ""))
    assert from_text(to_text(cautions)) == cautions
    assert from_text("") == ()
    assert to_text(()) == ""
    for spoilt in ("{}", "[1]", "nonsense"):
        with pytest.raises(ValueError, match=r".+"):
            from_text(spoilt)
        assert stored({"warnings": spoilt})[0].code == "warnings-spoilt"


def test_one_list_everywhere(doubted, tmp_path):
    assert "too-few-steps" in codes(doubted)
    assert doubted.warnings[0].sentence in doubted.sentence
    assert "too-few-steps" in repr(doubted)
    again = mfg.load(doubted.save(tmp_path / "plan.nc"))
    assert again.warnings == doubted.warnings
    assert [row["code"] for row in again.summary()["warnings"]] == codes(doubted)
    json.dumps(doubted.summary())
    for draw in (mfg.plots.plan, mfg.plots.value, mfg.plots.speed, mfg.plots.convergence):
        assert "warning: " in draw(again)._suptitle.get_text()
        assert "too few steps" in draw(again)._suptitle.get_text()


def test_a_comparison_and_its_picture_carry_the_warnings_of_the_plan(doubted):
    compared = mfg.compare(doubted, agents=[10, 100], replicas=2, rng=0)
    assert stored(compared.attrs) == doubted.warnings
    assert "too few steps" in mfg.plots.agents(compared)._suptitle.get_text()


def test_check_warns_or_raises(doubted):
    problem = mfg.problems.supply_demand(**FAST, scheme="upwind")
    with pytest.warns(UserWarning, match="too few"):
        mfg.solve(problem, tol=1e-4)
    with pytest.raises(mfg.Doubtful, match="too few") as raised:
        mfg.solve(problem, tol=1e-4, check="raise")
    assert raised.value.solution.converged
    assert not isinstance(raised.value, mfg.NotConverged)
    with pytest.raises(mfg.NotConverged, match="iteration limit") as raised:
        mfg.solve(problem, tol=1e-10, check="raise", max_iterations=1)
    assert not raised.value.solution.converged


def test_nothing_is_said_where_nothing_is_the_matter(tmp_path):
    solution = mfg.solve(mfg.problems.beach_bar())
    assert solution.warnings == ()
    assert solution.sentence.startswith(mfg.Status.CONVERGED.sentence)
    assert solution.sentence.endswith("A finite game is its own limit: there is no distance to a continuum.")
    assert "warning" not in mfg.plots.plan(solution)._suptitle.get_text()
    assert mfg.load(solution.save(tmp_path / "plan.nc")).warnings == ()


def test_problems_hand_on_what_was_said_while_they_were_stated():
    class Careful(mfg.CrowdAversion):
        def bind(self, grid, times):
            say("while-bound", "noticed while the game was made")
            return super().bind(grid, times)

    problem = mfg.Problem(
        mfg.States(2), mfg.TimeGrid(2.0, 2), mfg.Tabular([np.eye(2), np.eye(2)[::-1]]), Careful(1.0),
        np.array([0.3, 0.7]),
    )  # fmt: skip
    assert codes(mfg.solve(problem, check="ignore")) == ["while-bound"]


def test_the_command(tmp_path):
    plan = tmp_path / "plan.nc"
    ask = ["solve", "supply-demand", "--shape", "16x16", "--steps", "64", "--scheme", "upwind", "--tol", "1e-6"]
    ask += ["-o", plan]
    lines = run(*ask).stdout.splitlines()
    assert any(line.startswith("Warning (too-few-steps): 64 time steps") for line in lines)
    strict = run(*ask, "--strict", "--json", code=3)
    assert "too-few-steps" in [row["code"] for row in json.loads(strict.stdout)["warnings"]]
    assert "Warning (too-few-steps)" in run("show", plan).stdout
    compare = ["compare", plan, "--agents", "10,20", "--replicas", "2"]
    assert "Warning (too-few-steps)" in run(*compare).stdout
    run(*compare, "--strict", code=3)
    fine = run("solve", "beach-bar", "--strict", "--json")
    assert json.loads(fine.stdout)["warnings"] == []


class Boaster(mfg.solvers.FictitiousPlay):
    """Measures what is not so."""

    def step(self, state):
        state = super().step(state)
        state.measure = replace(state.measure, relative_exploitability=0.0)
        return state


def test_what_is_handed_over_decides_whether_a_solve_has_converged():
    found = mfg.solve(mfg.problems.beach_bar(), method=Boaster(), max_iterations=5, check="ignore")
    assert found.status is mfg.Status.ITERATION_LIMIT
    assert found.relative_exploitability > 1e-3
