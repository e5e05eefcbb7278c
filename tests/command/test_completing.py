"""Completion of the command line, asked as shells ask."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import refused, run
from commands import ENVIRONMENT

from mfgsolve import methods, problems
from mfgsolve.command import application, completing
from mfgsolve.tasks.task import parameters_of


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_the_parameters_of_the_problem(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "mfgsolve solve supply-demand --set re"
    asks = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": "4"},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    for name, value in {**asks, completing.VARIABLE: f"complete_{shell}"}.items():
        monkeypatch.setenv(name, value)
    completing.prepare()
    with pytest.raises(SystemExit):
        application.app(prog_name="mfgsolve")
    (offered,) = capsys.readouterr().out.splitlines()
    assert "reward=" in offered
    assert shell == "bash" or "what an agent alone earns" in offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_ask_the_command(shell: str) -> None:
    script = run("completion", shell).stdout
    assert f"{completing.VARIABLE}=complete_{shell}" in script
    assert "mfgsolve" in script
    program = shutil.which(shell)
    if program is not None:
        subprocess.run([program, "-n", "/dev/stdin"], input=script, text=True, check=True)


@pytest.mark.slow
def test_bash_completes_names_and_leaves_room_for_values(folder: Path) -> None:
    Path("mfgsolve").write_text(f'#!/bin/sh\nexec {sys.executable} -m mfgsolve "$@"\n')
    Path("mfgsolve").chmod(0o755)
    code = run("completion", "bash").stdout + (
        'compopt() { echo "option $2"; }\n'
        "COMP_WORDS=(./mfgsolve solve supply-demand --set hol); COMP_CWORD=4\n"
        '_mfgsolve_completion ./mfgsolve; echo "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash"], input=code, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["option nospace", "hold="]


def test_another_shell_is_refused() -> None:
    assert "unknown shell 'csh'" in refused("completion", "csh")


class Context:
    """As much of typer's context as completions look at."""

    def __init__(self, command: str, **params: str):
        self.info_name, self.params = command, params


def words(offered: list[tuple[str, str]]) -> list[str]:
    return [word for word, _ in offered]


def test_names_of_problems_tasks_and_files(folder: Path) -> None:
    Path("mine.toml").touch()
    Path("mine.nc").touch()
    Path("mine.d").mkdir()
    assert words(completing.names(Context("solve"), "")) == [*problems.names(), "mine.d/", "mine.toml"]
    assert "slippery-chains" not in words(completing.names(Context("solve"), "s"))
    assert "slippery-chains" in words(completing.names(Context("learn"), "s"))
    assert words(completing.files(".nc")("mi")) == ["mine.d/", "mine.nc"]
    assert words(completing.files(".nc")("nowhere/")) == []
    assert words(completing.listed("op")) == ["openspiel"]


def test_settings_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    def typed(line: str) -> None:
        monkeypatch.setenv("COMP_WORDS", line)

    entry = problems.get("beach-bar")
    typed("mfgsolve solve beach_bar --set ")
    offered = completing.settings("")
    assert words(offered) == [*(f"{name}=" for name in entry.parameters), "time.discount="]
    assert dict(offered)["noise="] == "probability of a push in a step; 0.5 if absent"
    typed("mfgsolve learn slippery-chains --set ")
    assert "slip=" in words(completing.settings(""))
    typed("mfgsolve solve my.toml --set ")
    assert words(completing.settings("")) == ["time.discount="]
    assert "agents=" in words(completing.options(""))
    typed("mfgsolve learn beach-bar --learner none --option ")
    assert completing.options("") == []


def test_lists_with_commas_go_on() -> None:
    assert words(completing.solvers("newton,ad")) == ["newton,admm"]
    assert words(completing.solvers("")) == list(methods.SOLVERS)
    assert "diff-dac" in words(completing.learners("d"))


def test_options_are_those_of_the_learner_of_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_WORDS", "mfgsolve learn slippery-chains --option ")
    assert {word for word, _ in completing.options("")} == {
        f"{name}=" for name in parameters_of(methods.TASK_LEARNERS["diff-dac"])
    }
    monkeypatch.setenv("COMP_WORDS", "mfgsolve learn slippery-chains --set ")
    assert "time.discount=" not in {word for word, _ in completing.settings("")}
