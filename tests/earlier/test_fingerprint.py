"""The digest of a game as 0.4.0 made it: equal to what its files hold, and another one for another game."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from earlier_files import CHECKPOINTS, GAMES, LEARNED, game_of, linear, moving, unpacked

import mfgsolve as mfg
from mfgsolve.checkpoints import read_checkpoint
from mfgsolve.claims import social_game, verified
from mfgsolve.earlier.fingerprint import fingerprint


@pytest.mark.parametrize("name", [*CHECKPOINTS, *LEARNED])
def test_it_is_that_of_the_file(name: str, tmp_path: Path):
    stored, problem = read_checkpoint(unpacked("0.4.0", f"checkpoints/{name}", tmp_path)), game_of(name)
    posed = verified(problem) if stored.objective == "equilibrium" else social_game(verified(problem))
    assert fingerprint(posed) == stored.digest


def test_every_part_of_a_diffusion_counts():
    base = moving()
    grid, time = base.grid, base.time
    others = [
        base, moving(30.1), base.social(),
        replace(base, grid=mfg.Grid.box((16,))), replace(base, grid=mfg.Grid.box((16,), blocked=lambda z: z.x < 0.1)),
        replace(base, time=mfg.TimeGrid(0.71, time.steps)), replace(base, time=mfg.TimeGrid(0.7, 21)),
        replace(base, dynamics=mfg.ControlledDiffusion(0.06, 0.7, scheme="upwind")),
        replace(base, dynamics=mfg.ControlledDiffusion(0.05, 0.8, scheme="upwind")),
        replace(base, initial=lambda t, c: np.exp(c.x)), replace(base, terminal=0.0),
        replace(base, terminal_coupling=mfg.CrowdAversion(0.2)),
    ]  # fmt: skip
    assert grid.mask.any()
    assert len({fingerprint(other) for other in others}) == len(others)


def test_every_part_of_a_finite_game_counts():
    base = linear()
    others = [base, linear(3.1), linear(temperature=0.1), replace(base, terminal=0.0), GAMES["crowd"](),
              replace(base, dynamics=mfg.LatticeMoves([-1, 0, 2], [3.0, 3.3, 3.1], viscosity=0.01))]  # fmt: skip
    assert len({fingerprint(other) for other in others}) == len(others)


def test_costs_are_sampled_where_time_was_then():
    asked: list[float] = []
    base = moving()
    time = mfg.TimeGrid(0.7, 20)
    fingerprint(replace(base, time=time, coupling=mfg.RunningCost(lambda t, c: asked.append(t) or 0.0)))
    then = [k * time.dt for k in range(20)]
    assert then != time.nodes[:-1].tolist()
    assert set(then) <= set(asked)
