"""Ladders of meshes: the numbers of single solves, an order that is there, words, pictures, files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.errors import FileError, InputError
from mfgsolve.files import file_kind, read_dataset, write_dataset
from mfgsolve.studies.refine import NUMBERS, Refinement, ended, refine


@pytest.fixture(scope="module")
def upwind() -> Refinement:
    return refine(mfg.problems.linear_quadratic(shape=(16,), steps=32, scheme="upwind"))


@pytest.fixture(scope="module")
def entropic() -> Refinement:
    return refine(mfg.problems.linear_quadratic(shape=(32,), steps=8, scheme="entropic"))


def test_numbers_are_those_of_single_solves(upwind: Refinement) -> None:
    data = upwind.dataset
    assert list(data["mesh"].values) == ["16x32", "32x64", "64x128"]
    for k, (cells, steps) in enumerate(((16, 32), (32, 64), (64, 128))):
        alone = mfg.solve(mfg.problems.linear_quadratic(shape=(cells,), steps=steps, scheme="upwind"))
        assert float(data["potential"][k]) == alone.potential
        assert float(data["sweeps"][k]) == alone.sweeps
    assert upwind.solution.potential == float(data["potential"][-1])
    assert upwind.solution.discretisation == upwind.discretisation
    assert set(NUMBERS) | {"mesh", "status"} == set(data.data_vars)
    assert all({"units", "long_name"} <= set(data[name].attrs) for name in NUMBERS)


def test_each_scheme_shows_its_order(upwind: Refinement, entropic: Refinement) -> None:
    assert 0.9 < float(upwind.dataset["order"][-1]) <= 1
    assert float(entropic.dataset["order"][-1]) == pytest.approx(2.0, abs=0.05)
    assert list(entropic.dataset["mesh"].values) == ["32x8", "45x16", "64x32"]


def test_estimates_hold_what_they_say(upwind: Refinement, entropic: Refinement) -> None:
    truth = 0.169811752  # <m_0, V_0> of the closed form
    for study in (upwind, entropic):
        data = study.dataset
        error = np.abs(data["potential"].values - truth)
        known = np.isfinite(data["potential_error"].values)
        assert (error <= 1.1 * data["potential_error"].values)[known].all()
        assert abs(study.discretisation.extrapolated_potential - truth) <= 1.1 * float(
            data["extrapolated_potential_error"][-1]
        )
    assert abs(entropic.discretisation.extrapolated_potential - truth) < 1e-6


def test_the_table_has_a_line_a_mesh(upwind: Refinement) -> None:
    head, *lines, last = upwind.table.split("\n")
    assert head.split()[:3] == ["mesh", "potential", "cost"]
    assert [line.split()[0] for line in lines] == ["16x32", "32x64", "64x128"]
    assert lines[0].split()[3] == "-"  # no mesh before
    assert last == upwind.discretisation.sentence


def test_a_study_is_shown_as_its_table_and_how_it_ended(upwind: Refinement) -> None:
    assert str(upwind) == repr(upwind) == f"{upwind.table}\n3 meshes solved."
    data = upwind.dataset

    def told(status: str = "converged", **attributes: object) -> str:
        states = data["status"].copy(data=[*data["status"].values[:-1], status])
        return ended(data.assign(status=states).assign_attrs(attributes))

    assert told("time limit", stopped="no time was left") == (
        "3 meshes solved, and no more: no time was left; the last solve ended with status 'time limit'."
    )
    distance = f"{float(data['relative_distance'][-1]):.1e}"
    assert told(tol_continuum=0.1, reached=1) == (
        f"3 meshes solved: within 0.1 of the continuum, relative, as it was asked for ({distance})."
    )
    for stopped, why in (("", "these were all the levels asked for"), ("it would take 700 s", "it would take 700 s")):
        assert told(tol_continuum=1e-6, reached=0, stopped=stopped) == (
            f"3 meshes solved: not within 1e-06 of the continuum, relative, but {distance}; {why}."
        )
    assert ended(data.isel(level=[0])) == "1 mesh solved."


def test_a_wish_is_met_or_said_not_to_be() -> None:
    problem = mfg.problems.linear_quadratic(shape=(16,), steps=32, scheme="upwind")
    near = refine(problem, tol_continuum=0.1)
    assert near.is_near
    assert near.dataset.attrs["reached"] == 1
    assert near.solution.warnings == ()
    far = refine(problem, 2, tol_continuum=1e-6)
    assert not far.is_near
    assert [caution.code for caution in far.solution.warnings] == ["continuum-not-reached"]
    assert "2 meshes were solved" in far.dataset.attrs["warnings"]


def test_limits_end_a_ladder() -> None:
    problem = mfg.problems.linear_quadratic(shape=(16,), steps=32, scheme="upwind")
    seen: list[str] = []

    def watch(mesh: str, measure: object) -> bool:
        seen.append(mesh)
        return mesh == "32x64"

    study = refine(problem, callback=watch)
    assert set(seen) == {"16x32", "32x64"}
    assert list(study.dataset["status"].values) == ["converged", "stopped by callback"]
    assert [caution.code for caution in study.solution.warnings] == ["ladder-stopped"]
    slow = refine(problem, max_seconds=0.0)
    assert list(slow.dataset["status"].values) == ["time limit"]


def test_files_give_back_what_they_got(upwind: Refinement, tmp_path: Path) -> None:
    path = upwind.save(tmp_path / "r.nc")
    assert file_kind(path) == "refinement"
    again = read_dataset(path, "refinement")
    for name in NUMBERS:
        np.testing.assert_array_equal(again[name].values, upwind.dataset[name].values)
    assert mfg.plots.refinement(again).get_suptitle() == upwind.plot().get_suptitle()
    with pytest.raises(FileError, match=r"is a refinement; a solution is needed: use .*plots\.refinement"):
        mfg.load(path)
    write_dataset(upwind.dataset.assign(order=upwind.dataset["order"] - 5), tmp_path / "s.nc")
    with pytest.raises(FileError, match="'order'"):
        read_dataset(tmp_path / "s.nc", "refinement")


def test_what_cannot_be_refined_is_refused() -> None:
    with pytest.raises(InputError, match="its own limit"):
        refine(mfg.problems.left_right())
    with pytest.raises(InputError, match="levels is 0"):
        refine(mfg.problems.linear_quadratic(shape=(16,), steps=32), 0)
    with pytest.raises(InputError, match="tol_continuum is -1"):
        refine(mfg.problems.linear_quadratic(shape=(16,), steps=32), tol_continuum=-1)
    with pytest.raises(InputError, match="a Problem is needed"):
        refine("supply-demand")  # type: ignore[arg-type]


def test_one_mesh_has_what_its_own_solve_came_through(upwind: Refinement) -> None:
    one = refine(mfg.problems.linear_quadratic(shape=(64,), steps=128, scheme="upwind"), 1)
    assert one.discretisation.obtained == "from 64x128, 32x64 and 16x32"
    assert one.discretisation.potential == pytest.approx(upwind.discretisation.potential, rel=1e-3)
    assert math.isnan(float(one.dataset["density_difference"][0]))
