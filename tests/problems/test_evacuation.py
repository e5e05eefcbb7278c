"""The named problem `evacuation`: agents leave by both doors, and share them."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.errors import InputError

COARSE = {"shape": (22, 32), "steps": 32}


@pytest.fixture(scope="module")
def solution() -> mfg.Solution:
    return mfg.solve(mfg.problems.evacuation(viscosity=0.03, **COARSE), tol=1e-10)


def test_everybody_leaves_by_two_doors(solution: mfg.Solution):
    times = solution.evacuation()
    assert solution.converged
    assert solution.certificate.mass_error < 1e-12
    assert times.left > 0.99
    assert min(times.by_exit.values()) > 0.3
    assert 0.5 < times.mean < times.percentiles[95] < 2.5


def test_the_room_is_symmetric_where_it_is():
    grid = mfg.problems.evacuation().grid
    assert grid.exits.names == ("west door", "north door")
    west = grid.exits.number == 0
    assert (west == west[::-1]).all()
    assert (grid.mask == grid.mask[::-1]).sum() == grid.size - 2 * (grid.exits.number == 1).sum()


def test_a_toll_sends_agents_to_the_other_door(solution: mfg.Solution):
    dear = mfg.solve(mfg.problems.evacuation(viscosity=0.03, toll=0.5, **COARSE), tol=1e-6)
    before, after = (each.evacuation().by_exit["west door"] for each in (solution, dear))
    assert after < before - 0.05
    assert dear.certificate.cost > solution.certificate.cost


def test_congestion_makes_leaving_longer(solution: mfg.Solution):
    alone = mfg.solve(mfg.problems.evacuation(viscosity=0.03, congestion=0.0, **COARSE), tol=1e-6)
    assert alone.certificate.cost < solution.certificate.cost


def test_it_is_rebuilt_from_its_name(solution: mfg.Solution, tmp_path):
    path = solution.save(tmp_path / "plan.nc")
    again = mfg.load(path)
    np.testing.assert_allclose(again.density, solution.density, atol=1e-9)
    assert 'problem = "evacuation"' in again.dataset.attrs["problem"]


def test_to_stay_is_no_gain():
    with pytest.raises(InputError, match="evacuation has staying -1"):
        mfg.problems.evacuation(staying=-1.0)
