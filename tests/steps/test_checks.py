"""A step or factor of one's own that breaks what solvers take for granted is refused by name when its game is made."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.steps import Factor, OwnCost, Transitions
from tests.own_steps import Hopping, Hops, hopping


class Wind(Factor):
    """One state on around the ring, unless it is told otherwise."""

    def __init__(self, expect: Any = None, push: Any = None):
        self.verbs = expect or (lambda value: np.roll(value, -1)), push or (lambda mass: np.roll(mass, 1))

    def expect(self, t, value):
        return self.verbs[0](value)

    def push(self, t, mass):
        return self.verbs[1](mass)


@dataclass(frozen=True)
class Broken(Hopping):
    """Hops with other attributes and verbs."""

    change: Any = ()

    def bind(self, space, time, initial):
        step = super().bind(space, time, initial)
        for name, value in self.change:
            setattr(step, name, value.__get__(step) if callable(value) else value)
        return step


class Charted(Hops):
    """Hops that say where single agents go."""

    def transitions_at(self, t, mass):
        return self.table


@dataclass(frozen=True)
class WithTable(Broken):
    def bind(self, space, time, initial):
        step = super().bind(space, time, initial)
        step.__class__ = Charted
        return step


@dataclass(frozen=True)
class Unbound(Hopping):
    def bind(self, space, time, initial):
        return None


@dataclass(frozen=True)
class Narrow(Hopping):
    def bind(self, space):
        return None


def game_of(dynamics: Any) -> Any:
    stated = hopping()
    return make_game(mfg.Problem(stated.grid, stated.time, dynamics, stated.coupling, stated.initial, stated.terminal))


def changed(**change: Any) -> Broken:
    return Broken(change=tuple(change.items()))


def best_of(value: Any, *chances: float) -> Any:
    def best(self, t, after, costs, policy):
        policy[:] = np.reshape(chances, (-1, 1))
        return value(after)

    return best


def test_sound_ones_pass():
    game_of(changed())
    assert make_game(hopping()).step.shape == game_of(changed(factors=[Wind()])).step.shape


@pytest.mark.parametrize(
    ("wind", "says"),
    [
        (Wind(lambda v: np.roll(v, 1)), "push of Wind is not the transpose of its expect at step 0"),
        (Wind(lambda v: v, lambda m: 0.5 * m), r"push of Wind makes 0\.5 of a mass of 1"),
        (Wind(lambda v: 2 * v - np.roll(v, -1), lambda m: 2 * m - np.roll(m, 1)), "makes a negative mass"),
        (Wind(lambda v: np.nan * v), "expect of Wind gives nan at step 0 in cell 0; every number must be finite"),
        (Wind(lambda v: v[:3]), r"float64 of shape \(3,\) at step 0; an array of real numbers of shape \(5,\)"),
        (Wind(lambda v: None), "expect of Wind gives NoneType"),
        (Wind(push=lambda m: m.__imul__(1.5)), "changes the array it is given at step 0; work on a copy"),
        (Wind(lambda v: v / 0 if v is None else {}[0]), "expect of Wind.* raised KeyError at step 0"),
        (5, r"the factors of a Hops are \[5\]; a list of Factor objects is needed"),
    ],
)
def test_factors(wind, says):
    with pytest.raises(mfg.InputError, match=says):
        game_of(changed(factors=[wind]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"shape": (4,)}, r"shape of a Hops is \(4,\); a tuple whose product is the 5 cells"),
        (
            {"allowed": np.ones((2, 3), bool)},
            r"allowed of a Hops is bool of shape \(2, 3\); booleans of shape \(2, 5\)",
        ),
        ({"own_cost": None}, "own_cost of a Hops is NoneType; real numbers of shape"),
        ({"best": best_of(lambda after: after, 0.5, 0.5)}, "best of Hops is not the least at step 0"),
        ({"best": best_of(lambda after: after - 9, 0.7, 0.7)}, r"push of Hops makes 1\.4 of a mass of 1"),
        ({"best": best_of(lambda after: after - 9, np.nan, 1)}, "expect of Hops gives nan"),
        ({"best": best_of(lambda after: after - 9, 1, 0)}, "gives for t = 0 is -.* pay .*, by its cost; they must be"),
        ({"push": lambda self, t, policy, mass: np.roll(mass, 1)}, "push of Hops is not the transpose of its expect"),
        ({"cost": lambda self, policy, mass: OwnCost(np.nan, 0.0, 0.0)}, "pay nan, by its cost"),
    ],
)
def test_steps(change, says):
    with pytest.raises(mfg.InputError, match=says):
        game_of(changed(**change))


class Chart(Wind):
    """The same with a matrix that agents one by one take."""

    def __init__(self, chart: Any):
        super().__init__()
        self.chart = chart

    def matrix(self, t):
        return self.chart


class Walking(Wind):
    """The same with walks in place of a matrix, which stay."""

    def walks(self, cells):
        return []


SHIFT = np.roll(np.eye(5), 1, axis=1)


def test_agents_one_by_one_land_where_their_mass_does():
    game_of(changed(factors=[Chart(SHIFT)]))
    for part, says in (
        (Chart(SHIFT.T), "matrix of Chart brings single agents elsewhere than push does their mass at step 0"),
        (Chart(np.eye(3)), r"matrix of Chart is no array of shape \(5, 5\) at step 0"),
        (Walking(), "walks of Walking brings single agents elsewhere"),
    ):
        with pytest.raises(mfg.InputError, match=says):
            game_of(changed(factors=[part]))
    for chart, says in ((SHIFT.T, "transitions_at of Charted brings single agents elsewhere"), (SHIFT, None)):
        rows = sparse.csr_array(np.vstack([np.eye(5), chart]))
        table = Transitions(rows.indptr.astype(np.int64)[None], rows.indices.astype(np.int32), rows.data)
        with nullcontext() if says is None else pytest.raises(mfg.InputError, match=says):
            game_of(WithTable(change=(("table", table),)))


def test_what_bind_gives():
    with pytest.raises(mfg.InputError, match="bind of Unbound gave a NoneType; a Step is needed"):
        game_of(Unbound())
    with pytest.raises(mfg.InputError, match=r"bind of Narrow: a function is called as f\(space, time, initial\)"):
        game_of(Narrow())
