"""The command on finite games: those of problem files, of data files and of other libraries."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from command_line import refused, run
from commands import FLAGSHIP, KEYS

import mfgsolve as mfg
from mfgsolve.command import arguments

# -- finite games ------------------------------------------------------------------------------------------------------

LATTICE = """
name = "squeeze"
[grid]
shape = [8]
[time]
horizon = 8
steps = 8
[dynamics]
kind = "lattice"
moves = [-1, 0, 1]
costs = 0.1
[[coupling]]
kind = "capacity"
cap = 2.0
[[coupling]]
kind = "crowd-aversion"
strength = 0.1
[initial]
density = {box = {lower = [0.0], upper = [0.5], inside = 2.0}}
[terminal]
cost = {quadratic = {weight = 20.0, centre = [1.0]}}
"""


def test_a_finite_game_has_the_rows_that_fit_it(folder: Path) -> None:
    text = run("solve", "rock-paper-scissors", "--set", "temperature=0.5", "-o", "a.nc").stdout
    assert re.search(r"^problem +rock-paper-scissors, 4 states, 3 actions, 2 steps$", text, re.M)
    assert re.search(r"^its own cost ", text, re.M)
    assert "speed cap" not in text
    assert "beyond the bounds" not in text
    Path("squeeze.toml").write_text(LATTICE)
    numbers = json.loads(
        run("solve", "squeeze.toml", "--tol", "1e-8", "-o", "b.nc", "--plot", "b.png", "--json").stdout
    )
    assert list(numbers)[: len(KEYS)] == KEYS
    assert numbers["cap_fraction"] is None, "a finite game has no speed cap to measure"
    text = run("show", "b.nc").stdout
    assert re.search(r"^problem +squeeze, shape 8, 3 actions, 8 steps$", text, re.M)
    assert re.search(r"^beyond the bounds +\S+ \(relative\)$", text, re.M)
    assert 'kind = "capacity"' in text
    run("plot", "b.nc", "-o", "policy.png", "--kind", "policy")


def test_the_best_suited_solver_is_taken_and_others_are_named(folder: Path) -> None:
    Path("squeeze.toml").write_text(LATTICE)
    run("solve", "squeeze.toml", "--tol", "1e-8", "-o", "a.nc")
    suited = mfg.solvers.suited(mfg.read_problem("squeeze.toml"))
    assert mfg.load("a.nc").dataset.attrs["solver"] == suited[0] != "newton"
    text = refused("solve", "squeeze.toml", "--solver", "newton")
    assert "solver 'newton' does not suit this problem: a density or a price has hard bounds" in text
    assert f"suited: {', '.join(suited)}" in text
    listed = arguments.SOLVERS.split(", ")
    assert listed == list(mfg.solvers.SOLVERS)


def test_a_social_plan_costs_all_together_less(folder: Path) -> None:
    words = [*FLAGSHIP, "--json"]
    alone, together = (
        json.loads(run(*words, "--objective", o, "-o", f"{o}.nc").stdout) for o in ("equilibrium", "social")
    )
    assert together["potential"] < alone["cost"]
    text = run("show", "social.nc").stdout
    assert re.search(r"^objective +social$", text, re.M)
    paid = -float(re.search(r"^earnings of an agent +(\S+)$", text, re.M)[1])
    plan, game = mfg.load("social.nc"), mfg.problems.supply_demand(shape=(8, 8), steps=32, scheme="upwind")
    assert paid == pytest.approx(mfg.exploitability(game, plan).cost, rel=1e-9), "what agents pay in the game itself"
    assert "objective " not in run("show", "equilibrium.nc").stdout
    assert "unknown objective 'socal'; did you mean 'social'?" in refused(*FLAGSHIP, "--objective", "socal")


def test_faults_of_finite_games(folder: Path) -> None:
    Path("squeeze.toml").write_text(LATTICE)
    assert "capacity 1.5 at node 0 in cell (0,) is below the initial density 2 there, by 0.5" in refused(
        "solve", "squeeze.toml", "--set", "coupling.0.cap=1.5"
    )
    assert "this game has (4,) and no other" in refused("solve", "rock-paper-scissors", "--shape", "3x3")
    states = LATTICE.replace("[grid]\nshape = [8]", "[states]\ncount = 8")
    Path("states.toml").write_text(states)
    assert "the problem has [states] and no grid; leave the shape out" in refused(
        "solve", "states.toml", "--shape", "8"
    )
    assert "lattice moves need a Grid" in refused("solve", "states.toml", "--set", "initial.density=0.125")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["solve", "mfglib:beach_bar"], "MFGLib is not installed; it comes with: pip install 'mfgsolve[mfglib]'"),
        (["solve", "openspiel:mfg_crowd_modelling"], "pip install 'mfgsolve[open-spiel]'"),
        (["list", "mfglib"], "MFGLib is not installed"),
        (["solve", "mfglab:beach_bar"], "unknown peer library 'mfglab'; did you mean 'mfglib'?"),
        (["solve", "mfglib:"], "'mfglib:' names no game of another library; write peer:game"),
        (
            ["solve", "mfglib:beach_bar", "--steps", "3"],
            "steps is given for mfglib:beach_bar, a game of another library",
        ),
        (["solve", "mfglib:beach_bar", "--shape", "3"], "shape is given for mfglib:beach_bar"),
    ],
)
def test_games_of_other_libraries_that_are_missing(
    monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    for module in ("mfglib", "mfglib.alg", "mfglib.env", "torch", "pyspiel", "open_spiel"):
        monkeypatch.setitem(sys.modules, module, None)  # importing it fails, installed or not
    assert sentence in refused(*words)


def test_a_game_of_another_library_is_kept_by_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    def build(name: str, parameters: dict[str, object]) -> mfg.Problem:
        asked.append(dict(parameters))
        made = mfg.problems.rock_paper_scissors(temperature=float(parameters.get("temperature", 1.0)))
        return dataclasses.replace(made, name=name, parameters=parameters)

    monkeypatch.setattr("mfgsolve.interop.build", build)
    run("solve", "peer:game", "--set", "temperature=0.5", "-o", "plan.nc", "--checkpoint", "c.nc")
    assert asked == [{"temperature": 0.5}], "made once"
    assert mfg.load("plan.nc").dataset.attrs["problem"].startswith('problem = "peer:game"')
    before = run("show", "plan.nc", "--json").stdout
    run("resume", "c.nc", "-o", "again.nc")
    assert asked == [{"temperature": 0.5}] * 2
    assert json.loads(before)["potential"] == json.loads(run("show", "again.nc", "--json").stdout)["potential"]


DATA = """
data = "game.nc"
[states]
count = 2
[time]
horizon = 3
steps = 3
[dynamics]
kind = "tabular"
transitions = "P"
temperature = 0.5
[[coupling]]
kind = "crowd-aversion"
[initial]
density = [1.0, 0.0]
"""


@pytest.mark.slow
def test_a_table_in_a_data_file(folder: Path) -> None:
    Path("sub").mkdir()
    table = xr.Dataset({"P": (("action", "state", "next"), np.array([np.eye(2), np.eye(2)[::-1]]))})
    table.to_netcdf("sub/game.nc", engine="h5netcdf")
    before = Path("sub/game.nc").read_bytes()
    Path("sub/game.toml").write_text(DATA)
    words = ["solve", "sub/game.toml"]
    for option in ("-o", "--checkpoint"):
        assert "sub/game.nc is the same file as the data file of the problem" in refused(*words, option, "sub/game.nc")
    run(*words, "--checkpoint", "c.nc", "--max-iterations", 0, code=3)
    assert "is the same file as the data file" in refused("resume", "c.nc", "-o", "sub/game.nc")
    run("resume", "c.nc", "-o", "plan.nc")
    assert Path("sub/game.nc").read_bytes() == before
    assert 'file = "sub/game.nc"' in run("show", "plan.nc").stdout
    Path("sub/game.nc").unlink()
    text = refused("resume", "c.nc")
    assert "problem in checkpoint c.nc: data file sub/game.nc (SHA-256" in text
    assert "which holds arrays of the problem, is not in" in text
    run("show", "plan.nc")
    run("plot", "plan.nc", "-o", "plan.png")


def test_transitions_that_do_not_sum_to_1(folder: Path) -> None:
    bad = np.array([np.eye(2), np.eye(2)[::-1]])
    for steps, place in ((None, ""), (3, " at step 1")):
        table = bad.copy() if steps is None else np.repeat(bad[None], steps, axis=0)
        table[(1, 0, 1) if steps is None else (1, 1, 0, 1)] = 0.5
        np.savez("game.npz", P=table)
        Path("game.toml").write_text(DATA.replace("game.nc", "game.npz"))
        sentence = f"transitions of action 1{place} from state 0 sum to 0.5; they must sum to 1"
        assert sentence in refused("solve", "game.toml")
