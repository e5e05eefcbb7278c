"""What all dynamics share: one kind and one temperature in a problem, and a step for several populations."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg

STAY, SWAP = np.eye(2), np.eye(2)[::-1].copy()
HALF = np.full((2, 2), 0.5)


def test_problems_state_dynamics_of_one_kind_and_temperature():
    parts = {"time": mfg.TimeGrid(1, 1), "coupling": 0.0, "initial": 1.0}
    both = mfg.Populations(["a", "b"], mfg.Grid.box((2,)))
    still = mfg.LatticeMoves((0,))
    with pytest.raises(mfg.InputError, match="cannot be mixed"):
        mfg.Problem(grid=both, dynamics=[still, mfg.ControlledDiffusion()], **parts)
    with pytest.raises(mfg.InputError, match=r"temperatures \[0\.0, 0\.5\]; one for all"):
        mfg.Problem(grid=both, dynamics=[still, mfg.LatticeMoves((0,), temperature=0.5)], **parts)
    with pytest.raises(mfg.InputError, match="dynamics of the problem is a str"):
        mfg.Problem(grid=both, dynamics="lattice", **parts)
    with pytest.raises(mfg.InputError, match="dynamics of the problem is a NoneType"):
        mfg.Problem(grid=both, dynamics=[], **parts)
    hot = mfg.Problem(grid=both, dynamics=[still, still], **parts).at_temperature(2.0)
    assert hot.temperature == 2.0
    assert all(one.temperature == 2.0 for one in hot.all_dynamics)
