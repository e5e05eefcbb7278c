"""[scenarios] in problem files and on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import mfgsolve as mfg
from mfgsolve.command.application import app
from mfgsolve.problemfile import problem_from_toml

TEXT = """
name = "two worlds"
[states]
count = 2
[time]
horizon = 3
steps = 3
[dynamics]
kind = "tabular"
transitions = [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]
cost = [[0, 0], [0.1, 0.1]]
temperature = 0.1
[[coupling]]
kind = "crowd-aversion"
[initial]
density = [0.5, 0.5]
[terminal]
cost = {array = [[0, 0], [0, 1], [1, 0]]}
[scenarios]
dates = [1.0]
probabilities = [0.25, 0.75]
names = ["one", "other"]
"""


def test_a_tree_is_read_and_costs_see_it() -> None:
    problem = problem_from_toml(TEXT)
    assert problem.scenarios == mfg.ScenarioTree([1.0], [0.25, 0.75], ["one", "other"])
    assert problem.terminal_cost().tolist() == [[0, 0], [0, 1], [1, 0]]
    last = mfg.solve(problem).density.values[-1]
    assert last[1, 0] > 0.6
    np.testing.assert_allclose(last[1], last[2][::-1], atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[0.25, 0.75]", "[0.25, 0.5]", r"sum to 0\.75"),
        ('"one", "other"', '"one", "one"', "twice"),
        ("[1.0]", "[0.5]", "no node"),
        ("dates", "date", "date"),
        ("[0.25, 0.75]", "0.5", "is no list of probabilities"),
    ],
)
def test_faults_are_told(old: str, new: str, told: str) -> None:
    with pytest.raises(mfg.InputError, match=told):
        problem_from_toml(TEXT.replace(old, new))


def test_the_command_solves_shows_and_draws_it(tmp_path: Path) -> None:
    file, plan, picture = (tmp_path / name for name in ("worlds.toml", "plan.nc", "plan.png"))
    file.write_text(TEXT)
    for arguments in (["solve", file, "-o", plan], ["show", plan], ["plot", plan, "-o", picture]):
        run = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert run.exit_code == 0, run.output
    assert picture.exists()
    again = mfg.load(plan)
    assert again.dataset["scenario"].values.tolist() == ["start", "one", "other"]
