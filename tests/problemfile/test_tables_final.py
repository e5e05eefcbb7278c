"""[final] in problem files: read, written, and refused; and on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import mfgsolve as mfg
from mfgsolve.command.application import app
from mfgsolve.couplings.final import FinalDensity
from mfgsolve.games import make_game
from mfgsolve.problemfile import problem_from_toml
from mfgsolve.problemfile.declaring import write_declared

TEXT = """
name = "to the right"
[grid]
shape = [24]
[time]
horizon = 1.0
steps = 8
[dynamics]
viscosity = 0.02
[initial]
density = {bump = {width = 0.1, centre = [0.3]}}
normalise = true
[final]
density = {bump = {width = 0.1, centre = [0.7]}}
normalise = true
"""


def test_a_target_is_read_and_written_bit_by_bit(tmp_path: Path) -> None:
    problem = problem_from_toml(TEXT)
    assert isinstance(problem.final, FinalDensity)
    text, _ = write_declared(problem, tmp_path / "again.toml")
    assert "[final]" in text
    again = mfg.read_problem(tmp_path / "again.toml")
    np.testing.assert_array_equal(make_game(again).final_mass, make_game(problem).final_mass)


def test_arrays_and_caps_are_read_and_written(tmp_path: Path) -> None:
    head = TEXT.partition("[final]")[0]
    cap = problem_from_toml(head + "[final]\ncap = 3.0\n")
    assert isinstance(cap.final, mfg.Capacity)
    assert not isinstance(cap.final, FinalDensity)
    text, _ = write_declared(cap, None)
    assert "cap = 3.0" in text
    target = np.zeros(24)
    target[20] = 24.0
    listed = problem_from_toml(head + f"[final]\ndensity = {target.tolist()}\n")
    np.testing.assert_array_equal(make_game(listed).final_mass, target / 24)
    assert listed.rescaled((12,), 4) is None  # tied to its grid


@pytest.mark.parametrize(
    ("final", "told"),
    [
        ("normalise = true", "needs either a density"),
        ("density = 1.0\ncap = 2.0", "needs either a density"),
        ("density = 2.0", "final density sums to 2"),
        ("densty = 1.0", "densty"),
    ],
)
def test_faults_are_told(final: str, told: str) -> None:
    with pytest.raises(mfg.InputError, match=told):
        problem_from_toml(f"{TEXT.partition('[final]')[0]}[final]\n{final}\n")


def test_the_command_solves_it_and_tells_the_distance(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(TEXT)
    run = CliRunner().invoke(app, ["solve", str(tmp_path / "plan.toml"), "-o", str(tmp_path / "plan.nc")])
    assert run.exit_code == 0, run.output
    assert "off the final density" in run.output
    shown = CliRunner().invoke(app, ["show", str(tmp_path / "plan.nc"), "--json"])
    assert '"final_distance": ' in shown.output
