"""Every subcommand on every damaged file: one sentence and exit code 2; no traceback, no hang, no gigabytes."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from command_line import run
from damaged_files import WRONG_SOLUTIONS, broken, everywhere, huge, unsealed, written

import mfgsolve as mfg
from mfgsolve.files import netcdf as files
from mfgsolve.files import read_dataset, write_dataset

QUICK = ("convergence",)
KINDS = ("plan", "choices", "learned", "checkpoint", "lesson", "comparison", "convergence")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small real file of every kind."""
    folder = tmp_path_factory.mktemp("real")
    files = {name: folder / f"{name}.nc" for name in KINDS}
    flat = mfg.problems.supply_demand(shape=(6, 6), steps=16, scheme="upwind")
    beach = mfg.problems.beach_bar(shape=(6,), steps=4)
    plan = mfg.solve(flat, checkpoint=files["checkpoint"], check="ignore")
    plan.save(files["plan"])
    mfg.solve(beach, check="ignore").save(files["choices"])
    mfg.learn(beach, agents=5, episodes=20, rng=0, checkpoint=files["lesson"]).save(files["learned"])
    write_dataset(mfg.compare(plan, agents=[10, 100], replicas=3), files["comparison"])
    write_dataset(mfg.convergence(beach, ["newton", "fictitious-play"], max_sweeps=20), files["convergence"])
    assert plan.converged
    return files


def commands(file: Path, folder: Path) -> list[list[object]]:
    """Every way to read a file."""
    return [
        ["show", file],
        ["show", file, "--json"],
        ["plot", file, "-o", folder / "picture.png"],
        ["animate", file, "-o", folder / "film.gif", "--frames", 2],
        ["compare", file, "--agents", "5", "--replicas", 1],
        ["resume", file],
        ["solve", "beach-bar", "--shape", "6", "--steps", "4", "--start", file],
    ]


def told(words: list[object]) -> str:
    """The one sentence of a command that refuses."""
    result = run(*words, code=2)
    if "--json" in words:
        assert result.stderr == ""
        return str(json.loads(result.stdout)["error"]["message"])
    assert result.stdout == ""
    text = result.stderr.strip()
    assert text.startswith("Error: ")
    assert "\n" not in text
    assert len(text) < 1500
    return text


@pytest.mark.slow
def test_files_that_are_none(real: dict[str, Path], tmp_path: Path) -> None:
    for name, file in broken(real["plan"], tmp_path).items():
        for words in commands(file, tmp_path):
            assert file.name[:20] in told(words), name
        with pytest.raises(mfg.FileError):
            mfg.load(file)
    assert not (tmp_path / "picture.png").exists()


LIMITED = """
def peak():  # of this programme alone: ru_maxrss is never below what the process that began it had
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))
from typer.testing import CliRunner
from mfgsolve.command import application
out = []
for words in json.loads(sys.argv[1]):
    result = CliRunner().invoke(application.app, words, prog_name="mfgsolve")
    plain = result.exception is None or isinstance(result.exception, SystemExit)
    out.append([result.exit_code, plain, result.stderr or result.stdout])  # under --json errors stand on stdout
print(json.dumps([peak(), out]))
"""


def limited(words: list[list[object]]) -> list[tuple[int, bool, str]]:
    """Commands in a process of limited memory, which must not come to take much."""
    texts = json.dumps([[str(word) for word in line] for line in words])
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, texts], capture_output=True, text=True, timeout=300, check=True,
        env=os.environ | {"PYTHONPATH": str(Path(mfg.__file__).parents[1])},
    )  # fmt: skip
    peak, out = json.loads(done.stdout)
    assert peak < 1024 * 1024  # kilobytes; the libraries alone take half of it
    return out


@pytest.mark.slow
def test_files_that_declare_more_than_they_hold(real: dict[str, Path], tmp_path: Path) -> None:
    cases = [(name, words) for kind in ("plan", "checkpoint") for name, file in huge_of(real[kind], tmp_path).items()
             for words in commands(file, tmp_path)]  # fmt: skip
    for (name, words), (code, plain, text) in zip(cases, limited([words for _, words in cases]), strict=True):
        assert (code, plain) == (2, True), (name, words, text)
        wanted = (
            "declares",
            "lies in other files",
            "is a link",
            "lists of different",
            "blocks of",
            "stored",
            "needs at",
        )
        assert any(part in text for part in wanted), (name, words, text)


def huge_of(good: Path, folder: Path) -> dict[str, Path]:
    (folder / good.stem).mkdir()
    return huge(good, folder / good.stem)


@pytest.mark.slow
def test_a_million_rows_of_history_are_no_burden(real: dict[str, Path], tmp_path: Path) -> None:
    stored = unsealed(real["checkpoint"])
    grown = stored.isel(iteration=np.zeros(10**6, dtype=int)).assign_coords(iteration=np.arange(10**6))
    encoding = {name: {"zlib": True} for name in grown.variables if "iteration" in grown[name].dims}
    grown.to_netcdf(tmp_path / "long.nc", engine="h5netcdf", encoding=encoding)
    code = "import sys, mfgsolve.checkpoints as c; print(len(c.read_checkpoint(sys.argv[1]).rows))"
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "long.nc"], capture_output=True, text=True, timeout=120, check=True,
        env=os.environ | {"PYTHONPATH": str(Path(mfg.__file__).parents[1])},
    )  # fmt: skip
    assert done.stdout.strip() == str(10**6)


