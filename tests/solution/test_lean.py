"""Files that leave out what follows from the policy: what comes back, and when nothing is left out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.files import read_header
from mfgsolve.solution import lean as module
from mfgsolve.solution import load_header
from mfgsolve.solution.lean import FIELD, MADE, full, lean, whole

SCHEMES = {"upwind": {"shape": (8, 8), "steps": 32}, "entropic": {"shape": (8, 8), "viscosity": 0.05}}


@pytest.fixture(params=SCHEMES)
def solved(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[mfg.Problem, mfg.Solution]:
    monkeypatch.setattr(module, "LEAST", 0)
    problem = mfg.problems.supply_demand(scheme=request.param, **SCHEMES[request.param])
    return problem, mfg.solve(problem, check="ignore")


def test_what_is_left_out_comes_back(solved: tuple[mfg.Problem, mfg.Solution], tmp_path: Path) -> None:
    problem, solution = solved
    again, there = mfg.load(solution.save(tmp_path / "lean.nc")), solution.dataset
    with xr.open_dataset(tmp_path / "lean.nc") as stored:
        left = stored.attrs[MADE].split()
        assert {"value", "coupling_cost"} < set(left)
        assert not set(left) & set(stored.variables)
        assert "mfgsolve.load" in stored.attrs["made_how"]
        assert stored["density"].dtype == np.float32
        exact = FIELD if FIELD in stored else "value_ahead"
        assert np.array_equal(stored[exact].values, there[exact].values, equal_nan=True)
    assert set(again.dataset.variables) == set(there.variables)
    for name, variable in there.variables.items():
        made = again.dataset.variables[name]
        assert (made.dims, made.dtype, made.attrs) == (variable.dims, variable.dtype, variable.attrs), name
        if variable.dtype.kind == "f":
            scale = np.nanmax(np.abs(variable.values), initial=1e-300)
            bound = 0.0 if FIELD in there else 1e-11 * scale
            np.testing.assert_allclose(made.values, variable.values, rtol=0, atol=bound)
    np.testing.assert_equal(asdict(again.certificate), asdict(solution.certificate))
    anew = [asdict(mfg.exploitability(problem, one)) for one in (again, solution)]
    np.testing.assert_equal(anew[0], anew[1])
    assert lean(again.dataset).attrs[MADE].split() == left  # and can be written so once more


def test_a_lean_file_is_a_start_as_good_as_the_solution(
    solved: tuple[mfg.Problem, mfg.Solution], tmp_path: Path
) -> None:
    problem, solution = solved
    file = solution.save(tmp_path / "lean.nc")
    starts = [mfg.solve(problem, start=start, check="ignore") for start in (solution, file)]
    assert starts[0].iterations == starts[1].iterations


def test_the_head_tells_what_the_solution_does(solved: tuple[mfg.Problem, mfg.Solution], tmp_path: Path) -> None:
    from mfgsolve.command.report import solution_facts, solution_rows

    _, solution = solved
    for name, everything in (("lean.nc", False), ("whole.nc", True)):
        head = load_header(solution.save(tmp_path / name, whole=everything))
        assert solution_rows(head) == solution_rows(solution)
        np.testing.assert_equal(solution_facts(head), solution_facts(solution))


def test_whole_files_hold_everything(solved: tuple[mfg.Problem, mfg.Solution], tmp_path: Path) -> None:
    _, solution = solved
    written = read_header(solution.save(tmp_path / "whole.nc", whole=True, compress=False), "solution")
    assert MADE not in written.attrs
    assert set(written.variables) == set(full(solution.dataset).variables)
    assert np.array_equal(written["density"].values, solution.density.values)


def test_little_is_not_left_out() -> None:
    solution = mfg.solve(mfg.problems.supply_demand(scheme="upwind", shape=(8, 8), steps=32), check="ignore")
    assert lean(solution.dataset) is solution.dataset


def test_what_no_text_tells_is_written_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST", 0)
    problem = mfg.problems.supply_demand(scheme="upwind", shape=(8, 8), steps=32)
    solution = mfg.solve(problem, check="ignore")
    for changed in (
        solution.dataset.assign_attrs(problem="a problem made in Python"),
        solution.dataset.assign_attrs(problem=solution.dataset.attrs["problem"].replace("reward = 2.0", "reward = 3.0"),
                                      objective="social"),
        solution.dataset.assign(density=solution.density * 0.5),
    ):  # fmt: skip
        assert MADE not in lean(changed).attrs


def test_another_game_than_the_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST", 0)
    problem = mfg.problems.supply_demand(scheme="upwind", shape=(8, 8), steps=32)
    stored = lean(mfg.solve(problem, check="ignore").dataset)
    text = stored.attrs["problem"]
    with pytest.raises(mfg.FileError, match="another density"):
        whole(stored.assign_attrs(problem=text.replace("viscosity = 0.002", "viscosity = 0.02")))
    with pytest.raises(mfg.FileError, match="cannot be built again"):
        whole(stored.assign_attrs(problem="nothing"))


def test_finite_games_keep_their_policy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "LEAST", 0)
    problem = mfg.problems.build("beach-bar", {"temperature": 0.1})
    solution = mfg.solve(problem, check="ignore")
    again = mfg.load(solution.save(tmp_path / "lean.nc"))
    with xr.open_dataset(tmp_path / "lean.nc") as stored:
        assert "value" not in stored
        assert np.array_equal(stored["policy"].values, solution.policy.values)
    np.testing.assert_allclose(again.value, solution.value, rtol=1e-12, atol=1e-12)


def test_no_memory_to_look_is_no_reason_to_lose_a_solution(
    solved: tuple[mfg.Problem, mfg.Solution], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(module, "_played", full_memory)
    path = solved[1].save(tmp_path / "plan.nc")
    monkeypatch.undo()
    assert "value" in mfg.load(path).dataset
    with xr.open_dataset(path) as stored:
        assert MADE not in stored.attrs


def test_what_cannot_be_made_again_has_no_other_attributes(
    solved: tuple[mfg.Problem, mfg.Solution], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = mfg.load(solved[1].save(tmp_path / "lean.nc"))

    def changed(*_: object) -> None:
        raise mfg.FileError("data were changed")

    monkeypatch.setattr("mfgsolve.solution.solution.with_all", changed)
    assert not hasattr(again, "nothing_of_that_name")
