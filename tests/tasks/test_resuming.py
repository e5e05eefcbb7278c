"""One door for every checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest
import toy_tasks

import mfgsolve as mfg


def test_trainings_and_solves_go_on_alike(tmp_path: Path):
    with toy_tasks.listed():
        whole = mfg.learn("coin", rng=3)
        mfg.learn("coin", rng=3, checkpoint=tmp_path / "t.nc", callback=lambda done: True)
        assert mfg.resume(tmp_path / "t.nc").numbers == whole.numbers
        with pytest.raises(mfg.InputError, match="tol is of games"):
            mfg.resume(tmp_path / "t.nc", tol=0.1)
    game = mfg.problems.left_right(temperature=0.2)
    solution = mfg.solve(game, checkpoint=tmp_path / "s.nc", max_iterations=1, check="ignore")
    assert not solution.converged
    assert mfg.resume(tmp_path / "s.nc").exploitability == mfg.solve(game).exploitability
    with pytest.raises(mfg.FileError, match="does not exist"):
        mfg.resume(tmp_path / "no.nc")
