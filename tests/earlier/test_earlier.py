"""Checkpoints of 0.4.0 are accepted where they are of the same game, with a caution, and refused elsewhere."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from command_line import run
from earlier_files import GAMES, game_of, resumed, unpacked

import mfgsolve as mfg
from mfgsolve.checkpoints import read_checkpoint
from mfgsolve.earlier import continued


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    return unpacked("0.4.0", "checkpoints/interior-point", tmp_path)


def test_a_caution_says_so_and_the_solution_keeps_it(stored: Path):
    with pytest.warns(UserWarning, match=r"written by mfgsolve 0\.4\.0"):
        solution = mfg.resume(stored)
    assert [caution.code for caution in solution.warnings] == ["earlier-checkpoint"]
    assert solution.converged


def test_what_was_relative_to_another_scale_is_not_shown(stored: Path):
    begun = read_checkpoint(stored).rows
    solution = resumed("interior-point", stored, max_iterations=begun[-1].iteration)
    history = solution.dataset
    assert np.isnan(history.relative_exploitability.values[:-1]).all()
    assert math.isclose(float(history.relative_exploitability[-1]), solution.relative_exploitability, rel_tol=1e-12)
    np.testing.assert_allclose(history.exploitability.values, [row.exploitability for row in begun], rtol=1e-9)


def test_a_last_row_that_met_the_tolerance_of_its_own_scale_is_measured_again(tmp_path: Path):
    """Beside costs of 50 and more that everybody pays, half a per mille of all costs was 0.4.0's tolerance."""
    path = unpacked("0.4.0", "checkpoints/frank-wolfe-finite", tmp_path)
    before = read_checkpoint(path).rows[-1]
    now = resumed("frank-wolfe-finite", path, max_iterations=before.iteration, tol=10 * before.relative_exploitability)
    assert not now.converged
    assert now.relative_exploitability > 20 * before.relative_exploitability
    assert math.isclose(now.exploitability, before.exploitability, rel_tol=1e-9)


def test_the_next_checkpoint_is_one_of_today(stored: Path):
    some = resumed("interior-point", stored, max_iterations=4)
    assert some.iterations == 4
    again = resumed("interior-point", stored)
    assert again.warnings == ()
    assert again.converged
    assert read_checkpoint(stored).version == mfg.__version__


def test_another_game_is_refused(stored: Path, tmp_path: Path):
    other = mfg.problems.crowd_modelling(shape=(6,), steps=5, aversion=1.1)
    with pytest.raises(mfg.InputError, match="of another game"):
        mfg.resume(stored, problem=other)
    moving = unpacked("0.4.0", "checkpoints/newton-python", tmp_path)
    with pytest.raises(mfg.InputError, match="of another game"):
        mfg.resume(moving, problem=GAMES["gaussian-log"]())


def test_another_version_is_refused(stored: Path):
    found = read_checkpoint(stored)
    unused: Any = None
    assert continued(replace(found, version="0.3.0"), game_of("interior-point"), unused) is None
    with h5py.File(stored, "r+") as file:
        for name in ("seal", "sealed"):
            file.attrs.pop(name, None)
        file.attrs["mfgsolve_version"] = "0.3.0"
    with pytest.raises(mfg.InputError, match=r"written by mfgsolve 0\.3\.0"):
        mfg.resume(stored, problem=mfg.problems.crowd_modelling(shape=(6,), steps=5, late=True, aversion=1.1))


def test_a_spoilt_one_is_an_error_of_the_file(stored: Path):
    with h5py.File(stored, "r+") as file:
        del file["array_level"]
    with pytest.raises(mfg.FileError, match="misses or spoils"):
        mfg.resume(stored)


def test_the_command_resumes_it(stored: Path, tmp_path: Path):
    told = run("resume", stored, "-o", tmp_path / "plan.nc")
    assert "written by mfgsolve 0.4.0" in " ".join(told.output.split())
    assert [caution.code for caution in mfg.load(tmp_path / "plan.nc").warnings] == ["earlier-checkpoint"]
