"""A small solution, and what is saved of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import mfgsolve as mfg


@pytest.fixture(scope="module")
def problem() -> mfg.Problem:
    return mfg.problems.supply_demand(shape=(8, 8), steps=32, scheme="upwind")


@pytest.fixture(scope="module")
def solution(problem: mfg.Problem) -> mfg.Solution:
    return mfg.solve(problem)


@pytest.fixture
def plan(solution: mfg.Solution, tmp_path: Path) -> Path:
    return solution.save(tmp_path / "plan.nc")


@pytest.fixture
def checkpoint(problem: mfg.Problem, tmp_path: Path) -> Path:
    mfg.solve(problem, method="newton", max_iterations=0, checkpoint=tmp_path / "checkpoint.nc", check="ignore")
    return tmp_path / "checkpoint.nc"
