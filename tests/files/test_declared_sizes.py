"""Sizes that a file declares are held against what it holds and against memory, before anything is made."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.inputs.memory import human_size
from mfgsolve.problemfile import problem_from_toml

GAME = """
data = "{file}"
[states]
count = 3
[time]
horizon = 2
steps = 2
[dynamics]
kind = "tabular"
transitions = "P"
actions = ["a", "b"]
[[coupling]]
kind = "crowd-aversion"
strength = 1.0
[initial]
density = [1.0, 0.0, 0.0]
"""
FLAT = """
[grid]
shape = {shape}
[time]
horizon = 1.0
steps = {steps}
[dynamics]
viscosity = 0.1
[[coupling]]
kind = "crowd-aversion"
strength = 1.0
[initial]
density = 1.0
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def fault(text: str) -> str:
    with pytest.raises(mfg.InputError) as caught:
        problem_from_toml(text)
    assert len(str(caught.value)) < 2000
    return str(caught.value)


@pytest.mark.parametrize("cells", ["9223372036854775808", "1000000, 1000000, 1000000", "1" + "0" * 400])
def test_grids_beyond_memory(cells: str) -> None:
    assert "of memory" in fault(FLAT.format(shape=f"[{cells}]", steps=4))


@pytest.mark.parametrize("steps", ["9223372036854775808", "1" + "0" * 400])
def test_steps_beyond_memory(steps: str) -> None:
    told = fault(FLAT.format(shape="[4]", steps=steps))
    assert "of memory" in told or "too large" in told


def test_states_and_named_problems_beyond_memory() -> None:
    np.savez("g.npz", P=np.ones((2, 3, 3)) / 3)
    assert "of memory" in fault(GAME.format(file="g.npz").replace("count = 3", "count = 9223372036854775808"))
    assert "of memory" in fault('problem = "beach-bar"\nshape = [9223372036854775808]')
    assert "of memory" in fault('problem = "supply-demand"\nshape = [1000000, 1000000]\nsteps = 100')


def test_numbers_of_thousands_of_digits_and_deep_nests() -> None:
    assert "is not TOML" in fault("x = " + "9" * 5000)
    assert "nested too deeply" in fault("x = " + "[" * 5000 + "]" * 5000)
    assert "is not finite" in fault(
        FLAT.format(shape="[4]", steps=4).replace("viscosity = 0.1", "viscosity = 1" + "0" * 400)
    )


def header(shape: tuple[int, ...], data: bytes = b"") -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return out.getvalue() + data


def archive(**members: bytes) -> None:
    with zipfile.ZipFile("g.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(f"{name}.npy", data)


def test_archives_that_declare_more_than_they_hold() -> None:
    text = GAME.format(file="g.npz")
    archive(P=header((2**40,)))
    assert "data file g.npz cannot be read (P.npy declares the shape (1099511627776,) and holds" in fault(text)
    archive(P=header((2, 3, 3), bytes(8 * 17)))
    assert "declares the shape (2, 3, 3) and holds" in fault(text)
    archive(P=b"no array at all")
    assert "data file g.npz cannot be read" in fault(text)
    with zipfile.ZipFile("g.npz", "w", zipfile.ZIP_BZIP2) as file:  # packs zeros 20 000 to 1
        file.writestr("P.npy", header((2**23,), bytes(8 * 2**23)))
    assert "P.npy declares 67108992 bytes and stores" in fault(text)


def triples(**changed: object) -> None:
    place = {"row": np.arange(6), "column": np.arange(6) % 3, "value": np.ones(6)} | changed
    np.savez("g.npz", **{f"P_{name}": values for name, values in place.items()})  # type: ignore[arg-type]


def test_triples_of_huge_indices() -> None:
    text = GAME.format(file="g.npz")
    triples()
    assert problem_from_toml(text).grid.size == 3
    for name, index, sentence in (
        ("row", 10**15, "is of 333333333333334 actions, and has 6 entries"),
        ("column", 10**15, "holds 1000000000000000; whole numbers from 0 to 2"),
        ("step", 10**15, "is of 1000000000000001 steps, and has 6 entries"),
        ("row", 1e300, "whole numbers are needed"),
        ("column", np.nan, "whole numbers are needed"),
        ("row", -1, "holds -1; whole numbers from 0"),
    ):
        values = np.array([index] * 6 if name == "step" else [0, 1, 2, 0, 1, index])
        triples(**{name: values})
        assert sentence in fault(text), (name, index)


LIMITED = """
def peak():  # of this programme alone: ru_maxrss is never below what the process that began it had
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
import mfgsolve as mfg
try:
    mfg.read_problem("p.toml")
except mfg.InputError as error:
    print(error, "|", peak())
"""


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["[20000, 20000]", "[9223372036854775808]"])
def test_a_limit_of_the_process_counts(shape: str) -> None:
    Path("p.toml").write_text(FLAT.format(shape=shape, steps=4))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED], capture_output=True, text=True, timeout=120, check=True,
        env=os.environ | {"PYTHONPATH": str(Path(mfg.__file__).parents[1])},
    )  # fmt: skip
    sentence, _, peak = done.stdout.partition("|")
    assert "of memory" in sentence
    assert int(peak) < 1024 * 1024  # kilobytes


def test_sizes_are_told_in_units_for_people() -> None:
    assert human_size(1536) == "1.5 KiB"
    assert human_size(10**400) == "10^400 bytes"
