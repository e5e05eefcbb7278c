"""Files: the same numbers back, whole or not at all, and data only."""

from __future__ import annotations

import ast
import errno
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from rewritten import rewrite

import mfgsolve as mfg
from mfgsolve.files import netcdf as files
from mfgsolve.solution.datasets import HISTORY

PACKAGE = Path(mfg.__file__).parent


def hidden(folder: Path) -> list[str]:
    """Temporary files left behind."""
    return [name for name in os.listdir(folder) if name.startswith(".")]


# -- round trips -------------------------------------------------------------------------------------------------------


def test_a_solution_comes_back_bit_for_bit(solution: mfg.Solution, plan: Path) -> None:
    back = mfg.load(plan)
    assert back.dataset.identical(solution.dataset)
    assert back.status is solution.status
    assert back.certificate == solution.certificate
    assert (back.iterations, back.sweeps, back.seconds) == (solution.iterations, solution.sweeps, solution.seconds)
    assert back.summary() == solution.summary()
    assert repr(back) == repr(solution)


def test_a_saved_solution_saves_again_the_same(plan: Path, tmp_path: Path) -> None:
    again = mfg.load(plan).save(tmp_path / "again.nc")
    assert mfg.load(again).dataset.identical(mfg.load(plan).dataset)


@pytest.mark.parametrize(("method", "stop"), [("newton", 3), ("newton", 8), ("frank-wolfe", 7), ("fictitious-play", 7)])
def test_resume_reaches_the_answer_of_one_run_bit_for_bit(tmp_path: Path, method: str, stop: int) -> None:
    problem = mfg.problems.supply_demand(shape=(16, 16), steps=64, scheme="upwind")  # two grids of Newton
    whole = mfg.solve(problem, method=method, max_iterations=20, check="ignore")
    mfg.solve(problem, method=method, max_iterations=stop, checkpoint=tmp_path / "c.nc", check="ignore")
    parts = mfg.resume(tmp_path / "c.nc", max_iterations=20, check="ignore")
    for name in ("density", "value", "speed", "coupling_cost", *(set(HISTORY) - {"seconds"})):
        assert np.array_equal(whole.dataset[name], parts.dataset[name], equal_nan=True), name
    assert whole.certificate == parts.certificate
    assert whole.sweeps == parts.sweeps
    assert whole.iterations == parts.iterations > stop


def test_a_file_that_is_overwritten_through_a_link_keeps_the_link(solution: mfg.Solution, tmp_path: Path) -> None:
    (tmp_path / "real.nc").write_bytes(b"old")
    (tmp_path / "link.nc").symlink_to(tmp_path / "real.nc")
    solution.save(tmp_path / "link.nc")
    assert (tmp_path / "link.nc").is_symlink()
    assert mfg.load(tmp_path / "real.nc").dataset.identical(solution.dataset)


