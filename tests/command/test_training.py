"""The command `learn` on tasks: numbers, files, pictures, checkpoints, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import toy_tasks
from command_line import refused, run

from mfgsolve.command.training import Blocks
from mfgsolve.tasks.training import Progress


@pytest.fixture(autouse=True)
def tasks():
    with toy_tasks.listed():
        yield


def test_learn_prints_writes_draws_and_is_shown(folder: Path) -> None:
    text = run("learn", "coin", "--agents", 4, "--set", "bias=1", "-o", "t.nc", "--plot", "t.png").stdout
    assert "mean on coin: finished. Wrote t.nc and t.png." in text
    assert "the coin has a bias of 1.0" in text
    assert "error of the mean" in text
    facts = json.loads(run("learn", "coin", "--agents", 4, "--set", "bias=1", "--json").stdout)
    shown = json.loads(run("show", "t.nc", "--json").stdout)
    assert list(facts)[:4] == ["task", "learner", "status", "error"]
    assert facts["agent_steps"] == shown["agent_steps"] == 80
    assert facts["error"] == shown["error"] == 0
    assert facts["parameters"] == {"bias": 1.0}
    assert "error of the mean" in run("show", "t.nc").stdout
    assert run("plot", "t.nc", "-o", "again.svg").stdout == "Wrote again.svg.\n"
    assert Path("t.png").stat().st_size > 1000
    run("learn", "coin", "--set", "bias=1", "--strict", code=3)


def test_a_stopped_training_goes_on(folder: Path) -> None:
    facts = json.loads(run("learn", "coin", "--max-seconds", 0, "--checkpoint", "c.nc", "--json", code=3).stdout)
    assert facts["status"] == "time limit"
    assert facts["blocks"] == 0
    assert "0 of 4 blocks of 5 episodes" in run("show", "c.nc").stdout
    assert json.loads(run("show", "c.nc", "--json").stdout)["status"] == "unfinished"
    whole = json.loads(run("learn", "coin", "--json").stdout)
    resumed = json.loads(run("resume", "c.nc", "--json").stdout)
    assert whole | {"seconds": 0} == resumed | {"seconds": 0}


def test_tasks_are_listed() -> None:
    assert "Agents estimate the mean of a coin." in run("list", "tasks").stdout
    shown = run("list", "coin").stdout
    assert "--set bias=0.5" in shown
    assert "--option agents=3" in shown


def test_bad_words_are_told(folder: Path) -> None:
    assert "--shape is of mean-field games" in refused("learn", "coin", "--shape", "3x3")
    assert "option of mean 'graph'" in refused("learn", "coin", "--graph", "ring")
    assert "given twice" in refused("learn", "coin", "--agents", 2, "--option", "agents=3")
    assert "--option x is none" in refused("learn", "coin", "--option", "x").replace("'", "")
    assert "parameter of coin 'bais'" in refused("learn", "coin", "--set", "bais=1", "-o", "t.nc")
    assert not Path("t.nc").exists()


def test_the_live_line_counts_episodes() -> None:
    line = Blocks("coin", "mean", 5)
    assert line.share() == 0
    assert next(iter(line.texts()))[0] == "compiling and starting"
    line.update(Progress(2, 4, 30, 0.1))
    assert line.share() == 0.5
    assert next(iter(line.texts()))[0] == "mean on coin  10 of 20 episodes"


def test_names_of_tasks_are_suggested(folder: Path) -> None:
    assert "did you mean 'slippery-chains'" in refused("learn", "slipery-chains")
    assert "did you mean 'beach-bar'" in refused("learn", "beach_baar")
