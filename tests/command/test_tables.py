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
    assert "variable 'speeds'" in refused("export", "plan.nc", "--variable", "speeds")


def test_a_region_without_a_name_is_its_own() -> None:
    assert read_regions(["a: x<1", " y > 2 "]) == {"a": "x<1", "y > 2": "y > 2"}
    with pytest.raises(mfg.InputError, match="twice"):
        read_regions(["a: x<1", "a: x<2"])
