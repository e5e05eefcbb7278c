"""The command `solve`: what it prints where, its exit codes and its files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from command_line import refused, run
from commands import DECLARED, FLAGSHIP, KEYS

import mfgsolve as mfg
from mfgsolve.command import report
from mfgsolve.command.solving import foretell


def test_solve_prints_a_small_table_and_a_sentence() -> None:
    text = run(*FLAGSHIP).stdout
    assert re.search(r"^status +converged$", text, re.M)
    assert re.search(r"^problem +supply-demand, shape 8x8, 32 steps$", text, re.M)
    assert "The relative exploitability is at or below the tolerance." in text
    assert text.isascii()
    assert "\x1b" not in text


def test_the_command_solves_what_python_solves(folder: Path) -> None:
    run(*FLAGSHIP, "--set", "reward=2.5", "--set", "hold=.2", "-o", "plan.nc")
    wanted = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), steps=32, reward=2.5, hold=0.2, scheme="upwind"))
    found = mfg.load("plan.nc")
    assert np.array_equal(found.dataset.density, wanted.dataset.density)
    assert found.certificate == wanted.certificate
    assert mfg.problems.supply_demand(shape=(8, 8), steps=32, scheme="upwind").parameters["reward"] == 2.0, (
        "and not the default"
    )


@pytest.mark.parametrize("solver", ["newton", "frank-wolfe", "fictitious-play"])
def test_json_is_one_object_with_the_numbers_of_the_summary(folder: Path, solver: str) -> None:
    result = run(*FLAGSHIP, "--solver", solver, "--tol", "1e-3", "--json", "-o", "plan.nc")
    numbers = json.loads(result.stdout)
    assert list(numbers)[: len(KEYS)] == KEYS
    assert {key: numbers[key] for key in KEYS} == mfg.load("plan.nc").summary()
    assert numbers["status"] == "converged"
    assert result.stderr == ""
    assert mfg.load("plan.nc").dataset.attrs["solver"] == solver
    assert numbers.pop("files") == ["plan.nc"]
    assert json.loads(run("show", "plan.nc", "--json").stdout) == numbers


def test_json_says_null_for_what_was_not_measured() -> None:
    text = report.json_text({"a": float("nan"), "b": float("inf"), "c": 1.5, "d": "nan", "e": 3})
    assert json.loads(text) == {"a": None, "b": None, "c": 1.5, "d": "nan", "e": 3}
    assert "NaN" not in text
    # the closed form is not monotone, so that there is no duality gap to measure
    found = run(
        "solve",
        "linear-quadratic",
        "--shape",
        "12",
        "--steps",
        24,
        "--scheme",
        "upwind",
        "--json",
        "--tol",
        "1e-2",
        "--max-iterations",
        0,
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
    assert mfg.load("plan.nc").summary() == {key: numbers[key] for key in KEYS}
    text = run(*FLAGSHIP, "--max-seconds", 0, "--tol", 0, code=3).stdout
    assert re.search("^status +time limit$", text, re.M)
    run("show", "plan.nc", code=0)


def test_start_from_a_solution_of_another_grid(folder: Path) -> None:
    run("solve", "supply-demand", "--shape", "6x6", "--steps", 24, "--scheme", "upwind", "-o", "coarse.nc")
    cold = json.loads(run(*FLAGSHIP, "--json").stdout)
    warm = json.loads(run(*FLAGSHIP, "--start", "coarse.nc", "--json", "--threads", 1).stdout)
    assert warm["potential"] == pytest.approx(cold["potential"], rel=1e-8)
    assert warm["sweeps"] != cold["sweeps"]


@pytest.mark.slow
def test_pictures(folder: Path) -> None:
    run(*FLAGSHIP, "-o", "plan.nc", "--plot", "plan.png")
    assert Path("plan.png").read_bytes().startswith(b"\x89PNG")
    assert run("plot", "plan.nc", "-o", "value.svg", "--kind", "value").stdout == "Wrote value.svg.\n"
    assert "<svg" in Path("value.svg").read_text(encoding="utf-8")
    run("animate", "plan.nc", "-o", "plan.gif", "--frames", 2)
    assert Path("plan.gif").read_bytes().startswith(b"GIF8")
    assert "kind of picture 'sped'; did you mean 'speed'" in refused("plot", "plan.nc", "-o", "p.png", "--kind", "sped")


def test_a_large_solve_says_beforehand_what_it_needs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="mfgsolve"):
        foretell(mfg.problems.supply_demand(shape=(512, 512), steps=256))  # 8 (8 + 2 2) 512^2 257 bytes
        foretell(mfg.problems.supply_demand(shape=(16, 16), steps=256))
        foretell(mfg.problems.beach_bar())
    (sentence,) = caplog.messages
    assert sentence.startswith("this needs about 6.26 GiB of memory, and about 2 minutes on one thread")
