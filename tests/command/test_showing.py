"""The command `show`: what a file tells of its solution, and how it is gone on with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from command_line import run
from commands import FLAGSHIP

import mfgsolve as mfg


def test_checkpoint_show_and_resume(folder: Path) -> None:
    words = ["solve", "supply-demand", "--shape", "16x16", "--steps", 64, "--scheme", "upwind"]
    run(*words, "-o", "whole.nc")
    run(*words, "--max-iterations", 3, "--checkpoint", "c.nc", code=3)
    text = run("show", "c.nc").stdout
    assert "checkpoint of            a newton solve" in text
    assert "3 iterations" in text
    assert "mfgsolve resume c.nc" in text
    facts = json.loads(run("show", "c.nc", "--json").stdout)
    assert (facts["status"], facts["iteration"], facts["solver"]) == ("unfinished", 3, "newton")
    run("resume", "c.nc", "--max-iterations", 4, "-o", "part.nc", code=3)
    run("resume", "c.nc", "-o", "parts.nc")
    whole, parts = mfg.load("whole.nc"), mfg.load("parts.nc")
    for name in ("density", "speed", "value", "exploitability"):
        assert np.array_equal(whole.dataset[name], parts.dataset[name], equal_nan=True), name
    assert whole.certificate == parts.certificate


def test_show_tells_what_was_solved(folder: Path) -> None:
    run(*FLAGSHIP, "--set", "reward=2.5", "-o", "plan.nc")
    text = run("show", "plan.nc").stdout
    for words in ('problem = "supply-demand"', "reward = 2.5", "converged", "solver                   newton", "made"):
        assert words in text


def test_a_solution_in_classic_netcdf_is_shown_like_any_other(folder: Path) -> None:
    run("solve", "left-right", "--set", "temperature=0.2", "-o", "plan.nc")
    with xr.open_dataset("plan.nc", engine="h5netcdf", decode_times=False) as stored:
        stored.load().to_netcdf("classic.nc", engine="scipy", format="NETCDF3_64BIT")
    try:
        mfg.load("classic.nc")
    except mfg.FileError:
        pytest.skip("what this solution holds does not fit into NetCDF 3")
    assert run("show", "classic.nc").stdout == run("show", "plan.nc").stdout
