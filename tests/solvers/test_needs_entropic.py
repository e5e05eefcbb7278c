"""Every solver on a game in the entropic scheme: the same equilibrium, or a sentence why not."""

import pytest
from entropic_games import line

import mfgsolve as mfg
from mfgsolve.solvers import SOLVERS, suited

SUITED = ["newton", "frank-wolfe", "fictitious-play"]


@pytest.fixture(scope="module")
def exact():
    return mfg.solve(line(), method="newton", tol=1e-12, check="ignore").potential


def test_those_that_need_no_list_of_actions_suit():
    assert suited(line()) == SUITED


@pytest.mark.parametrize("name", [*SOLVERS.own, None])
def test_every_solver_finds_the_equilibrium_or_says_what_it_needs(exact, name):
    if name is not None and name not in SUITED:
        with pytest.raises(
            mfg.InputError, match=r"speeds, or laws of their next cell|at the end|final time|best speeds jump"
        ):
            mfg.solve(line(), method=name)
        return
    found = mfg.solve(line(), method=name, tol=1e-10, check="ignore")
    assert found.converged
    assert found.potential == pytest.approx(exact, abs=1e-10)


def test_hard_bounds_are_refused():
    with pytest.raises(mfg.InputError, match="the density has hard bounds"):
        mfg.solve(line(coupling=mfg.CrowdAversion(0.5) + mfg.Capacity(3.0)))
