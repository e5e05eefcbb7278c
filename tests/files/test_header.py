"""Heads of files: the same words as xarray has, no array read, nothing heavy loaded, damage told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.files import read_dataset, read_header
from mfgsolve.files.header import Header


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    solution = mfg.solve(mfg.problems.build("beach-bar", {"temperature": 0.1}), check="ignore")
    return solution.save(tmp_path_factory.mktemp("head") / "plan.nc")


def test_a_head_says_what_xarray_says(plan: Path) -> None:
    head, data = read_header(plan, "solution"), read_dataset(plan, "solution")
    assert set(head.variables) == set(data.variables)
    assert set(head.coords) == set(data.coords)
    assert set(head.data_vars) == set(data.data_vars)
    assert head.sizes == dict(data.sizes)
    assert head.attrs.keys() == data.attrs.keys()
    for name, variable in data.variables.items():
        mine = head[str(name)]
        assert (mine.dims, mine.shape, mine.ndim, mine.size) == (
            variable.dims, variable.shape, variable.ndim, variable.size,
        )  # fmt: skip
        assert [str(v) for v in mine.values.ravel()] == [str(v) for v in variable.values.ravel()]
        for key, value in variable.attrs.items():
            assert np.array_equal(mine.attrs[key], value), (name, key)


def test_a_head_is_read_without_heavy_libraries(plan: Path) -> None:
    code = (
        "import sys; from mfgsolve.solution import load_header; s = load_header(sys.argv[1]); s.summary(); s.sentence;"
        "print(sorted({'numba', 'scipy', 'xarray', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    root = str(Path(mfg.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code, plan], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": root},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_attributes_that_were_changed_are_refused(plan: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.nc"
    with xr.open_dataset(plan, engine="h5netcdf") as data:
        data.assign_attrs(exploitability=0.0).to_netcdf(changed, engine="h5netcdf")
    with pytest.raises(mfg.FileError, match="seal does not fit"):
        read_header(changed, "solution")


def test_damage_within_an_array_is_told_when_it_is_read(plan: Path, tmp_path: Path) -> None:
    content, block = bytearray(plan.read_bytes()), Header(plan)["density"].values.tobytes()
    place = content.find(block[:64])
    assert place > 0
    content[place + 8] ^= 1
    damaged = tmp_path / "damaged.nc"
    damaged.write_bytes(content)
    head = read_header(damaged, "solution")
    with pytest.raises(mfg.FileError, match="density"):
        _ = head["density"].values
    with pytest.raises(mfg.FileError):
        mfg.load(damaged)


def test_what_is_no_file_of_this_package_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.nc").write_text("no HDF5")
    with pytest.raises(mfg.FileError, match="cannot be read as NetCDF"):
        read_header(tmp_path / "text.nc", "solution")
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    with pytest.raises(mfg.FileError, match="not of mfgsolve"):
        read_header(tmp_path / "foreign.nc", "solution")
