"""The commands `table` and `export`."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from command_line import refused, run

import mfgsolve as mfg
from mfgsolve.command.tables import read_regions


@pytest.fixture
def plan(folder: Path) -> mfg.Solution:
    solution = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), steps=8, viscosity=0.05), check="ignore")
    solution.save("plan.nc")
    return solution


def test_tables_are_printed_and_written(plan: mfg.Solution) -> None:
    words = ("table", "plan.nc", "--where", "shortcut: y<0.4", "--where", "x>0.5", "--times", "0,0.5")
    frame = pd.read_csv(io.StringIO(run(*words).stdout), index_col=0)
    assert list(frame.columns) == ["mean x", "mean y", "mass shortcut", "mass x>0.5"]
    assert frame.loc[0.5, "mass shortcut"] == pytest.approx(float(mfg.mass(plan, "y<0.4", 0.5)), abs=1e-15)
    assert run(*words, "-o", "t.tex").stdout == "Wrote t.tex, 2 rows.\n"
    assert run("export", "plan.nc", "-o", "d.csv", "--times", "1").stdout == "Wrote d.csv, 64 rows.\n"
    assert pd.read_csv("d.csv")["density"].mean() == pytest.approx(1.0)


def test_bad_words_are_told(plan: mfg.Solution) -> None:
    assert "is no comparison" in refused("table", "plan.nc", "--where", "a: exit()")
    assert "is no region" in refused("table", "plan.nc", "--where", "a:")
    assert "are no numbers" in refused("table", "plan.nc", "--times", "0,x")
    assert "has the suffix" in refused("table", "plan.nc", "-o", "t.doc")
    assert "outside the horizon" in refused("table", "plan.nc", "--times", "7")
    assert "--mean is of sweeps" in refused("table", "plan.nc", "--mean", "rng")
    assert "variable 'speeds'" in refused("export", "plan.nc", "--variable", "speeds")


@pytest.mark.slow
def test_sweeps_have_tables_too(folder: Path) -> None:
    pytest.importorskip("zarr", minversion="3", reason="studies are kept in Zarr stores")
    over = {"agents": [10, 100], "rng": [0, 1, 2]}
    game = {"problem": "left-right", "settings": {"temperature": 0.3}, "regions": {"left": "state == 'left'"}}
    study = mfg.sweep(over=over, output="s.zarr", keep=["density"], **game)  # type: ignore[arg-type]
    frame = pd.read_csv(io.StringIO(run("table", "s.zarr", "--times", "1").stdout))
    assert list(frame.columns[:4]) == ["agents", "rng", "status", "cost"]
    assert frame["mass left at 1"].tolist() == pytest.approx(study.mass_left.values[:, :, -1].reshape(-1).tolist())
    assert frame["simulated_cost"].tolist() == study.simulated_cost.values.reshape(-1).tolist()
    assert run("table", "s.zarr", "--mean", "rng", "-o", "t.md").stdout == "Wrote t.md, 2 rows.\n"
    assert "simulated_cost mean" in Path("t.md").read_text()
    assert run("table", "s.zarr", "-o", "t.tex").stdout == "Wrote t.tex, 6 rows.\n"
    rows = study.density.isel(time_share=0).size
    assert run("export", "s.zarr", "--times", "0", "-o", "d.csv").stdout == f"Wrote d.csv, {rows} rows.\n"
    assert "kept the masses of left" in refused("table", "s.zarr", "--where", "a: state == 'left'")
    assert "did you mean 'rng'" in refused("table", "s.zarr", "--mean", "rgn")
    assert "does not exist" in refused("table", "no.zarr")


def test_a_region_without_a_name_is_its_own() -> None:
    assert read_regions(["a: x<1", " y > 2 "]) == {"a": "x<1", "y > 2": "y > 2"}
    with pytest.raises(mfg.InputError, match="twice"):
        read_regions(["a: x<1", "a: x<2"])
