"""Manners of all subcommands: help, quiet and verbose, no arguments, seeds, no control codes where nobody looks."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
from command_line import refused, run
from commands import COMMAND, ENVIRONMENT, FLAGSHIP

from mfgsolve.command import application

NAMES = [command.name or command.callback.__name__ for command in application.app.registered_commands]
LOUD = [function.__name__ for function in application._LOUD]


def page(*words: str, width: int) -> str:
    environment = {**os.environ, "COLUMNS": str(width), "TERMINAL_WIDTH": str(width)}
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, env={**ENVIRONMENT, **environment}, check=False
    ).stdout


@pytest.mark.parametrize("name", NAMES)
def test_help_of_every_subcommand(name: str) -> None:
    text = run(name, "-h").stdout
    assert text == run(name, "--help").stdout
    assert f"Example:  mfgsolve {name} " in text
    assert "<bool>" not in text
    assert ("--quiet" in text) == ("--verbose" in text) == (name in LOUD)
    assert "--rng" not in text or "--seed" in text


@pytest.mark.parametrize("width", [60, 80, 140])
def test_help_fits_the_window_without_control_codes(width: int) -> None:
    text = page("solve", "-h", width=width)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= width
    assert "--max-iterations" in text


def test_no_arguments_show_help_and_exit_as_documented() -> None:
    done = subprocess.run(COMMAND, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 2
    said = " ".join((done.stdout + done.stderr).split())
    assert "2 bad input, and this help where no command is given" in said
    assert "Usage: mfgsolve [OPTIONS] COMMAND" in said
    assert run("-h").stdout == run("--help").stdout


def test_quietly_nothing_is_said_but_errors_and_json() -> None:
    done = run(*FLAGSHIP, "-q")
    assert (done.stdout, done.stderr) == ("", "")
    assert json.loads(run(*FLAGSHIP, "-q", "--json").stdout)["status"] == "converged"
    assert "viscosity is -1.0" in refused(*FLAGSHIP, "-q", "--set", "viscosity=-1")
    assert run(*FLAGSHIP).stdout != ""


def test_verbosely_the_work_is_told_in_lines() -> None:
    once, twice = (run(*FLAGSHIP, word).stderr.splitlines() for word in ("-v", "-vv"))
    assert re.match(r"\d\d:\d\d:\d\d supply-demand, 8x8, 32 steps: ", once[0])
    assert once[-1].split()[2].startswith("converged")
    assert len(twice) > len(once) > 2
    assert run(*FLAGSHIP).stderr == ""


@pytest.mark.parametrize(("words", "shown"), [([], True), (["-q"], False), (["-v"], False)])
def test_no_line_is_shown_quietly_or_where_the_work_is_told_in_lines(
    words: list[str], shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr("mfgsolve.progress.display._place", lambda line, delay: opened.append(line))
    run(*FLAGSHIP, *words)
    assert bool(opened) == shown


def test_seeds_have_two_names() -> None:
    words = ["learn", "beach-bar", "--agents", 10, "--episodes", 20, "--json"]
    one, other, third = (
        json.loads(run(*words, *seed).stdout)["exploitability"] for seed in (["--seed", 3], ["--rng", 3], ["--rng", 4])
    )
    assert one == other != third


@pytest.mark.slow
def test_colours_stay_away_where_they_are_not_wanted() -> None:
    for words in (["list", "montreal"], ["solve", "suply-demand"]):
        done = subprocess.run(
            [*COMMAND, *words], capture_output=True, env={**ENVIRONMENT, "NO_COLOR": "1"}, check=False
        )
        assert b"\x1b" not in done.stdout + done.stderr


def test_options_of_games_are_refused_of_a_training() -> None:
    run("learn", "slippery-chains", "--option", "episodes=2", "--max-seconds", "0", "--checkpoint", "c.nc", code=3)
    assert "--tol is of mean-field games, and this is a task" in refused("resume", "c.nc", "--tol", "1e-3")
    assert "--max-iterations is of mean-field games" in refused("resume", "c.nc", "--max-iterations", "3")


def test_options_of_commands_stand_behind_them() -> None:
    for option in ("-q", "--shape"):
        told = " ".join(re.sub("[│╭╰╮╯─]", " ", refused(option, "list")).split())
        assert f"no such option here: {option}; it stands behind a command: mfgsolve COMMAND {option}" in told
    assert "it stands behind" not in refused("--wrong", "list")
