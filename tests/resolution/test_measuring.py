"""Plans of coarse games: how far two are apart, the speed that costs could pay for, and steps for given speeds."""

from types import SimpleNamespace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.resolution import measuring
from mfgsolve.resolution.measuring import Change, change, energetic_speed, steps_for_speeds
from mfgsolve.steps.speed_policies import SpeedPolicy


def slope(steps, cells=8, strength=3.0):
    """A cost that rises by ``strength`` from the first cell to the last, and 1 at the end; to move costs s^2 / 4."""
    return mfg.Problem(
        mfg.Grid.box(cells), mfg.TimeGrid(2.0, steps), mfg.ControlledDiffusion(0.0, control_cost=0.5, scheme="upwind"),
        mfg.RunningCost(lambda t, c: strength * (c.x - 0.5 / cells) / (1 - 1 / cells)), 1.0,
        terminal=lambda t, c: (c.x - 0.5 / cells) / (1 - 1 / cells),
    )  # fmt: skip


def test_the_fastest_that_all_costs_could_pay_for():
    """c v^2 T / 2 = T 3 + 1: v^2 = 14."""
    assert energetic_speed(slope) == pytest.approx(14**0.5)


def plan(crowd, **numbers):
    """A plan of two nodes and one step over two cells."""
    given = {"potential": 1.0, "gain": 0.5, "movement": 0.1, "gap": 0.0} | numbers
    levels = np.array(crowd, dtype=float)
    return SimpleNamespace(steps=len(levels) - 1, crowd=levels, noise=1e-12, **given)


def test_changes_are_of_potential_gain_and_place():
    rests, walks = plan([[1, 0], [1, 0]]), plan([[1, 0], [0, 1]], potential=0.8, gain=0.75)
    found = change(rests, walks)
    assert found.potential == pytest.approx(0.2)
    assert found.gain == pytest.approx(0.25 / 0.75)
    assert found.flow == pytest.approx(np.mean(np.arange(1, 33) / 32))  # total variation, mean over the time
    assert change(walks, walks) == Change(0.0, 0.0, 0.0)


def test_arithmetic_of_changes():
    one = Change(1.0, 0.3, 0.2)
    assert one.times(2.0) == Change(2.0, 0.6, 0.4)
    assert one.plus(Change(1.0, 0.1, 0.0)) == Change(2.0, 0.4, 0.2)
    assert one.worst == 0.2
    assert Change(0.0, 0.9, 0.1).worst == pytest.approx(0.3)
    assert one.cautious().flow == pytest.approx(0.2 * 1.7)
    assert Change(0.0, 5.0, 1.0).cautious().flow == 1.0


def test_steps_keep_the_speed_of_all_but_a_few_below_the_cap():
    """A speed of 1 in a quarter of the time: on 32 cells the cap h T / (2 dt) is that with 2 T v / h = 128 steps."""
    game = make_game(slope(40))
    speeds = np.zeros((40, 2, 1, 1, 8))
    speeds[:10, 0, ..., :-1] = 1.0
    speeds[3, 1, ..., 5] = 1.2
    policy, crowd = SpeedPolicy(speeds), np.full((41, 1, 1, 8), 1 / 8)
    measured = SimpleNamespace(plan=SimpleNamespace(game=game, policy=policy, crowd=crowd))
    fine = mfg.Grid.box(32)
    assert steps_for_speeds(measured, fine) == pytest.approx(2 * 2.0 * 1.0 * 32)  # 1/320 of the mass-time is left out
    speeds[4, 1, ..., 5] = 1.2
    assert steps_for_speeds(measured, fine) == pytest.approx(2 * 2.0 * 1.2 * 32)  # 2/320 is too much


def test_a_game_that_cannot_be_stated_coarsely_is_not_measured():
    def broken(t, c):
        raise ZeroDivisionError

    problem = mfg.Problem(
        mfg.Grid.box(64), mfg.TimeGrid(1.0), mfg.ControlledDiffusion(0.1, scheme="upwind"), mfg.RunningCost(broken), 1.0
    )
    assert measuring.measure(problem) is None
