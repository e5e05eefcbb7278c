"""What is checked before a solve: memory, and every place that will be written."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from command_line import refused, run
from commands import FLAGSHIP
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.command import preflight
from mfgsolve.games import Game


def test_memory_of_finite_games(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(problem: mfg.Problem) -> tuple[int, int]:
        game = Game(problem)
        actions, entries = preflight._sizes(problem)
        assert actions == game.step.actions
        return entries, len(game.step.transitions.successor)

    dense = np.full((3, 4, 4), 0.25)
    sparse_list = [sparse.csr_array(np.eye(4))] * 2
    time = mfg.TimeGrid(2.0, 2)
    for transitions, count in ((dense, 48), (list(dense), 48), (sparse_list, 8), ([sparse_list] * 2, 16)):
        given = mfg.Tabular(transitions)
        problem = mfg.Problem(grid=mfg.States(4), time=time, dynamics=given, coupling=0.0, initial=np.full(4, 0.25))
        assert told(problem) == (count, count)
    moves = mfg.LatticeMoves((-1, 0, 1), jumps={-1: 0.5, 1: 0.5})
    problem = mfg.Problem(grid=mfg.Grid.box((6,)), time=time, dynamics=moves, coupling=0.0, initial=1.0)
    stated, stored = told(problem)
    assert stored <= stated <= 1.2 * stored
    monkeypatch.setattr(preflight, "_memory", lambda: 1e3)
    text = refused("solve", "rock-paper-scissors")
    assert re.search(r"a game of 4 states, 3 actions and 2 steps needs about \S+ GiB of memory; this machine", text)


@pytest.mark.parametrize("name", ["supply-demand", "crowd-aversion"])
def test_too_large_for_this_machine(name: str) -> None:
    text = refused("solve", name, "--shape", "100000x100000")
    assert re.search(
        r"a grid of shape 100000x100000 with \d+ steps needs about [\d,]+ GiB of memory; this machine", text
    )
    assert "coarser --shape or fewer --steps" in text


def test_memory_runs_out_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 9.00 GiB")

    monkeypatch.setattr("mfgsolve.solving.make_solver", exhausted)
    assert "out of memory (Unable to allocate 9.00 GiB); take a coarser --shape" in refused(*FLAGSHIP)


def test_bytes_needed_covers_what_a_solution_holds() -> None:
    solution = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), steps=32, scheme="upwind"))
    assert solution.dataset.nbytes < preflight.bytes_needed((8, 8), 32) < 3 * solution.dataset.nbytes


# -- outputs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-o", "plan.txt"], "--output plan.txt has the suffix '.txt'; a name that ends in .nc is needed"),
        (["-o", "plan"], "--output plan has the suffix ''"),
        (["-o", "nowhere/plan.nc"], "nowhere does not exist; create it or name another"),
        (["-o", "folder.nc"], "--output folder.nc is a folder; name a file in it"),
        (["-o", "device.nc"], "--output device.nc is no regular file"),
        (
            ["--plot", "plan.bmp"],
            "--plot plan.bmp has the suffix '.bmp'; a name that ends in .jpg or .pdf or .png or .svg",
        ),
        (["--plot", "nowhere/plan.png"], "nowhere does not exist"),
        (["--checkpoint", "c.h5"], "--checkpoint c.h5 has the suffix '.h5'"),
        (["-o", "a.nc", "--checkpoint", "./a.nc"], "--checkpoint a.nc is the same file as --output; name another file"),
        (["-o", "plan.nc", "--start", "link.nc"], "--output plan.nc is the same file as --start"),
        (["--checkpoint", "plan.nc", "--start", "plan.nc"], "--checkpoint plan.nc is the same file as --start"),
    ],
)
def test_outputs_are_checked_before_the_solve(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    Path("folder.nc").mkdir()
    Path("plan.nc").write_text("old")
    Path("link.nc").symlink_to("plan.nc")
    Path("device.nc").symlink_to("/dev/null")
    monkeypatch.setattr("mfgsolve.solving.make_solver", lambda *_: pytest.fail("the solve has started"))
    assert sentence in refused(*FLAGSHIP, *words)
    assert Path("plan.nc").read_text() == "old"


def test_a_folder_that_cannot_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(**_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    if os.geteuid() == 0:  # root may write everywhere
        monkeypatch.setattr(preflight.tempfile, "TemporaryFile", forbidden)
    else:
        folder.chmod(0o500)
    assert "--output plan.nc cannot be written: Permission denied; choose another place" in refused(
        *FLAGSHIP, "-o", "plan.nc"
    )
    folder.chmod(0o700)


def test_resume_plot_and_animate_never_overwrite_what_they_read(folder: Path) -> None:
    run(*FLAGSHIP, "--max-iterations", 0, "--checkpoint", "c.nc", "-o", "plan.nc", code=3)
    before = Path("c.nc").read_bytes()
    assert "--output ./c.nc is the same file as the checkpoint" in refused("resume", "c.nc", "-o", "././c.nc").replace(
        "--output c.nc", "--output ./c.nc"
    )
    assert Path("c.nc").read_bytes() == before
    assert "is a solution; a checkpoint is needed" in refused("resume", "plan.nc")
    assert "is a checkpoint; a solution is needed" in refused("plot", "c.nc", "-o", "p.png")
    assert "a name that ends in .gif or .mp4" in refused("animate", "plan.nc", "-o", "plan.avi")


@pytest.mark.parametrize("option", ["-o", "--plot"])
def test_a_disk_that_fills_up_during_the_solve(folder: Path, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    """The numbers are printed all the same, the earlier file stays, and the exit code tells."""
    name = {"-o": "plan.nc", "--plot": "plan.png"}[option]
    run(*FLAGSHIP, option, name)
    before = Path(name).read_bytes()

    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("mfgsolve.files.netcdf.os.replace", full)
    result = run(*FLAGSHIP, option, name, "--json", code=2)
    assert json.loads(result.stdout)["status"] == "converged"
    assert re.fullmatch(rf"Error: output .*{name} cannot be written: No space left.*untouched\n", result.stderr)
    assert Path(name).read_bytes() == before
    assert sorted(os.listdir()) == [name]


@pytest.mark.parametrize(
    ("scheme", "shape", "steps", "seconds", "memory"),
    [
        ("upwind", (64, 64), 512, 2.0, 4.9e8),
        ("entropic", (128, 128), 120, 5.0, 5.1e8),
        ("entropic", (192, 192), 220, 15.0, 1.2e9),
    ],
)
def test_estimates_are_right_within_a_factor_two(
    scheme: str, shape: tuple[int, ...], steps: int, seconds: float, memory: float
) -> None:
    """Against times and peaks of memory that were measured."""
    problem = mfg.problems.supply_demand(scheme=scheme, shape=shape, steps=steps)
    told = preflight.estimate(problem)
    assert 0.5 < told.seconds / seconds < 2.0
    assert 0.5 < told.memory / memory < 2.0


def test_estimates_say_what_they_know() -> None:
    problem = mfg.problems.supply_demand(shape=(8, 8), viscosity=0.05, steps=8)
    assert not preflight.estimate(problem).is_big
    for told in (
        preflight.estimate(problem, "fictitious-play"), preflight.estimate(problem, objective="social"),
        preflight.estimate(mfg.problems.build("beach-bar", {})),
    ):  # fmt: skip
        assert np.isnan(told.seconds)
        assert told.sentence.endswith("B of memory")
    for seconds, text in ((31.0, "31 seconds"), (600.0, "10 minutes"), (9000.0, "2.5 hours")):
        told = preflight.Estimate(5.5 * 2**30, seconds).sentence
        assert told.startswith(f"this needs about 5.5 GiB of memory, and about {text} on one thread")
