"""Positions of a battle as an occupation."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("magent2", reason="MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'")

from mfgsolve.learners import battles
from mfgsolve.learners.battles.densities import occupation


def test_groups_lie_where_their_agents_are():
    places = {"a": [(2, 3), (4, 5)], "c": [(7, 1)], "food": [(6, 6)]}
    env = battles.battle_gathering(size=9, positions=places)
    env.reset()
    crowd = occupation(env)
    mass = crowd.mass.squeeze("action")
    assert mass.dims == ("population", "y", "x")
    assert mass.sel(population="a", y=3, x=2).item() == mass.sel(population="a", y=5, x=4).item() == 0.5
    assert mass.sel(population="c", y=1, x=7).item() == mass.sel(population="food", y=6, x=6).item() == 1.0
    assert mass.sum(("y", "x")).values.tolist() == [1, 0, 1, 0, 1]
    assert crowd.space.mask.sum() == 5 * (81 - 49)
    env.step({"a_0": env.worlds.moves[0].tolist().index([1, 0])})
    moved = occupation(env.worlds)
    assert moved.mass.sel(population="a", y=3, x=3).item() == 0.5
    assert moved.distance(crowd).item() == pytest.approx(0.5)


def test_the_dead_are_missing():
    env = battles.multi_team_battle(size=9, positions={"a": [(4, 4)], "b": [(5, 4), (7, 7)], "c": [(1, 1)]})
    env.reset()
    for _ in range(6):
        env.step({"a_0": battles.attack(env, "a_0", 1, 0)})
    shares = occupation(env).mass.sum(("y", "x", "action")).values
    assert shares.tolist() == [1.0, 0.5, 1.0, 0.0]
    assert np.isfinite(shares).all()
