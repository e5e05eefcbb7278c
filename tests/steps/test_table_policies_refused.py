"""Policies that a user brings to a finite game: what is none is refused in a sentence."""

from __future__ import annotations

import numpy as np
import pytest
from finite_games import sharp_game, small_game

import mfgsolve as mfg
from mfgsolve.games import Game
from mfgsolve.steps.table_policies import TablePolicy


def put(index, value):
    def change(policy):
        policy[index] = value
        return policy

    return change


POLICIES = [
    (lambda pi: pi[:2], r"policy has shape \(2, 3, 3\); \(step, action, \.\.\.\) = \(3, 3, 3\) is needed"),
    (lambda pi: pi[..., None], r"policy has shape \(3, 3, 3, 1\)"),
    (put((1, 0, 2), -0.5), r"probability -0\.5 of action 0 in state 2 at step 1; none is negative"),
    (put((2, 1, 0), np.nan), r"not finite"),
    (lambda pi: 0.5 * pi, r"policy in state 0 at step 0 sums to 0\.5; probabilities sum to 1"),
    (lambda pi: pi + 0j, r"policy holds complex128"),
    (lambda pi: pi > 0.5, r"policy holds bool"),
    (lambda pi: pi.astype(str), r"policy holds <U"),
    (lambda pi: "plan.nc", r"policy is the path plan\.nc; read the file first"),
]


@pytest.mark.parametrize(("change", "message"), POLICIES)
def test_policies_that_are_none_are_refused(change, message):
    problem = small_game(0, 1, 3)[0]
    policy = Game(problem).step.uniform().reshape(3, 3, 3)
    assert float(mfg.exploitability(problem, policy)) > 0
    with pytest.raises(mfg.InputError, match=message):
        mfg.exploitability(problem, change(policy.copy()))


def test_policies_with_holes_are_refused():
    game = Game(small_game(0, 1, 3)[0])
    policy = game.step.uniform()
    holes = np.ma.masked_array(policy, mask=policy > 0)
    for brought, message in ((holes, "policy has masked entries"), ([[1.0], [0.5, 0.5]], "policy is no array")):
        with pytest.raises(mfg.InputError, match=message):
            TablePolicy.checked(brought, game.step)


def test_policies_on_forbidden_actions_are_refused():
    problem = sharp_game()
    table = mfg.LatticeMoves((-1, 0, 1), walls="forbid")
    walled = mfg.Problem(grid=problem.grid, time=problem.time, dynamics=table, coupling=0.0, initial=1.0)
    with pytest.raises(mfg.InputError, match="takes action 0 in state 0 at step 0, which is not allowed"):
        mfg.exploitability(walled, np.full((4, 3, 5), 1 / 3))
