"""The command: what it prints where, its exit codes, its files, and that nothing is ever lost."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from command_line import refused, run
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.command import arguments, preflight, report
from mfgsolve.command.interrupts import Interrupts
from mfgsolve.command.progress import Progress
from mfgsolve.games import Game
from mfgsolve.solution.datasets import Measure

ROOT = Path(mfg.__file__).parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "TERM": "xterm"}
ENVIRONMENT = {k: v for k, v in ENVIRONMENT.items() if k not in ("FORCE_COLOR", "NO_COLOR", "PY_COLORS")}
COMMAND = [sys.executable, "-m", "mfgsolve"]
FLAGSHIP = ["solve", "supply-demand", "--shape", "8x8", "--steps", "32"]
KEYS = [
    *("status", "exploitability", "relative_exploitability", "potential", "duality_gap", "cost", "scale"),
    *("iterations", "sweeps", "seconds", "mass_error", "cap_fraction", "violation", "warnings"),
]
DECLARED = """
name = "hill"
[grid]
shape = [12]
[time]
horizon = 1.0
steps = 24
[dynamics]
viscosity = 0.01
[[coupling]]
kind = "crowd-aversion"
strength = 0.5
[initial]
density = {bump = {width = 0.1, centre = [0.3]}}
normalise = true
[terminal]
cost = {quadratic = {weight = 4.0, centre = [0.8]}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "150")
    return tmp_path


def process(*words: object, **options) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = [*COMMAND, *(str(word) for word in words)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False, **options)


# -- what it says ------------------------------------------------------------------------------------------------------


def test_help_has_an_example_for_every_command() -> None:
    assert set(re.findall(r"^. (\w+) ", run("--help").stdout, re.M)) >= {"list", "solve", "resume", "show", "plot"}
    for name in ("list", "solve", "resume", "show", "plot", "animate", "convergence", "compare"):
        assert f"Example:  mfgsolve {name} " in run(name, "--help").stdout


def test_version() -> None:
    assert run("--version").stdout == f"mfgsolve {mfg.__version__}\n"


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, mfgsolve.command.application as _; "
        "print(sorted({'numpy', 'numba', 'xarray', 'scipy', 'matplotlib'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=ENVIRONMENT, check=True)
    assert done.stdout == "[]\n"


def test_list_has_one_line_a_problem_with_its_source() -> None:
    lines = run("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == mfg.problems.names()
    for line in lines:
        entry = mfg.problems.get(line.split()[0])
        assert entry.summary in line
        assert entry.source in line


def test_list_of_one_problem_tells_its_parameters() -> None:
    text = run("list", "supply-demand").stdout
    assert re.search(r"--set reward +2\.0", text)
    assert re.search(r"--shape +64x64", text)
    assert "did you mean 'montreal'" in refused("list", "montrael")


def test_solve_prints_a_small_table_and_a_sentence() -> None:
    text = run(*FLAGSHIP).stdout
    assert re.search(r"^status +converged$", text, re.M)
    assert re.search(r"^problem +supply-demand, shape 8x8, 32 steps$", text, re.M)
    assert "The relative exploitability is at or below the tolerance." in text
    assert text.isascii()
    assert "\x1b" not in text


def test_the_command_solves_what_python_solves(folder: Path) -> None:
    run(*FLAGSHIP, "--set", "reward=2.5", "--set", "hold=.2", "-o", "plan.nc")
    wanted = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), steps=32, reward=2.5, hold=0.2))
    found = mfg.load("plan.nc")
    assert np.array_equal(found.dataset.density, wanted.dataset.density)
    assert found.certificate == wanted.certificate
    assert mfg.problems.supply_demand(shape=(8, 8), steps=32).parameters["reward"] == 2.0, "and not the default"


