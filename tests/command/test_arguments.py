"""Arguments and problem files that are wrong: one sentence each, and the exit code of bad input."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import refused
from commands import DECLARED, FLAGSHIP

# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["solve", "suply-demand"], "unknown problem 'suply-demand'; did you mean 'supply-demand'?"),
        (["solve", "none.toml"], "problem file none.toml cannot be read: No such file"),
        (["solve", "plan.nc"], "plan.nc is no problem; give a name of 'mfgsolve list' or a .toml file"),
        ([*FLAGSHIP, "--set", "reward=abc"], "parameter reward of supply-demand is 'abc'; a number is needed"),
        ([*FLAGSHIP, "--set", "reward=nan"], "parameter reward of supply-demand is nan; it must be finite"),
        ([*FLAGSHIP, "--set", "reward=true"], "parameter reward of supply-demand is True; a number is needed"),
        ([*FLAGSHIP, "--set", "reward"], "--set 'reward' is no setting; write --set key=value"),
        ([*FLAGSHIP, "--set", "=2"], "--set '=2' is no setting"),
        ([*FLAGSHIP, "--set", "rewrd=2"], "'rewrd'; did you mean 'reward'?"),
        ([*FLAGSHIP, "--set", "reward=1", "--set", "reward=2"], "--set reward is given twice; give it once"),
        ([*FLAGSHIP, "--set", "viscosity=-1"], "viscosity is -1.0; it must be zero or positive"),
        ([*FLAGSHIP, "--tol", "-1"], "tol is -1.0; a relative exploitability of zero or more is needed"),
        ([*FLAGSHIP, "--tol", "nan"], "tol is nan"),
        ([*FLAGSHIP, "--tol", "small"], "'small' came; a number is needed"),
        ([*FLAGSHIP, "--solver", "neton"], "unknown solver 'neton'; did you mean 'newton'?"),
        ([*FLAGSHIP, "--max-iterations", "-1"], "max_iterations is -1; a whole number of zero or more"),
        ([*FLAGSHIP, "--max-iterations", "1.5"], "'1.5' came; a whole number is needed"),
        ([*FLAGSHIP, "--max-seconds", "nan"], "max_seconds is nan; zero or more is needed"),
        ([*FLAGSHIP, "--threads", "0"], "threads is 0; a whole number of at least 1"),
        ([*FLAGSHIP, "--start", "none.nc"], "file none.nc does not exist"),
        (["solve", "supply-demand", "--shape", "64"], "shape of supply-demand is (64,); this problem has 2 axes"),
        (["solve", "supply-demand", "--shape", "8x8x8"], "shape of supply-demand is (8, 8, 8); this problem has 2"),
        (
            ["solve", "supply-demand", "--shape", "0x3"],
            "axis y has 0 cells; an axis needs a whole number of at least 2",
        ),
        (["solve", "supply-demand", "--shape", "8xx"], "--shape is '8xx'; whole numbers joined by x"),
        (["solve", "supply-demand", "--shape", "-4x4"], "--shape is '-4x4'; whole numbers joined by x"),
        (["solve", "supply-demand", "--steps", "0"], "time grid has 0 steps; a whole number of at least 1"),
        (["solve", "supply-demand", "--steps", "many"], "'many' came; a whole number is needed"),
        (["show", "none.nc"], "file none.nc does not exist"),
        (["resume", "none.nc"], "file none.nc does not exist"),
        (["plot", "none.nc", "-o", "p.png"], "file none.nc does not exist"),
        (["frobnicate"], "No such command"),
        (["slve", "x"], "Did you mean 'solve'?"),
        ([*FLAGSHIP, "--outptu", "x.nc"], "--output"),
        (["plot", "plan.nc"], "Missing option"),
    ],
)
def test_bad_input(words: list[str], sentence: str) -> None:
    assert sentence in refused(*words)


def test_unknown_keys_of_a_problem_file() -> None:
    Path("hill.toml").write_text(DECLARED.replace("viscosity", "viscocity"))
    assert "hill.toml: dynamics: unknown key 'viscocity'; did you mean 'viscosity'?" in refused("solve", "hill.toml")
    Path("hill.toml").write_text("[grid")
    assert "hill.toml is not TOML" in refused("solve", "hill.toml")
    Path("hill.toml").write_text(DECLARED)
    assert "hill.toml: initial density: point [0.3] has 1 coord" in refused("solve", "hill.toml", "--shape", "8x8")
