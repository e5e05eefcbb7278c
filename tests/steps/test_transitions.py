"""Tables of dynamics of one's own: what they return is looked at before it is used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.dynamics import TableDynamics
from mfgsolve.games import make_game

STAY = sparse.csr_array(np.eye(3))
ALL = np.ones((2, 3), dtype=bool)


@dataclass(frozen=True)
class Own(TableDynamics):
    """Whatever a test says."""

    by_step: object = ((STAY, STAY),)
    allowed: object = None
    costs: object = None

    action_names = ("a", "b")
    identity = "own"

    def tables(self, space, time, where="", asked=None, moment=""):
        return self.by_step, ALL if self.allowed is None else self.allowed

    def step_costs(self, space, times, actions, where=""):
        return np.zeros((1, actions, *space.shape)) if self.costs is None else self.costs


def game(**parts):
    start = np.array([1.0, 0.0, 0.0])
    return make_game(mfg.Problem(mfg.States(3), mfg.TimeGrid(2.0, 2), Own(**parts), mfg.CrowdAversion(), start))


def test_tables_that_fit_make_a_game():
    assert game().flow(game().step.uniform())[-1].tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"by_step": ((STAY, sparse.csr_array(np.eye(4))),)}, r"tables of Own have for action 1 a csr_array of shape"),
        ({"by_step": ((np.eye(3), STAY),)}, r"for action 0 a ndarray of shape \(3, 3\); a scipy.sparse.csr_array"),
        ({"by_step": ((STAY, STAY.tocsc()),)}, r"for action 1 a csc_array"),
        ({"by_step": ((STAY, STAY), (STAY,))}, r"tables of Own have \[1, 2\] actions by step; every step needs"),
        ({"by_step": ((),)}, r"have \[0\] actions by step"),
        ({"allowed": np.ones((3, 3), dtype=bool)}, r"allowed by Own came as bool of shape \(3, 3\); booleans of"),
        ({"allowed": np.ones((2, 3))}, r"allowed by Own came as float64"),
        ({"costs": np.zeros((1, 3, 3))}, r"own cost of Own has shape \(1, 3, 3\); \(1 or 2, action, state\) = "),
        ({"costs": np.full((1, 2, 3), np.nan)}, r"own cost of action 0 in state 0 at step 0 is nan"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(parts, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        game(**parts)