@pytest.mark.parametrize("solver", ["newton", "frank-wolfe", "fictitious-play"])
def test_json_is_one_object_with_the_numbers_of_the_summary(folder: Path, solver: str) -> None:
    result = run(*FLAGSHIP, "--solver", solver, "--tol", "1e-3", "--json", "-o", "plan.nc")
    numbers = json.loads(result.stdout)
    assert list(numbers) == KEYS
    assert numbers == mfg.load("plan.nc").summary()
    assert numbers["status"] == "converged"
    assert result.stderr == ""
    assert mfg.load("plan.nc").dataset.attrs["solver"] == solver
    assert json.loads(run("show", "plan.nc", "--json").stdout) == numbers


def test_json_says_null_for_what_was_not_measured() -> None:
    text = report.json_text({"a": float("nan"), "b": float("inf"), "c": 1.5, "d": "nan", "e": 3})
    assert json.loads(text) == {"a": None, "b": None, "c": 1.5, "d": "nan", "e": 3}
    assert "NaN" not in text
    # the closed form is not monotone, so that there is no duality gap to measure
    found = run(
        "solve", "linear-quadratic", "--shape", "12", "--steps", 24, "--json", "--tol", "1e-2", "--max-iterations", 0
    )
    assert json.loads(found.stdout)["duality_gap"] is None


def test_a_problem_file_and_its_settings(folder: Path) -> None:
    Path("hill.toml").write_text(DECLARED)
    run("solve", "hill.toml", "-o", "a.nc")
    run("solve", "./hill.toml", "-o", "b.nc", "--set", "coupling.0.strength=2.0", "--steps", 48)
    assert mfg.load("a.nc").dataset.sizes["step"] == 24
    assert mfg.load("b.nc").dataset.sizes["step"] == 48
    wanted = mfg.solve(mfg.read_problem("hill.toml", steps=48, settings={"coupling.0.strength": 2.0}))
    assert np.array_equal(mfg.load("b.nc").dataset.density, wanted.dataset.density)


def test_not_converged_is_exit_code_3_and_the_file_is_written(folder: Path) -> None:
    numbers = json.loads(run(*FLAGSHIP, "--max-iterations", 0, "--json", "-o", "plan.nc", code=3).stdout)
    assert numbers["status"] == "iteration limit"
    assert mfg.load("plan.nc").summary() == numbers
    text = run(*FLAGSHIP, "--max-seconds", 0, "--tol", 0, code=3).stdout
    assert re.search("^status +time limit$", text, re.M)
    run("show", "plan.nc", code=0)


def test_start_from_a_solution_of_another_grid(folder: Path) -> None:
    run("solve", "supply-demand", "--shape", "6x6", "--steps", 24, "-o", "coarse.nc")
    cold = json.loads(run(*FLAGSHIP, "--json").stdout)
    warm = json.loads(run(*FLAGSHIP, "--start", "coarse.nc", "--json", "--threads", 1).stdout)
    assert warm["potential"] == pytest.approx(cold["potential"], rel=1e-8)
    assert warm["sweeps"] != cold["sweeps"]


def test_checkpoint_show_and_resume(folder: Path) -> None:
    words = ["solve", "supply-demand", "--shape", "16x16", "--steps", 64]
    run(*words, "-o", "whole.nc")
    run(*words, "--max-iterations", 3, "--checkpoint", "c.nc", code=3)
    text = run("show", "c.nc").stdout
    assert "checkpoint of            a newton solve" in text
    assert "3 iterations" in text
    assert "mfgsolve resume c.nc" in text
    facts = json.loads(run("show", "c.nc", "--json").stdout)
    assert (facts["status"], facts["iteration"], facts["solver"]) == ("unfinished", 3, "newton")
    run("resume", "c.nc", "--max-iterations", 4, "-o", "part.nc", code=3)
    run("resume", "c.nc", "-o", "parts.nc")
    whole, parts = mfg.load("whole.nc"), mfg.load("parts.nc")
    for name in ("density", "speed", "value", "exploitability"):
        assert np.array_equal(whole.dataset[name], parts.dataset[name], equal_nan=True), name
    assert whole.certificate == parts.certificate


