"""The command `show`: what a file tells of its solution, and how it is gone on with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from command_line import refused, run
from commands import FLAGSHIP

import mfgsolve as mfg
from mfgsolve.command import report
from mfgsolve.command.distance import refinement_facts, refinement_rows
from mfgsolve.command.training import training_facts, training_rows
from mfgsolve.files import read_header, write_dataset


@pytest.mark.slow
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


def stored_results() -> dict[str, xr.Dataset]:
    """One of each kind of result that is no solution."""
    game = mfg.problems.left_right(temperature=0.3)
    two = mfg.solve(mfg.problems.predator_prey(temperature=0.5, steps=4), tol=1e-4)
    return {
        "comparison": mfg.compare(mfg.solve(game), agents=[5, 20], replicas=2, rng=0),
        "populations": mfg.compare(two, agents=[5, 20], replicas=2, rng=0),
        "convergence": mfg.convergence(game, ["newton", "fictitious-play"], max_sweeps=20),
        "refinement": mfg.refine(mfg.problems.linear_quadratic(shape=(16,)), levels=1).dataset,
        "training": mfg.learn("slippery-chains", "diff-dac", graph="ring", episodes=2).dataset,
    }


def test_results_are_shown_by_their_heads_alone_as_they_are_told_when_they_are_made(folder: Path) -> None:
    """Without xarray, whose import takes longer than all the rest; and the large arrays stay in the file."""
    tell = {
        "comparison": (report.agents_facts, report.agents_rows),
        "populations": (report.agents_facts, report.agents_rows),
        "convergence": (report.convergence_facts, report.convergence_rows),
        "refinement": (refinement_facts, refinement_rows), "training": (training_facts, training_rows),
    }  # fmt: skip
    files = []
    for name, dataset in stored_results().items():
        file, (facts, rows) = write_dataset(dataset, f"{name}.nc"), tell[name]
        head = read_header(file, str(dataset.attrs["kind"]))
        np.testing.assert_equal(facts(head), facts(dataset))
        assert rows(head) == rows(dataset)
        large = [one for one in head.variables.values() if {"time", "agents"} <= set(one.dims)]
        assert not [one.name for one in large if one.name == "density" and "values" in vars(one)]
        files.append(file.name)
    code = (
        "import sys; from mfgsolve.command.showing import show; from pathlib import Path\n"
        f"for name in {files}: show(Path(name))\n"
        "print(sorted({'xarray', 'pandas', 'numba', 'scipy', 'matplotlib'} & {*sys.modules}))"
    )
    there = os.environ | {"PYTHONPATH": str(Path(mfg.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=there)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_check_reads_what_a_head_leaves_in_the_file(folder: Path) -> None:
    dataset = mfg.compare(mfg.solve(mfg.problems.left_right(temperature=0.3)), agents=[5], replicas=1, rng=0)
    dataset["density"].values[0, 1] *= 2.0  # a mass of 2
    write_dataset(dataset, "compare.nc")
    assert "N = 5" in run("show", "compare.nc").stdout
    assert "'density' with a mass that is 1 from 1" in refused("show", "compare.nc", "--check")