@pytest.mark.parametrize("name", WRONG_SOLUTIONS)
def test_numbers_that_cannot_be(real: dict[str, Path], tmp_path: Path, name: str) -> None:
    change, sentence = WRONG_SOLUTIONS[name]
    file = written(change(unsealed(real["plan"])), tmp_path / "wrong.nc")
    with pytest.raises(mfg.FileError) as caught:
        mfg.load(file)
    assert sentence in str(caught.value)
    assert str(caught.value) in told(["show", file, "--check"])


def test_probabilities_that_cannot_be(real: dict[str, Path], tmp_path: Path) -> None:
    stored = unsealed(real["choices"])
    for policy in (stored.policy * 0.5, stored.policy * 0 - 1, stored.policy * np.nan):
        with pytest.raises(mfg.FileError, match="'policy'"):
            mfg.load(written(stored.assign(policy=policy), tmp_path / "wrong.nc"))
    doubled = stored.isel(action=[0] * stored.sizes["action"])
    with pytest.raises(mfg.FileError, match="'action' in which a name comes twice"):
        mfg.load(written(doubled, tmp_path / "wrong.nc"))


@pytest.mark.parametrize(
    "kind", [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_whatever_is_missing_or_of_another_type_is_a_sentence(
    real: dict[str, Path], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A file that was changed on purpose, so that no checksum tells of it: read as it is, or refused."""
    good, refused = unsealed(real[kind]), 0
    for number, (name, change) in enumerate(everywhere(good)):
        changed = change(good)

        def read(path: Path, history_only: bool, changed: xr.Dataset = changed) -> xr.Dataset:
            return changed.drop_vars([n for n, v in changed.variables.items() if history_only and v.ndim > 1])

        monkeypatch.setattr(files, "_read", read)
        monkeypatch.setattr(files, "_header", lambda path, changed=changed: changed)
        result = run_any(["show", real[kind], "--json", "--check"], name)
        if result.exit_code == 0:
            assert json.loads(result.stdout), name
            if kind in ("checkpoint", "lesson") and number % 2:
                result = run_any(["resume", real[kind], "--json"], name)
        refused += result.exit_code == 2
    assert refused > 20


def run_any(words: list[object], about: str):
    """A command that may do or refuse, and nothing else."""
    from command_line import CliRunner, application

    result = CliRunner().invoke(application.app, [str(word) for word in words], prog_name="mfgsolve")
    assert result.exception is None or isinstance(result.exception, SystemExit), (about, result.exception)
    assert result.exit_code in (0, 2, 3), (about, result.output)
    if result.exit_code == 2:
        as_json = "--json" in words and "message" in json.loads(result.stdout)["error"]
        assert as_json or result.stderr.startswith("Error: "), (about, result.stderr)
    return result


@pytest.mark.parametrize("flips", [10, pytest.param(60, marks=pytest.mark.slow)])
def test_a_flipped_bit_is_found_or_changes_nothing(real: dict[str, Path], tmp_path: Path, flips: int) -> None:
    """Arrays carry checksums, attributes a seal: what can be read has the numbers and the words that were written."""
    for kind in ("plan", "choices"):
        good, content, dice = mfg.load(real[kind]), real[kind].read_bytes(), random.Random(kind)
        found = 0
        for _ in range(flips):
            damaged = bytearray(content)
            place = dice.randrange(len(content))
            damaged[place] ^= 1 << dice.randrange(8)
            (tmp_path / "flipped.nc").write_bytes(bytes(damaged))
            try:
                again = mfg.load(tmp_path / "flipped.nc")
            except mfg.FileError:
                found += 1
                continue
            assert repr(again.certificate) == repr(good.certificate)
            assert repr(again.dataset.attrs) == repr(good.dataset.attrs)
            for name in ("density", "value", "coupling_cost", "exploitability", "time", "x"):
                assert np.array_equal(again.dataset[name], good.dataset[name], equal_nan=True), (place, name)
        assert found > flips // 6


@pytest.mark.slow
def test_arrays_carry_checksums_and_older_files_are_read(real: dict[str, Path], tmp_path: Path) -> None:
    import h5py

    with h5py.File(real["plan"]) as file:
        assert all(file[name].fletcher32 for name in file if file[name].dtype.kind == "f" and file[name].shape)
    stored = unsealed(real["plan"])
    old = written(stored.drop_vars(["violation", "final_grid"]), tmp_path / "old.nc")  # no checksums, no seal
    assert mfg.load(old).certificate == mfg.load(real["plan"]).certificate
    sealed = xr.load_dataset(real["plan"], engine="h5netcdf", decode_times=False)
    noted = written(sealed.assign_attrs(note="mine"), tmp_path / "noted.nc")
    assert mfg.load(noted).dataset.attrs["note"] == "mine"
    for changed in ({"potential": sealed.attrs["potential"] * (1 + 1e-12)}, {"problem": "x = 1"}, {"seal": "0"}):
        with pytest.raises(mfg.FileError, match="is damaged: its attributes or names are not those that were written"):
            mfg.load(written(sealed.assign_attrs(changed), tmp_path / "changed.nc"))
    named = read_dataset(real["choices"], "solution")
    assert "seal" not in named.attrs


def test_memory_that_is_there_is_enough_for_real_files(real: dict[str, Path]) -> None:
    assert resource.getrlimit(resource.RLIMIT_AS)  # the limits above are those of other processes
    for kind in ("comparison", "convergence"):
        assert read_dataset(real[kind], kind).attrs["kind"] == kind
