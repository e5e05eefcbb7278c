"""Files of versions that knew no schemes are of upwind games, whatever is taken today where none is stated."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from command_line import run
from earlier_files import (
    CHECKPOINTS,
    DIFFUSIONS,
    GAMES,
    KEPT,
    SOLUTIONS,
    TURNS,
    expected,
    most,
    moving,
    resumed,
    unpacked,
)

import mfgsolve as mfg
from mfgsolve.agents.play import stated_problem
from mfgsolve.checkpoints import stored_problem
from mfgsolve.dynamics import diffusion
from mfgsolve.identity import fingerprint

VERSIONS = ("0.4.0", "0.5.0", "0.6.0")
NAMES = [name for name, (game, *_) in (CHECKPOINTS | TURNS).items() if game in DIFFUSIONS]


@pytest.fixture(autouse=True)
def entropic_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "PREFERRED", "entropic")


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_of_0_6_0_takes_the_same_steps(name: str, tmp_path: Path):
    solution, then = resumed(name, unpacked("0.6.0", f"checkpoints/{name}", tmp_path)), expected("0.6.0")["checkpoints"]
    now, history = solution.dataset["exploitability"].values[:KEPT], then[name]["exploitabilities"]
    assert {caution.code for caution in solution.warnings} <= {"too-few-steps"}
    np.testing.assert_allclose(now, history, rtol=1e-6, atol=1e-11 * (1.0 + abs(solution.certificate.cost)))
    assert solution.status.value == then[name]["status"]
    assert math.isclose(solution.certificate.cost, then[name]["cost"], rel_tol=1e-12)
    assert float(solution.dataset["density"].sum()) == pytest.approx(then[name]["density"][0], rel=1e-12)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_problem_of_a_checkpoint_is_upwind(version: str, tmp_path: Path):
    problem, _ = stored_problem(unpacked(version, "checkpoints/fictitious-play", tmp_path))
    assert (problem.scheme, problem.cautions) == ("upwind", ())
    assert fingerprint(problem) == fingerprint(GAMES["supply-demand"]())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [name for name, (game, _) in SOLUTIONS.items() if game in DIFFUSIONS[:2]])
def test_a_problem_of_a_solution_is_upwind(version: str, name: str, tmp_path: Path):
    solution = mfg.load(unpacked(version, f"solutions/{name}", tmp_path))
    assert stated_problem(solution).scheme == "upwind"
    assert math.isfinite(float(mfg.nash_gap(solution, agents=[10])["regret"].max()))


def test_a_problem_in_python_is_taken_as_upwind_and_this_is_said(tmp_path: Path):
    path = unpacked("0.6.0", "checkpoints/newton-python", tmp_path)
    assert moving().scheme == "entropic"
    solution = mfg.resume(path, problem=moving(), check="ignore", max_iterations=most("newton-python"))
    assert solution.problem.scheme == "upwind"
    said = {caution.code: caution.sentence for caution in solution.warnings}
    assert "written by mfgsolve 0.6.0, whose diffusions were upwind" in said["upwind-scheme"]
    with pytest.raises(mfg.InputError, match="is of another game"):
        mfg.resume(unpacked("0.6.0", "checkpoints/newton-python", tmp_path), problem=moving().with_scheme("entropic"))


def test_the_command_goes_on_with_one(tmp_path: Path):
    path = unpacked("0.6.0", "checkpoints/fictitious-play", tmp_path)
    run("resume", path, "-o", tmp_path / "plan.nc", "--max-iterations", 5, code=3)
    plan = mfg.load(tmp_path / "plan.nc")
    assert stated_problem(plan).scheme == "upwind"
    assert 'scheme = "upwind"' in plan.dataset.attrs["problem"]
