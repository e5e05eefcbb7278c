"""Caps of the speeds, walls, and groups of moves."""

import numpy as np
import pytest
from moving_games import MOVEMENTS, game

import mfgsolve as mfg
from mfgsolve.steps.control import Movement
from mfgsolve.steps.moves import move_distances

RING = mfg.Grid.box((6, 5), boundary="periodic")
UNEVEN = mfg.Grid((mfg.Axis.from_edges("y", [0.0, 0.2, 0.5, 1.0]), mfg.Axis("x", 6, 0.0, 1.0)))


@pytest.mark.parametrize("name", list(MOVEMENTS))
@pytest.mark.parametrize("grid", [mfg.Grid.box((7,)), RING, UNEVEN], ids=["line", "ring", "uneven"])
def test_chances_sum_to_one_at_most_and_some_reach_it(name, grid):
    step = game(MOVEMENTS[name], grid=grid, steps=4).step
    control, distance = step.control, move_distances(step.mesh)
    after = 1e6 * np.random.default_rng(0).normal(size=step.shape)
    speed = control.speeds(after, np.array([0.4]))
    chance = (step.dt * speed / distance).sum(axis=0)
    assert chance.max() <= 1 + 1e-12
    assert step.movement.limit < np.inf or chance.max() > 0.5
    # no group has a wider ball: speeds in proportion to 1 / h touch the face of the simplex
    groups = step.movement.groups(step.mesh.moves)
    for j, group in enumerate(groups):
        inverse = 1.0 / distance[group]
        widest = control.possible[j] * inverse / np.sqrt((inverse**2).sum(axis=0))
        np.testing.assert_allclose((step.dt * widest * inverse).sum(axis=0), 1 / len(groups), rtol=1e-12)


def test_nobody_crosses_walls_or_enters_blocked_cells():
    blocked = np.zeros((5, 5), dtype=bool)
    blocked[2, 2] = True
    step = game(mfg.PowerCost(3.0), grid=mfg.Grid.box((5, 5), blocked=blocked)).step
    near = step.control.near.reshape(4, 5, 5)
    cells = np.arange(25).reshape(5, 5)
    assert (near[0, :, -1] == cells[:, -1]).all()
    assert (near[:, 2, 2] == cells[2, 2]).all()
    assert not (near[:, blocked == False] == cells[2, 2]).any()  # noqa: E712
    ring = game(mfg.PowerCost(3.0), grid=RING).step.control.near.reshape(4, 6, 5)
    assert (ring[0, :, -1] == np.arange(30).reshape(6, 5)[:, 0]).all()


def test_on_a_line_joint_and_apart_are_the_same_and_in_the_plane_not():
    for shape, same in (((9,), True), ((4, 5), False)):
        one, other = (game(mfg.PowerCost(3.0, joint=joint), shape).step for joint in (True, False))
        after = 0.1 * np.random.default_rng(1).normal(size=one.shape)
        speeds = [step.control.speeds(after, np.array([0.4])) for step in (one, other)]
        assert np.allclose(*speeds, rtol=1e-12) == same


def test_costs_of_speeds():
    speed = np.array([3.0, 0.0, 0.0, 4.0]).reshape(1, 4, 1)
    assert Movement(3.0).cost(speed).item() == pytest.approx(125 / 3)
    assert Movement(3.0, joint=False).cost(speed).item() == pytest.approx((27 + 64) / 3)
    assert Movement(1.0, joint=False).cost(speed).item() == pytest.approx(7.0)
    assert not Movement(1.0).is_smooth


def test_only_the_cap_of_the_scheme_counts_as_one():
    fast = game(mfg.SpeedLimit(0.3)).step.control
    assert not fast.capped(np.full((1, 2, 12), 0.3 / np.sqrt(2))).any()
    slow = game(mfg.PowerCost(1.5)).step.control
    at = np.zeros((1, 2, 12))
    at[0, 0, 3] = slow.possible[0, 0]
    assert slow.capped(at)[0].tolist() == [k == 3 for k in range(12)]
