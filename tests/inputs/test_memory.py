"""Sizes beyond the memory are told before anything is allocated; a hundred thousand names are no matter."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest
from plain_games import room

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.inputs import memory
from mfgsolve.inputs.memory import affordable, available_memory, human_size


@pytest.mark.slow
def test_a_hundred_thousand_names_are_no_matter():
    """A search through all names for each took minutes, for states, populations and starts alike."""
    code = """
import numpy as np, mfgsolve as mfg
from mfgsolve.agents.starting import start_cells
from mfgsolve.games import make_game
from scipy import sparse
names = [f"state {k}" for k in range(100_000)]
space = mfg.States(names)
try:
    mfg.States([*names, "state 7"])
except mfg.InputError as error:
    assert "'state 7' is named twice" in str(error)
try:
    mfg.Tabular([sparse.eye_array(2)], actions=[*names, "state 7"])
except mfg.InputError:
    pass
mfg.Populations(names, mfg.States(2))
time, stay = mfg.TimeGrid(1, 1), mfg.Tabular([sparse.eye_array(100_000)])
game = make_game(mfg.Problem(grid=space, time=time, dynamics=stay, coupling=0.0, initial=np.full(100_000, 1e-5)))
assert (start_cells(names[::-1], game)[0] == np.arange(100_000)[::-1]).all()
"""
    subprocess.run([sys.executable, "-c", code], timeout=120, check=True)


HUGE = {
    r"grid of shape \(100000, 100000\) needs at least 224 GiB of memory, and .* are available": lambda: mfg.Grid.box(
        (100000, 100000)),
    r"grid of shape \(9223372036854775808,\)": lambda: mfg.Grid.box(2**63),
    "list of 10000000000000 states needs at least": lambda: mfg.States(10**13),
    "space of 1000 populations in 10000000 cells each needs": lambda: mfg.Populations(
        [str(k) for k in range(1000)], mfg.States(10**7)),
    "density in 16 cells at 1000000000001 times needs": lambda: room(time=mfg.TimeGrid(1.0, 10**12)),
}  # fmt: skip


@pytest.mark.parametrize("message", HUGE)
def test_sizes_beyond_the_memory_are_told_before_anything_is_allocated(message):
    with pytest.raises(InputError, match=message):
        HUGE[message]()


def test_limits_of_the_process_count():
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))

    code = """
import mfgsolve as mfg
try:
    mfg.Grid.box((20_000, 20_000))
except mfg.InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True,
                          preexec_fn=limited)  # fmt: skip
    assert "grid of shape (20000, 20000) needs at least 8.94 GiB of memory, and" in done.stdout


def test_sizes_for_people():
    assert [human_size(n) for n in (0, 1023, 1024, 1536, 2**30, 10**20)] == [
        "0 bytes", "1023 bytes", "1 KiB", "1.5 KiB", "1 GiB", "8.88e+04 PiB"]  # fmt: skip
    assert affordable(10, 8, "small array") == 80
    there = available_memory()
    assert there is None or there > 2**20


def test_what_is_left_is_the_least_of_machine_container_and_limit(monkeypatch):
    """The machine has 8 GiB, a container 4 with 1 in use, the address space 5 with 2.5 in use."""
    page = resource.getpagesize()
    told = {
        "/proc/meminfo": "MemTotal: 99 kB\nMemAvailable:    8388608 kB\n",
        "/sys/fs/cgroup/memory.max": f"{4 * 2**30}\n",
        "/sys/fs/cgroup/memory.current": f"{2**30}\n",
        "/proc/self/statm": f"{5 * 2**29 // page} 17 3",
    }
    monkeypatch.setattr(memory, "_read", told.get)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (5 * 2**30, 2**40))
    assert available_memory() == 5 * 2**29
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
    assert available_memory() == 3 * 2**30
    told["/sys/fs/cgroup/memory.max"] = "max\n"
    assert available_memory() == 2**33
    assert affordable(2**30, 8, "grid") == 2**33
    with pytest.raises(
        InputError, match="grid needs at least 8 GiB of memory, and 8 GiB are available; take a smaller"
    ):
        affordable(2**30 + 1, 8, "grid")
    assert human_size(2**130) == "10^39 bytes"
