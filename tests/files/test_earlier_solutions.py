"""Solution files of 0.4.0 and 0.5.0 load, start solves and are certified; checkpoints of 0.5.0 resume as they were."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from earlier_files import CHECKPOINTS, GAMES, KEPT, LEARNED, SOLUTIONS, TURNS, expected, resumed, unpacked

import mfgsolve as mfg

VERSIONS = ("0.4.0", "0.5.0")
THEN = {version: expected(version) for version in VERSIONS}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", SOLUTIONS)
def test_a_solution_loads_with_the_same_numbers(version: str, name: str, tmp_path: Path):
    solution, then = mfg.load(unpacked(version, f"solutions/{name}", tmp_path)), THEN[version]["solutions"][name]
    assert solution.status.value == then["status"]
    assert solution.exploitability == then["exploitability"]
    assert solution.potential == then["potential"] or math.isnan(then["potential"])
    assert float(solution.dataset["density"].sum()) == then["density"][0]
    assert solution.dataset.attrs["mfgsolve_version"] == version


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [name for name in SOLUTIONS if name != "social"])
def test_its_plan_is_certified_again_and_starts_a_solve(version: str, name: str, tmp_path: Path):
    problem, solution = GAMES[SOLUTIONS[name][0]](), mfg.load(unpacked(version, f"solutions/{name}", tmp_path))
    found, then = mfg.exploitability(problem, solution), THEN[version]["solutions"][name]
    near = 1e-12 * (1.0 + abs(found.cost))
    assert abs(found.exploitability - then["exploitability"]) <= near
    assert abs(found.cost - then["cost"]) <= near
    assert mfg.solve(problem, start=solution, tol=1e-8, check="ignore").converged


@pytest.mark.parametrize("name", [*CHECKPOINTS, *LEARNED, *TURNS])
def test_a_checkpoint_of_0_5_0_takes_the_same_steps(name: str, tmp_path: Path):
    solution, then = resumed(name, unpacked("0.5.0", f"checkpoints/{name}", tmp_path)), THEN["0.5.0"]["checkpoints"]
    now, history = solution.dataset["exploitability"].values[:KEPT], then[name]["exploitabilities"]
    scale = 1.0 + abs(solution.certificate.cost)
    assert "earlier-checkpoint" not in [caution.code for caution in solution.warnings]
    assert now.size == len(history)
    np.testing.assert_allclose(now, history, rtol=1e-6, atol=1e-11 * scale)
    assert solution.status.value == then[name]["status"]
    assert math.isclose(solution.certificate.cost, then[name]["cost"], rel_tol=1e-9, abs_tol=1e-9)
    assert float(solution.dataset["density"].sum()) == pytest.approx(then[name]["density"][0], rel=1e-12)
