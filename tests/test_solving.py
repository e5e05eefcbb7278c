"""Solving: limits and options that make no sense, and what a solve that does not converge says."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from plain_games import problem, solve

import mfgsolve as mfg

SOLVING = [
    (lambda: mfg.solve({"name": "supply-demand"}), r"solve got a dict; a Problem is needed"),
    (lambda: solve(method="neton"), r"unknown solver 'neton'; did you mean 'newton'"),
    (lambda: solve(warmup=3), r"unknown option of newton 'warmup'; did you mean 'warm_up'"),
    (lambda: solve(method="fictitious-play", warm_up=3), r"unknown option of fictitious-play 'warm_up'; allowed"),
    (lambda: solve(method=mfg.solvers.Newton(), warm_up=3), r"options \['warm_up'\] come with a ready solver"),
    (lambda: solve(tol=-1.0), r"tol is -1\.0; .*zero or more is needed"),
    (lambda: solve(tol=math.nan), r"tol is nan; "),
    (lambda: solve(max_iterations=-1), r"max_iterations is -1; a whole number"),
    (lambda: solve(max_iterations=2.5), r"max_iterations is 2\.5; a whole number"),
    (lambda: solve(max_iterations=math.nan), r"max_iterations is nan; a whole number"),
    (lambda: solve(max_seconds=-1.0), r"max_seconds is -1\.0; zero or more"),
    (lambda: solve(max_seconds=math.nan), r"max_seconds is nan; zero or more"),
    (lambda: solve(threads=0), r"threads is 0; a whole number of at least 1"),
    (lambda: solve(check="loud"), r"value of check 'loud'; .*allowed: ignore, raise, warn"),
    (lambda: solve(start="none.nc"), r"file none\.nc does not exist"),
    (lambda: solve(start=3), r"start is a int; a Solution, or the path of its file, is needed"),
    (
        lambda: mfg.solve(problem(), start=mfg.solve(line())),
        r"start has the axes \('x',\); the problem has \('y', 'x'\)",
    ),
    (lambda: solve(checkpoint="/nowhere/at/all.nc"), r"the folder /nowhere/at does not exist; create it"),
]


def line() -> mfg.Problem:
    return problem(grid=mfg.Grid.box((8,)))


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize(("state", "words"), SOLVING, ids=[words for _, words in SOLVING])
def test_bad_input_is_one_sentence(state: Callable[[], Any], words: str) -> None:
    with pytest.raises(mfg.InputError, match=words) as caught:
        state()
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None, "the sentence stands alone, without a chain of tracebacks"


def test_the_valid_neighbours_pass() -> None:
    """Each refusal above is of the change, not of the game that was changed."""
    assert solve(max_iterations=0, max_seconds=0.0, tol=0.0, check="ignore").iterations == 0


def test_a_solve_that_does_not_converge_says_so() -> None:
    flagship = mfg.problems.supply_demand(shape=(8, 8), steps=32, scheme="upwind")
    with pytest.warns(UserWarning, match=r"newton ended with status 'iteration limit' at relative exploitability"):
        mfg.solve(flagship, max_iterations=0)
    with pytest.raises(mfg.NotConverged, match="The iteration limit came first; resume from the checkpoint"):
        mfg.solve(flagship, max_iterations=0, check="raise")
    stopped = mfg.solve(flagship, callback=lambda measure: True, check="ignore")
    assert stopped.status is mfg.Status.STOPPED
    assert not stopped.converged
