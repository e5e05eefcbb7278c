"""The command `sweep`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import refused, run

import mfgsolve as mfg
from mfgsolve.command.sweeping import Points, read_over
from mfgsolve.studies.sweep import Progress

pytest.importorskip("zarr", minversion="3", reason="studies are kept in Zarr stores: pip install 'mfgsolve[studies]'")
LINE = ("sweep", "supply-demand", "--shape", "8x8", "--set", "viscosity=0.05", "--over", "reward=1:2:2")


def test_a_study_is_told_written_drawn_shown_and_gone_on_with(folder: Path) -> None:
    text = run(*LINE, "--where", "shortcut: y<0.4", "-o", "s.zarr", "--plot", "s.png").stdout
    assert "Wrote s.zarr and s.png." in text
    assert "2 of 2 done" in text
    assert "mass shortcut at 1 of the horizon" in text
    assert "2 of 2 done" in run("show", "s.zarr").stdout
    facts = json.loads(run("show", "s.zarr", "--json").stdout)
    assert facts["over"] == {"reward": [1, 2]}
    problem = mfg.problems.supply_demand(shape=(8, 8), viscosity=0.05, reward=2)
    assert facts["cost"][1] == mfg.solve(problem, check="ignore").certificate.cost
    assert run("plot", "s.zarr", "-o", "again.svg").stdout == "Wrote again.svg.\n"
    assert "exists; --resume goes on with it" in refused(*LINE, "-o", "s.zarr")
    resumed = run(*LINE, "--where", "shortcut: y<0.4", "-o", "s.zarr", "--resume", "--json").stdout
    assert json.loads(resumed)["cost"] == facts["cost"]


def test_failures_end_with_3(folder: Path) -> None:
    facts = json.loads(run(*LINE, "--over", "congestion=0.1,-1", "--json", code=3).stdout)
    assert (facts["points"], facts["failed"]) == (4, 2)


def test_bad_words_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfgsolve.studies.workers.WAIT", 0.5)  # seconds for a scheduler that is not there
    assert "is no range" in refused("sweep", "supply-demand", "--over", "reward")
    assert "is no range" in refused("sweep", "supply-demand", "--over", "reward=1:2")
    assert "is no range" in refused("sweep", "supply-demand", "--over", "reward=1:2:0")
    assert "names a parameter twice" in refused(*LINE, "--over", "reward=1,2")
    assert "no parameters came" in refused("sweep", "supply-demand")
    assert "is no comparison" in refused(*LINE, "--where", "a: exit()")
    assert "cannot be reached" in refused(*LINE, "--scheduler", "tcp://127.0.0.1:9")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=1:4:4", [1, 2, 3, 4]),
        ("a=0:1:3", [0.0, 0.5, 1.0]),
        ("a=1.0:2.0:2", [1.0, 2.0]),
        ("a=3:3:1", [3]),
        ("a=1,2.5,x,true", [1, 2.5, "x", True]),
        ("shape=8x8,16x16", ["8x8", "16x16"]),
    ],
)
def test_ranges_are_read(text: str, values: list) -> None:
    assert read_over(text)[1] == values


def test_the_live_line_counts_points() -> None:
    line = Points()
    line.ticked(Progress(2, 1, 8, 3.0, 9.0))
    assert line.share() == 0.25
    assert next(iter(line.texts()))[0] == "2 of 8 points, 1 failed"
    assert next(iter(line.texts()))[1].startswith("about 9 s left")
