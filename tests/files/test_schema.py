"""Files that are none of ours, spoilt or of another kind: one sentence each."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from rewritten import rewrite

import mfgsolve as mfg

# -- bad files ---------------------------------------------------------------------------------------------------------


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("density = 1\n" * 100)


def pickled(path: Path) -> None:
    import pickle

    path.write_bytes(pickle.dumps({"density": 1}))


def foreign(path: Path) -> None:
    path.unlink()
    xr.Dataset({"density": ("time", np.ones(3))}).to_netcdf(path, engine="h5netcdf")


def plain_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["density"] = np.ones(3)


def damaged(path: Path) -> None:
    """Every byte of the first third after the header is wrong."""
    content = bytearray(path.read_bytes())
    content[200 : len(content) // 3] = b"\xff" * (len(content) // 3 - 200)
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("read", [mfg.load, mfg.resume])
@pytest.mark.parametrize("spoil", [truncated, emptied, text, pickled, foreign, plain_hdf5, damaged])
def test_what_is_no_file_of_ours_is_one_sentence(plan: Path, spoil, read) -> None:
    spoil(plan)
    with pytest.raises(mfg.FileError, match=r"plan\.nc .*(cannot be read as NetCDF|not of mfgsolve|misses or spoils)"):
        read(plan)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(mfg.FileError, match=r"none\.nc does not exist"):
        mfg.load(tmp_path / "none.nc")
    with pytest.raises(mfg.FileError, match="is a folder; name a file"):
        mfg.load(tmp_path)
    with pytest.raises(mfg.FileError, match="no regular file"):
        mfg.load("/dev/null")


def test_one_kind_given_for_the_other(plan: Path, checkpoint: Path) -> None:
    with pytest.raises(mfg.FileError, match="is a checkpoint; a solution is needed: use 'mfgsolve resume'"):
        mfg.load(checkpoint)
    with pytest.raises(mfg.FileError, match="is a solution; a checkpoint is needed: use 'mfgsolve show'"):
        mfg.resume(plan)


def test_schemas(plan: Path, solution: mfg.Solution) -> None:
    rewrite(plan, lambda dataset: dataset.attrs.update(schema="mfgsolve/2"))
    with pytest.raises(mfg.FileError, match="schema 'mfgsolve/2'; this version reads 'mfgsolve/1': update mfgsolve"):
        mfg.load(plan)
    rewrite(plan, lambda dataset: dataset.attrs.update(schema="mfgsolve/11"))
    with pytest.raises(mfg.FileError, match="mfgsolve/11"):
        mfg.load(plan)
    newer = {"schema": "mfgsolve/1.7", "something_new": 3.0}
    rewrite(plan, lambda dataset: dataset.assign(risk=dataset.value * 2).assign_attrs(newer))
    back = mfg.load(plan)
    assert back.certificate == solution.certificate
    assert np.array_equal(back.dataset.density, solution.dataset.density)


@pytest.mark.parametrize("name", ["density", "value", "speed", "coupling_cost", "exploitability", "sweeps"])
def test_missing_variables(plan: Path, name: str) -> None:
    rewrite(
        plan, lambda dataset: dataset.drop_vars(name).to_netcdf(plan.with_name("part.nc"), engine="h5netcdf") and None
    )
    with pytest.raises(mfg.FileError, match=f"has no variable '{name}'; it is not a whole solution"):
        mfg.load(plan.with_name("part.nc"))


@pytest.mark.parametrize("name", ["time", "move", "y", "iteration"])
def test_missing_coordinates(plan: Path, name: str) -> None:
    rewrite(plan, lambda dataset: dataset.drop_vars(name))
    with pytest.raises(mfg.FileError, match=f"has no coordinate '{name}'"):
        mfg.load(plan)


def test_variables_on_other_dimensions(plan: Path) -> None:
    rewrite(plan, lambda dataset: dataset.assign(value=dataset.value.transpose("y", "time", "x")))
    with pytest.raises(mfg.FileError, match=r"'value' as float64 on .*numbers on"):
        mfg.load(plan)


@pytest.mark.parametrize(
    ("name", "value"), [("status", "splendid"), ("status", None), ("potential", "much"), ("cost", [1.0, 2.0])]
)
def test_missing_or_spoilt_attributes(plan: Path, name: str, value: object) -> None:
    def change(dataset: xr.Dataset) -> None:
        del dataset.attrs[name]
        if value is not None:
            dataset.attrs[name] = value

    rewrite(plan, change)
    with pytest.raises(mfg.FileError, match="misses or spoils the attribute"):
        mfg.load(plan)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.drop_vars("array_believed"),
        lambda d: d.drop_vars("number"),
        lambda d: d.isel(iteration=slice(0, 0)),
        lambda d: d.isel(believed_0=slice(0, 4)),
        lambda d: d.isel(believed_3=slice(0, 4)),
        lambda d: d.isel(number_name=slice(0, 1)),
        lambda d: d.drop_attrs().assign_attrs({k: v for k, v in d.attrs.items() if k != "solver"}),
        lambda d: d.assign_attrs(solver="oracle"),
        lambda d: d.assign_attrs(tol="small"),
        lambda d: d.drop_attrs().assign_attrs({k: v for k, v in d.attrs.items() if k != "option_forcing"}),
    ],
)
def test_spoilt_checkpoints(checkpoint: Path, change) -> None:
    rewrite(checkpoint, change)
    with pytest.raises(mfg.FileError, match=r"checkpoint .*checkpoint\.nc misses or spoils"):
        mfg.resume(checkpoint)


def test_a_checkpoint_names_itself_when_its_problem_is_spoilt(checkpoint: Path) -> None:
    rewrite(checkpoint, lambda d: d.assign_attrs(problem='problem = "suply-demand"'))
    with pytest.raises(mfg.InputError, match=r"checkpoint\.nc: unknown problem 'suply-demand'; did you mean"):
        mfg.resume(checkpoint)


def test_a_python_problem_must_come_along(line_problem: mfg.Problem, tmp_path: Path) -> None:
    path = tmp_path / "c.nc"
    mfg.solve(line_problem, max_iterations=1, checkpoint=path, check="ignore")
    with pytest.raises(mfg.InputError, match=r"made in Python; call resume\(..., problem=...\)"):
        mfg.resume(path)
    whole = mfg.solve(line_problem)
    assert np.array_equal(mfg.resume(path, problem=line_problem).dataset.density, whole.dataset.density)