def test_show_tells_what_was_solved(folder: Path) -> None:
    run(*FLAGSHIP, "--set", "reward=2.5", "-o", "plan.nc")
    text = run("show", "plan.nc").stdout
    for words in ('problem = "supply-demand"', "reward = 2.5", "converged", "solver                   newton", "made"):
        assert words in text


def test_pictures(folder: Path) -> None:
    run(*FLAGSHIP, "-o", "plan.nc", "--plot", "plan.png")
    assert Path("plan.png").read_bytes().startswith(b"\x89PNG")
    assert run("plot", "plan.nc", "-o", "value.svg", "--kind", "value").stdout == "Wrote value.svg.\n"
    assert "<svg" in Path("value.svg").read_text(encoding="utf-8")
    run("animate", "plan.nc", "-o", "plan.gif", "--frames", 2)
    assert Path("plan.gif").read_bytes().startswith(b"GIF8")
    assert "kind of picture 'sped'; did you mean 'speed'" in refused("plot", "plan.nc", "-o", "p.png", "--kind", "sped")


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
    assert list(numbers) == KEYS
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
    paid = float(re.search(r"^cost of an agent +(\S+)$", text, re.M)[1])
    plan, game = mfg.load("social.nc"), mfg.problems.supply_demand(shape=(8, 8), steps=32)
    assert paid == pytest.approx(mfg.exploitability(game, plan).cost, rel=1e-9), "what agents pay in the game itself"
    assert "objective " not in run("show", "equilibrium.nc").stdout
    assert "unknown objective 'socal'; did you mean 'social'?" in refused(*words, "--objective", "socal")


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


def test_convergence_compares_and_keeps(folder: Path) -> None:
    words = ["convergence", "rock-paper-scissors", "--set", "temperature=0.5", "--max-sweeps", 200]
    text = run(*words, "--solvers", "newton,fictitious-play", "-o", "conv.nc", "--plot", "conv.png").stdout
    assert re.search(r"^newton +\S+e-\d+  converged, ", text, re.M)
    assert "Wrote conv.nc and conv.png." in text
    facts = json.loads(run("show", "conv.nc", "--json").stdout)
    assert list(facts["solvers"]) == ["newton", "fictitious-play"]
    assert facts["solvers"]["newton"]["best"] <= 1e-10 < facts["solvers"]["fictitious-play"]["best"]
    assert "fictitious-play" in run("show", "conv.nc").stdout
    assert run("plot", "conv.nc", "-o", "again.svg").stdout == "Wrote again.svg.\n"
    suited = mfg.solvers.suited(mfg.problems.rock_paper_scissors(temperature=0.5))
    assert list(json.loads(run(*words, "--json").stdout)["solvers"]) == suited
    assert "did you mean 'newton'" in refused(*words, "--solvers", "neton")
    assert "--output conv.txt has the suffix" in refused(*words, "-o", "conv.txt")


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


