"""The border to MFGLib: the same exploitability on both sides, by a stand-in and by the library."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from peer_standins import (
    Environment,
    environments,
    random_policy,
    score,
    tensor,
)

import mfgsolve as mfg
from mfgsolve import interop

ENVIRONMENTS = list(environments())


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_mfglib_scores_a_policy_as_we_do(mfglib, name):
    env = environments()[name]
    problem = interop.from_mfglib(env)
    for seed in range(2):
        array, solution = random_policy(problem, seed)
        policy = interop.to_mfglib_policy(solution)
        assert policy.shape == (env.T + 1, *env.S, *env.A)
        assert policy.dtype == np.float64
        assert float(mfg.exploitability(problem, array)) == pytest.approx(score(env, policy), rel=1e-11)


def test_mfglib_structure_is_found(mfglib):
    built = {name: interop.from_mfglib(env) for name, env in environments().items()}
    assert {name for name, problem in built.items() if problem.is_coupled} == {"sick", "choices"}
    assert {name for name, problem in built.items() if problem.is_potential} >= {"beach bar", "rooms", "price"}
    assert isinstance(built["price"].coupling, mfg.couplings.Price)
    assert isinstance(built["linear"].coupling, mfg.Interaction)
    assert built["rooms"].grid.shape == (2, 3)
    assert built["choices"].grid.size == 3 + 9
    assert built["beach bar"].coupling.floor == 1e-20
    assert built["high floor"].coupling.floor == pytest.approx(1e-3)


def test_a_solved_game_of_mfglib_scores_zero(mfglib, tmp_path):
    problem = interop.build("mfglib:beach_bar", {"T": 3})
    assert problem.name == "mfglib:beach_bar"
    assert problem.parameters == {"T": 3}
    solution = mfg.solve(problem, method="fictitious-play", tol=1e-4)
    saved = mfg.load(solution.save(tmp_path / "plan.nc"))
    for one in (solution, saved):
        reached = score(Environment.beach_bar(T=3), interop.to_mfglib_policy(one))
        assert reached == pytest.approx(solution.exploitability, abs=1e-12)


def test_single_precision_is_refused(mfglib):
    env = Environment.beach_bar()
    env.mu0 = tensor(env.mu0, np.float32)
    with pytest.raises(mfg.InputError, match="set_default_dtype"):
        interop.from_mfglib(env)


def test_the_default_precision_is_put_back(mfglib):
    torch = sys.modules["torch"]
    interop.build("mfglib:beach_bar")
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.slow
def test_mfglib_itself_scores_as_we_do():
    pytest.importorskip("mfglib")
    torch = pytest.importorskip("torch")
    environment, score_of = (
        interop.mfglib._environment(),
        __import__("mfglib.scoring", fromlist=["x"]).exploitability_score,
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        for name in interop.names("mfglib"):
            problem, env = interop.build(name), getattr(environment, name.partition(":")[2])()
            array, solution = random_policy(problem)
            theirs = score_of(env, interop.to_mfglib_policy(solution))
            assert float(mfg.exploitability(problem, array)) == pytest.approx(theirs, rel=1e-11), name
    finally:
        torch.set_default_dtype(before)
