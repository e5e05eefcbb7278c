"""What a solution says of its distance to the continuum: in words, in attributes, and back from a file."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import mfgsolve as mfg
from mfgsolve.command.report import json_text, solution_facts, solution_rows
from mfgsolve.discretisation import EXACT, UNMEASURED, Discretisation
from mfgsolve.errors import FileError
from mfgsolve.files import write_dataset

MEASURED = Discretisation("upwind", 0.01, 0.9, 4e-4, 2e-4, 0.05, "from 32x256 and 16x128", 0.2)


@pytest.fixture(scope="module")
def solution() -> mfg.Solution:
    return mfg.solve(mfg.problems.linear_quadratic(shape=(32,), steps=64, scheme="upwind"))


def test_sentences_say_what_is_known() -> None:
    assert "off by about 4.0e-04" in MEASURED.sentence
    assert "0.9)." in MEASURED.sentence
    assert "5.0e-02 in L1" in MEASURED.sentence
    assert "potential" not in replace(MEASURED, potential=math.nan).sentence
    beyond = replace(MEASURED, extrapolated_potential=-0.2437, extrapolated_potential_error=1e-5)
    assert beyond.sentence.endswith("Extrapolated potential -0.2437, off by about 1.0e-05.")
    assert UNMEASURED.sentence == "The distance to the continuum: not measured."
    assert "its own limit" in EXACT.sentence


def test_titles_are_short_and_silent_where_there_is_nothing_to_say() -> None:
    assert MEASURED.short == "±0.0004 to the continuum"
    assert replace(MEASURED, potential=math.nan).short == "±0.0002 to the continuum"
    assert UNMEASURED.short == EXACT.short == ""


def test_attributes_are_flat_and_read_back() -> None:
    assert all(isinstance(value, float | str) for value in MEASURED.attributes.values())
    assert Discretisation.read(MEASURED.attributes) == MEASURED
    assert Discretisation.read({}) == UNMEASURED


def test_a_file_gives_back_the_same_estimate(solution: mfg.Solution, tmp_path: Path) -> None:
    there = solution.discretisation
    assert there.is_measured
    assert repr(mfg.load(solution.save(tmp_path / "plan.nc")).discretisation) == repr(there)  # NaN and all
    assert there.sentence in solution.sentence


def test_a_spoilt_estimate_is_told(solution: mfg.Solution, tmp_path: Path) -> None:
    data = solution.dataset.assign_attrs(discretisation_potential="much")
    write_dataset(data, tmp_path / "plan.nc")
    with pytest.raises(FileError, match="discretisation_potential"):
        mfg.load(tmp_path / "plan.nc")


def test_the_command_shows_it_in_the_table_and_as_json(solution: mfg.Solution) -> None:
    rows = dict(solution_rows(solution))
    assert f"{solution.discretisation.potential:.1e}" in rows["to the continuum"]
    assert "L1" in rows["to the continuum"]
    facts = json.loads(json_text(solution_facts(solution)))["discretisation"]
    assert facts["scheme"] == "upwind"
    assert facts["density"] == solution.discretisation.density
    unknown = solution.estimated(replace(UNMEASURED, obtained="not measured, as it happens"))
    assert dict(solution_rows(unknown))["to the continuum"] == "not measured, as it happens"
    assert json.loads(json_text(solution_facts(unknown)))["discretisation"]["potential"] is None


def test_pictures_say_it_in_their_titles(solution: mfg.Solution) -> None:
    title = mfg.plots.plan(solution).get_suptitle()
    assert f"{solution.discretisation.short})" in title
    exact = mfg.plots.plan(mfg.solve(mfg.problems.left_right())).get_suptitle()
    assert "continuum" not in exact


def test_another_estimate_changes_the_dataset_and_nothing_else(solution: mfg.Solution) -> None:
    other = solution.estimated(MEASURED)
    assert other.discretisation == MEASURED
    assert other.dataset.attrs["discretisation_cost"] == MEASURED.cost
    assert asdict(other.certificate) == asdict(solution.certificate)
    assert other.dataset["density"].identical(solution.dataset["density"])