def test_memory_of_finite_games(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(problem: mfg.Problem) -> tuple[int, int]:
        game = Game(problem)
        actions, entries = preflight._sizes(problem)
        assert actions == game.actions
        return entries, len(game.transitions.successor)

    dense = np.full((3, 4, 4), 0.25)
    sparse_list = [sparse.csr_array(np.eye(4))] * 2
    time = mfg.TimeGrid(2.0, 2)
    for transitions, count in ((dense, 48), (list(dense), 48), (sparse_list, 8), ([sparse_list] * 2, 16)):
        given = mfg.Tabular(transitions)
        problem = mfg.Problem(grid=mfg.States(4), time=time, dynamics=given, coupling=0.0, initial=np.full(4, 0.25))
        assert told(problem) == (count, count)
    moves = mfg.LatticeMoves((-1, 0, 1), jumps={-1: 0.5, 1: 0.5})
    problem = mfg.Problem(grid=mfg.Grid.box((6,)), time=time, dynamics=moves, coupling=0.0, initial=1.0)
    stated, stored = told(problem)
    assert stored <= stated <= 1.2 * stored
    monkeypatch.setattr(preflight, "_memory", lambda: 1e3)
    text = refused("solve", "rock-paper-scissors")
    assert re.search(r"a game of 4 states, 3 actions and 2 steps needs about \S+ GiB of memory; this machine", text)


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


@pytest.mark.parametrize("name", ["supply-demand", "crowd-aversion"])
def test_too_large_for_this_machine(name: str) -> None:
    text = refused("solve", name, "--shape", "100000x100000")
    assert re.search(
        r"a grid of shape 100000x100000 with \d+ steps needs about [\d,]+ GiB of memory; this machine", text
    )
    assert "coarser --shape or fewer --steps" in text


def test_memory_runs_out_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 9.00 GiB")

    monkeypatch.setattr("mfgsolve.solving.make_solver", exhausted)
    assert "out of memory (Unable to allocate 9.00 GiB); take a coarser --shape" in refused(*FLAGSHIP)


def test_bytes_needed_covers_what_a_solution_holds() -> None:
    solution = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), steps=32))
    assert solution.dataset.nbytes < preflight.bytes_needed((8, 8), 32) < 3 * solution.dataset.nbytes


