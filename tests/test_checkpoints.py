"""Checkpoints as files: what is written is what is read, and what is spoilt is told as an error of the file."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.checkpoints import (
    PYTHON_PROBLEM,
    held_iteration,
    problem_text,
    read_checkpoint,
    saver,
    spoilt,
    stored_problem,
)
from mfgsolve.errors import FileError, InputError
from mfgsolve.identity import fingerprint


def bar() -> mfg.Problem:
    return mfg.problems.beach_bar(shape=(6,), steps=4)


def in_python() -> mfg.Problem:
    swap = mfg.Tabular([np.eye(2), np.eye(2)[::-1]])
    return mfg.Problem(mfg.States(2), mfg.TimeGrid(2, 2), swap, mfg.CrowdAversion(1.0), np.array([0.25, 0.75]))


@pytest.fixture
def written(tmp_path):
    options = {"method": "fictitious-play", "average": "uniform", "tol": 1e-9, "max_iterations": 3, "check": "ignore"}
    solution = mfg.solve(bar(), checkpoint=tmp_path / "point.nc", **options)
    return tmp_path / "point.nc", solution


def test_what_is_written_is_what_is_read(written):
    file, solution = written
    stored = read_checkpoint(file)
    assert stored.solver == mfg.solvers.FictitiousPlay(average="uniform")
    assert (stored.tol, stored.objective, stored.version) == (1e-9, "equilibrium", mfg.__version__)
    assert stored.digest == fingerprint(bar())
    assert stored.reference is None
    assert [row.iteration for row in stored.rows] == [0, 1, 2, 3]
    np.testing.assert_array_equal([row.exploitability for row in stored.rows], solution.dataset["exploitability"])
    assert stored.arrays
    assert problem_text(stored.problem(file)) == stored.text == problem_text(bar())


def test_parts_are_read_without_the_arrays(written):
    file, _ = written
    assert held_iteration(file) == 3
    problem, tol = stored_problem(file)
    assert (problem.name, problem.grid.shape, problem.time.steps, tol) == ("beach-bar", (6,), 4, 1e-9)
    assert held_iteration(file.parent / "none.nc") is None
    file.write_bytes(b"no file of ours")
    assert held_iteration(file) is None


def test_a_game_of_python_functions_must_be_brought_again(tmp_path):
    assert problem_text(in_python()) == PYTHON_PROBLEM
    file = tmp_path / "point.nc"
    mfg.solve(in_python(), method="fictitious-play", max_iterations=1, checkpoint=file, check="ignore")
    for act in (stored_problem, mfg.resume, lambda path: read_checkpoint(path).problem(path)):
        with pytest.raises(InputError, match=r"of a problem made in Python; call resume\(\.\.\., problem=\.\.\.\)"):
            act(file)
    assert mfg.resume(file, problem=in_python(), max_iterations=2, check="ignore").iterations == 2


def test_where_no_file_can_be_is_told_before_anything_is_solved(tmp_path):
    parts = bar(), bar(), "equilibrium", mfg.solvers.FictitiousPlay(), 1e-9
    assert saver(*parts, None) is None
    for place, sentence in ((tmp_path, "is a folder; name a file"), (tmp_path / "a" / "b.nc", "does not exist")):
        with pytest.raises(FileError, match=sentence):
            saver(*parts, place)
    assert list(tmp_path.iterdir()) == []
    assert saver(*parts, tmp_path / "point.nc") is not None


def test_what_is_missing_is_an_error_of_the_file(written, tmp_path):
    with xr.open_dataset(written[0], engine="h5netcdf", decode_times=False) as opened:
        whole = opened.load()
    for attribute in ("problem", "solver"):
        less = whole.copy()
        less.attrs = {k: v for k, v in whole.attrs.items() if k not in (attribute, "seal", "sealed")}
        less.to_netcdf(tmp_path / "less.nc", engine="h5netcdf")
        with pytest.raises(FileError, match=f"misses or spoils the attribute '{attribute}': nothing came"):
            read_checkpoint(tmp_path / "less.nc")
    other = whole.copy()
    other.attrs = {k: v for k, v in whole.attrs.items() if k not in ("seal", "sealed")} | {"solver": "mine"}
    other.to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(FileError, match=r"names 'mine', which mfgsolve does not have; .*mfgsolve\.register\('mine'"):
        read_checkpoint(tmp_path / "other.nc")


@pytest.mark.parametrize("error", [KeyError, ValueError, IndexError, TypeError, ZeroDivisionError, AttributeError])
def test_what_goes_wrong_while_reading_is_told_as_spoilt(error):
    with pytest.raises(FileError, match=r"checkpoint point\.nc misses or spoils .*tol"), spoilt("point.nc"):
        raise error("tol")
    with pytest.raises(InputError, match=r"^a sentence$"), spoilt("point.nc"):
        raise InputError("a sentence")
    with pytest.raises(OSError, match="disk"), spoilt("point.nc"):
        raise OSError("disk")
