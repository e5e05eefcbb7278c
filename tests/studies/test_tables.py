"""Tables: columns, formats, and what cannot be written."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mfgsolve as mfg
from mfgsolve.errors import FileError, InputError
from mfgsolve.studies.tables import as_text, export, table, write_table


@pytest.fixture(scope="module")
def plan() -> mfg.Solution:
    return mfg.solve(mfg.problems.supply_demand(shape=(8, 8), steps=8, viscosity=0.05), check="ignore")


def test_a_table_tells_means_and_masses(plan: mfg.Solution):
    frame = table(plan, {"shortcut": "y<0.4"}, [0.0, 0.3, 1.0])
    assert list(frame.columns) == ["mean x", "mean y", "mass shortcut"]
    level = plan.density_at(0.3)
    assert frame.loc[0.3, "mean x"] == pytest.approx(float((level * level.x).sum() / level.sum()))
    assert frame.loc[0.3, "mass shortcut"] == pytest.approx(float(mfg.mass(plan, "y<0.4", 0.3)))
    assert len(table(plan)) == 9


def test_states_and_populations_have_columns_of_their_own():
    frame = table(mfg.solve(mfg.problems.braess()))
    assert "mass A-C" in frame.columns
    np.testing.assert_allclose(frame.sum(axis=1), 1.0)
    several = table(mfg.solve(mfg.problems.predator_prey(), max_iterations=2, check="ignore"))
    ring = mfg.problems.predator_prey().grid.space.axes[-1].boundary == "periodic"
    red = several["mean x (red)"]
    assert red.isna().all() if ring else red.between(0, 5).all()


def test_long_form_has_every_cell(plan: mfg.Solution):
    frame = export(plan, times=[0.0, 1.0])
    assert list(frame.columns) == ["time", "y", "x", "density"]
    assert len(frame) == 128
    assert frame["density"].to_numpy().sum() == pytest.approx(128.0)
    assert len(export(plan, "value", [0.02])) == 64
    with pytest.raises(InputError, match="variable 'densty'"):
        export(plan, "densty")


def test_formats(tmp_path: Path):
    frame = pd.DataFrame({"mass a|b_1": [0.1, 1 / 3]}, index=pd.Index([0.0, 0.5], name="time"))
    back = pd.read_csv(write_table(frame, tmp_path / "t.csv"), index_col=0)
    pd.testing.assert_frame_equal(back, frame, check_exact=True)
    assert as_text(frame, ".md").splitlines()[0] == r"| time | mass a\|b_1 |"
    assert as_text(frame, ".md").splitlines()[3] == "| 0.5 | 0.3333333333 |"
    assert r"0.5 & 0.3333333333 \\" in as_text(frame, ".tex")
    assert r"mass a|b\_1" in as_text(frame, ".tex")
    assert write_table(frame, tmp_path / "t.md").read_text().count("\n") == 4


def test_files_that_cannot_be_written_are_told(tmp_path: Path, monkeypatch):
    frame = pd.DataFrame({"a": [1.0]})
    with pytest.raises(FileError, match="has the suffix"):
        write_table(frame, tmp_path / "t.doc")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "openpyxl", None)
        with pytest.raises(FileError, match="pip install openpyxl"):
            write_table(frame, tmp_path / "t.xlsx")


def test_sheets_are_those_of_the_frame(tmp_path: Path):
    pytest.importorskip("openpyxl", reason="sheets need openpyxl")
    assert len(pd.read_excel(write_table(pd.DataFrame({"a": [1.0]}), tmp_path / "t.xlsx"))) == 1


def test_a_game_without_a_final_time_has_one_row_and_no_times():
    lasting = mfg.solve(mfg.problems.bench_mfg_chain(game="ergodic"))
    rows = table(lasting, {"middle": "state == '3'"})
    assert rows.shape == (1, 1)
    assert rows["mass middle"].item() == lasting.density.isel(state=3).item()
    assert export(lasting)["density"].sum() == pytest.approx(1.0, abs=1e-12)
    assert list(export(lasting, "value").columns) == ["state", "value"]
    for ask in (lambda: table(lasting, times=[0.0]), lambda: export(lasting, "value", times=[0.0])):
        with pytest.raises(mfg.InputError, match="no final time"):
            ask()


def test_a_first_exit_game_has_one_line_with_who_leaves_where():
    rows = table(mfg.solve("braess-traffic"))
    assert len(rows) == 1
    assert rows["left by D (drivers)"].item() == pytest.approx(1.0, abs=1e-10)
    assert rows["mass A (drivers)"].item() == pytest.approx(6.0)  # all who enter in a unit of time are there for one
