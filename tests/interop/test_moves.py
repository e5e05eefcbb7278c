"""Moves against a crowd, by stand-ins of OpenSpiel's games."""

from __future__ import annotations

import numpy as np
import pytest
from openspiel_standins import GAMES, Game, Road, taken

import mfgsolve as mfg
from mfgsolve.games import make_game

pytestmark = pytest.mark.usefixtures("openspiel")


def test_moves_against_a_crowd_are_those_of_the_game():
    """All of a crowd of mass v that enters road a waits int(4 v) steps there."""
    problem = taken(GAMES["road"])
    names = list(problem.grid.names)
    for volume in (0.0, 0.2, 0.4, 0.76, 1.0):
        mass = np.zeros(problem.grid.size)
        entered = next(k for k, name in enumerate(names) if name.startswith("a, wait=-1"))
        elsewhere = next(k for k, name in enumerate(names) if name.startswith("b, wait=-1"))
        mass[entered], mass[elsewhere] = volume, 1 - volume
        row = np.asarray(problem.dynamics.transitions(2.0, mass)[0][entered])
        wait = int(4 * volume)
        assert row.sum() == 1
        ahead = names[int(np.argmax(row))]
        assert ahead.startswith(f"a, wait={wait - 1}," if wait else "home since 3")


def test_a_crowd_is_asked_once():
    """Costs and moves against the same masses ask the game's crowd nodes once; another mass asks anew."""
    asked = []

    class Counted(Road):
        def hear(self):
            asked.append(self.t)
            super().hear()

    problem = taken(Game(Counted, horizon=7))
    game = make_game(problem)
    policy = game.step.uniform()
    flow = game.flow(policy)
    asked.clear()
    first = float(mfg.exploitability(problem, policy))
    used = len(asked)
    asked.clear()
    assert float(mfg.exploitability(problem, policy)) == first
    assert len(asked) <= used
    asked.clear()
    game.flow(policy)
    game.flow(policy)
    assert not asked
    assert flow.shape[0] == 8


def test_a_game_that_raises_later_is_told_by_name():
    class Late(Road):
        def hear(self):
            if Late.spoilt:
                raise KeyError("gone")
            super().hear()

    Late.spoilt = False
    problem = taken(Game(Late, horizon=7))
    Late.spoilt = True
    with pytest.raises(mfg.InputError, match=r"late of OpenSpiel raised KeyError when .* was told a distribution"):
        problem.dynamics.transitions(2.0, np.full(problem.grid.size, 1.0 / problem.grid.size))