def test_the_file_has_the_permissions_of_any_new_file(plan: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    assert plan.stat().st_mode & 0o777 == 0o666 & ~mask


# -- writing that fails ------------------------------------------------------------------------------------------------


def failing(number: int):
    def write(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return write


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "No space left"), (errno.EACCES, "Permission denied")])
def test_a_failed_write_leaves_the_earlier_file(
    solution: mfg.Solution, plan: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    before = plan.read_bytes()
    monkeypatch.setattr(Path, "write_bytes", failing(number))
    with pytest.raises(mfg.FileError, match=rf"plan\.nc cannot be written: {words}.*; any earlier file is untouched"):
        solution.save(plan)
    monkeypatch.undo()
    assert plan.read_bytes() == before
    assert hidden(plan.parent) == []


@pytest.mark.parametrize("step", ["chmod", "replace"])
def test_a_failure_after_writing_leaves_the_earlier_file(
    solution: mfg.Solution, plan: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = plan.read_bytes()
    monkeypatch.setattr(Path if step == "chmod" else files.os, step, failing(errno.EIO))
    with pytest.raises(mfg.FileError, match="Input/output error"):
        solution.save(plan)
    monkeypatch.undo()
    assert plan.read_bytes() == before
    assert hidden(plan.parent) == []


def test_a_read_only_folder(solution: mfg.Solution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:  # root may write everywhere
        monkeypatch.setattr(files.tempfile, "mkstemp", failing(errno.EACCES))
    else:
        tmp_path.chmod(0o500)
    with pytest.raises(mfg.FileError, match=r"plan\.nc cannot be written: Permission denied; choose another place"):
        solution.save(tmp_path / "plan.nc")
    tmp_path.chmod(0o700)
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_a_disk_that_is_full_for_real(plan: Path) -> None:
    """The kernel itself refuses the bytes (a limit on the size of a file); HDF5 would crash the process here."""
    script = f"""
import resource, mfgsolve as mfg
solution = mfg.load({str(plan)!r})
for limit in (0, 100, 3000, 20000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        solution.save({str(plan)!r})
    except mfg.FileError as error:
        found = str(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    assert "cannot be written: File too large" in found, found
print("whole")
"""
    before = plan.read_bytes()
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr
    assert plan.read_bytes() == before
    assert hidden(plan.parent) == []


def test_devices_are_not_replaced(solution: mfg.Solution) -> None:
    for device in ("/dev/null", "/dev/full"):
        with pytest.raises(mfg.FileError, match="no regular file"):
            solution.save(device)
        assert Path(device).is_char_device()


def test_output_places_that_cannot_be(solution: mfg.Solution, tmp_path: Path) -> None:
    with pytest.raises(mfg.FileError, match=r"the folder .*nowhere does not exist; create it"):
        solution.save(tmp_path / "nowhere" / "plan.nc")
    with pytest.raises(mfg.FileError, match="is a folder; name a file"):
        solution.save(tmp_path)


def test_a_checkpoint_that_cannot_be_written_is_told_and_the_last_one_is_kept(
    problem: mfg.Problem, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = checkpoint.read_bytes()
    monkeypatch.setattr(Path, "write_bytes", failing(errno.ENOSPC))
    with pytest.warns(UserWarning, match="checkpoint could not be written.*No space left"):
        assert mfg.solve(problem, checkpoint=checkpoint).converged
    monkeypatch.undo()
    assert checkpoint.read_bytes() == before
    assert hidden(checkpoint.parent) == []


# -- interrupts --------------------------------------------------------------------------------------------------------


def test_an_interrupt_while_writing_leaves_no_trace(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = plan.read_bytes()

    def interrupted(path: Path) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.replace_file(plan, interrupted)
    assert plan.read_bytes() == before
    assert hidden(plan.parent) == []


def test_an_interrupt_waits_until_hdf5_is_done() -> None:
    seen = []

    def work() -> None:
        with files._uninterrupted():
            signal.raise_signal(signal.SIGINT)
            seen.append("still here")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert seen == ["still here"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_writing_works_in_other_threads(solution: mfg.Solution, tmp_path: Path) -> None:
    thread = threading.Thread(target=solution.save, args=(tmp_path / "thread.nc",))
    thread.start()
    thread.join()
    assert mfg.load(tmp_path / "thread.nc").dataset.identical(solution.dataset)


# -- data only ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_nothing_in_the_package_can_execute_a_file() -> None:
    """No pickle, eval, exec, compile or import by name from data; files are read by h5netcdf and tomllib alone."""
    forbidden = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "runpy", "yaml"}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not {alias.name.split(".")[0] for alias in node.names} & forbidden, path
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in forbidden, path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile", "__import__"), path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr != "open_dataset" or path.name == "netcdf.py", path
                assert node.func.attr not in ("load_dataset", "read_pickle"), path
                versions = [
                    k.value.value for k in node.keywords if k.arg == "zarr_format" and hasattr(k.value, "value")
                ]
                assert node.func.attr != "open_zarr" or versions == [3], path  # those of version 2 may hold pickles
                assert not any(keyword.arg == "allow_pickle" for keyword in node.keywords), path


def test_reading_goes_through_h5netcdf(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engines = []
    original = xr.open_dataset

    def watched(*args: object, **options: object) -> xr.Dataset:
        engines.append(options["engine"])
        return original(*args, **options)

    monkeypatch.setattr(xr, "open_dataset", watched)
    mfg.load(plan)
    assert engines == ["h5netcdf"]


def test_the_problem_in_a_file_is_text_that_is_never_run(plan: Path, checkpoint: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    evil = f"__import__('pathlib').Path({str(trap)!r}).touch()"
    rewrite(plan, lambda d: d.assign_attrs(problem=evil, name=evil))
    assert mfg.load(plan).dataset.attrs["problem"] == evil
    rewrite(checkpoint, lambda d: d.assign_attrs(problem=evil))
    with pytest.raises(mfg.FileError, match="is not TOML"):
        mfg.resume(checkpoint)
    assert not trap.exists()