# -- outputs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-o", "plan.txt"], "--output plan.txt has the suffix '.txt'; a name that ends in .nc is needed"),
        (["-o", "plan"], "--output plan has the suffix ''"),
        (["-o", "nowhere/plan.nc"], "nowhere does not exist; create it or name another"),
        (["-o", "folder.nc"], "--output folder.nc is a folder; name a file in it"),
        (["-o", "device.nc"], "--output device.nc is no regular file"),
        (
            ["--plot", "plan.bmp"],
            "--plot plan.bmp has the suffix '.bmp'; a name that ends in .jpg or .pdf or .png or .svg",
        ),
        (["--plot", "nowhere/plan.png"], "nowhere does not exist"),
        (["--checkpoint", "c.h5"], "--checkpoint c.h5 has the suffix '.h5'"),
        (["-o", "a.nc", "--checkpoint", "./a.nc"], "--checkpoint a.nc is the same file as --output; name another file"),
        (["-o", "plan.nc", "--start", "link.nc"], "--output plan.nc is the same file as --start"),
        (["--checkpoint", "plan.nc", "--start", "plan.nc"], "--checkpoint plan.nc is the same file as --start"),
    ],
)
def test_outputs_are_checked_before_the_solve(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    Path("folder.nc").mkdir()
    Path("plan.nc").write_text("old")
    Path("link.nc").symlink_to("plan.nc")
    Path("device.nc").symlink_to("/dev/null")
    monkeypatch.setattr("mfgsolve.solving.make_solver", lambda *_: pytest.fail("the solve has started"))
    assert sentence in refused(*FLAGSHIP, *words)
    assert Path("plan.nc").read_text() == "old"


def test_a_folder_that_cannot_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(**_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    if os.geteuid() == 0:  # root may write everywhere
        monkeypatch.setattr(preflight.tempfile, "TemporaryFile", forbidden)
    else:
        folder.chmod(0o500)
    assert "--output plan.nc cannot be written: Permission denied; choose another place" in refused(
        *FLAGSHIP, "-o", "plan.nc"
    )
    folder.chmod(0o700)


def test_resume_plot_and_animate_never_overwrite_what_they_read(folder: Path) -> None:
    run(*FLAGSHIP, "--max-iterations", 0, "--checkpoint", "c.nc", "-o", "plan.nc", code=3)
    before = Path("c.nc").read_bytes()
    assert "--output ./c.nc is the same file as the checkpoint" in refused("resume", "c.nc", "-o", "././c.nc").replace(
        "--output c.nc", "--output ./c.nc"
    )
    assert Path("c.nc").read_bytes() == before
    assert "is a solution; a checkpoint is needed" in refused("resume", "plan.nc")
    assert "is a checkpoint; a solution is needed" in refused("plot", "c.nc", "-o", "p.png")
    assert "a name that ends in .gif or .mp4" in refused("animate", "plan.nc", "-o", "plan.avi")


@pytest.mark.parametrize("option", ["-o", "--plot"])
def test_a_disk_that_fills_up_during_the_solve(folder: Path, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    """The numbers are printed all the same, the earlier file stays, and the exit code tells."""
    name = {"-o": "plan.nc", "--plot": "plan.png"}[option]
    run(*FLAGSHIP, option, name)
    before = Path(name).read_bytes()

    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("mfgsolve.files.netcdf.os.replace", full)
    result = run(*FLAGSHIP, option, name, "--json", code=2)
    assert json.loads(result.stdout)["status"] == "converged"
    assert re.fullmatch(rf"Error: output .*{name} cannot be written: No space left.*untouched\n", result.stderr)
    assert Path(name).read_bytes() == before
    assert sorted(os.listdir()) == [name]


# -- streams -----------------------------------------------------------------------------------------------------------


def test_nothing_but_the_result_where_there_is_no_terminal() -> None:
    done = process(*FLAGSHIP, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert list(json.loads(done.stdout)) == KEYS
    assert process("--version").stdout == f"mfgsolve {mfg.__version__}\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen([*COMMAND, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as child:
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 0


def test_stdout_on_a_full_disk() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "list"], stdout=full, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, check=False
        )
    assert (done.returncode, done.stderr) == (2, "Error: standard output cannot be written: No space left on device\n")


def on_a_terminal(words: list[str], width: int, stop_at: bytes | None = None) -> tuple[int, str]:
    """Run the command with stderr on a pseudo-terminal; Ctrl-C once ``stop_at`` is seen."""
    ours, theirs = pty.openpty()
    environment = {**ENVIRONMENT, "COLUMNS": str(width)}
    child = subprocess.Popen([*COMMAND, *words], stdout=subprocess.DEVNULL, stderr=theirs, env=environment)
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        seen += piece
        if stop_at is not None and stop_at in seen:
            child.send_signal(signal.SIGINT)
            stop_at = None
        if not piece:
            break
    os.close(ours)
    return child.wait(), seen.decode()


@pytest.mark.parametrize("width", [40, 100])
def test_the_live_line_fits_the_window_and_is_cleared(width: int) -> None:
    words = [
        "solve",
        "supply-demand",
        "--shape",
        "32x32",
        "--steps",
        "128",
        "--tol",
        "0",
        "--solver",
        "fictitious-play",
    ]
    code, seen = on_a_terminal([*words, "--max-seconds", "1.5"], width)
    assert code == 3
    lines = [re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", line) for line in re.split(r"[\r\n]+", seen)]
    assert any("e-" in line for line in lines)
    assert max(len(line) for line in lines) <= width
    assert "\x1b[2K" in seen[-30:], "the line is cleared at the end"
    assert ("relative exploitability" in seen) == (width == 100)


def test_the_share_of_the_way_is_logarithmic() -> None:
    def share(reached: float, tol: float) -> float:
        progress = Progress(tol)
        progress.update(Measure(1, 1.0, 1.0, reached, 1.0, 1.0, 100, True))
        return progress.share()

    assert share(1.0, 1e-10) == share(5.0, 1e-10) == share(float("nan"), 1e-10) == 0.0
    assert share(1e-5, 1e-10) == pytest.approx(0.5)
    assert share(1e-8, 0.0) == pytest.approx(0.5)
    assert share(1e-10, 1e-10) == share(-1e-17, 1e-10) == share(1e-3, 2.0) == 1.0
    assert Progress(1e-10).share() == 0.0


def test_progress_of_a_game_without_a_grid() -> None:
    progress = Progress.of(mfg.problems.rock_paper_scissors(), 1e-10)
    progress.update_one("newton", Measure(3, 7.0, 1.0, 0.5, 1.0, 1.0, 8, True))
    left = [text for text, _ in progress.texts()]
    assert left[0] == "newton  iteration 3  states 4x2  7.0 sweeps"
    assert left[-2:] == ["newton", ""]


def test_progress_names_the_grid_of_an_iteration() -> None:
    progress = Progress(1e-10, (24, 48), 96)
    assert progress._grid(24 * 48 * 96) == "24x48x96"
    assert progress._grid(12 * 24 * 48) == "12x24x48"
    assert progress._grid(6 * 12 * 24) == "6x12x24"


def test_progress_is_silent_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with Progress(1e-10) as progress:
        assert progress.update(Measure(1, 1.0, 1.0, 0.5, 1.0, 1.0, 100, True)) is None
    assert sys.stderr.getvalue() == ""


# -- interrupts --------------------------------------------------------------------------------------------------------

LONG = ["solve", "supply-demand", "--shape", "64x64", "--steps", "128", "--tol", "0", "--solver", "fictitious-play"]


def interrupted(words: list[str], ready: Path, number: int = signal.SIGINT) -> subprocess.CompletedProcess[str]:
    """Start, wait until the file ``ready`` is new, wait a little more, interrupt."""
    before = ready.stat().st_ino if ready.exists() else None
    child = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    limit = time.monotonic() + 60
    while not (ready.exists() and ready.stat().st_ino != before):
        assert time.monotonic() < limit, "no checkpoint was written"
        assert child.poll() is None, child.communicate()
        time.sleep(0.02)
    time.sleep(0.3)
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    return subprocess.CompletedProcess(words, child.returncode, out, err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_keeps_what_was_written_and_resume_goes_on(folder: Path, number: int) -> None:
    run(*FLAGSHIP, "-o", "plan.nc")
    before = Path("plan.nc").read_bytes()
    done = interrupted([*LONG, "-o", "plan.nc", "--checkpoint", "c.nc"], Path("c.nc"), number)
    assert done.returncode == 128 + number
    assert done.stdout == ""
    assert Path("plan.nc").read_bytes() == before
    assert sorted(os.listdir()) == ["c.nc", "plan.nc"]
    reached = json.loads(run("show", "c.nc", "--json").stdout)["iteration"]
    holds = f"go on from the checkpoint, which holds iteration {reached}, with: mfgsolve resume c.nc"
    assert done.stderr == f"Stopped: interrupted; {holds}\n"
    if number == signal.SIGINT:
        goal = str(reached + 5)
        run("resume", "c.nc", "-o", "parts.nc", "--max-iterations", goal, code=3)
        run(*LONG, "-o", "whole.nc", "--max-iterations", goal, code=3)
        whole, parts = mfg.load("whole.nc"), mfg.load("parts.nc")
        for name in ("density", "speed", "value", "coupling_cost", "exploitability", "sweeps"):
            assert np.array_equal(whole.dataset[name], parts.dataset[name], equal_nan=True), name
        assert whole.certificate == parts.certificate


def test_an_interrupt_on_a_terminal() -> None:
    code, seen = on_a_terminal(LONG, 80, stop_at=b"e-")
    assert code == 130
    plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", seen)
    assert "Stopped: interrupted; nothing was written" in re.sub(r"\s+", " ", plain)
    assert "Traceback" not in seen
    assert os.listdir() == []


def test_an_interrupt_that_python_drops_is_remembered() -> None:
    with Interrupts() as interrupts:
        interrupts.check()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_before_the_first_checkpoint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run(*FLAGSHIP, "--checkpoint", "old.nc", "--max-iterations", 0, code=3)
    monkeypatch.setattr("mfgsolve.solving.make_solver", interrupt)
    assert "interrupted; no checkpoint was written yet" in run(*FLAGSHIP, "--checkpoint", "c.nc", code=130).stderr
    assert "the checkpoint old.nc is as it was" in run(*FLAGSHIP, "--checkpoint", "old.nc", code=130).stderr
    assert "--checkpoint f.nc keeps the work" in run(*FLAGSHIP, code=130).stderr
