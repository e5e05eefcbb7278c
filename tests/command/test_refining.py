"""The command `refine`, and `--tol-continuum`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from command_line import refused, run

import mfgsolve as mfg

LINE = ("linear-quadratic", "--shape", "16", "--steps", 32, "--scheme", "upwind")


def test_refine_prints_a_table_writes_draws_and_is_shown(folder: Path) -> None:
    text = run("refine", *LINE, "-o", "r.nc", "--plot", "r.png").stdout
    assert re.search(r"^16x32 +potential 0\.2296\d+, .* sweeps, ", text, re.M)
    assert re.search(r"^64x128 +.*order 0\.95, estimate ", text, re.M)
    assert re.search(r"^to the continuum +potential .*from 64x128, 32x64 and 16x32", text, re.M)
    assert "Wrote r.nc and r.png." in text
    shown = run("show", "r.nc").stdout
    assert re.search(r"^64x128 +.*order 0\.95", shown, re.M)
    facts = json.loads(run("show", "r.nc", "--json").stdout)
    assert list(facts["meshes"]) == ["16x32", "32x64", "64x128"]
    assert facts["reached"] is None
    assert facts["discretisation"]["scheme"] == "upwind"
    assert run("plot", "r.nc", "-o", "again.svg").stdout == "Wrote again.svg.\n"
    study = mfg.refine(mfg.problems.linear_quadratic(shape=(16,), steps=32, scheme="upwind"))
    assert facts["meshes"]["64x128"]["potential"] == float(study.dataset["potential"][-1])


def test_a_distance_that_is_not_reached_ends_with_3(folder: Path) -> None:
    facts = json.loads(run("refine", *LINE, "--levels", 2, "--tol-continuum", "1e-6", "--json", code=3).stdout)
    assert facts["reached"] is False
    assert [warning["code"] for warning in facts["warnings"]] == ["continuum-not-reached"]
    assert json.loads(run("refine", *LINE, "--tol-continuum", 0.2, "--json").stdout)["reached"] is True


def test_solve_to_a_distance_from_the_continuum(folder: Path) -> None:
    words = ("solve", "linear-quadratic", "--scheme", "entropic", "--tol-continuum", "1e-4")
    numbers = json.loads(run(*words, "--json", "-o", "plan.nc").stdout)
    found = mfg.load("plan.nc")
    assert numbers["discretisation"]["extrapolated_potential"] == found.discretisation.extrapolated_potential
    assert found.discretisation.least <= 1e-4 * numbers["potential"]
    assert "extrapolated_density" in found.dataset
    assert re.search(r"^extrapolated potential +0\.1698\d+ ", run("show", "plan.nc").stdout, re.M)


def test_bad_words_are_told(folder: Path) -> None:
    assert "tol_continuum is -1.0" in refused("refine", *LINE, "--tol-continuum", -1)
    assert "levels is 0" in refused("refine", *LINE, "--levels", 0)
    assert "its own limit" in refused("refine", "left-right")
    assert "which is of one mesh" in refused("solve", *LINE, "--tol-continuum", "1e-2", "--checkpoint", "c.nc")
    assert "--plot r.txt has the suffix" in refused("refine", *LINE, "--plot", "r.txt")
